using System.Collections.Concurrent;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Storage;
using CbaMail.Storage.Blobs;

namespace CbaMail.Mailboxes;

/// <summary>
/// The vault's deeds: mailboxes and the messages in them. Every write is durable when its task completes
/// and is announced by <see cref="Notifier"/> just before.
/// </summary>
public sealed class MailStore(Store store, Settings settings, Notifier notifier, TimeProvider time)
{
    /// <summary>Rows that one commit changes at most, so that others get in between.</summary>
    const int RowsPerCommit = 2500;

    static readonly (string Name, string Use)[] FirstMailboxes =
        [("Archive", "\\Archive"), ("Drafts", "\\Drafts"), ("Junk", "\\Junk"), ("Sent", "\\Sent"), ("Trash", "\\Trash")];

    readonly Staging staging = new(settings.Storage.SharedPartBytes);
    readonly Bodies bodies = new(store.Packs, store.Read);
    readonly Recents recents = new(store);
    readonly ConcurrentDictionary<long, long> inboxes = Inboxes(store);  // of an account: never changes
    readonly ConcurrentDictionary<long, long> accounts = new();          // of other mailboxes: never changes
    int rightsVersion;

    // all at once, or the first message to each would look for it inside its commit
    static ConcurrentDictionary<long, long> Inboxes(Store store)
    {
        using var read = store.Read();
        return new(MailboxTable.Inboxes(read));
    }

    public Notifier Notifier => notifier;
    public Store Store => store;

    /// <summary>Large messages take turns here before <see cref="Stage"/>.</summary>
    public StagingRoom StagingRoom { get; } = new(settings.Storage.StagingBytes);

    /// <summary>Whether what is expunged can be brought back for a while; said by <see cref="Undelete"/>.</summary>
    internal bool KeepsExpunged { get; set; }

    // on a disk that is short, who removes mail wants the space
    bool Keeps => KeepsExpunged && store.Condition.IsAmple;

    internal KeywordRoom KeywordRoom { get; } = new();

    /// <summary>A snapshot for reading.</summary>
    public MailReader Read() => new(store.Read(), bodies);

    /// <summary>Removes rows whose body a crash has taken; given to the store, which calls it before anybody can read.</summary>
    public static void RemoveUnacknowledged(WriteTransaction transaction, PackGap gap)
    {
        PendingFlags.Settle(transaction);
        if (gap.IsWithoutLog && gap.Whole.Count > 0 && ContentTable.Unnamed(transaction, gap) is > 0 and var unnamed) throw new InvalidOperationException(WithoutLog(unnamed));
        var contents = ContentTable.Lost(transaction, gap);
        var objects = ContentTable.LostObjects(transaction, gap);
        foreach (var id in contents) ContentTable.Erase(transaction, id);
        foreach (var id in objects) ContentTable.EraseObject(transaction, id);
        if (contents.Count + objects.Count > 0) MailboxesTelemetry.Recovered(gap.Log, contents.Count, objects.Count);
    }

    // a clean stop leaves no log, and none of these records either
    internal static string WithoutLog(int records) =>
        $"The database's log, cbamail.db-wal, is missing although the server was not stopped properly: {records} records of mail have no row without it. Nothing was changed: put the file back; " +
        "or restore from a backup; or run \"cbamail verify --repair\", which goes on without it and puts mail whose rows are lost into a mailbox \"Recovered\".";

    /// <summary>Parses, splits, hashes and compresses. CPU work: call it outside the committer.</summary>
    /// <param name="likeContent">A content that this one resembles (the first of a mailing), as compression dictionary; or null.</param>
    /// <param name="memory">The large parts that this message shares with others of a mailing.</param>
    public StagedMessage Stage(ReadOnlyMemory<byte> message, long? likeContent = null, PartMemory? memory = null)
    {
        if (likeContent is not { } like) return staging.Stage(message.Span, null, [], memory);
        PackLocation? location;
        using (var read = store.Read())
        {
            like = ContentTable.BaseOf(read, like) ?? like; // a base has none itself
            location = ContentTable.BodyLocation(read, like);
        }
        if (location is not { } at || at.Stored > PackRecord.PieceBytes) return staging.Stage(message.Span, null, [], memory);
        return bodies.BaseOrNull(like, at) is { } bytes ? staging.Stage(message.Span, like, bytes.Span, memory) : staging.Stage(message.Span, null, [], memory);
    }

