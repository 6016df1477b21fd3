using System.Text.Json;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Mailings.Approvals;

/// <summary>The SQL of approvals.</summary>
static class ApprovalTable
{
    // ---- which mailings need one

    /// <summary>That of a domain (course 0), or a course's own.</summary>
    public static ApprovalPolicy? Policy(Func<string, Statement> prepare, string domain, long course)
    {
        using var row = prepare("SELECT classes, above, approvers FROM approval_policy WHERE domain = ? AND course_id = ?").Bind(1, domain).Bind(2, course);
        return row.Step() ? new([.. Words(row.String(0)).Select(word => ClassRules.Find(word)!.Class)], row.Int32(1), Words(row.String(2))) : null;
    }

    static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    public static void PutPolicy(WriteTransaction write, string domain, long course, ApprovalPolicy policy) =>
        write.Prepare("INSERT INTO approval_policy (domain, course_id, classes, above, approvers) VALUES (?1,?2,?3,?4,?5) ON CONFLICT (domain, course_id) DO UPDATE SET classes = ?3, above = ?4, approvers = ?5")
            .Bind(1, domain).Bind(2, course).Bind(3, string.Join(' ', policy.Classes.Select(one => ClassRules.Of(one).Word))).Bind(4, (long)policy.Above).Bind(5, string.Join(' ', policy.Approvers)).Run();

    public static bool RemovePolicy(WriteTransaction write, string domain, long course) =>
        write.Prepare("DELETE FROM approval_policy WHERE domain = ? AND course_id = ?").Bind(1, domain).Bind(2, course).Run() > 0;

    // ---- of mailings

    public static Approval? Of(Func<string, Statement> prepare, long mailing)
    {
        using var row = prepare("SELECT state, content, readers, asked_by, asked, note, decided_by, decided, reason FROM mailing_approval WHERE mailing_id = ?").Bind(1, mailing);
        return row.Step()
            ? new(mailing, row.String(0), JsonSerializer.Deserialize<Dictionary<string, string>>(row.String(1))!, row.Int32(2), row.String(3), row.Time(4), row.String(5), row.Text(6), row.TimeOrNull(7), row.String(8))
            : null;
    }

    public static void Put(WriteTransaction write, Approval one) =>
        write.Prepare("INSERT OR REPLACE INTO mailing_approval (mailing_id, state, content, readers, asked_by, asked, note, decided_by, decided, reason) VALUES (?,?,?,?,?,?,?,?,?,?)")
            .Bind(1, one.Mailing).Bind(2, one.State).Bind(3, JsonSerializer.Serialize(one.Content)).Bind(4, (long)one.Readers).Bind(5, one.AskedBy).Bind(6, one.Asked).Bind(7, one.Note)
            .Bind(8, one.DecidedBy).Bind(9, one.Decided).Bind(10, one.Reason).Run();

    public static bool Remove(WriteTransaction write, long mailing)
    {
        RemoveLinks(write, mailing);
        return write.Prepare("DELETE FROM mailing_approval WHERE mailing_id = ?").Bind(1, mailing).Run() > 0;
    }

    public static void RemoveLinks(WriteTransaction write, long mailing) => write.Prepare("DELETE FROM approval_link WHERE mailing_id = ?").Bind(1, mailing).Run();

    public static void AddLink(WriteTransaction write, byte[] digest, long mailing, string approver) =>
        write.Prepare("INSERT INTO approval_link (digest, mailing_id, approver) VALUES (?,?,?)").Bind(1, digest).Bind(2, mailing).Bind(3, approver).Run();

    public static (long Mailing, string Approver)? FindLink(Func<string, Statement> prepare, byte[] digest)
    {
        using var row = prepare("SELECT mailing_id, approver FROM approval_link WHERE digest = ?").Bind(1, digest);
        return row.Step() ? (row.Int64(0), row.String(1)) : null;
    }

    /// <summary>Removes those of a course.</summary>
    public static void RemoveAll(WriteTransaction write, long course)
    {
        write.Prepare("DELETE FROM approval_link WHERE mailing_id IN (SELECT id FROM mailing WHERE course_id = ?)").Bind(1, course).Run();
        write.Prepare("DELETE FROM mailing_approval WHERE mailing_id IN (SELECT id FROM mailing WHERE course_id = ?)").Bind(1, course).Run();
        write.Prepare("DELETE FROM approval_policy WHERE course_id = ?").Bind(1, course).Run();
    }
}
