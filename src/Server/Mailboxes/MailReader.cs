using CbaMail.Mime;
using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>A snapshot of mailboxes and messages. Dispose it soon; what it returned stays usable.</summary>
public sealed class MailReader : IDisposable
{
    readonly ReadTransaction transaction;
    readonly Bodies bodies;

    internal MailReader(ReadTransaction transaction, Bodies bodies) => (this.transaction, this.bodies) = (transaction, bodies);

    internal ReadTransaction Transaction => transaction;

    /// <summary>All mailboxes of the account, by name.</summary>
    public IReadOnlyList<Mailbox> Mailboxes(long accountId) => MailboxTable.All(transaction, accountId);

    /// <summary>Names that are subscribed although no mailbox has them any more (RFC 9051 6.3.5).</summary>
    public IReadOnlyList<string> LostSubscriptions(long accountId) => MailboxTable.LostSubscriptions(transaction, accountId);

    /// <summary>What an account sees noted on a mailbox, or with 0 on the server (RFC 5464).</summary>
    public List<Annotation> Annotations(long mailboxId, long accountId) => AnnotationTable.Of(transaction, mailboxId, accountId);

    /// <param name="reader">Whose \Seen counts, 0: the owner's (<see cref="Mailboxes.Mailbox.ReaderOf"/>). The same below.</param>
    public Mailbox? Mailbox(long mailboxId, long reader = 0) => MailboxTable.Get(transaction, mailboxId) is { } mailbox ? As(mailbox, reader) : null;

    /// <summary>The mailbox as a reader sees it.</summary>
    public Mailbox As(Mailbox mailbox, long reader) => Readers.See(transaction, mailbox, reader);

    /// <summary>INBOX is found in any case.</summary>
    public Mailbox? Find(long accountId, string name) =>
        MailboxName.Normalize(name) is { Ok: true } known ? MailboxTable.Find(transaction, accountId, known.Value) : null;

    /// <summary>Messages by rising UID within the range, both ends included.</summary>
    public List<MessageRow> Messages(long mailboxId, uint from = 1, uint to = uint.MaxValue, long reader = 0)
    {
        var rows = MessageTable.Range(transaction, mailboxId, from, to);
        return reader == 0 ? rows : Readers.See(rows, ReaderTable.Range(transaction, mailboxId, reader, from, to));
    }

    /// <summary>UID, flags, keywords and modification sequence of messages by rising UID, to the owner's eyes.</summary>
    public void Views(long mailboxId, uint from, uint to, Action<uint, MessageFlags, string?, long> take) => MessageTable.Views(transaction, mailboxId, from, to, take);

    /// <summary>Messages with what stands beside their content, by rising UID.</summary>
    public List<MessageEnvelope> Envelopes(long mailboxId, uint from, uint to, EnvelopeParts parts) =>
        EnvelopeTable.Range(transaction, mailboxId, from, to, parts);

    /// <summary>The same without a copy.</summary>
    public void Envelopes(long mailboxId, uint from, uint to, EnvelopeParts parts, EnvelopeVisitor visit) =>
        EnvelopeTable.Visit(transaction, mailboxId, from, to, parts, visit);

    /// <summary>What of their headers stands in rows, by rising UID.</summary>
    public List<MessageFieldRow> Fields(long mailboxId, uint from, uint to) => FetchTable.Fields(transaction, mailboxId, from, to);

    /// <summary>The identifiers of messages by rising UID within the range, both ends included (RFC 8474).</summary>
    public List<MessageIds> Ids(long mailboxId, uint from, uint to) => ObjectIdTable.Of(transaction, bodies, mailboxId, from, to);

    public MessageRow? Message(long mailboxId, uint uid, long reader = 0) =>
        MessageTable.Get(transaction, mailboxId, uid) is not { } row ? null
        : reader == 0 ? row : Readers.See(row, ReaderTable.Mark(transaction, mailboxId, reader, uid));

    /// <summary>
    /// Null where the mailbox is gone. Where expunges after <paramref name="modseq"/> are no longer all remembered, every UID without a message
    /// counts as vanished: the full resynchronisation of RFC 7162 3.2.5.
    /// </summary>
    public MailboxChanges? ChangesSince(long mailboxId, long modseq, long reader = 0)
    {
        if (Mailbox(mailboxId, reader) is not { } mailbox) return null;
        if (mailbox.ModSeq <= modseq) return new MailboxChanges([], [], mailbox.ModSeq, mailbox.UidNext);
        var vanished = modseq < Forgotten(mailboxId)
            ? MessageTable.Missing(transaction, mailboxId, mailbox.UidNext) : MessageTable.ExpungedSince(transaction, mailboxId, modseq);
        var changed = MessageTable.ChangedSince(transaction, mailboxId, modseq);
        if (reader != 0) changed = Readers.ChangedSince(transaction, mailboxId, reader, changed, modseq);
        return new MailboxChanges(changed, vanished, mailbox.ModSeq, mailbox.UidNext);
    }

