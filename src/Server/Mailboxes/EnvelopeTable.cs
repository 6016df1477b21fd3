using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>What sorting and threading need of a message, without its body.</summary>
/// <param name="Sent">The Date field, or null.</param>
/// <param name="Envelope">As IMAP writes it; empty where it was not asked for.</param>
public readonly record struct MessageEnvelope(uint Uid, long ContentId, long Size, DateTimeOffset Received, DateTimeOffset? Sent, byte[] Envelope);

/// <summary>The same as it stands in the database: the bytes are there while it is looked at.</summary>
public readonly ref struct EnvelopeRow
{
    public uint Uid { get; init; }
    public long ContentId { get; init; }
    public long Size { get; init; }
    public DateTimeOffset Received { get; init; }
    public DateTimeOffset? Sent { get; init; }
    public ReadOnlySpan<byte> Envelope { get; init; }
    /// <summary>Its Message-ID and its ancestors (<see cref="Mime.Lineage"/>).</summary>
    public ReadOnlySpan<byte> Lineage { get; init; }
    /// <summary>Whether it stands there; otherwise the header has to be asked.</summary>
    public bool HasLineage { get; init; }
}

/// <summary>Looks at a row; short, since a snapshot is open.</summary>
public delegate void EnvelopeVisitor(in EnvelopeRow row);

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
        // few have none in their own row, and only those are looked up
        EnvelopeParts.Date => "SELECT uid, content_id, size, received, coalesce(sent, (SELECT c.sent FROM content c WHERE c.id = content_id)) FROM message WHERE mailbox_id = ? AND uid >= ? AND uid <= ? ORDER BY uid",
        EnvelopeParts.Date | EnvelopeParts.Lineage => Dated + ", NULL, c.lineage" + Joined,
        EnvelopeParts.Envelope or EnvelopeParts.Date | EnvelopeParts.Envelope => Dated + ", c.envelope" + Joined,
        _ => Dated + ", c.envelope, c.lineage" + Joined,
    };

    public static void Visit(ReadTransaction read, long mailboxId, uint from, uint to, EnvelopeParts parts, EnvelopeVisitor visit)
    {
        using var row = read.Prepare(Sql(parts)).Bind(1, mailboxId).Bind(2, from).Bind(3, to);
        while (row.Step())
            visit(new()
            {
                Uid = (uint)row.Int64(0),
                ContentId = row.Int64(1),
                Size = row.Int64(2),
                Received = row.Time(3),
                Sent = parts == EnvelopeParts.None ? null : row.TimeOrNull(4),
                Envelope = (parts & EnvelopeParts.Envelope) != 0 ? row.Blob(5) : default,
                Lineage = (parts & EnvelopeParts.Lineage) != 0 ? row.Blob(6) : default,
                HasLineage = (parts & EnvelopeParts.Lineage) != 0 && !row.IsNull(6),
            });
    }

    public static List<MessageEnvelope> Range(ReadTransaction read, long mailboxId, uint from, uint to, EnvelopeParts parts)
    {
        var list = new List<MessageEnvelope>();
        Visit(read, mailboxId, from, to, parts, (in EnvelopeRow row) => list.Add(new(row.Uid, row.ContentId, row.Size, row.Received, row.Sent, row.Envelope.ToArray())));
        return list;
    }
}
