using System.Text.Json;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Courses;

/// <summary>The SQL of courses, and of the people in them as mailings see them.</summary>
static class CourseTable
{
    const string Columns = """
        SELECT id, slug, name, domain, language, columns, created, (SELECT count(DISTINCT person_id) FROM enrolment WHERE course_id = course.id AND status = 'active'),
               (SELECT slug FROM programme WHERE programme.id = course.programme_id) FROM course
        """;

    public static long Add(WriteTransaction transaction, string slug, string name, string domain, string language, DateTimeOffset created)
    {
        transaction.Prepare("INSERT INTO course (slug, name, domain, language, columns, created) VALUES (?,?,?,?,'[]',?)")
            .Bind(1, slug).Bind(2, name).Bind(3, domain).Bind(4, language).Bind(5, created).Run();
        var course = transaction.LastInsertId;
        RunTable.Add(transaction, new(0, course, Run.DefaultSlug, "", null, null, "", [], 0, created));
        return course;
    }

    public static bool Exists(WriteTransaction transaction, string slug) =>
        transaction.Prepare("SELECT 1 FROM course WHERE slug = ?").Bind(1, slug).Scalar() is not null;

    public static bool Exists(WriteTransaction transaction, long id) =>
        transaction.Prepare("SELECT 1 FROM course WHERE id = ?").Bind(1, id).Scalar() is not null;

    public static string? Domain(WriteTransaction transaction, long id)
    {
        using var query = transaction.Prepare("SELECT domain FROM course WHERE id = ?").Bind(1, id);
        return query.Step() ? query.String(0) : null;
    }

    public static Course? Find(ReadTransaction transaction, string slug)
    {
        using var query = transaction.Prepare(Columns + " WHERE slug = ?").Bind(1, slug);
        return query.Step() ? Read(query) : null;
    }

    public static Course? Get(ReadTransaction transaction, long id)
    {
        using var query = transaction.Prepare(Columns + " WHERE id = ?").Bind(1, id);
        return query.Step() ? Read(query) : null;
    }

    public static List<Course> List(ReadTransaction transaction)
    {
        var courses = new List<Course>();
        using var query = transaction.Prepare(Columns + " ORDER BY slug");
        while (query.Step()) courses.Add(Read(query));
        return courses;
    }

    static Course Read(Statement query) => new(
        query.Int64(0), query.String(1), query.String(2), query.String(3), query.String(4), Texts(query.String(5)), query.Int32(7), query.Time(6), query.Text(8));