    /// <summary>UIDs flagged \Deleted, rising.</summary>
    public List<uint> Deleted(long mailboxId, uint from, uint to) => MessageTable.Deleted(transaction, mailboxId, from, to);

    /// <summary>UIDs that were expunged after a modification sequence, rising, as far as they are remembered: see <see cref="Forgotten"/>.</summary>
    public List<uint> ExpungedSince(long mailboxId, long modseq) => MessageTable.ExpungedSince(transaction, mailboxId, modseq);

    /// <summary>Expunges up to this modification sequence are no longer all remembered; a client that knows an older one resynchronises in full.</summary>
    public long Forgotten(long mailboxId) => MailboxTable.Forgotten(transaction, mailboxId);

    /// <summary>The content of a row, or null when it has just been expunged and collected.</summary>
    public MessageContent? Content(long mailboxId, in MessageRow row) =>
        ContentTable.Get(transaction, row.ContentId) is { } content
            ? new MessageContent(content, MessageTable.Prefix(transaction, mailboxId, row.Uid), bodies) : null;

    /// <summary>
    /// Messages by rising UID within the range, both ends included, with these parts of their contents, as many as fit into so many bytes.
    /// A content is null where it is lost.
    /// </summary>
    /// <param name="left">How many bytes; where nothing is left of them there may be more messages.</param>
    public List<(MessageRow Row, MessageContent? Content)> Contents(long mailboxId, uint from, uint to, ContentParts parts, ref int left, long reader = 0)
    {
        var (rows, contents) = (new List<MessageRow>(), new List<(ContentRow? Row, byte[] Prefix)>());
        FetchTable.Range(transaction, mailboxId, from, to, parts, ref left, rows, contents);
        if (reader != 0 && rows.Count > 0) Readers.See(rows, ReaderTable.Range(transaction, mailboxId, reader, from, rows[^1].Uid));
        var found = new List<(MessageRow, MessageContent?)>(rows.Count);
        for (var i = 0; i < rows.Count; i++)
            found.Add((rows[i], contents[i] is ({ } row, var prefix) ? new MessageContent(row, prefix, bodies) : null));
        return found;
    }

    /// <summary>A content with the prefix of a row that is known.</summary>
    internal MessageContent? Content(long contentId, byte[] prefix) =>
        ContentTable.Get(transaction, contentId) is { } content ? new MessageContent(content, prefix, bodies) : null;

    /// <summary>A content without a row, for the queue; the prefix is empty.</summary>
    public MessageContent? Content(long contentId) =>
        ContentTable.Get(transaction, contentId) is { } content ? new MessageContent(content, [], bodies) : null;

    /// <summary>Every message by rising UID with the octets that it has as lines of CRLF, which is what POP3 sends.</summary>
    /// <param name="ascii">Headers with UTF-8 in them are sent as their surrogates.</param>
    public void WireSizes(long mailboxId, bool ascii, Action<uint, long> take) =>
        WireTable.Sizes(transaction, mailboxId, (uid, size, lineEnds, surrogate, prefix) =>
            take(uid, size + lineEnds + (ascii ? surrogate + (prefix is null ? 0 : HeaderSurrogate.Growth(prefix) ?? 0) : 0)));

    /// <summary>How the message is sent then.</summary>
    /// <exception cref="Storage.Blobs.DamageError">The pack is damaged.</exception>
    public WireForm Wire(MessageContent content, bool ascii)
    {
        if (!ascii) return default;
        var prefix = HeaderSurrogate.Make(content.Prefix.Span);
        byte[]? header = null;
        var length = 0;
        if (WireTable.NeedsSurrogate(transaction, content.ContentId))
        {
            var bytes = content.Read(content.Prefix.Length, HeaderSurrogate.Longest + 1);
            length = HeaderSurrogate.LengthOf(bytes);
            header = HeaderSurrogate.Make(bytes.AsSpan(0, length));
        }
        if (header is null) return prefix is null ? default : new WireForm(prefix, content.Prefix.Length);
        return new WireForm((byte[])[.. prefix ?? content.Prefix.Span, .. header], content.Prefix.Length + length);
    }

    /// <summary>Bytes and messages that the account uses.</summary>
    public (long Bytes, long Messages) Usage(long accountId) => MailboxTable.Usage(transaction, accountId);

    public void Dispose() => transaction.Dispose();
}