    // ---- inside a transaction of the caller (Delivery, Mailings, Queue)

    /// <summary>Stores the body with no reference yet; a content that gets none by the end of the caller's work is removed again.</summary>
    public ContentRef AddContent(WriteTransaction transaction, StagedMessage staged)
    {
        var id = ContentTable.Insert(transaction, staged);
        Changes.Refer(transaction, id, 0);
        return new ContentRef(id, staged.Size) { Sent = staged.Sent };
    }

    /// <summary>Adds a row, its quota and counters. Quota 0 = none.</summary>
    /// <returns>The new UID, or OverQuota or NoSuchMailbox.</returns>
    public Result<Appended> AddMessage(WriteTransaction transaction, long mailboxId, in NewMessage message, long quota)
    {
        return AccountOf(transaction, mailboxId) is { } accountId ? AddMessage(transaction, accountId, mailboxId, message, quota) : Refusal.NoSuchMailbox;
    }

    /// <summary>The same where the account is known.</summary>
    public Result<Appended> AddMessage(WriteTransaction transaction, long accountId, long mailboxId, in NewMessage message, long quota)
    {
        var size = message.Prefix.Length + message.Content.Size;
        if (MailboxTable.Use(transaction, accountId, size, 1, quota) is not { } modseq) return Refusal.OverQuota;
        if (MailboxTable.TakeUid(transaction, mailboxId, message.Flags.HasFlag(MessageFlags.Seen), message.Flags.HasFlag(MessageFlags.Deleted), size, modseq) is not { } taken)
        {
            MailboxTable.Use(transaction, accountId, -size, -1, 0);
            return Refusal.NoSuchMailbox;
        }
        MessageTable.Insert(transaction, mailboxId, taken.Uid, message, size, Keywords.Of(message.Keywords), time.GetUtcNow(), modseq);
        Changes.Refer(transaction, message.Content.Id, 1);
        Changes.Add(transaction, notifier, accountId, mailboxId, modseq);
        return new Appended(taken.UidValidity, taken.Uid, modseq);
    }

    /// <summary>The mailbox of the account to which the "+" detail of an address leads, or null: to INBOX (<see cref="MailboxAccess.Posting"/>).</summary>
    public long? FolderOf(WriteTransaction transaction, Directory.UserDirectory directory, long accountId, string detail, long? author) =>
        new MailboxAccess(directory, "", "").Posting(MailboxTable.All(transaction, accountId), id => AclTable.Of(transaction, id), detail, author)?.Id;

    /// <summary>Whether "public+news" of a domain is a public folder that this sender may post to.</summary>
    public bool IsFolder(Directory.UserDirectory directory, Directory.Domain domain, string name, string detail, Directory.Poster poster)
    {
        if (!name.Equals(settings.Imap.PublicFolders, StringComparison.OrdinalIgnoreCase)) return false;
        using var read = store.Read();
        return new MailboxAccess(directory, "", "").Posting(MailboxTable.All(read, -domain.Id), id => AclTable.Of(read, id), detail, poster.Account) is not null;
    }

    /// <summary>The account's INBOX as far as it has been committed, or null.</summary>
    public long? InboxOf(long accountId) => inboxes.TryGetValue(accountId, out var inbox) ? inbox : null;

    /// <summary>The mailbox of the account, created where it is missing.</summary>
    public long EnsureMailbox(WriteTransaction transaction, long accountId, string name, string? specialUse = null)
    {
        if (name == "INBOX" && inboxes.TryGetValue(accountId, out var inbox)) return inbox;
        var id = MailboxTable.Find(transaction, accountId, name)?.Id ?? Hierarchy.Insert(transaction, accountId, name, specialUse, time.GetUtcNow());
        if (name == "INBOX") transaction.OnCommitted(() => inboxes[accountId] = id);
        Changes.AddNames(transaction, notifier, accountId);
        return id;
    }

