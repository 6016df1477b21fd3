using System.IO.Pipelines;
using CbaMail.Mime;
using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>A snapshot of mailboxes and messages. Dispose it soon; what it returned stays usable.</summary>
public sealed class MailReader(ReadTransaction transaction) : IDisposable
{
    internal ReadTransaction Transaction => transaction;

    /// <summary>All mailboxes of the account, by name.</summary>
    public IReadOnlyList<Mailbox> Mailboxes(long accountId) => throw new NotImplementedException();
    public Mailbox? Mailbox(long mailboxId) => throw new NotImplementedException();
    /// <summary>INBOX is found in any case.</summary>
    public Mailbox? Find(long accountId, string name) => throw new NotImplementedException();
    /// <summary>Messages by rising UID within the range, both ends included.</summary>
    public List<MessageRow> Messages(long mailboxId, uint from = 1, uint to = uint.MaxValue) => throw new NotImplementedException();
    public MessageRow? Message(long mailboxId, uint uid) => throw new NotImplementedException();
    public MailboxChanges ChangesSince(long mailboxId, long modseq) => throw new NotImplementedException();
    /// <summary>The content of a row, or null when it has just been expunged and collected.</summary>
    public MessageContent? Content(long mailboxId, in MessageRow row) => throw new NotImplementedException();
    /// <summary>A content without a row, for the queue; the prefix is empty.</summary>
    public MessageContent? Content(long contentId) => throw new NotImplementedException();
    /// <summary>Bytes and messages that the account uses.</summary>
    public (long Bytes, long Messages) Usage(long accountId) => throw new NotImplementedException();

    public void Dispose() => transaction.Dispose();
}

/// <summary>
/// One stored message: the row's prefix and the shared content. Positions given to the reading methods count from the prefix' first byte;
/// those inside <see cref="Structure"/> count from the content's first byte: add <c>Prefix.Length</c>.
/// </summary>
public sealed class MessageContent
{
    public long ContentId { get; internal init; }
    public ReadOnlyMemory<byte> Prefix { get; internal init; }
    /// <summary>Prefix and content.</summary>
    public long Size { get; internal init; }
    /// <summary>IMAP ENVELOPE, ready for the wire.</summary>
    public ReadOnlyMemory<byte> Envelope { get; internal init; }
    /// <summary>The tree of parts, decoded on first use.</summary>
    public MimePart Structure => throw new NotImplementedException();
    public string Preview { get; internal init; } = "";
    /// <summary>The Date field, or null.</summary>
    public DateTimeOffset? Sent { get; internal init; }
    public string? MessageId { get; internal init; }

    /// <summary>Writes a range to the pipe in pieces, flushing as it goes; memory does not depend on the size.</summary>
    /// <exception cref="IOException">The pack is damaged.</exception>
    public ValueTask CopyToAsync(PipeWriter output, long position, long count, CancellationToken cancel) => throw new NotImplementedException();

    /// <summary>A range as one array, for headers and small parts.</summary>
    public byte[] Read(long position, int count) => throw new NotImplementedException();
}
