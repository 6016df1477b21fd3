using System.Text.Json;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Mailings;

/// <summary>The SQL of courses and their participants.</summary>
static class CourseTable
{
    const string Columns = "SELECT id, slug, name, domain, language, columns, created, (SELECT count(*) FROM participant WHERE course_id = course.id) FROM course";

    public static long Add(WriteTransaction transaction, string slug, string name, string domain, string language, DateTimeOffset created)
    {
        transaction.Prepare("INSERT INTO course (slug, name, domain, language, columns, created) VALUES (?,?,?,?,'[]',?)")
            .Bind(1, slug).Bind(2, name).Bind(3, domain).Bind(4, language).Bind(5, created).Run();
        return transaction.LastInsertId;
    }

    public static bool Exists(WriteTransaction transaction, string slug) =>
        transaction.Prepare("SELECT 1 FROM course WHERE slug = ?").Bind(1, slug).Scalar() is not null;

    public static bool Exists(WriteTransaction transaction, long id) =>
        transaction.Prepare("SELECT 1 FROM course WHERE id = ?").Bind(1, id).Scalar() is not null;

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
        query.Int64(0), query.String(1), query.String(2), query.String(3), query.String(4), Texts(query.String(5)), query.Int32(7), query.Time(6));

    static List<string> Texts(string json)
    {
        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.EnumerateArray().Select(element => element.GetString() ?? "")];
    }

    public static IReadOnlyList<string> CourseColumns(WriteTransaction transaction, long course)
    {
        using var query = transaction.Prepare("SELECT columns FROM course WHERE id = ?").Bind(1, course);
        return query.Step() ? Texts(query.String(0)) : [];
    }

    public static void SetColumns(WriteTransaction transaction, long course, IReadOnlyList<string> columns) =>
        transaction.Prepare("UPDATE course SET columns = ? WHERE id = ?").Bind(1, MergeJson.Array(columns)).Bind(2, course).Run();

    // ---- participants

    public static List<Participant> Participants(ReadTransaction transaction, long course, long after, int count)
    {
        var people = new List<Participant>(Math.Min(count, 4096));
        using var query = transaction.Prepare("SELECT id, address, name, fields, line FROM participant WHERE course_id = ? AND id > ? ORDER BY id LIMIT ?")
            .Bind(1, course).Bind(2, after).Bind(3, count);
        while (query.Step()) people.Add(Read2(query));
        return people;
    }

    public static Participant? Participant(ReadTransaction transaction, long course, string key)
    {
        using var query = transaction.Prepare("SELECT id, address, name, fields, line FROM participant WHERE course_id = ? AND address_key = ?").Bind(1, course).Bind(2, key);
        return query.Step() ? Read2(query) : null;
    }

    static Participant Read2(Statement query) => new(query.Int64(0), query.String(1), query.String(2), query.String(3), query.Int32(4));

    public static Participant? Participant(WriteTransaction transaction, long course, string key)
    {
        using var query = transaction.Prepare("SELECT id, address, name, fields, line FROM participant WHERE course_id = ? AND address_key = ?").Bind(1, course).Bind(2, key);
        return query.Step() ? Read2(query) : null;
    }

    public static HashSet<string> Keys(ReadTransaction transaction, long course)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        using var query = transaction.Prepare("SELECT address_key FROM participant WHERE course_id = ?").Bind(1, course);
        while (query.Step()) keys.Add(query.String(0));
        return keys;
    }

    public static int Count(WriteTransaction transaction, long course) =>
        (int)(transaction.Prepare("SELECT count(*) FROM participant WHERE course_id = ?").Bind(1, course).Scalar() ?? 0);

    public static void Add(WriteTransaction transaction, long course, string key, in Participant person, DateTimeOffset created) =>
        transaction.Prepare("INSERT INTO participant (course_id, address_key, address, name, fields, line, created) VALUES (?,?,?,?,?,?,?)")
            .Bind(1, course).Bind(2, key).Bind(3, person.Address).Bind(4, person.Name).Bind(5, person.Fields).Bind(6, person.Line).Bind(7, created).Run();

    public static void Update(WriteTransaction transaction, in Participant person) =>
        transaction.Prepare("UPDATE participant SET address = ?, name = ?, fields = ?, line = ? WHERE id = ?")
            .Bind(1, person.Address).Bind(2, person.Name).Bind(3, person.Fields).Bind(4, person.Line).Bind(5, person.Id).Run();

    public static bool RemoveParticipant(WriteTransaction transaction, long course, string key) =>
        transaction.Prepare("DELETE FROM participant WHERE course_id = ? AND address_key = ?").Bind(1, course).Bind(2, key).Run() > 0;

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

    /// <summary>Removes the course, its people, and mailings with their ledgers; whoever calls has ended the mailings before.</summary>
    public static void Remove(WriteTransaction transaction, long course)
    {
        transaction.Prepare("DELETE FROM ledger WHERE mailing_id IN (SELECT id FROM mailing WHERE course_id = ?)").Bind(1, course).Run();
        transaction.Prepare("DELETE FROM mailing_file WHERE mailing_id IN (SELECT id FROM mailing WHERE course_id = ?)").Bind(1, course).Run();
        transaction.Prepare("DELETE FROM mailing WHERE course_id = ?").Bind(1, course).Run();
        transaction.Prepare("DELETE FROM participant WHERE course_id = ?").Bind(1, course).Run();
        transaction.Prepare("DELETE FROM import_reject WHERE course_id = ?").Bind(1, course).Run();
        transaction.Prepare("DELETE FROM course WHERE id = ?").Bind(1, course).Run();
    }
}
