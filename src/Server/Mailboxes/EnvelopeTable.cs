using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>What sorting needs of a message, without its body.</summary>
/// <param name="Sent">The Date field, or null.</param>
/// <param name="Envelope">As IMAP writes it; empty where it was not asked for.</param>
public readonly record struct MessageEnvelope(uint Uid, long ContentId, long Size, DateTimeOffset Received, DateTimeOffset? Sent, byte[] Envelope);

/// <summary>How much of it is asked for: each further one costs more.</summary>
public enum EnvelopeDepth { Row, Date, Envelope }

/// <summary>SQL of messages together with the fields of their content.</summary>
static class EnvelopeTable
{
    const string Row = "SELECT uid, content_id, size, received FROM message WHERE mailbox_id = ? AND uid >= ? AND uid <= ? ORDER BY uid";
    const string Date = "SELECT m.uid, m.content_id, m.size, m.received, c.sent FROM " + Joined;
    const string Envelope = "SELECT m.uid, m.content_id, m.size, m.received, c.sent, c.envelope FROM " + Joined;
    const string Joined = "message m JOIN content c ON c.id = m.content_id WHERE m.mailbox_id = ? AND m.uid >= ? AND m.uid <= ? ORDER BY m.uid";

    public static List<MessageEnvelope> Range(ReadTransaction read, long mailboxId, uint from, uint to, EnvelopeDepth depth)
    {
        using var row = read.Prepare(depth switch { EnvelopeDepth.Row => Row, EnvelopeDepth.Date => Date, _ => Envelope })
            .Bind(1, mailboxId).Bind(2, from).Bind(3, to);
        var list = new List<MessageEnvelope>();
        while (row.Step())
            list.Add(new((uint)row.Int64(0), row.Int64(1), row.Int64(2), row.Time(3), depth == EnvelopeDepth.Row ? null : row.TimeOrNull(4),
                depth == EnvelopeDepth.Envelope ? row.Blob(5).ToArray() : []));
        return list;
    }
}
