using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Courses;

/// <summary>The SQL of programmes, runs, their meetings and groups.</summary>
static class RunTable
{
    // ---- programmes

    public static List<Programme> Programmes(ReadTransaction read)
    {
        var all = new List<Programme>();
        using var row = read.Prepare("SELECT id, domain, slug, name, created FROM programme ORDER BY slug");
        while (row.Step()) all.Add(Programme(row));
        return all;
    }

    public static Programme? Programme(ReadTransaction read, string slug)
    {
        using var row = read.Prepare("SELECT id, domain, slug, name, created FROM programme WHERE slug = ?").Bind(1, slug);
        return row.Step() ? Programme(row) : null;
    }

    static Programme Programme(Statement row) => new(row.Int64(0), row.String(1), row.String(2), row.String(3), row.Time(4));

    public static bool IsProgramme(WriteTransaction write, string slug) => write.Prepare("SELECT 1 FROM programme WHERE slug = ?").Bind(1, slug).Scalar() is not null;

    public static void AddProgramme(WriteTransaction write, string domain, string slug, string name, DateTimeOffset created) =>
        write.Prepare("INSERT INTO programme (domain, slug, name, created) VALUES (?,?,?,?)").Bind(1, domain).Bind(2, slug).Bind(3, name).Bind(4, created).Run();

    public static bool RenameProgramme(WriteTransaction write, long id, string name) =>
        write.Prepare("UPDATE programme SET name = ? WHERE id = ?").Bind(1, name).Bind(2, id).Run() > 0;

    public static bool RemoveProgramme(WriteTransaction write, long id)
    {
        write.Prepare("UPDATE course SET programme_id = NULL WHERE programme_id = ?").Bind(1, id).Run();
        return write.Prepare("DELETE FROM programme WHERE id = ?").Bind(1, id).Run() > 0;
    }

    // ---- runs

    const string Runs = "SELECT id, course_id, slug, name, starts, ends, zone, holidays, (SELECT count(*) FROM enrolment WHERE run_id = run.id AND status = 'active'), created FROM run";

    public static List<Run> List(ReadTransaction read, long course)
    {
        var runs = new List<Run>();
        using var row = read.Prepare(Runs + " WHERE course_id = ? ORDER BY id").Bind(1, course);
        while (row.Step()) runs.Add(Read(row));
        return runs;
    }

    public static Run? Find(ReadTransaction read, long course, string slug)
    {
        using var row = read.Prepare(Runs + " WHERE course_id = ? AND slug = ?").Bind(1, course).Bind(2, slug);
        return row.Step() ? Read(row) : null;
    }

    public static Run? Get(ReadTransaction read, long id)
    {
        using var row = read.Prepare(Runs + " WHERE id = ?").Bind(1, id);
        return row.Step() ? Read(row) : null;
    }

    static Run Read(Statement row) => new(
        row.Int64(0), row.Int64(1), row.String(2), row.String(3), PersonTable.Date(row, 4), PersonTable.Date(row, 5), row.String(6),
        [.. CourseTable.Texts(row.String(7)).Select(text => IsoDate.TryParse(text, out Holiday holiday) ? holiday : null).OfType<Holiday>()], row.Int32(8), row.Time(9));

    public static bool Exists(WriteTransaction write, long course, string slug) =>
        write.Prepare("SELECT 1 FROM run WHERE course_id = ? AND slug = ?").Bind(1, course).Bind(2, slug).Scalar() is not null;

    public static bool Exists(WriteTransaction write, long id) => write.Prepare("SELECT 1 FROM run WHERE id = ?").Bind(1, id).Scalar() is not null;

    public static int CountRuns(WriteTransaction write, long course) => (int)(write.Prepare("SELECT count(*) FROM run WHERE course_id = ?").Bind(1, course).Scalar() ?? 0);

    public static long Default(WriteTransaction write, long course) =>
        write.Prepare("SELECT id FROM run WHERE course_id = ? AND slug = 'default'").Bind(1, course).Scalar() ?? 0;

    /// <summary>Of the course's own run: an IANA name, or empty.</summary>
    public static string Zone(WriteTransaction write, long course)
    {
        using var row = write.Prepare("SELECT zone FROM run WHERE course_id = ? AND slug = 'default'").Bind(1, course);
        return row.Step() ? row.String(0) : "";
    }

    public static long Add(WriteTransaction write, Run run)
    {
        write.Prepare("INSERT INTO run (course_id, slug, name, starts, ends, zone, holidays, created) VALUES (?,?,?,?,?,?,?,?)")
            .Bind(1, run.CourseId).Bind(2, run.Slug).Bind(3, run.Name).Bind(4, IsoDate.Of(run.Starts)).Bind(5, IsoDate.Of(run.Ends)).Bind(6, run.Zone)
            .Bind(7, MergeJson.Array(run.Holidays.Select(IsoDate.Of))).Bind(8, run.Created).Run();
        return write.LastInsertId;
    }

    public static bool Update(WriteTransaction write, Run run) =>
        write.Prepare("UPDATE run SET name = ?, starts = ?, ends = ?, zone = ?, holidays = ? WHERE id = ?")
            .Bind(1, run.Name).Bind(2, IsoDate.Of(run.Starts)).Bind(3, IsoDate.Of(run.Ends)).Bind(4, run.Zone).Bind(5, MergeJson.Array(run.Holidays.Select(IsoDate.Of))).Bind(6, run.Id).Run() > 0;

