using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>
/// SQL of the references to a body that came after it was stored: what is held is <c>content.refs + content_held.more</c>. A copy notes its
/// reference here and whoever lets go takes one from here first, so that the wide row of a body is written when it comes and when it goes.
/// </summary>
static class HeldTable
{
    /// <summary>What is held of a content, for a statement that names its row <c>content</c>.</summary>
    public const string All = "content.refs + coalesce((SELECT more FROM content_held WHERE content_id = content.id), 0)";

    /// <returns>How many of the run are there.</returns>
    public static int Add(WriteTransaction write, long first, long last, int count) =>
        write.Prepare("""
            INSERT INTO content_held (content_id, more) SELECT id, ? FROM content WHERE id BETWEEN ? AND ?
            ON CONFLICT (content_id) DO UPDATE SET more = more + excluded.more
            """).Bind(1, count).Bind(2, first).Bind(3, last).Run();

    /// <summary>Takes as many as there are, <paramref name="count"/> of each of a run at most.</summary>
    /// <returns>Those that had some, rising, each with what it lacks.</returns>
    public static List<(long Id, int Lacking)> Take(WriteTransaction write, long first, long last, int count)
    {
        var taken = new List<(long, int)>();
        using (var row = write.Prepare("SELECT content_id, more FROM content_held WHERE content_id BETWEEN ? AND ?").Bind(1, first).Bind(2, last))
            while (row.Step()) taken.Add((row.Int64(0), (int)Math.Max(0, count - row.Int64(1))));
        if (taken.Count == 0 || count == 0) return taken;
        write.Prepare("DELETE FROM content_held WHERE content_id BETWEEN ? AND ? AND more <= ?").Bind(1, first).Bind(2, last).Bind(3, count).Run();
        write.Prepare("UPDATE content_held SET more = more - ? WHERE content_id BETWEEN ? AND ?").Bind(1, count).Bind(2, first).Bind(3, last).Run();
        return taken;
    }

    public static void Forget(WriteTransaction write, long id) => write.Prepare("DELETE FROM content_held WHERE content_id = ?").Bind(1, id).Run();
}
