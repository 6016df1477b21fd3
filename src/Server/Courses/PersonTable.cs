using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Courses;

/// <summary>The SQL of persons, of their enrolments and of whom they look after.</summary>
static class PersonTable
{
    public static DateOnly? Date(Statement row, int column) => row.Text(column) is { } text && IsoDate.TryParse(text, out DateOnly date) ? date : null;

    const string PersonColumns = "SELECT id, domain, address, name, language, zone, attributes, created FROM person";

    public static Person? Find(Func<string, Statement> prepare, string domain, string key)
    {
        using var row = prepare(PersonColumns + " WHERE domain = ? AND address_key = ?").Bind(1, domain).Bind(2, key);
        return row.Step() ? ReadPerson(row, 0) : null;
    }

    static Person ReadPerson(Statement row, int at) =>
        new(row.Int64(at), row.String(at + 1), row.String(at + 2), row.String(at + 3), row.Text(at + 4), row.Text(at + 5), row.String(at + 6), row.Time(at + 7));

    /// <summary>IANA name, or null.</summary>
    public static string? Zone(WriteTransaction write, long id)
    {
        using var row = write.Prepare("SELECT zone FROM person WHERE id = ?").Bind(1, id);
        return row.Step() ? row.Text(0) : null;
    }

    public static long Add(WriteTransaction write, string key, Person person)
    {
        write.Prepare("INSERT INTO person (domain, address_key, address, name, language, zone, attributes, created) VALUES (?,?,?,?,?,?,?,?)").Bind(1, person.Domain).Bind(2, key)
            .Bind(3, person.Address).Bind(4, person.Name).Bind(5, person.Language).Bind(6, person.Zone).Bind(7, person.Attributes).Bind(8, person.Created).Run();
        return write.LastInsertId;
    }

    public static void Update(WriteTransaction write, Person person) =>
        write.Prepare("UPDATE person SET address = ?, name = ?, language = ?, zone = ?, attributes = ? WHERE id = ?")
            .Bind(1, person.Address).Bind(2, person.Name).Bind(3, person.Language).Bind(4, person.Zone).Bind(5, person.Attributes).Bind(6, person.Id).Run();

    // ---- enrolments

    const string Columns = """
        SELECT p.id, p.domain, p.address, p.name, p.language, p.zone, p.attributes, p.created,
               e.id, e.course_id, e.run_id, r.slug, e.role, e.valid_from, e.valid_until, e.status, e.fields, e.line, e.created, e.source
          FROM enrolment e JOIN person p ON p.id = e.person_id JOIN run r ON r.id = e.run_id
        """;

    /// <summary>Without groups and wards.</summary>
    static Enrolment Read(Statement row) => new(
        row.Int64(8), row.Int64(9), row.Int64(10), row.String(11), ReadPerson(row, 0), CourseWords.Role(row.String(12)), Date(row, 13), Date(row, 14), row.String(15) == "ended",
        [], row.String(16), row.Int32(17), row.Time(18), [], row.Int64(19));

    /// <summary>Everybody of a course who is or was in it, by rising number of the enrolment.</summary>
    public static List<Enrolment> OfCourse(ReadTransaction read, long course)
    {
        var all = new List<Enrolment>();
        using (var row = read.Prepare(Columns + " WHERE e.course_id = ? ORDER BY e.id").Bind(1, course))
            while (row.Step()) all.Add(Read(row));
        var groups = new Dictionary<long, List<string>>();
        using (var row = read.Prepare("SELECT g.enrolment_id, n.name FROM enrolment e JOIN enrolment_group g ON g.enrolment_id = e.id JOIN run_group n ON n.id = g.group_id WHERE e.course_id = ? ORDER BY n.key").Bind(1, course))
            while (row.Step()) Append(groups, row.Int64(0), row.String(1));
        var wards = new Dictionary<(long Run, long Guardian), List<string>>();
        using (var row = read.Prepare("SELECT g.run_id, g.guardian_id, p.address FROM run r JOIN guardian g ON g.run_id = r.id JOIN person p ON p.id = g.ward_id WHERE r.course_id = ? ORDER BY p.address_key").Bind(1, course))
            while (row.Step()) Append(wards, (row.Int64(0), row.Int64(1)), row.String(2));
        for (var i = 0; i < all.Count; i++)
            if (groups.TryGetValue(all[i].Id, out var his) | wards.TryGetValue((all[i].RunId, all[i].Person.Id), out var looked))
                all[i] = all[i] with { Groups = his ?? [], GuardianOf = looked ?? [] };
        return all;
    }

    static void Append<TKey>(Dictionary<TKey, List<string>> lists, TKey key, string text) where TKey : notnull
    {
        if (!lists.TryGetValue(key, out var list)) lists[key] = list = [];
        list.Add(text);
    }

