using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Mailings;

/// <summary>The SQL of mailings and their files.</summary>
public static class MailingTable
{
    const string Columns =
        "SELECT id, course_id, from_name, from_address, subject, html, text, state, base_content, created, started, finished, class, reply_to, pixel, clicks, parent_id, author FROM mailing";

    static readonly string[] States = ["draft", "sending", "paused", "sent", "cancelled", "scheduled"];

    /// <summary>The word that stands in the table and in <c>--json</c>.</summary>
    public static string Word(MailingState state) => States[(int)state];

    internal static MailingState StateOf(string word) => (MailingState)Array.IndexOf(States, word);

    internal static long Add(WriteTransaction transaction, Mailing mailing)
    {
        transaction.Prepare("INSERT INTO mailing (course_id, from_name, from_address, subject, html, text, state, created, class, reply_to, pixel, clicks, parent_id, author) VALUES (?,?,?,?,?,?,'draft',?,?,?,?,?,?,?)")
            .Bind(1, mailing.CourseId).Bind(2, mailing.FromName).Bind(3, mailing.FromAddress).Bind(4, mailing.Subject)
            .Bind(5, mailing.Html).Bind(6, mailing.Text).Bind(7, mailing.Created).Bind(8, ClassRules.Of(mailing.Class).Word).Bind(9, mailing.ReplyTo).Bind(10, mailing.Pixel).Bind(11, mailing.Clicks).Bind(12, mailing.Parent).Bind(13, mailing.Author).Run();
        return transaction.LastInsertId;
    }

    /// <summary>A draft of the same text, files and audience.</summary>
    internal static long AddLike(WriteTransaction transaction, long mailing, DateTimeOffset created)
    {
        transaction.Prepare("INSERT INTO mailing (course_id, from_name, from_address, subject, html, text, state, created, class, reply_to, pixel, clicks, author) SELECT course_id, from_name, from_address, subject, html, text, 'draft', ?2, class, reply_to, pixel, clicks, author FROM mailing WHERE id = ?1")
            .Bind(1, mailing).Bind(2, created).Run();
        var id = transaction.LastInsertId;
        transaction.Prepare("INSERT INTO mailing_file (mailing_id, place, name, type, content_id, hash, size) SELECT ?2, place, name, type, content_id, hash, size FROM mailing_file WHERE mailing_id = ?1").Bind(1, mailing).Bind(2, id).Run();
        transaction.Prepare("INSERT INTO mailing_audience (mailing_id, rule) SELECT ?2, rule FROM mailing_audience WHERE mailing_id = ?1").Bind(1, mailing).Bind(2, id).Run();
        return id;
    }

    internal static void AddFile(WriteTransaction transaction, long mailing, MailingFile file) =>
        transaction.Prepare("INSERT INTO mailing_file (mailing_id, place, name, type, content_id, hash, size) VALUES (?,?,?,?,?,?,?)")
            .Bind(1, mailing).Bind(2, file.Place).Bind(3, file.Name).Bind(4, file.Type).Bind(5, file.ContentId).Bind(6, file.Hash).Bind(7, file.Size).Run();

    public static Mailing? Get(ReadTransaction transaction, long id) => Get(transaction.Prepare, id);

    internal static Mailing? Get(Func<string, Statement> prepare, long id)
    {
        using var query = prepare(Columns + " WHERE id = ?").Bind(1, id);
        return query.Step() ? Read(query) : null;
    }

    /// <summary>All, or those of a course, the newest first.</summary>
    public static List<Mailing> List(ReadTransaction transaction, long? course)
    {
        var mailings = new List<Mailing>();
        using var query = course is { } one
            ? transaction.Prepare(Columns + " WHERE course_id = ? ORDER BY id DESC").Bind(1, one)
            : transaction.Prepare(Columns + " ORDER BY id DESC");
        while (query.Step()) mailings.Add(Read(query));
        return mailings;
    }

    /// <summary>Those that send a mailing again, the oldest first.</summary>
    internal static List<Mailing> Children(ReadTransaction transaction, long parent)
    {
        var mailings = new List<Mailing>();
        using var query = transaction.Prepare(Columns + " WHERE parent_id = ? ORDER BY id").Bind(1, parent);
        while (query.Step()) mailings.Add(Read(query));
        return mailings;
    }

    /// <summary>Mailings that are being sent, the oldest first.</summary>
    /// <param name="now">Those of which all that is left waits for a later hour are not among them.</param>
    public static List<long> Sending(ReadTransaction transaction, DateTimeOffset now)
    {
        var ids = new List<long>();
        using var query = transaction.Prepare("""
            SELECT id FROM mailing WHERE state = 'sending' AND (NOT EXISTS (SELECT 1 FROM ledger WHERE mailing_id = mailing.id AND state = 'rendered')
                OR EXISTS (SELECT 1 FROM ledger WHERE mailing_id = mailing.id AND state = 'rendered' AND (not_before IS NULL OR not_before <= ?))) ORDER BY id
            """).Bind(1, now);
        while (query.Step()) ids.Add(query.Int64(0));
        return ids;
    }

