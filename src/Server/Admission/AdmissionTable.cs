using System.Globalization;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Admission;

/// <summary>All SQL of invitations and sign-ups (Storage/Schema/0028_admission.sql).</summary>
static class AdmissionTable
{
    const string InvitationColumns = "SELECT id, domain_id, local, pattern, name, quota, groups, courses, approval, uses, used, language, by_id, by_name, created, expires, revoked FROM invitation";

    static Invitation Invitation(Statement row) => new(
        row.Int64(0), row.Int64(1), row.String(2), row.String(3), row.String(4), row.IsNull(5) ? null : row.Int64(5), row.String(6), Numbers(row.String(7)), row.Bool(8),
        row.Int32(9), row.Int32(10), row.String(11), row.Int64(12), row.String(13), row.Time(14), row.Time(15), row.TimeOrNull(16));

    static long[] Numbers(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(one => long.Parse(one, CultureInfo.InvariantCulture))];

    public static long Add(WriteTransaction write, Invitation one)
    {
        write.Prepare("INSERT INTO invitation (domain_id, local, pattern, name, quota, groups, courses, approval, uses, language, by_id, by_name, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .Bind(1, one.DomainId).Bind(2, one.Local).Bind(3, one.Pattern).Bind(4, one.Name).Bind(5, one.Quota).Bind(6, one.Groups).Bind(7, string.Join(' ', one.Courses)).Bind(8, one.Approval)
            .Bind(9, one.Uses).Bind(10, one.Language).Bind(11, one.ById).Bind(12, one.By).Bind(13, one.Created).Bind(14, one.Expires).Run();
        return write.LastInsertId;
    }

    public static void AddLink(WriteTransaction write, byte[] digest, long invitation, string sentTo) =>
        write.Prepare("INSERT INTO invitation_link (digest, invitation_id, sent_to) VALUES (?, ?, ?)").Bind(1, digest).Bind(2, invitation).Bind(3, sentTo).Run();

    public static long CountLinks(WriteTransaction write, long invitation) => write.Prepare("SELECT count(*) FROM invitation_link WHERE invitation_id = ?").Bind(1, invitation).Scalar() ?? 0;

    public static long CountOf(WriteTransaction write, long by) => write.Prepare("SELECT count(*) FROM invitation WHERE by_id = ? AND revoked IS NULL").Bind(1, by).Scalar() ?? 0;

    public static List<Invitation> Invitations(ReadTransaction read) => All(read.Prepare(InvitationColumns + " ORDER BY id"), Invitation);

    public static Invitation? Find(ReadTransaction read, long id) => All(read.Prepare(InvitationColumns + " WHERE id = ?").Bind(1, id), Invitation) is [var one] ? one : null;

    /// <summary>As the transaction sees it: with the uses of others in the same batch.</summary>
    public static Invitation? Find(WriteTransaction write, long id) => All(write.Prepare(InvitationColumns + " WHERE id = ?").Bind(1, id), Invitation) is [var one] ? one : null;

    public static (long Invitation, string SentTo)? Link(ReadTransaction read, byte[] digest)
    {
        using var row = read.Prepare("SELECT invitation_id, sent_to FROM invitation_link WHERE digest = ?").Bind(1, digest);
        return row.Step() ? (row.Int64(0), row.String(1)) : null;
    }

    public static List<string> SentTo(ReadTransaction read, long invitation) => All(read.Prepare("SELECT DISTINCT sent_to FROM invitation_link WHERE invitation_id = ? AND sent_to <> '' ORDER BY sent_to").Bind(1, invitation), row => row.String(0));

    public static List<InvitationUse> Uses(ReadTransaction read, long invitation) =>
        All(read.Prepare("SELECT at, address, source FROM invitation_use WHERE invitation_id = ? ORDER BY id").Bind(1, invitation), row => new InvitationUse(row.Time(0), row.String(1), row.String(2)));

    public static void Use(WriteTransaction write, long invitation, InvitationUse use)
    {
        write.Prepare("UPDATE invitation SET used = used + 1 WHERE id = ?").Bind(1, invitation).Run();
        write.Prepare("INSERT INTO invitation_use (invitation_id, at, address, source) VALUES (?, ?, ?, ?)").Bind(1, invitation).Bind(2, use.At).Bind(3, use.Address).Bind(4, use.From).Run();
    }

    public static bool Revoke(WriteTransaction write, long id, DateTimeOffset at)
    {
        var done = write.Prepare("UPDATE invitation SET revoked = ? WHERE id = ? AND revoked IS NULL").Bind(1, at).Bind(2, id).Run() > 0;
        write.Prepare("DELETE FROM invitation_link WHERE invitation_id = ?").Bind(1, id).Run();
        return done;
    }

    /// <summary>Those that have been of no use for so long that nobody asks any more.</summary>
    public static void ForgetInvitations(WriteTransaction write, DateTimeOffset before)
    {
        foreach (var table in new[] { "invitation_link", "invitation_use" })
            write.Prepare($"DELETE FROM {table} WHERE invitation_id IN (SELECT id FROM invitation WHERE min(expires, coalesce(revoked, expires)) < ?)").Bind(1, before).Run();
        write.Prepare("DELETE FROM invitation WHERE min(expires, coalesce(revoked, expires)) < ?").Bind(1, before).Run();
    }

    public static void RemoveDomain(WriteTransaction write, long domain)
    {
        foreach (var table in new[] { "invitation_link", "invitation_use" })
            write.Prepare($"DELETE FROM {table} WHERE invitation_id IN (SELECT id FROM invitation WHERE domain_id = ?)").Bind(1, domain).Run();
        write.Prepare("DELETE FROM invitation WHERE domain_id = ?").Bind(1, domain).Run();
        write.Prepare("DELETE FROM sign_up WHERE domain_id = ?").Bind(1, domain).Run();
    }

    // ---- sign-ups

    const string SignUpColumns = "SELECT id, domain_id, local, name, recovery, proven, invitation_id, language, source, at, again_local, again_at FROM sign_up";

    static SignUp SignUp(Statement row) => new(row.Int64(0), row.Int64(1), row.String(2), row.String(3), row.String(4), row.Bool(5), row.Int64(6), row.String(7), row.String(8), row.Time(9)) { AgainLocal = row.String(10), AgainAt = row.TimeOrNull(11) };

    public static long Add(WriteTransaction write, SignUp one, string password)
    {
        write.Prepare("INSERT INTO sign_up (domain_id, local, name, password, recovery, proven, invitation_id, language, source, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .Bind(1, one.DomainId).Bind(2, one.Local).Bind(3, one.Name).Bind(4, password).Bind(5, one.Recovery).Bind(6, one.Proven).Bind(7, one.InvitationId).Bind(8, one.Language).Bind(9, one.From).Bind(10, one.At).Run();
        return write.LastInsertId;
    }

    public static void SetScram(WriteTransaction write, long id, byte[] scram) => write.Prepare("UPDATE sign_up SET scram = ? WHERE id = ?").Bind(1, scram).Bind(2, id).Run();

    public static long CountSignUps(WriteTransaction write, long domain) => write.Prepare("SELECT count(*) FROM sign_up WHERE domain_id = ?").Bind(1, domain).Scalar() ?? 0;

    /// <summary>Notes with somebody who is to be answered at that address that he has asked again.</summary>
    /// <returns>Whether there is one.</returns>
    public static bool Again(WriteTransaction write, long domain, string recovery, string local, DateTimeOffset at) =>
        write.Prepare("UPDATE sign_up SET again_local = ?, again_at = ? WHERE domain_id = ? AND recovery = ?").Bind(1, local).Bind(2, at).Bind(3, domain).Bind(4, recovery).Run() > 0;

    /// <summary>Those who have asked again since they were told that they wait, and were not told after that time.</summary>
    public static List<SignUp> AskedAgain(ReadTransaction read, DateTimeOffset toldBefore) =>
        All(read.Prepare(SignUpColumns + " WHERE again_at > coalesce(again_told, 0) AND coalesce(again_told, 0) < ? ORDER BY id").Bind(1, toldBefore), SignUp);

    public static void ToldAgain(WriteTransaction write, long id, DateTimeOffset at) => write.Prepare("UPDATE sign_up SET again_told = ? WHERE id = ?").Bind(1, at).Bind(2, id).Run();

    public static List<SignUp> SignUps(ReadTransaction read) => All(read.Prepare(SignUpColumns + " ORDER BY id"), SignUp);

    public static SignUp? FindSignUp(ReadTransaction read, long id) => All(read.Prepare(SignUpColumns + " WHERE id = ?").Bind(1, id), SignUp) is [var one] ? one : null;

    public static (SignUp SignUp, string Password, byte[]? Scram)? FindSignUp(WriteTransaction write, long id)
    {
        using var row = write.Prepare(SignUpColumns.Replace(" FROM", ", password, scram FROM", StringComparison.Ordinal) + " WHERE id = ?").Bind(1, id);
        return row.Step() ? (SignUp(row), row.String(12), row.IsNull(13) ? null : row.Blob(13).ToArray()) : null;
    }

    public static bool RemoveSignUp(WriteTransaction write, long id) => write.Prepare("DELETE FROM sign_up WHERE id = ?").Bind(1, id).Run() > 0;

    public static int ForgetSignUps(WriteTransaction write, DateTimeOffset before) => write.Prepare("DELETE FROM sign_up WHERE at < ?").Bind(1, before).Run();

    /// <summary>Domains where somebody waits of whom nobody has been told.</summary>
    public static List<long> Untold(ReadTransaction read) => All(read.Prepare("SELECT DISTINCT domain_id FROM sign_up WHERE told = 0"), row => row.Int64(0));

    public static void Told(WriteTransaction write, long domain, long upTo) => write.Prepare("UPDATE sign_up SET told = 1 WHERE domain_id = ? AND id <= ?").Bind(1, domain).Bind(2, upTo).Run();

    static List<T> All<T>(Statement statement, Func<Statement, T> row)
    {
        using var rows = statement;
        var all = new List<T>();
        while (rows.Step()) all.Add(row(rows));
        return all;
    }
}
