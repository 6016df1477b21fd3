using System.Text.Json;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Courses.Sources;

/// <summary>The SQL of roster sources, of names in other systems and of the key for learning platforms.</summary>
static class RosterSourceTable
{
    const string Columns = "SELECT s.id, s.course_id, s.run_id, r.slug, s.kind, s.profile, s.secret IS NOT NULL, s.created, s.tried, s.done, s.failing, s.problem, s.last, s.since, s.whole FROM roster_source s JOIN run r ON r.id = s.run_id";

    public static List<RosterSource> All(ReadTransaction read, long? course)
    {
        var all = new List<RosterSource>();
        using var row = read.Prepare(Columns + " WHERE ?1 IS NULL OR s.course_id = ?1 ORDER BY s.id").Bind(1, course);
        while (row.Step()) all.Add(Read(row));
        return all;
    }

    public static RosterSource? Find(Func<string, Statement> prepare, long course, long id)
    {
        using var row = prepare(Columns + " WHERE s.course_id = ? AND s.id = ?").Bind(1, course).Bind(2, id);
        return row.Step() ? Read(row) : null;
    }

    static RosterSource Read(Statement row) => new(
        row.Int64(0), row.Int64(1), row.Int64(2), row.String(3), row.String(4), RosterProfile.FromJson(row.String(5)), row.Bool(6), row.Time(7),
        new(Time(row, 8), Time(row, 9), Time(row, 10), row.String(11), row.Text(12) is { } last ? JsonSerializer.Deserialize<RosterCounts>(last) : null), row.String(13), Time(row, 14));

    static DateTimeOffset? Time(Statement row, int column) => row.IsNull(column) ? null : row.Time(column);

    public static byte[]? Secret(ReadTransaction read, long id)
    {
        using var row = read.Prepare("SELECT secret FROM roster_source WHERE id = ?").Bind(1, id);
        return row.Step() && !row.IsNull(0) ? row.Blob(0).ToArray() : null;
    }

    public static int Count(WriteTransaction write, long course) => (int)(write.Prepare("SELECT count(*) FROM roster_source WHERE course_id = ?").Bind(1, course).Scalar() ?? 0);

    public static long Add(WriteTransaction write, RosterSource one)
    {
        write.Prepare("INSERT INTO roster_source (course_id, run_id, kind, profile, created) VALUES (?,?,?,?,?)")
            .Bind(1, one.CourseId).Bind(2, one.RunId).Bind(3, one.Kind).Bind(4, one.Profile.ToJson()).Bind(5, one.Created).Run();
        return write.LastInsertId;
    }

    public static void SetSecret(WriteTransaction write, long id, byte[] secret) => write.Prepare("UPDATE roster_source SET secret = ? WHERE id = ?").Bind(1, secret.AsSpan()).Bind(2, id).Run();

    /// <summary>What it was the difference since is told anew.</summary>
    public static void SetProfile(WriteTransaction write, long id, RosterProfile profile) => write.Prepare("UPDATE roster_source SET profile = ?, since = '', whole = NULL WHERE id = ?").Bind(1, profile.ToJson()).Bind(2, id).Run();

    public static void SetStanding(WriteTransaction write, long id, RosterStanding now, string since, DateTimeOffset? whole) =>
        write.Prepare("UPDATE roster_source SET tried = ?, done = ?, failing = ?, problem = ?, last = ?, since = ?, whole = ? WHERE id = ?").Bind(1, now.Tried).Bind(2, now.Done).Bind(3, now.Failing).Bind(4, now.Problem)
            .Bind(5, now.Last is null ? null : JsonSerializer.Serialize(now.Last)).Bind(6, since).Bind(7, whole).Bind(8, id).Run();

    /// <summary>Whoever came by it stays, and is none of any source's business.</summary>
    public static bool Remove(WriteTransaction write, long course, long id)
    {
        write.Prepare("UPDATE enrolment SET source = 0, line = 0 WHERE source = ?").Bind(1, id).Run();
        return write.Prepare("DELETE FROM roster_source WHERE course_id = ? AND id = ?").Bind(1, course).Bind(2, id).Run() > 0;
    }

    // ---- names in other systems

    public static Dictionary<string, string> Names(ReadTransaction read, string domain, string kind)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        using var row = read.Prepare("SELECT name, value FROM roster_name WHERE domain = ? AND kind = ?").Bind(1, domain).Bind(2, kind);
        while (row.Step()) names[row.String(0)] = row.String(1);
        return names;
    }

    public static void SetName(WriteTransaction write, string domain, string kind, string name, string value) =>
        write.Prepare("INSERT INTO roster_name (domain, kind, name, value) VALUES (?,?,?,?) ON CONFLICT DO UPDATE SET value = excluded.value").Bind(1, domain).Bind(2, kind).Bind(3, name).Bind(4, value).Run();

    public static void RemoveName(WriteTransaction write, string domain, string kind, string name) =>
        write.Prepare("DELETE FROM roster_name WHERE domain = ? AND kind = ? AND name = ?").Bind(1, domain).Bind(2, kind).Bind(3, name).Run();

    // ---- the key for learning platforms

    public static (string Kid, string Public, byte[] Secret)? Key(Func<string, Statement> prepare)
    {
        using var row = prepare("SELECT kid, public, secret FROM lti_key ORDER BY id DESC LIMIT 1");
        return row.Step() ? (row.String(0), row.String(1), row.Blob(2).ToArray()) : null;
    }

    public static void SetKey(WriteTransaction write, string kid, string open, byte[] secret, DateTimeOffset now)
    {
        write.Prepare("DELETE FROM lti_key").Run();
        write.Prepare("INSERT INTO lti_key (id, kid, public, secret, created) VALUES (1,?,?,?,?)").Bind(1, kid).Bind(2, open).Bind(3, secret.AsSpan()).Bind(4, now).Run();
    }
}
