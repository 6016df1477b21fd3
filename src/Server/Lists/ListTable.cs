using CbaMail.Directory;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Lists;

/// <summary>All SQL of lists and their members (Storage/Schema/0046_lists.sql, 0048_list_upkeep.sql). Where it takes a function, that is Prepare of a transaction that reads or writes.</summary>
static class ListTable
{
    const string Columns = "SELECT l.id, l.domain_id, l.local, d.name, l.profile, l.created FROM mail_list l JOIN domain d ON d.id = l.domain_id";
    const string MemberColumns = "SELECT id, list_id, address, name, mode, joined, score, bounced, bounce, paused, probes, probe, probed FROM list_member";

    public static List<MailList> All(ReadTransaction read)
    {
        var all = new List<MailList>();
        using var rows = read.Prepare(Columns);
        while (rows.Step()) all.Add(List(rows));
        return all;
    }

    public static MailList? Find(Func<string, Statement> prepare, long id)
    {
        using var row = prepare(Columns + " WHERE l.id = ?").Bind(1, id);
        return row.Step() ? List(row) : null;
    }

    static MailList List(Statement row) => new(row.Int64(0), row.Int64(1), new(row.String(2), row.String(3)), ListProfile.FromJson(row.String(4)), row.Time(5));

    /// <returns>The id, or null where the address is taken.</returns>
    public static long? Add(WriteTransaction write, MailList list)
    {
        if (DirectoryTable.IsTaken(write, list.DomainId, list.Address.LocalPart)) return null;
        write.Prepare("INSERT INTO mail_list (domain_id, local, profile, created) VALUES (?, ?, ?, ?)")
            .Bind(1, list.DomainId).Bind(2, list.Address.LocalPart).Bind(3, list.Profile.ToJson()).Bind(4, list.Created).Run();
        return write.LastInsertId;
    }

    public static void SetProfile(WriteTransaction write, MailList list) => write.Prepare("UPDATE mail_list SET profile = ? WHERE id = ?").Bind(1, list.Profile.ToJson()).Bind(2, list.Id).Run();

    /// <summary>Its posts are the caller's to remove first: they hold contents.</summary>
    public static void Remove(WriteTransaction write, long id)
    {
        foreach (var table in new[] { "list_member", "list_request", "list_answer" }) write.Prepare($"DELETE FROM {table} WHERE list_id = ?").Bind(1, id).Run();
        write.Prepare("DELETE FROM mail_list WHERE id = ?").Bind(1, id).Run();
    }

    // ---- members

    public static List<ListMember> Members(Func<string, Statement> prepare, long list)
    {
        var all = new List<ListMember>();
        using var rows = prepare(MemberColumns + " WHERE list_id = ? ORDER BY address").Bind(1, list);
        while (rows.Step()) all.Add(Member(rows));
        return all;
    }

    /// <summary>Numbers of the lists that the address is on.</summary>
    public static List<long> ListsOf(Func<string, Statement> prepare, string address)
    {
        var all = new List<long>();
        using var rows = prepare("SELECT list_id FROM list_member WHERE address = ?").Bind(1, address);
        while (rows.Step()) all.Add(rows.Int64(0));
        return all;
    }

    public static long Count(Func<string, Statement> prepare, long list) => prepare("SELECT count(*) FROM list_member WHERE list_id = ?").Bind(1, list).Scalar() ?? 0;

    public static ListMember? FindMember(Func<string, Statement> prepare, long list, string address)
    {
        using var row = prepare(MemberColumns + " WHERE list_id = ? AND address = ?").Bind(1, list).Bind(2, address);
        return row.Step() ? Member(row) : null;
    }

    public static ListMember? FindMember(Func<string, Statement> prepare, long id)
    {
        using var row = prepare(MemberColumns + " WHERE id = ?").Bind(1, id);
        return row.Step() ? Member(row) : null;
    }

    static ListMember Member(Statement row) => new(row.Int64(0), row.Int64(1), row.String(2), row.String(3), row.String(4), row.Time(5))
    {
        Score = row.Int32(6),
        Bounced = row.IsNull(7) ? null : row.Time(7),
        Bounce = row.String(8),
        Paused = row.IsNull(9) ? null : row.Time(9),
        Probes = row.Int32(10),
        Probe = row.String(11),
        Probed = row.IsNull(12) ? null : row.Time(12),
    };

