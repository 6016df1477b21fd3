using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>SQL of what bodies need that do not go to POP3 octet by octet: few do. Bodies from before the table are taken for such that do.</summary>
static class WireTable
{
    public static void Insert(WriteTransaction write, long contentId, int lineEnds, int? surrogate) =>
        write.Prepare("INSERT INTO content_wire (content_id, line_ends, surrogate) VALUES (?, ?, ?)").Bind(1, contentId).Bind(2, (long)lineEnds).Bind(3, (long?)surrogate).Run();

    /// <summary>Of those of a run of bodies that have no more references than so many.</summary>
    public static void DeleteUnused(WriteTransaction write, long first, long last, int refs) =>
        write.Prepare("DELETE FROM content_wire WHERE content_id BETWEEN ?1 AND ?2 AND (SELECT refs FROM content WHERE id = content_id) <= ?3").Bind(1, first).Bind(2, last).Bind(3, refs).Run();

    public static bool NeedsSurrogate(ReadTransaction read, long contentId) =>
        read.Prepare("SELECT surrogate IS NOT NULL FROM content_wire WHERE content_id = ?").Bind(1, contentId).Scalar() == 1;

    /// <summary>Each message by rising UID: its size, line ends, surrogate's growth, and its prefix where that is not ASCII.</summary>
    public static void Sizes(ReadTransaction read, long mailboxId, Action<uint, long, int, int, byte[]?> take)
    {
        // characters are fewer than octets where a text is not ASCII
        using var row = read.Prepare("""
            SELECT m.uid, m.size, w.line_ends, w.surrogate, CASE WHEN length(CAST(m.prefix AS TEXT)) <> length(m.prefix) THEN m.prefix END
            FROM message m LEFT JOIN content_wire w ON w.content_id = m.content_id WHERE m.mailbox_id = ? ORDER BY m.uid
            """).Bind(1, mailboxId);
        while (row.Step()) take((uint)row.Int64(0), row.Int64(1), row.Int32(2), row.Int32(3), row.IsNull(4) ? null : row.Blob(4).ToArray());
    }
}