    /// <summary>The mailbox that the account uses for it (RFC 6154 2), whatever its name; where none does, the one of that name, created where it is missing.</summary>
    public long EnsureSpecial(WriteTransaction transaction, long accountId, string specialUse, string name) =>
        MailboxTable.All(transaction, accountId).Find(mailbox => mailbox.SpecialUse == specialUse)?.Id ?? EnsureMailbox(transaction, accountId, name, specialUse);

    /// <summary>INBOX and the special-use mailboxes of a new account.</summary>
    public void CreateAccount(WriteTransaction transaction, long accountId)
    {
        MailboxTable.InsertUsage(transaction, accountId);
        EnsureMailbox(transaction, accountId, "INBOX");
        foreach (var (name, use) in FirstMailboxes) EnsureMailbox(transaction, accountId, name, use);
    }

    /// <summary>Removes everything that the account holds.</summary>
    public void RemoveAccount(WriteTransaction transaction, long accountId, string? address = null)
    {
        if (address is not null) Sharing.Forget(transaction, this, address);
        AnnotationTable.Forget(transaction, accountId);
        ReaderTable.Forget(transaction, accountId);
        foreach (var mailbox in MailboxTable.All(transaction, accountId)) Hierarchy.Remove(transaction, notifier, mailbox);
        foreach (var content in KeptTable.Forget(transaction, accountId)) DropReference(transaction, content);
        MailboxTable.DropSubscriptions(transaction, accountId);
        MailboxTable.DeleteUsage(transaction, accountId);
        transaction.OnCommitted(() => inboxes.TryRemove(accountId, out _));
    }

    /// <summary>Holds a content for something that is not a message row (a queue entry); the body is flushed before the row is committed.</summary>
    public void AddReference(WriteTransaction transaction, long contentId, int count = 1)
    {
        transaction.BodiesFirst();
        Changes.Refer(transaction, contentId, count);
    }

    public void DropReference(WriteTransaction transaction, long contentId, int count = 1) => Changes.Refer(transaction, contentId, -count);

    // ---- deeds with a commit of their own

    public ValueTask<Result<Mailbox>> CreateAsync(long accountId, string name, string? specialUse, CancellationToken cancel) =>
        store.CommitAsync(t => Named(t, accountId, Hierarchy.Create(t, accountId, name, specialUse, time.GetUtcNow())), cancel);

    /// <summary>Renames with all below it; INBOX moves its messages to the new one (RFC 9051 6.3.6).</summary>
    public ValueTask<Result<Mailbox>> RenameAsync(long accountId, string from, string to, CancellationToken cancel) =>
        store.CommitAsync(t => Named(t, accountId, Hierarchy.Rename(t, notifier, accountId, from, to, time.GetUtcNow())), cancel);

    public ValueTask<Refusal?> DeleteAsync(long accountId, string name, CancellationToken cancel) =>
        store.CommitAsync(t => Named(t, accountId, Hierarchy.Delete(t, notifier, accountId, name, Keeps ? time.GetUtcNow() : null)), cancel);

    /// <summary>Changes what an identifier may do (RFC 4314 3.1).</summary>
    /// <param name="isOwner">It is the mailbox's owner: as long as the list does not name him, he may do all.</param>
    public ValueTask<Refusal?> SetAclAsync(long mailboxId, string identifier, bool isOwner, RightsMode mode, Rights rights, CancellationToken cancel) =>
        store.CommitAsync(t => Sharing.Set(t, notifier, this, mailboxId, identifier, isOwner, mode, rights), cancel);

    /// <summary>Drops the entry of an identifier (RFC 4314 3.2).</summary>
    public ValueTask<Refusal?> DeleteAclAsync(long mailboxId, string identifier, CancellationToken cancel) =>
        store.CommitAsync(t => Sharing.Delete(t, notifier, this, mailboxId, identifier), cancel);

