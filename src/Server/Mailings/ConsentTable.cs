using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Mailings;

/// <summary>The SQL of what readers have said: consents, choices, requests for their data.</summary>
static class ConsentTable
{
    const string Columns = "SELECT class, course_id, wanted, at, source, basis, mailing_id, address_key FROM consent ";

    public static void Add(WriteTransaction write, string domain, string key, Consent consent) =>
        write.Prepare("INSERT INTO consent (domain, address_key, class, course_id, wanted, at, source, basis, mailing_id) VALUES (?,?,?,?,?,?,?,?,?)")
            .Bind(1, domain).Bind(2, key).Bind(3, ClassRules.Of(consent.Class).Word).Bind(4, consent.CourseId).Bind(5, consent.Wanted).Bind(6, consent.At)
            .Bind(7, consent.Source).Bind(8, consent.Basis).Bind(9, consent.Mailing).Run();

    /// <summary>What holds for one reader of a course and class, or null: of the course before that of the domain.</summary>
    public static Consent? Current(Func<string, Statement> prepare, string domain, string key, MailingClass kind, long course)
    {
        using var row = prepare(Columns + "WHERE domain = ? AND address_key = ? AND class = ? AND course_id IN (0, ?) ORDER BY course_id DESC, id DESC LIMIT 1")
            .Bind(1, domain).Bind(2, key).Bind(3, ClassRules.Of(kind).Word).Bind(4, course);
        return row.Step() ? Read(row) : null;
    }

    /// <summary>The same of everybody who has said something.</summary>
    public static Dictionary<string, Consent> AllCurrent(ReadTransaction read, string domain, MailingClass kind, long course)
    {
        var current = new Dictionary<string, Consent>(StringComparer.Ordinal);
        using var row = read.Prepare(Columns + "WHERE domain = ? AND class = ? AND course_id IN (0, ?) ORDER BY course_id, id").Bind(1, domain).Bind(2, ClassRules.Of(kind).Word).Bind(3, course);
        while (row.Step()) current[row.String(7)] = Read(row);
        return current;
    }

    /// <summary>All that one reader has said, the newest first.</summary>
    public static List<Consent> History(ReadTransaction read, string domain, string key, int count)
    {
        var all = new List<Consent>();
        using var row = read.Prepare(Columns + "WHERE domain = ? AND address_key = ? ORDER BY id DESC LIMIT ?").Bind(1, domain).Bind(2, key).Bind(3, (long)count);
        while (row.Step()) all.Add(Read(row));
        return all;
    }

    static Consent Read(Statement row) => new(ClassRules.Find(row.String(0))!.Class, row.Int64(1), row.Int64(2) != 0, row.Time(3), row.String(4), row.String(5), row.IsNull(6) ? null : row.Int64(6));

    /// <summary>How many have left by the link of a mailing and not come back since.</summary>
    public static int Left(ReadTransaction read, long mailing) =>
        (int)(read.Prepare("SELECT count(DISTINCT c.address_key) FROM consent c WHERE c.mailing_id = ? AND c.wanted = 0 AND NOT EXISTS (SELECT 1 FROM consent d WHERE d.domain = c.domain AND d.address_key = c.address_key AND d.class = c.class AND d.course_id = c.course_id AND d.id > c.id AND d.wanted = 1)").Bind(1, mailing).Scalar() ?? 0);

    // ---- choices

    public static ReaderChoice Choice(Func<string, Statement> prepare, string domain, string key)
    {
        using var row = prepare("SELECT language, zone, paused_until FROM mailing_reader WHERE domain = ? AND address_key = ?").Bind(1, domain).Bind(2, key);
        return row.Step() ? new(row.Text(0), row.Text(1), row.TimeOrNull(2)) : new(null, null, null);
    }

    public static void Choose(WriteTransaction write, string domain, string key, ReaderChoice choice) =>
        write.Prepare("INSERT INTO mailing_reader (domain, address_key, language, zone, paused_until) VALUES (?1,?2,?3,?4,?5) ON CONFLICT (domain, address_key) DO UPDATE SET language = ?3, zone = ?4, paused_until = ?5")
            .Bind(1, domain).Bind(2, key).Bind(3, choice.Language).Bind(4, choice.Zone).Bind(5, choice.PausedUntil).Run();

