using CbaMail.Envelope;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Mailings;

/// <summary>An address of a run: what a teacher writes to it becomes a mailing to everybody in the run.</summary>
/// <param name="Address">Lower case.</param>
/// <param name="Approval">Whose mail waits for an approver: none, assistants, all.</param>
/// <param name="Approvers">Addresses; empty: the teachers of the run.</param>
public sealed record CourseAddress(long Id, long DomainId, MailAddress Address, long CourseId, string Course, long RunId, string Run, string Approval, IReadOnlyList<string> Approvers, DateTimeOffset Created);

/// <summary>What somebody wrote to such an address.</summary>
/// <param name="State">held, sending, sent, rejected, failed.</param>
/// <param name="Why">It failed.</param>
public sealed record CoursePost(long Id, long AddressId, string MessageId, long Mailing, string Author, string Subject, string State, string Why, DateTimeOffset Taken);

/// <summary>All SQL of the addresses of courses (Storage/Schema/0050_course_address.sql).</summary>
static class CourseAddressTable
{
    const string Columns = "SELECT a.id, a.domain_id, a.local, d.name, a.course_id, c.slug, a.run_id, r.slug, a.approval, a.approvers, a.created FROM course_address a JOIN domain d ON d.id = a.domain_id JOIN course c ON c.id = a.course_id JOIN run r ON r.id = a.run_id";
    const string PostColumns = "SELECT id, address_id, message_id, mailing_id, author, subject, state, why, taken FROM course_post";

    public static List<CourseAddress> All(ReadTransaction read, long? course = null)
    {
        var all = new List<CourseAddress>();
        using var rows = read.Prepare(Columns + " WHERE ?1 IS NULL OR a.course_id = ?1 ORDER BY d.name, a.local").Bind(1, course);
        while (rows.Step()) all.Add(Address(rows));
        return all;
    }

    public static CourseAddress? Find(Func<string, Statement> prepare, MailAddress address) => One(prepare(Columns + " WHERE d.name = ? AND a.local = ?").Bind(1, address.Domain).Bind(2, address.LocalPart));

    public static CourseAddress? Find(Func<string, Statement> prepare, long id) => One(prepare(Columns + " WHERE a.id = ?").Bind(1, id));

    static CourseAddress? One(Statement row)
    {
        using (row) return row.Step() ? Address(row) : null;
    }

    static CourseAddress Address(Statement row) => new(row.Int64(0), row.Int64(1), new(row.String(2), row.String(3)), row.Int64(4), row.String(5), row.Int64(6), row.String(7), row.String(8), row.String(9).Split(' ', StringSplitOptions.RemoveEmptyEntries), row.Time(10));

    public static void Put(WriteTransaction write, CourseAddress one) =>
        write.Prepare("INSERT INTO course_address (domain_id, local, course_id, run_id, approval, approvers, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (domain_id, local) DO UPDATE SET course_id = ?3, run_id = ?4, approval = ?5, approvers = ?6")
            .Bind(1, one.DomainId).Bind(2, one.Address.LocalPart).Bind(3, one.CourseId).Bind(4, one.RunId).Bind(5, one.Approval).Bind(6, string.Join(' ', one.Approvers)).Bind(7, one.Created).Run();

    public static void Remove(WriteTransaction write, long id)
    {
        write.Prepare("DELETE FROM course_post WHERE address_id = ?").Bind(1, id).Run();
        write.Prepare("DELETE FROM course_address WHERE id = ?").Bind(1, id).Run();
    }

    public static void RemoveAll(WriteTransaction write, long course)
    {
        write.Prepare("DELETE FROM course_post WHERE address_id IN (SELECT id FROM course_address WHERE course_id = ?)").Bind(1, course).Run();
        write.Prepare("DELETE FROM course_address WHERE course_id = ?").Bind(1, course).Run();
    }

    // ---- what was written

    public static bool Exists(Func<string, Statement> prepare, long address, string messageId) => prepare("SELECT 1 FROM course_post WHERE address_id = ? AND message_id = ?").Bind(1, address).Bind(2, messageId).Scalar() is not null;

    public static long CountHeld(WriteTransaction write, long address) => write.Prepare("SELECT count(*) FROM course_post WHERE address_id = ? AND state = 'held'").Bind(1, address).Scalar() ?? 0;

    public static bool Add(WriteTransaction write, CoursePost post, byte[]? token) =>
        write.Prepare("INSERT INTO course_post (address_id, message_id, mailing_id, author, subject, state, token, taken) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
            .Bind(1, post.AddressId).Bind(2, post.MessageId).Bind(3, post.Mailing).Bind(4, post.Author).Bind(5, post.Subject).Bind(6, post.State).BindOrNull(7, token).Bind(8, post.Taken).Run() == 1;

    public static CoursePost? FindPost(Func<string, Statement> prepare, long id) => Posts(prepare(PostColumns + " WHERE id = ?").Bind(1, id)) is [var one] ? one : null;

    public static CoursePost? FindHeld(Func<string, Statement> prepare, byte[] token) => Posts(prepare(PostColumns + " WHERE token = ? AND state = 'held'").Bind(1, token.AsSpan())) is [var one] ? one : null;

    public static List<CoursePost> In(ReadTransaction read, string state) => Posts(read.Prepare(PostColumns + " WHERE state = ? ORDER BY id").Bind(1, state));

    /// <summary>Of a course, newest first.</summary>
    public static List<CoursePost> OfCourse(ReadTransaction read, long course, int most) =>
        Posts(read.Prepare(PostColumns + " WHERE address_id IN (SELECT id FROM course_address WHERE course_id = ?) ORDER BY id DESC LIMIT ?").Bind(1, course).Bind(2, (long)most));

    static List<CoursePost> Posts(Statement rows)
    {
        using (rows)
        {
            var all = new List<CoursePost>();
            while (rows.Step()) all.Add(new(rows.Int64(0), rows.Int64(1), rows.String(2), rows.Int64(3), rows.String(4), rows.String(5), rows.String(6), rows.String(7), rows.Time(8)));
            return all;
        }
    }

    /// <summary>It goes from one state to another; nobody decides on it a second time.</summary>
    public static bool SetState(WriteTransaction write, long id, string from, string to, string why = "") =>
        write.Prepare("UPDATE course_post SET state = ?3, why = ?4, token = NULL WHERE id = ?1 AND state = ?2").Bind(1, id).Bind(2, from).Bind(3, to).Bind(4, why).Run() == 1;
}