    /// <summary>Sets annotations of a mailbox, or with 0 of the server; null removes one (RFC 5464 4.3).</summary>
    /// <param name="by">The session that does it: it need not be told.</param>
    public ValueTask<Refusal?> AnnotateAsync(long mailboxId, long accountId, IReadOnlyList<(string Entry, byte[]? Value)> values, CancellationToken cancel, string? by = null) =>
        store.CommitAsync(t =>
        {
            var relieved = new List<long>();
            var refusal = Annotations.Set(t, mailboxId, accountId, values, relieved);
            if (refusal is null)
                t.OnCommitted(() =>
                {
                    AnnotationFeed.Add(mailboxId, values.Select(one => (Annotations.Whose(one.Entry, accountId), one.Entry)), by);
                    foreach (var other in relieved) AnnotationFeed.Add(other, [(accountId, Annotations.SpecialUse)], by: null); // news to whoever did it, too
                });
            return refusal;
        }, cancel);

    /// <summary>What has become of annotations lately.</summary>
    public AnnotationFeed AnnotationFeed { get; } = new();

    /// <summary>Rises with every change of an access control list: what was found out before may be out of date.</summary>
    public int RightsVersion => Volatile.Read(ref rightsVersion);

    internal void RightsChanged() => Interlocked.Increment(ref rightsVersion);

    public ValueTask<Refusal?> SubscribeAsync(long accountId, string name, bool subscribed, CancellationToken cancel, bool isOwn = true) =>
        store.CommitAsync(t => Named(t, accountId, Hierarchy.Subscribe(t, accountId, name, subscribed, isOwn)), cancel);

    /// <param name="reader">Whose \Seen is meant (<see cref="Mailbox.ReaderOf"/>).</param>
    public ValueTask<Result<Appended>> AppendAsync(long mailboxId, StagedMessage staged, MessageFlags flags, IReadOnlyList<string> keywords, DateTimeOffset? received, long quota, CancellationToken cancel, long reader = 0) =>
        store.CommitAsync(t => AddMessage(t, mailboxId, new NewMessage(AddContent(t, staged), default, flags, keywords, received ?? time.GetUtcNow()), quota, reader), cancel);

    /// <summary>The same by somebody whose mailbox it need not be.</summary>
    /// <param name="reader">Whose \Seen is meant (<see cref="Mailbox.ReaderOf"/>).</param>
    public Result<Appended> AddMessage(WriteTransaction transaction, long mailboxId, in NewMessage message, long quota, long reader)
    {
        if (reader == 0 || (message.Flags & MessageFlags.Seen) == 0) return AddMessage(transaction, mailboxId, message, quota);
        var added = AddMessage(transaction, mailboxId, message with { Flags = message.Flags & ~MessageFlags.Seen }, quota);
        if (added.Ok) Readers.Mark(transaction, mailboxId, reader, [added.Value.Uid], added.Value.ModSeq);
        return added;
    }

    /// <summary>All or nothing (RFC 3502 6.3.11), in one commit.</summary>
    public ValueTask<Result<List<Appended>>> AppendAsync(long mailboxId, IReadOnlyList<Upload> uploads, long quota, CancellationToken cancel, long reader = 0) =>
        store.CommitAsync(t => Appending.Add(t, this, mailboxId, uploads, quota, reader, time.GetUtcNow()), cancel);

    /// <summary>Appends one message and removes another, which may be of another mailbox, in one commit (RFC 8508 3.4).</summary>
    /// <returns>NoSuchThing where the old one is gone; then nothing was appended.</returns>
    public ValueTask<Result<Appended>> ReplaceAsync(long mailboxId, Upload upload, long quota, long oldMailboxId, uint oldUid, CancellationToken cancel, long reader = 0) =>
        store.CommitAsync(t => Appending.Replace(t, this, mailboxId, upload, quota, reader, oldMailboxId, oldUid, time.GetUtcNow()), cancel);

