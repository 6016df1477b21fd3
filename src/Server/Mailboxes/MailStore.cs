using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>A message ready to be committed: parsed, its large parts cut out, hashed and compressed, outside the committer.</summary>
public sealed class StagedMessage : IDisposable
{
    public long Size { get; internal set; }
    /// <summary>The Message-ID field without brackets, or null.</summary>
    public string? MessageId { get; internal set; }
    public void Dispose() { }
}

/// <summary>A stored content within a transaction or for later rows.</summary>
public readonly record struct ContentRef(long Id, long Size);

/// <summary>A row to add. <paramref name="Prefix"/> stands before the content: whole header fields with CRLF, or empty.</summary>
public readonly record struct NewMessage(
    ContentRef Content, ReadOnlyMemory<byte> Prefix, MessageFlags Flags, IReadOnlyList<string> Keywords, DateTimeOffset Received);

/// <summary>
/// The vault's deeds: mailboxes and the messages in them. Every write is durable when its task completes
/// and is announced by <see cref="Notifier"/> just before.
/// </summary>
public sealed class MailStore(Store store, Notifier notifier, TimeProvider time)
{
    public Notifier Notifier => notifier;
    public Store Store => store;
    public TimeProvider Time => time;

    /// <summary>A snapshot for reading.</summary>
    public MailReader Read() => new(store.Read());

    /// <summary>Parses, splits, hashes and compresses. CPU work: call it outside the committer.</summary>
    /// <param name="likeContent">A content that this one resembles (the first of a mailing), as compression dictionary; or null.</param>
    public StagedMessage Stage(ReadOnlyMemory<byte> message, long? likeContent = null) => throw new NotImplementedException();

    // ---- inside a transaction of the caller (Delivery, Mailings, Queue)

    /// <summary>Stores the body with no reference yet; a content that gets none by the end of the transaction is garbage.</summary>
    public ContentRef AddContent(WriteTransaction transaction, StagedMessage staged) => throw new NotImplementedException();

    /// <summary>Adds a row, its quota and counters. Quota 0 = none.</summary>
    /// <returns>The new UID, or OverQuota or NoSuchMailbox.</returns>
    public Result<Appended> AddMessage(WriteTransaction transaction, long mailboxId, in NewMessage message, long quota) => throw new NotImplementedException();

    /// <summary>The mailbox of the account, created where it is missing.</summary>
    public long EnsureMailbox(WriteTransaction transaction, long accountId, string name, string? specialUse = null) => throw new NotImplementedException();

    /// <summary>INBOX and the special-use mailboxes of a new account.</summary>
    public void CreateAccount(WriteTransaction transaction, long accountId) => throw new NotImplementedException();

    /// <summary>Removes everything that the account holds.</summary>
    public void RemoveAccount(WriteTransaction transaction, long accountId) => throw new NotImplementedException();

    /// <summary>Holds a content for something that is not a message row (a queue entry).</summary>
    public void AddReference(WriteTransaction transaction, long contentId, int count = 1) => throw new NotImplementedException();

    public void DropReference(WriteTransaction transaction, long contentId, int count = 1) => throw new NotImplementedException();

    // ---- deeds with a commit of their own

    public ValueTask<Result<Mailbox>> CreateAsync(long accountId, string name, string? specialUse, CancellationToken cancel) => throw new NotImplementedException();
    /// <summary>Renames with all below it; INBOX moves its messages to the new one (RFC 9051 6.3.6).</summary>
    public ValueTask<Result<Mailbox>> RenameAsync(long accountId, string from, string to, CancellationToken cancel) => throw new NotImplementedException();
    public ValueTask<Refusal?> DeleteAsync(long accountId, string name, CancellationToken cancel) => throw new NotImplementedException();
    public ValueTask<Refusal?> SubscribeAsync(long accountId, string name, bool subscribed, CancellationToken cancel) => throw new NotImplementedException();

    public ValueTask<Result<Appended>> AppendAsync(long mailboxId, StagedMessage staged, MessageFlags flags, IReadOnlyList<string> keywords, DateTimeOffset? received, long quota, CancellationToken cancel) => throw new NotImplementedException();
    /// <param name="uids">Rising; those that do not exist are passed over.</param>
    /// <param name="unchangedSince">RFC 7162 3.1.3, or null.</param>
    public ValueTask<Result<StoreResult>> StoreAsync(long mailboxId, IReadOnlyList<uint> uids, FlagChange change, long? unchangedSince, CancellationToken cancel) => throw new NotImplementedException();
    public ValueTask<Result<Copied>> CopyAsync(long mailboxId, IReadOnlyList<uint> uids, long destinationId, long quota, CancellationToken cancel) => throw new NotImplementedException();
    public ValueTask<Result<Copied>> MoveAsync(long mailboxId, IReadOnlyList<uint> uids, long destinationId, CancellationToken cancel) => throw new NotImplementedException();
    /// <summary>Removes those of <paramref name="uids"/> (null: of all) that are flagged \Deleted; returns their UIDs.</summary>
    public ValueTask<Result<IReadOnlyList<uint>>> ExpungeAsync(long mailboxId, IReadOnlyList<uint>? uids, CancellationToken cancel) => throw new NotImplementedException();
    /// <summary>Takes \Recent for this session (RFC 3501 2.3.2): the messages from the returned UID on are recent to it alone.</summary>
    public ValueTask<uint> ClaimRecentAsync(long mailboxId, CancellationToken cancel) => throw new NotImplementedException();
}