    internal static List<string> Texts(string json)
    {
        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.EnumerateArray().Select(element => element.GetString() ?? "")];
    }

    public static void Change(WriteTransaction transaction, long course, string name, string language, long? programme) =>
        transaction.Prepare("UPDATE course SET name = ?, language = ?, programme_id = ? WHERE id = ?").Bind(1, name).Bind(2, language).Bind(3, programme).Bind(4, course).Run();

    public static IReadOnlyList<string> CourseColumns(WriteTransaction transaction, long course)
    {
        using var query = transaction.Prepare("SELECT columns FROM course WHERE id = ?").Bind(1, course);
        return query.Step() ? Texts(query.String(0)) : [];
    }

    public static void SetColumns(WriteTransaction transaction, long course, IReadOnlyList<string> columns) =>
        transaction.Prepare("UPDATE course SET columns = ? WHERE id = ?").Bind(1, MergeJson.Array(columns)).Bind(2, course).Run();

    // ---- participants: whoever is in a run of the course and has not left it; once, as in the run that he came into last

    const string People = "SELECT e.person_id, p.address, p.name, e.fields, e.line, e.id FROM enrolment e JOIN person p ON p.id = e.person_id";

    public static List<Participant> Participants(ReadTransaction transaction, long course, long after, int count)
    {
        var people = new List<Participant>(Math.Min(count, 4096));
        using var query = transaction.Prepare(People + """
             WHERE e.course_id = ? AND e.id > ? AND e.status = 'active'
             AND NOT EXISTS (SELECT 1 FROM enrolment o WHERE o.person_id = e.person_id AND o.course_id = e.course_id AND o.status = 'active' AND o.id > e.id) ORDER BY e.id LIMIT ?
            """).Bind(1, course).Bind(2, after).Bind(3, count);
        while (query.Step()) people.Add(ReadParticipant(query));
        return people;
    }

    public static Participant? Participant(ReadTransaction transaction, long course, string key)
    {
        using var query = transaction.Prepare("""
            SELECT e.person_id, p.address, p.name, e.fields, e.line, e.id FROM person p CROSS JOIN enrolment e ON e.person_id = p.id
             WHERE p.domain = (SELECT domain FROM course WHERE id = ?1) AND p.address_key = ?2 AND e.course_id = ?1 AND e.status = 'active' ORDER BY e.id DESC LIMIT 1
            """).Bind(1, course).Bind(2, key);
        return query.Step() ? ReadParticipant(query) : null;
    }

    static Participant ReadParticipant(Statement query) => new(query.Int64(0), query.String(1), query.String(2), query.String(3), query.Int32(4), query.Int64(5));

    // his language, zone and attributes, under the columns of the course
    const string WithPerson = """
        CASE WHEN p.language IS NULL AND p.zone IS NULL AND p.attributes = '{}' THEN e.fields
        ELSE json_patch(json_patch(json_object('language', coalesce(p.language, ''), 'zone', coalesce(p.zone, '')), p.attributes), e.fields) END
        """;

    /// <summary>Somebody with the same fields, out of what is in memory.</summary>
    public static Participant Seen(Enrolment one)
    {
        var (person, fields) = (one.Person, one.Fields);
        if (person.Language is not null || person.Zone is not null || person.Attributes != "{}")
        {
            var all = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase) { ["language"] = person.Language ?? "", ["zone"] = person.Zone ?? "" };
            foreach (var (name, value) in MergeJson.Read(person.Attributes).Concat(MergeJson.Read(fields))) all[name] = value;
            fields = MergeJson.Object(all);
        }
        return new(person.Id, person.Address, person.Name, fields, one.Line, one.Id);
    }

    /// <summary>Those who are in a run today that is not over: whom a mailing reaches where it names no audience.</summary>
    public static List<Participant> Active(ReadTransaction transaction, long course, TimeProvider time)
    {
        var today = RunTable.List(transaction, course).ToDictionary(run => run.Id, run => (Day: run.Today(time), Over: run.IsOver(run.Today(time))));
        var people = new List<Participant>();
        using var query = transaction.Prepare($"""
            SELECT e.person_id, p.address, p.name, {WithPerson}, e.line, e.id, e.run_id, e.valid_from, e.valid_until FROM enrolment e JOIN person p ON p.id = e.person_id
             WHERE e.course_id = ? AND e.status = 'active' ORDER BY e.id
            """).Bind(1, course);
        while (query.Step())
        {
            var (day, over) = today[query.Int64(6)];
            if (over || PersonTable.Date(query, 7) > day || PersonTable.Date(query, 8) < day) continue;
            people.Add(ReadParticipant(query));
        }
        // who is in two runs counts by the later one; there may be a hundred thousand, so they are listed once
        var seen = new HashSet<long>(people.Count);
        for (var i = people.Count - 1; i >= 0; i--)
            if (!seen.Add(people[i].Id)) people[i] = default;
        if (seen.Count < people.Count) people.RemoveAll(person => person.Id == 0);
        return people;
    }

    public static HashSet<string> Keys(ReadTransaction transaction, long course)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        using var query = transaction.Prepare("SELECT p.address_key FROM enrolment e JOIN person p ON p.id = e.person_id WHERE e.course_id = ? AND e.status = 'active'").Bind(1, course);
        while (query.Step()) keys.Add(query.String(0));
        return keys;
    }

    public static int Count(WriteTransaction transaction, long course) =>
        (int)(transaction.Prepare("SELECT count(*) FROM enrolment WHERE course_id = ?").Bind(1, course).Scalar() ?? 0);

    // ---- what imports left out

    public static void SetRejects(WriteTransaction transaction, long course, IReadOnlyList<ImportError> errors)
    {
        transaction.Prepare("DELETE FROM import_reject WHERE course_id = ?").Bind(1, course).Run();
        foreach (var error in errors)
            transaction.Prepare("INSERT INTO import_reject (course_id, line, address, reason) VALUES (?,?,?,?)")
                .Bind(1, course).Bind(2, error.Line).Bind(3, error.Address).Bind(4, error.Reason).Run();
    }

    public static List<ImportError> Rejects(ReadTransaction transaction, long course)
    {
        var errors = new List<ImportError>();
        using var query = transaction.Prepare("SELECT line, address, reason FROM import_reject WHERE course_id = ? ORDER BY line").Bind(1, course);
        while (query.Step()) errors.Add(new(query.Int32(0), query.String(1), query.String(2)));
        return errors;
    }

    /// <summary>Removes the course with its runs and enrolments; persons stay.</summary>
    public static void Remove(WriteTransaction transaction, long course)
    {
        RunTable.RemoveAll(transaction, course);
        transaction.Prepare("DELETE FROM roster_name WHERE kind = 'course' AND value = ?").Bind(1, course.ToString(System.Globalization.CultureInfo.InvariantCulture)).Run();
        transaction.Prepare("DELETE FROM import_reject WHERE course_id = ?").Bind(1, course).Run();
        transaction.Prepare("DELETE FROM course WHERE id = ?").Bind(1, course).Run();
    }
}
