using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Mailings.Sequences;

/// <summary>Mailings that follow each other, person by person.</summary>
/// <param name="Rule">The audience that comes in; "": everybody of the run.</param>
/// <param name="State">active, paused, ended.</param>
/// <param name="Problem">Why somebody waits, or "".</param>
public sealed record Sequence(long Id, long CourseId, long RunId, string Name, string Rule, string State, DateTimeOffset Created, string Problem);

/// <summary>A step as it is kept.</summary>
/// <param name="Skipped">Nobody gets it any more.</param>
sealed record KeptStep(int Place, SequenceStep Step, bool Skipped);

/// <summary>Where somebody is.</summary>
/// <param name="Place">The step that is next.</param>
/// <param name="Since">What its delay counts from.</param>
/// <param name="State">active, paused, done, left.</param>
sealed record SequenceMember(long Person, string Address, string Name, int Place, DateTimeOffset Since, string State);

/// <summary>The SQL of sequences.</summary>
static class SequenceTable
{
    const string Columns = "SELECT id, course_id, run_id, name, rule, state, created, problem FROM sequence";

    public static List<Sequence> Active(ReadTransaction read)
    {
        var all = new List<Sequence>();
        using var row = read.Prepare(Columns + " WHERE state = 'active' ORDER BY id");
        while (row.Step()) all.Add(Read(row));
        return all;
    }

    public static List<Sequence> Of(ReadTransaction read, long course)
    {
        var all = new List<Sequence>();
        using var row = read.Prepare(Columns + " WHERE course_id = ? ORDER BY id").Bind(1, course);
        while (row.Step()) all.Add(Read(row));
        return all;
    }

    public static Sequence? Find(Func<string, Statement> prepare, long course, long id)
    {
        using var row = prepare(Columns + " WHERE id = ? AND course_id = ?").Bind(1, id).Bind(2, course);
        return row.Step() ? Read(row) : null;
    }

    static Sequence Read(Statement row) => new(row.Int64(0), row.Int64(1), row.Int64(2), row.String(3), row.String(4), row.String(5), row.Time(6), row.String(7));

    public static long Add(WriteTransaction write, Sequence one)
    {
        write.Prepare("INSERT INTO sequence (course_id, run_id, name, rule, state, created) VALUES (?,?,?,?,?,?)").Bind(1, one.CourseId).Bind(2, one.RunId).Bind(3, one.Name).Bind(4, one.Rule).Bind(5, one.State).Bind(6, one.Created).Run();
        return write.LastInsertId;
    }

    public static void AddStep(WriteTransaction write, long sequence, int place, SequenceStep step) =>
        write.Prepare("INSERT INTO sequence_step (sequence_id, place, mailing_id, text) VALUES (?,?,?,?)").Bind(1, sequence).Bind(2, (long)place).Bind(3, step.Mailing).Bind(4, step.Text).Run();

    public static void SetState(WriteTransaction write, long id, string state) => write.Prepare("UPDATE sequence SET state = ? WHERE id = ?").Bind(1, state).Bind(2, id).Run();

    public static void SetProblem(WriteTransaction write, long id, string problem) => write.Prepare("UPDATE sequence SET problem = ? WHERE id = ?").Bind(1, problem).Bind(2, id).Run();

    public static bool IsActive(WriteTransaction write, long id) => write.Prepare("SELECT 1 FROM sequence WHERE id = ? AND state = 'active'").Bind(1, id).Scalar() is not null;

    /// <summary>Whether a mailing is a step of one that has not ended: somebody may still be added to it.</summary>
    public static bool Holds(WriteTransaction write, long mailing) =>
        write.Prepare("SELECT 1 FROM sequence_step t JOIN sequence s ON s.id = t.sequence_id WHERE t.mailing_id = ? AND s.state <> 'ended'").Bind(1, mailing).Scalar() is not null;

    /// <summary>Whether a mailing is or was a step of any.</summary>
    public static bool IsStep(WriteTransaction write, long mailing) => write.Prepare("SELECT 1 FROM sequence_step WHERE mailing_id = ?").Bind(1, mailing).Scalar() is not null;

    public static List<KeptStep> Steps(Func<string, Statement> prepare, long sequence)
    {
        var steps = new List<KeptStep>();
        using var row = prepare("SELECT place, text, skipped FROM sequence_step WHERE sequence_id = ? ORDER BY place").Bind(1, sequence);
        while (row.Step()) steps.Add(new(row.Int32(0), SequenceStep.Parse(row.String(1))!, row.Bool(2)));
        return steps;
    }

    public static bool SkipStep(WriteTransaction write, long sequence, int place) => write.Prepare("UPDATE sequence_step SET skipped = 1 WHERE sequence_id = ? AND place = ?").Bind(1, sequence).Bind(2, (long)place).Run() > 0;

    // ---- people

    public static List<SequenceMember> Members(Func<string, Statement> prepare, long sequence)
    {
        var members = new List<SequenceMember>();
        using var row = prepare("SELECT m.person_id, p.address, p.name, m.place, m.since, m.state FROM sequence_member m JOIN person p ON p.id = m.person_id WHERE m.sequence_id = ? ORDER BY m.person_id").Bind(1, sequence);
        while (row.Step()) members.Add(new(row.Int64(0), row.String(1), row.String(2), row.Int32(3), row.Time(4), row.String(5)));
        return members;
    }

    public static void Enter(WriteTransaction write, long sequence, long person, DateTimeOffset at) =>
        write.Prepare("INSERT OR IGNORE INTO sequence_member (sequence_id, person_id, place, since, state) VALUES (?,?,1,?,'active')").Bind(1, sequence).Bind(2, person).Bind(3, at).Run();

    /// <summary>Takes somebody on from a step.</summary>
    /// <returns>Whether he was there: the claim of the step.</returns>
    public static bool Move(WriteTransaction write, long sequence, long person, int from, int to, DateTimeOffset at, bool done) =>
        write.Prepare("UPDATE sequence_member SET place = ?, since = ?, state = CASE WHEN ? THEN 'done' ELSE state END WHERE sequence_id = ? AND person_id = ? AND place = ? AND state IN ('active', 'paused')")
            .Bind(1, (long)to).Bind(2, at).Bind(3, done).Bind(4, sequence).Bind(5, person).Bind(6, (long)from).Run() > 0;

    public static bool SetMember(WriteTransaction write, long sequence, long person, string from, string to) =>
        write.Prepare("UPDATE sequence_member SET state = ? WHERE sequence_id = ? AND person_id = ? AND state = ?").Bind(1, to).Bind(2, sequence).Bind(3, person).Bind(4, from).Run() > 0;

    /// <summary>Removes those of a course.</summary>
    public static void RemoveAll(WriteTransaction write, long course)
    {
        foreach (var table in (string[])["sequence_member", "sequence_step"])
            write.Prepare($"DELETE FROM {table} WHERE sequence_id IN (SELECT id FROM sequence WHERE course_id = ?)").Bind(1, course).Run();
        write.Prepare("DELETE FROM sequence WHERE course_id = ?").Bind(1, course).Run();
    }
}