    /// <summary>Mailings that are paused or cancelled: their entries in the queue are to be held or taken out.</summary>
    public static List<long> Stopped(ReadTransaction transaction)
    {
        var ids = new List<long>();
        using var query = transaction.Prepare("SELECT id FROM mailing WHERE state IN ('paused', 'cancelled')");
        while (query.Step()) ids.Add(query.Int64(0));
        return ids;
    }

    static Mailing Read(Statement query) => new(
        query.Int64(0), query.Int64(1), query.String(2), query.String(3), query.String(4), query.Text(5), query.Text(6),
        (MailingState)Array.IndexOf(States, query.String(7)), query.IsNull(8) ? null : query.Int64(8),
        query.Time(9), query.TimeOrNull(10), query.TimeOrNull(11), ClassRules.Find(query.String(12))!.Class, query.Text(13), query.Bool(14), query.Bool(15), query.IsNull(16) ? null : query.Int64(16), query.String(17));

    internal static List<MailingFile> Files(ReadTransaction transaction, long mailing)
    {
        var files = new List<MailingFile>();
        using var query = transaction.Prepare("SELECT place, name, type, content_id, hash, size FROM mailing_file WHERE mailing_id = ? ORDER BY place").Bind(1, mailing);
        while (query.Step()) files.Add(new(query.Int32(0), query.String(1), query.String(2), query.Text(3), query.String(4), query.Int64(5)));
        return files;
    }

    /// <summary>The state as of this transaction; null where the mailing is gone.</summary>
    public static MailingState? State(WriteTransaction transaction, long id)
    {
        using var query = transaction.Prepare("SELECT state FROM mailing WHERE id = ?").Bind(1, id);
        return query.Step() ? (MailingState)Array.IndexOf(States, query.String(0)) : null;
    }

    public static void SetState(WriteTransaction transaction, long id, MailingState state) =>
        transaction.Prepare("UPDATE mailing SET state = ? WHERE id = ?").Bind(1, Word(state)).Bind(2, id).Run();

    internal static void Start(WriteTransaction transaction, long id, DateTimeOffset at) =>
        transaction.Prepare("UPDATE mailing SET state = 'sending', started = ? WHERE id = ?").Bind(1, at).Bind(2, id).Run();

    public static void Finish(WriteTransaction transaction, long id, MailingState state, DateTimeOffset at) =>
        transaction.Prepare("UPDATE mailing SET state = ?, finished = ?, base_content = NULL WHERE id = ?").Bind(1, Word(state)).Bind(2, at).Bind(3, id).Run();

    public static void SetBase(WriteTransaction transaction, long id, long? content) =>
        transaction.Prepare("UPDATE mailing SET base_content = ? WHERE id = ?").Bind(1, content).Bind(2, id).Run();

    public static long? Base(WriteTransaction transaction, long id) =>
        transaction.Prepare("SELECT base_content FROM mailing WHERE id = ?").Bind(1, id).Scalar();

    /// <summary>A mailing of the course that is being sent, paused or to be sent by its schedule, or null.</summary>
    internal static long? Unfinished(WriteTransaction transaction, long course) =>
        transaction.Prepare("SELECT id FROM mailing WHERE course_id = ? AND state IN ('sending', 'paused', 'scheduled') LIMIT 1").Bind(1, course).Scalar();

    /// <summary>Removes the mailings of a course with their ledgers; whoever calls has ended them before.</summary>
    internal static void RemoveAll(WriteTransaction transaction, long course)
    {
        Tracking.LedgerEventTable.RemoveAll(transaction, course);
        transaction.Prepare("DELETE FROM ledger WHERE mailing_id IN (SELECT id FROM mailing WHERE course_id = ?)").Bind(1, course).Run();
        Schedules.ScheduleTable.RemoveAll(transaction, course);
        Sequences.SequenceTable.RemoveAll(transaction, course);
        CanaryTable.RemoveAll(transaction, course);
        transaction.Prepare("DELETE FROM mailing_file WHERE mailing_id IN (SELECT id FROM mailing WHERE course_id = ?)").Bind(1, course).Run();
        transaction.Prepare("DELETE FROM mailing WHERE course_id = ?").Bind(1, course).Run();
    }

    internal static HashSet<string> UsedFiles(ReadTransaction transaction)
    {
        var used = new HashSet<string>();
        using var query = transaction.Prepare("SELECT DISTINCT hash FROM mailing_file");
        while (query.Step()) used.Add(query.String(0));
        return used;
    }

    // ---- for verification

    public static List<long> Bases(ReadTransaction read)
    {
        using var row = read.Prepare("SELECT base_content FROM mailing WHERE base_content IS NOT NULL");
        var all = new List<long>();
        while (row.Step()) all.Add(row.Int64(0));
        return all;
    }

    public static List<string> Holding(ReadTransaction read, long contentId)
    {
        using var row = read.Prepare("SELECT id FROM mailing WHERE base_content = ? LIMIT 10").Bind(1, contentId);
        var all = new List<string>();
        while (row.Step()) all.Add($"mailing {row.Int64(0)}");
        return all;
    }
}