    /// <param name="uids">Rising; those that do not exist are passed over.</param>
    /// <param name="unchangedSince">RFC 7162 3.1.3, or null.</param>
    /// <param name="reader">Whose \Seen is meant (<see cref="Mailbox.ReaderOf"/>).</param>
    /// <param name="known">What the caller knows of just these messages; the owner's own view.</param>
    /// <param name="beside">The caller has something else to do meanwhile.</param>
    public async ValueTask<Result<StoreResult>> StoreAsync(
        long mailboxId, IReadOnlyList<uint> uids, FlagChange change, long? unchangedSince, CancellationToken cancel, long reader = 0, KnownFlags? known = null, OwnChange? own = null,
        bool beside = false)
    {
        if (uids.Count > RowsPerCommit) known = null; // it is right for the first commit alone
        var changed = new List<FlagState>(uids.Count);
        var failed = new List<uint>();
        for (var i = 0; i < uids.Count; i += RowsPerCommit)
        {
            var piece = Piece(uids, i);
            Refusal? Run(WriteTransaction transaction) => Flags.Store(transaction, notifier, mailboxId, piece, change, unchangedSince, changed, failed, KeywordRoom, reader, known, own);
            if ((beside ? await store.StartCommit(Run, cancel) : await store.CommitAsync(Run, cancel)) is { } refusal) return refusal;
        }
        return new StoreResult(changed, failed);
    }

    /// <summary>
    /// The same for many messages whose flags the owner's session knows, in one small commit: their rows are written a moment later (<see cref="PendingFlags"/>).
    /// </summary>
    /// <returns>The runs as they are now; null: nothing was done, since too little is known, or too few or too many are to change.</returns>
    public async ValueTask<IReadOnlyList<KnownRun>?> StorePendingAsync(long mailboxId, KnownRuns known, FlagChange change, CancellationToken cancel, OwnChange? own = null) =>
        settings.Storage.PendingFlagsAtLeast is > 0 and var least && known.Messages >= least
            ? await store.CommitAsync(t => PendingFlags.Store(t, notifier, mailboxId, known, change, KeywordRoom, own), cancel, besideDeferred: true) : null;

    /// <summary>All or nothing (RFC 9051 6.4.7).</summary>
    /// <param name="rights">In the destination: flags that may not be set there are not copied (RFC 4314 4).</param>
    /// <param name="by">Which account copies; 0: the owner.</param>
    public ValueTask<Result<Copied>> CopyAsync(long mailboxId, IReadOnlyList<uint> uids, long destinationId, long quota, CancellationToken cancel, Rights rights = Rights.All, long by = 0) =>
        store.CommitAsync(t => Transfer.Copy(t, notifier, mailboxId, uids, destinationId, quota, new(by, rights, KeywordRoom), time.GetUtcNow()), cancel);

    /// <summary>All or nothing (RFC 6851 3.3).</summary>
    /// <param name="quota">Of the destination's owner; counted where the messages come to another one.</param>
    public ValueTask<Result<Copied>> MoveAsync(long mailboxId, IReadOnlyList<uint> uids, long destinationId, CancellationToken cancel, long quota = 0, Rights rights = Rights.All, long by = 0) =>
        store.CommitAsync(t => Transfer.Move(t, notifier, mailboxId, uids, destinationId, quota, new(by, rights, KeywordRoom), time.GetUtcNow()), cancel);

    /// <summary>Removes those of <paramref name="uids"/> (null: of all) that are flagged \Deleted; returns their UIDs.</summary>
    public async ValueTask<Result<IReadOnlyList<uint>>> ExpungeAsync(long mailboxId, IReadOnlyList<uint>? uids, CancellationToken cancel, OwnChange? own = null)
    {
        using (var read = Read()) uids = Expunge.Candidates(read, mailboxId, uids);
        var gone = new List<uint>();
        for (var i = 0; i < uids.Count; i += RowsPerCommit)
        {
            var piece = Piece(uids, i);
            int Remove(WriteTransaction transaction)
            {
                Expunge.Remove(transaction, notifier, mailboxId, piece, gone, time.GetUtcNow(), own, Keeps);
                return 0;
            }
            if (uids.Count <= RowsPerCommit) await store.CommitAsync(Remove, cancel);
            else await store.StartCommit(Remove, cancel); // beside the caller, who may have something to say meanwhile
        }
        return gone;
    }

