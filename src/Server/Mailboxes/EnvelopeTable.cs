using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>What sorting and threading need of a message, without its body.</summary>
/// <param name="Sent">The Date field, or null.</param>
/// <param name="Envelope">As IMAP writes it; empty where it was not asked for.</param>
/// <param name="Lineage">Its Message-ID and its ancestors (<see cref="Mime.Lineage"/>); null where the header has to be asked.</param>
public readonly record struct MessageEnvelope(uint Uid, long ContentId, long Size, DateTimeOffset Received, DateTimeOffset? Sent, byte[] Envelope, byte[]? Lineage);

/// <summary>What is asked for beside the row of the message; the first lies in another table, each further one costs more.</summary>
[Flags]
public enum EnvelopeParts { None = 0, Date = 1, Envelope = 2, Lineage = 4 }

/// <summary>SQL of messages together with the fields of their content.</summary>
static class EnvelopeTable
{
    const string Joined = " FROM message m JOIN content c ON c.id = m.content_id WHERE m.mailbox_id = ? AND m.uid >= ? AND m.uid <= ? ORDER BY m.uid";
    const string Dated = "SELECT m.uid, m.content_id, m.size, m.received, c.sent";

    static string Sql(EnvelopeParts parts) => parts switch
    {
        EnvelopeParts.None => "SELECT uid, content_id, size, received FROM message WHERE mailbox_id = ? AND uid >= ? AND uid <= ? ORDER BY uid",
        EnvelopeParts.Date => Dated + Joined,
        EnvelopeParts.Date | EnvelopeParts.Lineage => Dated + ", NULL, c.lineage" + Joined,
        EnvelopeParts.Envelope or EnvelopeParts.Date | EnvelopeParts.Envelope => Dated + ", c.envelope" + Joined,
        _ => Dated + ", c.envelope, c.lineage" + Joined,
    };

    public static List<MessageEnvelope> Range(ReadTransaction read, long mailboxId, uint from, uint to, EnvelopeParts parts)
    {
        using var row = read.Prepare(Sql(parts)).Bind(1, mailboxId).Bind(2, from).Bind(3, to);
        var list = new List<MessageEnvelope>();
        while (row.Step())
            list.Add(new((uint)row.Int64(0), row.Int64(1), row.Int64(2), row.Time(3),
                parts == EnvelopeParts.None ? null : row.TimeOrNull(4),
                (parts & EnvelopeParts.Envelope) != 0 ? row.Blob(5).ToArray() : [],
                (parts & EnvelopeParts.Lineage) == 0 || row.IsNull(6) ? null : row.Blob(6).ToArray()));
        return list;
    }
}