    /// <summary>Until when those of a domain who have asked for quiet want it.</summary>
    public static Dictionary<string, DateTimeOffset> Paused(ReadTransaction read, string domain, DateTimeOffset now)
    {
        var paused = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        using var row = read.Prepare("SELECT address_key, paused_until FROM mailing_reader WHERE domain = ? AND paused_until > ?").Bind(1, domain).Bind(2, now);
        while (row.Step()) paused[row.String(0)] = row.Time(1);
        return paused;
    }

    // ---- requests for one's data

    public static void Ask(WriteTransaction write, string domain, string key, string kind, DateTimeOffset at)
    {
        if (write.Prepare("SELECT 1 FROM data_request WHERE domain = ? AND address_key = ? AND kind = ? AND done IS NULL").Bind(1, domain).Bind(2, key).Bind(3, kind).Scalar() is not null) return;
        write.Prepare("INSERT INTO data_request (domain, address_key, kind, at) VALUES (?,?,?,?)").Bind(1, domain).Bind(2, key).Bind(3, kind).Bind(4, at).Run();
    }

    /// <summary>Those of people in a course, the open ones first.</summary>
    public static List<DataRequest> Requests(ReadTransaction read, long course)
    {
        var all = new List<DataRequest>();
        using var row = read.Prepare(
            "SELECT r.id, p.address, r.kind, r.at, r.done FROM data_request r JOIN person p ON p.domain = r.domain AND p.address_key = r.address_key WHERE p.id IN (SELECT person_id FROM enrolment WHERE course_id = ?) ORDER BY r.done IS NOT NULL, r.id LIMIT 1000").Bind(1, course);
        while (row.Step()) all.Add(new(row.Int64(0), row.String(1), row.String(2), row.Time(3), row.TimeOrNull(4)));
        return all;
    }

    public static List<string> Asked(ReadTransaction read, string domain, string key)
    {
        var kinds = new List<string>();
        using var row = read.Prepare("SELECT kind FROM data_request WHERE domain = ? AND address_key = ? AND done IS NULL").Bind(1, domain).Bind(2, key);
        while (row.Step()) kinds.Add(row.String(0));
        return kinds;
    }

    public static bool SetDone(WriteTransaction write, long course, long id, DateTimeOffset at) =>
        write.Prepare("UPDATE data_request SET done = ?1 WHERE id = ?2 AND done IS NULL AND EXISTS (SELECT 1 FROM enrolment e JOIN person p ON p.id = e.person_id WHERE e.course_id = ?3 AND p.domain = data_request.domain AND p.address_key = data_request.address_key)")
            .Bind(1, at).Bind(2, id).Bind(3, course).Run() > 0;

    // ---- what a reader is shown

    /// <summary>The courses of a domain that he is in.</summary>
    public static List<(long Id, string Name)> Courses(ReadTransaction read, string domain, string key)
    {
        var courses = new List<(long, string)>();
        using var row = read.Prepare("SELECT DISTINCT c.id, c.name FROM person p JOIN enrolment e ON e.person_id = p.id JOIN course c ON c.id = e.course_id WHERE p.domain = ? AND p.address_key = ? ORDER BY c.name").Bind(1, domain).Bind(2, key);
        while (row.Step()) courses.Add((row.Int64(0), row.String(1)));
        return courses;
    }

    /// <summary>Rows of the ledger that are his, the newest first.</summary>
    public static List<(long Mailing, string Fields, string Name, LedgerState State, DateTimeOffset At)> Sent(ReadTransaction read, string domain, string key, int count)
    {
        var sent = new List<(long, string, string, LedgerState, DateTimeOffset)>();
        using var row = read.Prepare("""
            SELECT l.mailing_id, l.fields, l.name, l.state, l.at FROM ledger l
             WHERE l.person_id IN (SELECT id FROM person WHERE domain = ? AND address_key = ?)
               AND l.state NOT IN ('rendered', 'skipped') ORDER BY l.id DESC LIMIT ?
            """).Bind(1, domain).Bind(2, key).Bind(3, (long)count);
        while (row.Step()) sent.Add((row.Int64(0), row.String(1), row.String(2), LedgerTable.State(row.String(3)), row.Time(4)));
        return sent;
    }
}
