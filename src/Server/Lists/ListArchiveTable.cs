using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Lists;

/// <summary>A message of an archive.</summary>
/// <param name="Uid">In the list's public folder.</param>
/// <param name="Thread">Number of the message that it begins with.</param>
/// <param name="Author">His name, or what stands before the @.</param>
public sealed record ArchivedPost(long Id, uint Uid, long Thread, string Author, string Subject, DateTimeOffset Taken);

/// <summary>All SQL of archives (Storage/Schema/0049_list_archive.sql).</summary>
static class ListArchiveTable
{
    const string Columns = "SELECT id, uid, thread, author, subject, taken FROM list_archive";

    /// <summary>The folder that the rows are of, and the last UID that was looked at.</summary>
    public static (long? Mailbox, uint Uid) Place(Func<string, Statement> prepare, long list)
    {
        using var row = prepare("SELECT archive_mailbox, archive_uid FROM mail_list WHERE id = ?").Bind(1, list);
        return row.Step() ? (row.IsNull(0) ? null : row.Int64(0), (uint)row.Int64(1)) : default;
    }

    public static void SetPlace(WriteTransaction write, long list, long mailbox, uint uid) =>
        write.Prepare("UPDATE mail_list SET archive_mailbox = ?, archive_uid = ? WHERE id = ?").Bind(1, mailbox).Bind(2, (long)uid).Bind(3, list).Run();

    /// <param name="answered">Message-IDs that it answers, the nearest first.</param>
    public static void Add(WriteTransaction write, long list, uint uid, string messageId, IReadOnlyList<string> answered, string author, string subject, string text, DateTimeOffset taken)
    {
        long? thread = null;
        foreach (var id in answered)
            if ((thread = write.Prepare("SELECT thread FROM list_archive WHERE list_id = ? AND message_id = ?").Bind(1, list).Bind(2, id).Scalar()) is not null) break;
        if (write.Prepare("INSERT INTO list_archive (list_id, uid, message_id, thread, month, author, subject, text, taken) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
            .Bind(1, list).Bind(2, (long)uid).Bind(3, messageId).Bind(4, thread ?? 0).Bind(5, taken.ToString("yyyy-MM", System.Globalization.CultureInfo.InvariantCulture)).Bind(6, author).Bind(7, subject).Bind(8, text).Bind(9, taken).Run() == 0) return;
        if (thread is null) write.Prepare("UPDATE list_archive SET thread = id WHERE id = ?").Bind(1, write.LastInsertId).Run();
    }

    public static bool Has(Func<string, Statement> prepare, long list, string messageId) =>
        prepare("SELECT 1 FROM list_archive WHERE list_id = ? AND message_id = ?").Bind(1, list).Bind(2, messageId).Scalar() is not null;

    /// <summary>Newest first: the month and how many messages it has.</summary>
    public static List<(string Month, int Messages)> Months(ReadTransaction read, long list)
    {
        var all = new List<(string, int)>();
        using var rows = read.Prepare("SELECT month, count(*) FROM list_archive WHERE list_id = ? GROUP BY month ORDER BY month DESC LIMIT 1200").Bind(1, list);
        while (rows.Step()) all.Add((rows.String(0), rows.Int32(1)));
        return all;
    }

    public static List<ArchivedPost> Month(ReadTransaction read, long list, string month, int most) =>
        All(read.Prepare(Columns + " WHERE list_id = ? AND month = ? ORDER BY id LIMIT ?").Bind(1, list).Bind(2, month).Bind(3, (long)most));

    public static List<ArchivedPost> Thread(ReadTransaction read, long list, long thread, int most) =>
        All(read.Prepare(Columns + " WHERE thread = ? AND list_id = ? ORDER BY id LIMIT ?").Bind(1, thread).Bind(2, list).Bind(3, (long)most));

    public static List<ArchivedPost> Newest(ReadTransaction read, long list, int most) =>
        All(read.Prepare(Columns + " WHERE list_id = ? ORDER BY id DESC LIMIT ?").Bind(1, list).Bind(2, (long)most));

    public static ArchivedPost? Find(ReadTransaction read, long list, long id) => All(read.Prepare(Columns + " WHERE id = ? AND list_id = ?").Bind(1, id).Bind(2, list)) is [var one] ? one : null;

    /// <summary>Those that have all the words, newest first.</summary>
    /// <param name="words">In lower case.</param>
    public static List<ArchivedPost> Search(ReadTransaction read, long list, IReadOnlyList<string> words, int most)
    {
        var sql = Columns + " WHERE list_id = ?" + string.Concat(words.Select(_ => " AND instr(text, ?) > 0")) + " ORDER BY id DESC LIMIT ?";
        var statement = read.Prepare(sql).Bind(1, list);
        for (var i = 0; i < words.Count; i++) statement.Bind(2 + i, words[i]);
        return All(statement.Bind(2 + words.Count, (long)most));
    }

    static List<ArchivedPost> All(Statement rows)
    {
        using (rows)
        {
            var all = new List<ArchivedPost>();
            while (rows.Step()) all.Add(new(rows.Int64(0), (uint)rows.Int64(1), rows.Int64(2), rows.String(3), rows.String(4), rows.Time(5)));
            return all;
        }
    }

    public static List<(long Id, uint Uid)> Uids(ReadTransaction read, long list)
    {
        var all = new List<(long, uint)>();
        using var rows = read.Prepare("SELECT id, uid FROM list_archive WHERE list_id = ?").Bind(1, list);
        while (rows.Step()) all.Add((rows.Int64(0), (uint)rows.Int64(1)));
        return all;
    }

    public static void Remove(WriteTransaction write, long id) => write.Prepare("DELETE FROM list_archive WHERE id = ?").Bind(1, id).Run();

    public static void RemoveOf(WriteTransaction write, long list) => write.Prepare("DELETE FROM list_archive WHERE list_id = ?").Bind(1, list).Run();
}
