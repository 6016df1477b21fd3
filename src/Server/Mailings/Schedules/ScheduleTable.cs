using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Mailings.Schedules;

/// <summary>The schedule of a mailing, and how far it is.</summary>
/// <param name="Rule">As <see cref="ScheduleText"/> reads it.</param>
/// <param name="Since">What was due before is not due.</param>
/// <param name="Open">Somebody may still be added.</param>
/// <param name="Asked">Since when it waits to be told what becomes of what was missed; null: it does not.</param>
/// <param name="Answer">What becomes of what was due up to <paramref name="Answered"/>.</param>
/// <param name="Problem">Why it could not go out; "": nothing is wrong.</param>
public sealed record MailingSchedule(
    long Mailing, long Run, string Rule, DateTimeOffset Since, bool Open = true, DateTimeOffset? Asked = null, Missed? Answer = null, DateTimeOffset? Answered = null, string Problem = "");

/// <summary>The SQL of schedules.</summary>
static class ScheduleTable
{
    const string Columns = "SELECT s.mailing_id, s.run_id, s.rule, s.since, s.open, s.asked, s.answer, s.answered, s.problem FROM mailing_schedule s";

    /// <summary>Those by which something may still go out, the oldest first.</summary>
    public static List<MailingSchedule> Open(ReadTransaction read)
    {
        var all = new List<MailingSchedule>();
        using var row = read.Prepare(Columns + " JOIN mailing m ON m.id = s.mailing_id WHERE s.open = 1 AND m.state IN ('scheduled', 'sending') ORDER BY s.mailing_id");
        while (row.Step()) all.Add(Read(row));
        return all;
    }

    public static MailingSchedule? Of(Func<string, Statement> prepare, long mailing)
    {
        using var row = prepare(Columns + " WHERE s.mailing_id = ?").Bind(1, mailing);
        return row.Step() ? Read(row) : null;
    }

    static MailingSchedule Read(Statement row) => new(
        row.Int64(0), row.Int64(1), row.String(2), row.Time(3), row.Int32(4) == 1, row.TimeOrNull(5),
        row.Text(6) switch { "send" => Missed.Send, "skip" => Missed.Skip, _ => null }, row.TimeOrNull(7), row.String(8));

    public static void Put(WriteTransaction write, MailingSchedule one) =>
        write.Prepare("INSERT OR REPLACE INTO mailing_schedule (mailing_id, run_id, rule, since) VALUES (?,?,?,?)")
            .Bind(1, one.Mailing).Bind(2, one.Run).Bind(3, one.Rule).Bind(4, one.Since).Run();

    public static void Remove(WriteTransaction write, long mailing) => write.Prepare("DELETE FROM mailing_schedule WHERE mailing_id = ?").Bind(1, mailing).Run();

    public static bool IsOpen(WriteTransaction write, long mailing) => write.Prepare("SELECT 1 FROM mailing_schedule WHERE mailing_id = ? AND open = 1").Bind(1, mailing).Scalar() is not null;

    public static void Close(WriteTransaction write, long mailing) => write.Prepare("UPDATE mailing_schedule SET open = 0, asked = NULL, problem = '' WHERE mailing_id = ?").Bind(1, mailing).Run();

    public static void Ask(WriteTransaction write, long mailing, DateTimeOffset at) =>
        write.Prepare("UPDATE mailing_schedule SET asked = coalesce(asked, ?2) WHERE mailing_id = ?1").Bind(1, mailing).Bind(2, at).Run();

    public static void Answer(WriteTransaction write, long mailing, Missed answer, DateTimeOffset at) =>
        write.Prepare("UPDATE mailing_schedule SET asked = NULL, answer = ?, answered = ? WHERE mailing_id = ?").Bind(1, answer == Missed.Send ? "send" : "skip").Bind(2, at).Bind(3, mailing).Run();

    public static void Problem(WriteTransaction write, long mailing, string problem) =>
        write.Prepare("UPDATE mailing_schedule SET problem = ? WHERE mailing_id = ?").Bind(1, problem).Bind(2, mailing).Run();

    // ---- mailings that repeating ones bring forth

    public static HashSet<string> Done(ReadTransaction read, long mailing)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        using var row = read.Prepare("SELECT key FROM mailing_occasion WHERE mailing_id = ?").Bind(1, mailing);
        while (row.Step()) keys.Add(row.String(0));
        return keys;
    }

    /// <summary>They by their occasions.</summary>
    public static Dictionary<string, (long Mailing, MailingState State)> Children(ReadTransaction read, long mailing)
    {
        var children = new Dictionary<string, (long, MailingState)>(StringComparer.Ordinal);
        using var row = read.Prepare("SELECT o.key, o.child_id, m.state FROM mailing_occasion o JOIN mailing m ON m.id = o.child_id WHERE o.mailing_id = ?").Bind(1, mailing);
        while (row.Step()) children[row.String(0)] = (row.Int64(1), MailingTable.StateOf(row.String(2)));
        return children;
    }

    public static bool IsDone(WriteTransaction write, long mailing, string key) =>
        write.Prepare("SELECT 1 FROM mailing_occasion WHERE mailing_id = ? AND key = ?").Bind(1, mailing).Bind(2, key).Scalar() is not null;

    public static void AddDone(WriteTransaction write, long mailing, string key, long child) =>
        write.Prepare("INSERT INTO mailing_occasion (mailing_id, key, child_id) VALUES (?,?,?)").Bind(1, mailing).Bind(2, key).Bind(3, child).Run();

    /// <summary>Removes those of the mailings of a course.</summary>
    public static void RemoveAll(WriteTransaction write, long course)
    {
        write.Prepare("DELETE FROM mailing_occasion WHERE mailing_id IN (SELECT id FROM mailing WHERE course_id = ?)").Bind(1, course).Run();
        write.Prepare("DELETE FROM mailing_schedule WHERE mailing_id IN (SELECT id FROM mailing WHERE course_id = ?)").Bind(1, course).Run();
    }
}
