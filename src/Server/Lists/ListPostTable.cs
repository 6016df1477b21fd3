using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Lists;

/// <summary>One copy of a post that somebody is to get.</summary>
/// <param name="Account">Of ours, or null: elsewhere.</param>
/// <param name="IsOwn">The member's alone, not one of a group's: it may unsubscribe him.</param>
sealed record ListCopy(int Number, long Member, long? Account, string Address, bool IsOwn);

/// <summary>All SQL of posts (Storage/Schema/0046_lists.sql).</summary>
static class ListPostTable
{
    const string Columns = "SELECT id, list_id, message_id, author, subject, state, content_id, size, flags, taken, copies FROM list_post";

    /// <returns>The id, or null where the list has had it.</returns>
    public static long? Add(WriteTransaction write, ListPost post, byte[]? token) =>
        write.Prepare("INSERT INTO list_post (list_id, message_id, author, subject, state, content_id, size, flags, taken, copies, token) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
            .Bind(1, post.ListId).Bind(2, post.MessageId).Bind(3, post.Author).Bind(4, post.Subject).Bind(5, post.State).Bind(6, post.ContentId).Bind(7, post.Size).Bind(8, (long)post.Flags).Bind(9, post.Taken)
            .Bind(10, (long)post.Copies).BindOrNull(11, token).Run() == 1 ? write.LastInsertId : null;

    public static bool Exists(Func<string, Statement> prepare, long list, string messageId) => prepare("SELECT 1 FROM list_post WHERE list_id = ? AND message_id = ?").Bind(1, list).Bind(2, messageId).Scalar() is not null;

    public static ListPost? Find(Func<string, Statement> prepare, long id) => One(prepare(Columns + " WHERE id = ?").Bind(1, id));

    public static ListPost? FindHeld(Func<string, Statement> prepare, long list, byte[] token) => One(prepare(Columns + " WHERE list_id = ? AND state = 'held' AND token = ?").Bind(1, list).Bind(2, token.AsSpan()));

    /// <summary>The held post of whatever list.</summary>
    public static ListPost? FindHeld(Func<string, Statement> prepare, byte[] token) => One(prepare(Columns + " WHERE token = ? AND state = 'held'").Bind(1, token.AsSpan()));

    /// <summary>How many posts of a list are held, their bytes, and how many are of the author.</summary>
    public static (long Posts, long Bytes, long OfAuthor) CountHeld(WriteTransaction write, long list, string author)
    {
        using var row = write.Prepare("SELECT count(*), coalesce(sum(size), 0), coalesce(sum(author = ?2), 0) FROM list_post WHERE list_id = ?1 AND state = 'held'").Bind(1, list).Bind(2, author);
        return row.Step() ? (row.Int64(0), row.Int64(1), row.Int64(2)) : default;
    }

    static ListPost? One(Statement row)
    {
        using (row) return row.Step() ? Post(row) : null;
    }

    public static List<ListPost> In(Func<string, Statement> prepare, string state)
    {
        var all = new List<ListPost>();
        using var rows = prepare(Columns + " WHERE state = ? ORDER BY id").Bind(1, state);
        while (rows.Step()) all.Add(Post(rows));
        return all;
    }

    /// <summary>Those that hold a content, of one list.</summary>
    public static List<ListPost> Open(Func<string, Statement> prepare, long list)
    {
        var all = new List<ListPost>();
        using var rows = prepare(Columns + " WHERE list_id = ? AND content_id IS NOT NULL ORDER BY id").Bind(1, list);
        while (rows.Step()) all.Add(Post(rows));
        return all;
    }

    static ListPost Post(Statement row) => new(row.Int64(0), row.Int64(1), row.String(2), row.String(3), row.String(4), row.String(5), row.IsNull(6) ? null : row.Int64(6), row.Int64(7), (PostFlags)row.Int32(8), row.Time(9), row.Int32(10));

    /// <summary>It is not to be decided on any more.</summary>
    public static void SetState(WriteTransaction write, long id, string state, bool keepsContent, int copies) =>
        write.Prepare("UPDATE list_post SET state = ?2, content_id = CASE WHEN ?3 THEN content_id END, copies = ?4, token = NULL WHERE id = ?1").Bind(1, id).Bind(2, state).Bind(3, keepsContent).Bind(4, (long)copies).Run();

    public static void AddCopy(WriteTransaction write, long post, ListCopy copy) =>
        write.Prepare("INSERT INTO list_copy (post_id, number, member_id, account_id, address, own) VALUES (?, ?, ?, ?, ?, ?)").Bind(1, post).Bind(2, (long)copy.Number).Bind(3, copy.Member).Bind(4, copy.Account).Bind(5, copy.Address).Bind(6, copy.IsOwn).Run();

    public static List<ListCopy> Copies(WriteTransaction write, long post, int most)
    {
        var all = new List<ListCopy>();
        using var rows = write.Prepare("SELECT number, member_id, account_id, address, own FROM list_copy WHERE post_id = ? ORDER BY number LIMIT ?").Bind(1, post).Bind(2, (long)most);
        while (rows.Step()) all.Add(new(rows.Int32(0), rows.Int64(1), rows.IsNull(2) ? null : rows.Int64(2), rows.String(3), rows.Bool(4)));
        return all;
    }

    public static void RemoveCopies(WriteTransaction write, long post, int upTo) => write.Prepare("DELETE FROM list_copy WHERE post_id = ? AND number <= ?").Bind(1, post).Bind(2, (long)upTo).Run();

    // ---- digests

    public static void AddToDigest(WriteTransaction write, ListPost post, long content) =>
        write.Prepare("INSERT INTO list_digest (post_id, list_id, content_id, size, taken) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING").Bind(1, post.Id).Bind(2, post.ListId).Bind(3, content).Bind(4, post.Size).Bind(5, post.Taken).Run();

    /// <summary>What waits a list: how many posts, their bytes, and when the first was taken.</summary>
    public static List<(long List, int Posts, long Bytes, DateTimeOffset First)> DigestsWaiting(ReadTransaction read)
    {
        var all = new List<(long, int, long, DateTimeOffset)>();
        using var rows = read.Prepare("SELECT list_id, count(*), sum(size), min(taken) FROM list_digest GROUP BY list_id");
        while (rows.Step()) all.Add((rows.Int64(0), rows.Int32(1), rows.Int64(2), rows.Time(3)));
        return all;
    }

    /// <summary>The posts of the next digest, oldest first.</summary>
    public static List<(long Post, long Content, long Size)> DigestOf(Func<string, Statement> prepare, long list, int most)
    {
        var all = new List<(long, long, long)>();
        using var rows = prepare("SELECT post_id, content_id, size FROM list_digest WHERE list_id = ? ORDER BY post_id LIMIT ?").Bind(1, list).Bind(2, (long)most);
        while (rows.Step()) all.Add((rows.Int64(0), rows.Int64(1), rows.Int64(2)));
        return all;
    }

    public static bool RemoveFromDigest(WriteTransaction write, long post) => write.Prepare("DELETE FROM list_digest WHERE post_id = ?").Bind(1, post).Run() == 1;

    public static void RemoveOf(WriteTransaction write, long list)
    {
        write.Prepare("DELETE FROM list_digest WHERE list_id = ?").Bind(1, list).Run();
        write.Prepare("DELETE FROM list_copy WHERE post_id IN (SELECT id FROM list_post WHERE list_id = ?)").Bind(1, list).Run();
        write.Prepare("DELETE FROM list_post WHERE list_id = ?").Bind(1, list).Run();
    }

    /// <summary>Forgets what was done with long ago.</summary>
    public static void Prune(WriteTransaction write, DateTimeOffset before) => write.Prepare("DELETE FROM list_post WHERE taken < ? AND content_id IS NULL").Bind(1, before).Run();

    // ---- for verify

    public static List<long> Contents(ReadTransaction read)
    {
        var all = new List<long>();
        using var row = read.Prepare("SELECT content_id FROM list_post WHERE content_id IS NOT NULL UNION ALL SELECT content_id FROM list_digest");
        while (row.Step()) all.Add(row.Int64(0));
        return all;
    }

    public static List<string> Holding(ReadTransaction read, long contentId)
    {
        var all = new List<string>();
        using var row = read.Prepare("SELECT l.local, p.message_id FROM list_post p JOIN mail_list l ON l.id = p.list_id WHERE p.content_id = ?1 OR p.id IN (SELECT post_id FROM list_digest WHERE content_id = ?1) LIMIT 10").Bind(1, contentId);
        while (row.Step()) all.Add($"post <{row.String(1)}> to the list {row.String(0)}");
        return all;
    }
}