    /// <returns>Whether it was not there before.</returns>
    public static bool AddMember(WriteTransaction write, long list, string address, string name, string mode, DateTimeOffset now) =>
        write.Prepare("INSERT INTO list_member (list_id, address, name, mode, joined) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
            .Bind(1, list).Bind(2, address).Bind(3, name).Bind(4, mode).Bind(5, now).Run() == 1;

    public static void SetMember(WriteTransaction write, ListMember member) => write.Prepare("UPDATE list_member SET name = ?, mode = ? WHERE id = ?").Bind(1, member.Name).Bind(2, member.Mode).Bind(3, member.Id).Run();

    /// <summary>What came back from him, and what follows.</summary>
    public static void SetBounces(WriteTransaction write, ListMember member) =>
        write.Prepare("UPDATE list_member SET score = ?2, bounced = ?3, bounce = ?4, paused = ?5, probes = ?6, probe = ?7, probed = ?8, told = CASE WHEN ?5 IS NULL THEN 0 ELSE told END WHERE id = ?1")
            .Bind(1, member.Id).Bind(2, (long)member.Score).Bind(3, member.Bounced).Bind(4, member.Bounce).Bind(5, member.Paused).Bind(6, (long)member.Probes).Bind(7, member.Probe).Bind(8, member.Probed).Run();

    /// <summary>Those that get nothing, for their mail came back: the next <paramref name="most"/> behind the one with the number.</summary>
    public static List<ListMember> Paused(Func<string, Statement> prepare, long after, int most)
    {
        var all = new List<ListMember>();
        using var rows = prepare(MemberColumns + " WHERE paused IS NOT NULL AND id > ? ORDER BY id LIMIT ?").Bind(1, after).Bind(2, (long)most);
        while (rows.Step()) all.Add(Member(rows));
        return all;
    }

    /// <summary>Paused ones that the owners do not know of.</summary>
    public static List<ListMember> Untold(Func<string, Statement> prepare, int most)
    {
        var all = new List<ListMember>();
        using var rows = prepare(MemberColumns + " WHERE paused IS NOT NULL AND told = 0 ORDER BY list_id, id LIMIT ?").Bind(1, (long)most);
        while (rows.Step()) all.Add(Member(rows));
        return all;
    }

    public static void SetTold(WriteTransaction write, long member) => write.Prepare("UPDATE list_member SET told = 1 WHERE id = ?").Bind(1, member).Run();

    /// <summary>The number of the list's next digest.</summary>
    public static long NextIssue(WriteTransaction write, long list)
    {
        write.Prepare("UPDATE mail_list SET issue = issue + 1 WHERE id = ?").Bind(1, list).Run();
        return write.Prepare("SELECT issue FROM mail_list WHERE id = ?").Bind(1, list).Scalar() ?? 1;
    }

    public static bool RemoveMember(WriteTransaction write, long id) => write.Prepare("DELETE FROM list_member WHERE id = ?").Bind(1, id).Run() == 1;

    public static void RemoveEverywhere(WriteTransaction write, string address) => write.Prepare("DELETE FROM list_member WHERE address = ?").Bind(1, address).Run();

    public static void Move(WriteTransaction write, string old, string now)
    {
        write.Prepare("UPDATE OR IGNORE list_member SET address = ? WHERE address = ?").Bind(1, now).Bind(2, old).Run();
        RemoveEverywhere(write, old);
    }

    // ---- requests

    public static void AddRequest(WriteTransaction write, byte[] token, ListApplicant request) =>
        write.Prepare("INSERT INTO list_request (token, list_id, kind, address, name, made, expires) VALUES (?, ?, ?, ?, ?, ?, ?)").Bind(1, token).Bind(2, request.ListId).Bind(3, request.Kind).Bind(4, request.Address)
            .Bind(5, request.Name).Bind(6, request.Made).Bind(7, request.Expires).Run();

    public static ListApplicant? FindRequest(Func<string, Statement> prepare, byte[] token)
    {
        using var row = prepare(RequestColumns + " WHERE token = ?").Bind(1, token);
        return row.Step() ? Request(row) : null;
    }

    const string RequestColumns = "SELECT list_id, kind, address, name, made, expires FROM list_request";

    static ListApplicant Request(Statement row) => new(row.Int64(0), row.String(1), row.String(2), row.String(3), row.Time(4), row.Time(5));

    public static List<ListApplicant> Waiting(Func<string, Statement> prepare, long list)
    {
        var all = new List<ListApplicant>();
        using var rows = prepare(RequestColumns + " WHERE list_id = ? AND kind = 'approve' ORDER BY address").Bind(1, list);
        while (rows.Step()) all.Add(Request(rows));
        return all;
    }

    public static long CountRequests(WriteTransaction write, long list) => write.Prepare("SELECT count(*) FROM list_request WHERE list_id = ?").Bind(1, list).Scalar() ?? 0;

    public static void RemoveRequests(WriteTransaction write, long list, string address, string? kind = null) =>
        write.Prepare("DELETE FROM list_request WHERE list_id = ?1 AND address = ?2 AND (?3 IS NULL OR kind = ?3)").Bind(1, list).Bind(2, address).Bind(3, kind).Run();

    public static void Prune(WriteTransaction write, DateTimeOffset now, DateTimeOffset answeredBefore)
    {
        write.Prepare("DELETE FROM list_request WHERE expires < ?").Bind(1, now).Run();
        write.Prepare("DELETE FROM list_answer WHERE at < ?").Bind(1, answeredBefore).Run();
    }

    // ---- letters

    public static bool WasAnswered(Func<string, Statement> prepare, string address, long list, string kind, DateTimeOffset since) =>
        prepare("SELECT 1 FROM list_answer WHERE address = ? AND list_id = ? AND kind = ? AND at >= ?").Bind(1, address).Bind(2, list).Bind(3, kind).Bind(4, since).Scalar() is not null;

    public static long CountAnswers(Func<string, Statement> prepare, string address, DateTimeOffset since) =>
        prepare("SELECT count(*) FROM list_answer WHERE address = ? AND at >= ?").Bind(1, address).Bind(2, since).Scalar() ?? 0;

    public static void NoteAnswer(WriteTransaction write, string address, long list, string kind, DateTimeOffset now) =>
        write.Prepare("INSERT INTO list_answer (address, list_id, kind, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET at = ?4").Bind(1, address).Bind(2, list).Bind(3, kind).Bind(4, now).Run();
}
