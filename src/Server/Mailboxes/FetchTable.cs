using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Mailboxes;

/// <summary>What of contents is read along with the rows of their messages; what was not asked for is empty.</summary>
[Flags]
public enum ContentParts { None = 0, Body = 1, Envelope = 2, Structure = 4, Preview = 8, Fields = 16 }

/// <summary>What of a message's header stands in rows: the prefix, and the kept fields of its content where it has them (<see cref="KeptFields"/>).</summary>
public readonly record struct MessageFieldRow(uint Uid, byte[] Prefix, byte[]? Kept);

/// <summary>SQL of messages together with their contents: two look-ups a message cost more than all else that is done for it.</summary>
static class FetchTable
{
    const int First = 10; // columns that are always there
    static readonly string[] Statements = new string[32];

    static string Sql(ContentParts parts) => Statements[(int)parts] ??=
        "SELECT m.uid, m.flags, m.keywords, m.modseq, m.content_id, m.size, m.received, m.saved, m.prefix, c.size"
        + ((parts & ContentParts.Body) != 0 ? ", c.pack, c.position, c.stored, c.base, c.parts" : "")
        + ((parts & ContentParts.Envelope) != 0 ? ", c.envelope" : "")
        + ((parts & ContentParts.Structure) != 0 ? ", c.structure" : "")
        + ((parts & ContentParts.Preview) != 0 ? ", c.preview" : "")
        + ((parts & ContentParts.Fields) != 0 ? ", c.fields" : "")
        + " FROM message m LEFT JOIN content c ON c.id = m.content_id WHERE m.mailbox_id = ? AND m.uid >= ? AND m.uid <= ? ORDER BY m.uid";

    /// <summary>Messages of a range by rising UID, each with its content (null where that is lost) and prefix, until they have taken so many bytes.</summary>
    public static void Range(ReadTransaction read, long mailboxId, uint from, uint to, ContentParts parts, ref int left, List<MessageRow> rows, List<(ContentRow? Content, byte[] Prefix)> contents)
    {
        using var row = read.Prepare(Sql(parts)).Bind(1, mailboxId).Bind(2, from).Bind(3, to);
        string? keywords = null;
        var pending = PendingFlags.Of(read, mailboxId, from, to);
        while (left > 0 && row.Step())
        {
            var message = MessageTable.Read(row, ref keywords);
            if (pending is not null) message = pending.Over(message);
            var prefix = row.Blob(8) is { IsEmpty: false } bytes ? bytes.ToArray() : [];
            var content = row.IsNull(9) ? null : Content(read, row, message.ContentId, parts);
            rows.Add(message);
            contents.Add((content, prefix));
            left -= 200 + prefix.Length + (content is null ? 0 : content.Envelope.Length + content.Structure.Length + 2 * content.Preview.Length + (content.Fields?.Length ?? 0));
        }
    }

    /// <summary>Header fields that stand in rows, without their messages.</summary>
    public static List<MessageFieldRow> Fields(ReadTransaction read, long mailboxId, uint from, uint to)
    {
        using var row = read.Prepare("SELECT m.uid, m.prefix, c.fields FROM message m JOIN content c ON c.id = m.content_id WHERE m.mailbox_id = ? AND m.uid >= ? AND m.uid <= ? ORDER BY m.uid")
            .Bind(1, mailboxId).Bind(2, from).Bind(3, to);
        var list = new List<MessageFieldRow>((int)Math.Min(to - from + 1, 64));
        while (row.Step()) list.Add(new((uint)row.Int64(0), row.Blob(1).ToArray(), row.IsNull(2) ? null : row.Blob(2).ToArray()));
        return list;
    }

    static ContentRow Content(ReadTransaction read, Statement row, long id, ContentParts parts)
    {
        var at = (parts & ContentParts.Body) != 0 ? First + 5 : First;
        var content = new ContentRow(id, default, row.Int64(9), [], null,
            (parts & ContentParts.Envelope) != 0 ? row.Blob(at++).ToArray() : [],
            (parts & ContentParts.Structure) != 0 ? row.Blob(at++).ToArray() : [],
            (parts & ContentParts.Preview) != 0 ? row.String(at++) : "", null, null)
        {
            Fields = (parts & ContentParts.Fields) != 0 && !row.IsNull(at) ? row.Blob(at).ToArray() : null,
        };
        return (parts & ContentParts.Body) != 0 ? ContentTable.WithBody(read, content, row, First) : content;
    }
}
