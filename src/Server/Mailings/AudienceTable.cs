using System.Runtime.InteropServices;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Mailings;

/// <summary>An audience kept under a name.</summary>
/// <param name="CourseId">0: of all courses of the domain.</param>
/// <param name="Rule">As <see cref="AudienceText"/> reads it.</param>
public sealed record SavedAudience(long Id, string Domain, long CourseId, string Name, string Rule, DateTimeOffset Changed);

/// <summary>Whom a mailing goes to.</summary>
/// <param name="Previewed">Persons at the last preview, or null.</param>
/// <param name="Joined">Who came since then, once it was sent.</param>
/// <param name="Gone">Who went since then.</param>
public sealed record MailingAudience(string Rule, long[]? Previewed, DateTimeOffset? PreviewedAt, int? Joined, int? Gone);

/// <summary>The SQL of audiences.</summary>
static class AudienceTable
{
    const string Columns = "SELECT id, domain, course_id, name, rule, changed FROM audience";

    static string Key(string name) => name.Trim().ToLowerInvariant();

    /// <summary>Those of a course and of its domain.</summary>
    public static List<SavedAudience> List(ReadTransaction read, string domain, long course)
    {
        var all = new List<SavedAudience>();
        using var row = read.Prepare(Columns + " WHERE domain = ? AND course_id IN (0, ?) ORDER BY key, course_id DESC").Bind(1, domain).Bind(2, course);
        while (row.Step()) all.Add(Read(row));
        return all;
    }

    /// <summary>The course's own goes before that of the domain.</summary>
    public static SavedAudience? Find(Func<string, Statement> prepare, string domain, long course, string name)
    {
        using var row = prepare(Columns + " WHERE domain = ? AND course_id IN (0, ?) AND key = ? ORDER BY course_id DESC LIMIT 1").Bind(1, domain).Bind(2, course).Bind(3, Key(name));
        return row.Step() ? Read(row) : null;
    }

    static SavedAudience Read(Statement row) => new(row.Int64(0), row.String(1), row.Int64(2), row.String(3), row.String(4), row.Time(5));

    public static int Count(WriteTransaction write, string domain, long course) =>
        (int)(write.Prepare("SELECT count(*) FROM audience WHERE domain = ? AND course_id = ?").Bind(1, domain).Bind(2, course).Scalar() ?? 0);

    public static void Put(WriteTransaction write, string domain, long course, string name, string rule, DateTimeOffset at) =>
        write.Prepare("INSERT INTO audience (domain, course_id, key, name, rule, changed) VALUES (?1,?2,?3,?4,?5,?6) ON CONFLICT (domain, course_id, key) DO UPDATE SET name = ?4, rule = ?5, changed = ?6")
            .Bind(1, domain).Bind(2, course).Bind(3, Key(name)).Bind(4, name).Bind(5, rule).Bind(6, at).Run();

    public static bool Remove(WriteTransaction write, long id) => write.Prepare("DELETE FROM audience WHERE id = ?").Bind(1, id).Run() > 0;

    /// <summary>Removes those of a course, and those of its mailings.</summary>
    public static void RemoveAll(WriteTransaction write, long course)
    {
        write.Prepare("DELETE FROM mailing_audience WHERE mailing_id IN (SELECT id FROM mailing WHERE course_id = ?)").Bind(1, course).Run();
        write.Prepare("DELETE FROM audience WHERE course_id = ?").Bind(1, course).Run();
    }

    // ---- of mailings

    public static MailingAudience? Of(ReadTransaction read, long mailing)
    {
        using var row = read.Prepare("SELECT rule, previewed, previewed_at, joined, gone FROM mailing_audience WHERE mailing_id = ?").Bind(1, mailing);
        return row.Step()
            ? new(row.String(0), row.IsNull(1) ? null : MemoryMarshal.Cast<byte, long>(row.Blob(1)).ToArray(), row.TimeOrNull(2), row.IsNull(3) ? null : row.Int32(3), row.IsNull(4) ? null : row.Int32(4))
            : null;
    }

    public static void Set(WriteTransaction write, long mailing, string rule) =>
        write.Prepare("INSERT OR REPLACE INTO mailing_audience (mailing_id, rule) VALUES (?,?)").Bind(1, mailing).Bind(2, rule).Run();

    public static void Previewed(WriteTransaction write, long mailing, long[] people, DateTimeOffset at) =>
        write.Prepare("UPDATE mailing_audience SET previewed = ?, previewed_at = ? WHERE mailing_id = ?").Bind(1, MemoryMarshal.AsBytes<long>(people)).Bind(2, at).Bind(3, mailing).Run();

    public static void Frozen(WriteTransaction write, long mailing, int joined, int gone) =>
        write.Prepare("UPDATE mailing_audience SET joined = ?, gone = ? WHERE mailing_id = ?").Bind(1, (long)joined).Bind(2, (long)gone).Bind(3, mailing).Run();

    // ---- what became of copies: the one place that knows which states and columns mean it

    public static HashSet<long> With(ReadTransaction read, long course, long mailing, CopyFate fate)
    {
        var people = new HashSet<long>();
        using var row = read.Prepare(fate switch
        {
            CopyFate.Sent => "SELECT person_id FROM ledger l JOIN mailing m ON m.id = l.mailing_id WHERE l.mailing_id = ? AND m.course_id = ? AND l.state NOT IN ('rendered', 'skipped')",
            CopyFate.Delivered => "SELECT person_id FROM ledger l JOIN mailing m ON m.id = l.mailing_id WHERE l.mailing_id = ? AND m.course_id = ? AND l.state = 'delivered'",
            CopyFate.Bounced => "SELECT person_id FROM ledger l JOIN mailing m ON m.id = l.mailing_id WHERE l.mailing_id = ? AND m.course_id = ? AND l.state = 'bounced'",
            CopyFate.Opened => "SELECT person_id FROM ledger l JOIN mailing m ON m.id = l.mailing_id WHERE l.mailing_id = ? AND m.course_id = ? AND (l.opened IS NOT NULL OR l.clicked IS NOT NULL)",
            CopyFate.Replied => "SELECT person_id FROM ledger l JOIN mailing m ON m.id = l.mailing_id WHERE l.mailing_id = ? AND m.course_id = ? AND l.replied IS NOT NULL",
            _ => "SELECT person_id FROM ledger l JOIN mailing m ON m.id = l.mailing_id WHERE l.mailing_id = ? AND m.course_id = ? AND l.clicked IS NOT NULL",
        }).Bind(1, mailing).Bind(2, course);
        while (row.Step()) people.Add(row.Int64(0));
        return people;
    }
}