    public static Enrolment? Find(Func<string, Statement> prepare, long run, long person)
    {
        Enrolment found;
        using (var row = prepare(Columns + " WHERE e.run_id = ? AND e.person_id = ?").Bind(1, run).Bind(2, person))
        {
            if (!row.Step()) return null;
            found = Read(row);
        }
        return found with { Groups = Groups(prepare, found.Id), GuardianOf = Wards(prepare, run, person) };
    }

    static List<string> Groups(Func<string, Statement> prepare, long enrolment)
    {
        var names = new List<string>();
        using var row = prepare("SELECT n.name FROM enrolment_group g JOIN run_group n ON n.id = g.group_id WHERE g.enrolment_id = ? ORDER BY n.key").Bind(1, enrolment);
        while (row.Step()) names.Add(row.String(0));
        return names;
    }

    static List<string> Wards(Func<string, Statement> prepare, long run, long person)
    {
        var addresses = new List<string>();
        using var row = prepare("SELECT p.address FROM guardian g JOIN person p ON p.id = g.ward_id WHERE g.run_id = ? AND g.guardian_id = ? ORDER BY p.address_key").Bind(1, run).Bind(2, person);
        while (row.Step()) addresses.Add(row.String(0));
        return addresses;
    }

    public static long Enrol(WriteTransaction write, Enrolment one, long person)
    {
        write.Prepare("INSERT INTO enrolment (course_id, run_id, person_id, role, valid_from, valid_until, status, fields, line, created, source) VALUES (?,?,?,?,?,?,?,?,?,?,?)")
            .Bind(1, one.CourseId).Bind(2, one.RunId).Bind(3, person).Bind(4, CourseWords.Of(one.Role)).Bind(5, IsoDate.Of(one.From)).Bind(6, IsoDate.Of(one.Until))
            .Bind(7, one.Ended ? "ended" : "active").Bind(8, one.Fields).Bind(9, one.Line).Bind(10, one.Created).Bind(11, one.Source).Run();
        return write.LastInsertId;
    }

    public static void Update(WriteTransaction write, Enrolment one) =>
        write.Prepare("UPDATE enrolment SET role = ?, valid_from = ?, valid_until = ?, status = ?, fields = ?, line = ?, source = ? WHERE id = ?")
            .Bind(1, CourseWords.Of(one.Role)).Bind(2, IsoDate.Of(one.From)).Bind(3, IsoDate.Of(one.Until)).Bind(4, one.Ended ? "ended" : "active").Bind(5, one.Fields).Bind(6, one.Line).Bind(7, one.Source).Bind(8, one.Id).Run();

    public static void SetGroups(WriteTransaction write, long enrolment, IEnumerable<long> groups)
    {
        write.Prepare("DELETE FROM enrolment_group WHERE enrolment_id = ?").Bind(1, enrolment).Run();
        foreach (var group in groups) write.Prepare("INSERT OR IGNORE INTO enrolment_group (enrolment_id, group_id) VALUES (?,?)").Bind(1, enrolment).Bind(2, group).Run();
    }

    public static void SetWards(WriteTransaction write, long run, long guardian, IEnumerable<long> wards)
    {
        write.Prepare("DELETE FROM guardian WHERE run_id = ? AND guardian_id = ?").Bind(1, run).Bind(2, guardian).Run();
        foreach (var ward in wards) write.Prepare("INSERT OR IGNORE INTO guardian (run_id, guardian_id, ward_id) VALUES (?,?,?)").Bind(1, run).Bind(2, guardian).Bind(3, ward).Run();
    }

    /// <summary>Takes somebody out of a run, or of all runs of a course.</summary>
    public static bool Leave(WriteTransaction write, long course, long? run, long person)
    {
        var runs = new List<(long Enrolment, long Run)>();
        using (var row = write.Prepare("SELECT id, run_id FROM enrolment WHERE person_id = ?1 AND course_id = ?2 AND (?3 IS NULL OR run_id = ?3)").Bind(1, person).Bind(2, course).Bind(3, run))
            while (row.Step()) runs.Add((row.Int64(0), row.Int64(1)));
        foreach (var (enrolment, of) in runs)
        {
            write.Prepare("DELETE FROM enrolment_group WHERE enrolment_id = ?").Bind(1, enrolment).Run();
            write.Prepare("DELETE FROM guardian WHERE run_id = ?1 AND (guardian_id = ?2 OR ward_id = ?2)").Bind(1, of).Bind(2, person).Run();
            write.Prepare("DELETE FROM enrolment WHERE id = ?").Bind(1, enrolment).Run();
        }
        return runs.Count > 0;
    }
}