    /// <summary>How long the mailbox keeps its messages (<see cref="Mailbox.KeepDays"/>).</summary>
    public async ValueTask SetKeepDaysAsync(long mailboxId, int? days, CancellationToken cancel) =>
        await store.CommitAsync(t => { MailboxTable.SetKeepDays(t, mailboxId, days); return true; }, cancel);

    /// <summary>Removes the messages, whatever their flags; those that are gone are passed over.</summary>
    /// <param name="uids">Rising.</param>
    /// <param name="which">Only those of them for which this holds when they are removed.</param>
    /// <returns>How many were removed.</returns>
    public async ValueTask<int> RemoveAsync(long mailboxId, IReadOnlyList<uint> uids, CancellationToken cancel, Predicate<MessageRow>? which = null)
    {
        var gone = 0;
        for (var i = 0; i < uids.Count; i += RowsPerCommit)
        {
            var piece = Piece(uids, i);
            gone += await store.CommitAsync(t =>
            {
                if (MailboxTable.Get(t, mailboxId) is not { } mailbox) return 0;
                var rows = Flags.Rows(t, mailboxId, piece);
                if (which is not null) rows.RemoveAll(row => !which(row));
                Expunge.Take(t, notifier, mailbox, rows, time.GetUtcNow(), Keeps);
                return rows.Count;
            }, cancel);
        }
        return gone;
    }

    /// <summary>Moves the messages into the account's trash; those that are gone are passed over. Out of the trash itself they are removed.</summary>
    /// <param name="uids">Rising.</param>
    public async ValueTask TrashAsync(long accountId, long mailboxId, IReadOnlyList<uint> uids, CancellationToken cancel)
    {
        for (var i = 0; i < uids.Count; i += RowsPerCommit)
        {
            var piece = Piece(uids, i);
            await store.CommitAsync(t =>
            {
                var trash = EnsureSpecial(t, accountId, "\\Trash", "Trash");
                if (trash != mailboxId) _ = Transfer.Move(t, notifier, mailboxId, piece, trash, 0, Mover.Owner, time.GetUtcNow());
                else if (MailboxTable.Get(t, mailboxId) is { } mailbox) Expunge.Take(t, notifier, mailbox, Flags.Rows(t, mailboxId, piece), time.GetUtcNow(), Keeps);
                return 0;
            }, cancel);
        }
    }

    /// <summary>
    /// Takes \Recent for this session (RFC 3501 2.3.2): the messages from the returned UID on and below the second are recent to it alone.
    /// Some of them may be newer than the snapshot that it has.
    /// </summary>
    public (uint From, uint To) ClaimRecent(long mailboxId) => recents.Claim(mailboxId);

    /// <summary>The first UID that is \Recent to the next session.</summary>
    public uint RecentFrom(Mailbox mailbox) => recents.From(mailbox);

    T Named<T>(WriteTransaction transaction, long accountId, T result)
    {
        Changes.AddNames(transaction, notifier, accountId);
        return result;
    }

    static IReadOnlyList<uint> Piece(IReadOnlyList<uint> uids, int from) =>
        uids.Count <= RowsPerCommit ? uids : [.. uids.Skip(from).Take(RowsPerCommit)];

    long? AccountOf(WriteTransaction transaction, long mailboxId)
    {
        if (accounts.TryGetValue(mailboxId, out var account)) return account;
        if (MailboxTable.Get(transaction, mailboxId) is not { } mailbox) return null;
        transaction.OnCommitted(() => accounts[mailboxId] = mailbox.AccountId);
        return mailbox.AccountId;
    }
}