    public static void Remove(WriteTransaction write, long run)
    {
        write.Prepare("DELETE FROM roster_source WHERE run_id = ?").Bind(1, run).Run();
        write.Prepare("DELETE FROM roster_name WHERE kind = 'class' AND value = ?").Bind(1, run.ToString(System.Globalization.CultureInfo.InvariantCulture)).Run();
        write.Prepare("DELETE FROM meeting WHERE run_id = ?").Bind(1, run).Run();
        write.Prepare("DELETE FROM guardian WHERE run_id = ?").Bind(1, run).Run();
        write.Prepare("DELETE FROM enrolment_group WHERE enrolment_id IN (SELECT id FROM enrolment WHERE run_id = ?)").Bind(1, run).Run();
        write.Prepare("DELETE FROM run_group WHERE run_id = ?").Bind(1, run).Run();
        write.Prepare("DELETE FROM enrolment WHERE run_id = ?").Bind(1, run).Run();
        write.Prepare("DELETE FROM run WHERE id = ?").Bind(1, run).Run();
    }

    public static void RemoveAll(WriteTransaction write, long course)
    {
        var runs = new List<long>();
        using (var row = write.Prepare("SELECT id FROM run WHERE course_id = ?").Bind(1, course))
            while (row.Step()) runs.Add(row.Int64(0));
        foreach (var run in runs) Remove(write, run);
    }

    // ---- meetings

    const string MeetingColumns = "SELECT id, run_id, title, starts, ends, place, uid, sequence, cancelled FROM meeting";

    public static List<Meeting> Meetings(ReadTransaction read, long run)
    {
        var all = new List<Meeting>();
        using var row = read.Prepare(MeetingColumns + " WHERE run_id = ? ORDER BY starts, id").Bind(1, run);
        while (row.Step()) all.Add(ReadMeeting(row));
        return all;
    }

    public static Meeting? Meeting(Func<string, Statement> prepare, long run, long id)
    {
        using var row = prepare(MeetingColumns + " WHERE run_id = ? AND id = ?").Bind(1, run).Bind(2, id);
        return row.Step() ? ReadMeeting(row) : null;
    }

    static Meeting ReadMeeting(Statement row) => new(row.Int64(0), row.Int64(1), row.String(2), row.Time(3), row.Time(4), row.String(5), row.String(6), row.Int32(7), row.Bool(8));

    public static int CountMeetings(WriteTransaction write, long run) => (int)(write.Prepare("SELECT count(*) FROM meeting WHERE run_id = ?").Bind(1, run).Scalar() ?? 0);

    public static long AddMeeting(WriteTransaction write, Meeting meeting)
    {
        write.Prepare("INSERT INTO meeting (run_id, title, starts, ends, place, uid, sequence, cancelled) VALUES (?,?,?,?,?,?,?,?)").Bind(1, meeting.RunId).Bind(2, meeting.Title).Bind(3, meeting.Starts)
            .Bind(4, meeting.Ends).Bind(5, meeting.Place).Bind(6, meeting.Uid).Bind(7, meeting.Sequence).Bind(8, meeting.Cancelled).Run();
        return write.LastInsertId;
    }

    public static void UpdateMeeting(WriteTransaction write, Meeting meeting) =>
        write.Prepare("UPDATE meeting SET title = ?, starts = ?, ends = ?, place = ?, sequence = ?, cancelled = ? WHERE id = ?").Bind(1, meeting.Title).Bind(2, meeting.Starts).Bind(3, meeting.Ends)
            .Bind(4, meeting.Place).Bind(5, meeting.Sequence).Bind(6, meeting.Cancelled).Bind(7, meeting.Id).Run();

    public static bool RemoveMeeting(WriteTransaction write, long run, long id) => write.Prepare("DELETE FROM meeting WHERE run_id = ? AND id = ?").Bind(1, run).Bind(2, id).Run() > 0;

    // ---- groups

    public static List<RunGroup> Groups(ReadTransaction read, long run)
    {
        var all = new List<RunGroup>();
        using var row = read.Prepare("SELECT id, run_id, name, (SELECT count(*) FROM enrolment_group g JOIN enrolment e ON e.id = g.enrolment_id WHERE g.group_id = run_group.id AND e.status = 'active') FROM run_group WHERE run_id = ? ORDER BY key").Bind(1, run);
        while (row.Step()) all.Add(new(row.Int64(0), row.Int64(1), row.String(2), row.Int32(3)));
        return all;
    }

    /// <summary>Names as they are compared.</summary>
    public static string GroupKey(string name) => name.Trim().ToLowerInvariant();

    public static long? Group(WriteTransaction write, long run, string name) =>
        write.Prepare("SELECT id FROM run_group WHERE run_id = ? AND key = ?").Bind(1, run).Bind(2, GroupKey(name)).Scalar();

    public static int CountGroups(WriteTransaction write, long run) => (int)(write.Prepare("SELECT count(*) FROM run_group WHERE run_id = ?").Bind(1, run).Scalar() ?? 0);

    public static long AddGroup(WriteTransaction write, long run, string name)
    {
        write.Prepare("INSERT INTO run_group (run_id, key, name) VALUES (?,?,?)").Bind(1, run).Bind(2, GroupKey(name)).Bind(3, name).Run();
        return write.LastInsertId;
    }

    public static void RenameGroup(WriteTransaction write, long id, string name) =>
        write.Prepare("UPDATE run_group SET key = ?, name = ? WHERE id = ?").Bind(1, GroupKey(name)).Bind(2, name).Bind(3, id).Run();

    public static void RemoveGroup(WriteTransaction write, long id)
    {
        write.Prepare("DELETE FROM enrolment_group WHERE group_id = ?").Bind(1, id).Run();
        write.Prepare("DELETE FROM run_group WHERE id = ?").Bind(1, id).Run();
    }
}
