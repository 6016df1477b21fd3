using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Authorization;

/// <summary>All SQL of keys, sessions, the audit log and idempotency keys (Storage/Schema/0021_authorization.sql).</summary>
static class AuthorizationTable
{
    // ---- keys

    public static List<(byte[] Digest, ApiKey Key)> ApiKeys(ReadTransaction read) => All(
        read.Prepare("SELECT id, account_id, name, permissions, networks, created, expires, digest FROM api_key"),
        row => (row.Blob(7).ToArray(), new ApiKey(row.Int64(0), row.Int64(1), row.String(2), Words(row.String(3)), Words(row.String(4)), row.Time(5), row.IsNull(6) ? null : row.Time(6))));

    public static long CountApiKeys(WriteTransaction write, long account) => write.Prepare("SELECT count(*) FROM api_key WHERE account_id = ?").Bind(1, account).Scalar() ?? 0;

    public static long AddApiKey(WriteTransaction write, byte[] digest, ApiKey key)
    {
        var row = write.Prepare("INSERT INTO api_key (account_id, name, digest, permissions, networks, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?)")
            .Bind(1, key.AccountId).Bind(2, key.Name).Bind(3, digest).Bind(4, string.Join(' ', key.Permissions)).Bind(5, string.Join(' ', key.Networks)).Bind(6, key.Created);
        (key.Expires is { } end ? row.Bind(7, end) : row.Bind(7, (string?)null)).Run();
        return write.LastInsertId;
    }

    public static void RemoveApiKey(WriteTransaction write, long id) => write.Prepare("DELETE FROM api_key WHERE id = ?").Bind(1, id).Run();

    public static void RemoveApiKeys(WriteTransaction write, long account) => write.Prepare("DELETE FROM api_key WHERE account_id = ?").Bind(1, account).Run();

    // ---- sessions

    public static List<Session> Sessions(ReadTransaction read) => All(
        read.Prepare("SELECT digest, account_id, acting_id, created, used, address, agent FROM session"),
        row => new Session(Convert.ToHexString(row.Blob(0)), row.Int64(1), row.Int64(2), row.Time(3), row.Time(4), row.String(5), row.String(6)));

    public static void AddSession(WriteTransaction write, Session session) =>
        write.Prepare("INSERT INTO session (digest, account_id, acting_id, created, used, address, agent) VALUES (?, ?, ?, ?, ?, ?, ?)")
            .Bind(1, Convert.FromHexString(session.Digest)).Bind(2, session.AccountId).Bind(3, session.Acting).Bind(4, session.Created)
            .Bind(5, session.Used).Bind(6, session.Address).Bind(7, session.Agent).Run();

    public static bool Used(WriteTransaction write, Session session) =>
        write.Prepare("UPDATE session SET used = ? WHERE digest = ?").Bind(1, session.Used).Bind(2, Convert.FromHexString(session.Digest)).Run() == 1;

    public static void RemoveSession(WriteTransaction write, string digest) => write.Prepare("DELETE FROM session WHERE digest = ?").Bind(1, Convert.FromHexString(digest)).Run();

    public static void RemoveSessions(WriteTransaction write, long account) => write.Prepare("DELETE FROM session WHERE account_id = ?1 OR acting_id = ?1").Bind(1, account).Run();

    // ---- the audit log

    const string AuditColumns = "SELECT id, at, caller, address, action, subject, status, before, after, digest FROM audit";

    static AuditRow AuditRow(Statement row) => new(
        new(row.Time(1), row.String(2), row.String(3), row.String(4), row.String(5), row.Int32(6), row.Text(7), row.Text(8)), row.Int64(0), row.Blob(9).ToArray());

    /// <summary>As the transaction sees it.</summary>
    public static (long Id, byte[] Digest) LastAudit(WriteTransaction write)
    {
        using var row = write.Prepare("SELECT id, digest FROM audit ORDER BY id DESC LIMIT 1");
        return row.Step() ? (row.Int64(0), row.Blob(1).ToArray()) : (0, []);
    }

    public static void AddAudit(WriteTransaction write, AuditRow row) =>
        write.Prepare("INSERT INTO audit (id, at, caller, address, action, subject, status, before, after, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .Bind(1, row.Id).Bind(2, row.Entry.At).Bind(3, row.Entry.Caller).Bind(4, row.Entry.Address).Bind(5, row.Entry.Action).Bind(6, row.Entry.Subject)
            .Bind(7, row.Entry.Status).Bind(8, row.Entry.Before).Bind(9, row.Entry.After).Bind(10, row.Digest).Run();

    /// <param name="before">Only rows below this number.</param>
    /// <param name="text">That caller, action, subject or what was before and after contain, or null.</param>
    public static List<AuditRow> Audit(ReadTransaction read, long before, int limit, string? text, DateTimeOffset since, DateTimeOffset until) => All(
        read.Prepare(AuditColumns + " WHERE id < ?1 AND at >= ?3 AND at < ?4 AND (?5 IS NULL OR instr(lower(caller || ' ' || action || ' ' || subject || ' ' || coalesce(before, '') || ' ' || coalesce(after, '')), ?5)) ORDER BY id DESC LIMIT ?2")
            .Bind(1, before).Bind(2, limit).Bind(3, since).Bind(4, until).Bind(5, text is null ? null : string.Concat(text.Select(c => char.IsAsciiLetterUpper(c) ? char.ToLowerInvariant(c) : c))), AuditRow); // as lower() of SQLite has it

    /// <summary>From the oldest on.</summary>
    public static List<AuditRow> AuditAfter(ReadTransaction read, long after, int limit) =>
        All(read.Prepare(AuditColumns + " WHERE id > ? ORDER BY id LIMIT ?").Bind(1, after).Bind(2, limit), AuditRow);

    // ---- changes that are not in the audit log yet

    /// <summary>Does nothing where the request has said so before.</summary>
    public static void Begin(WriteTransaction write, AuditBegun begun) =>
        write.Prepare("INSERT OR IGNORE INTO audit_begun (id, at, caller, address, action, subject) VALUES (?, ?, ?, ?, ?, ?)")
            .Bind(1, begun.Id.ToByteArray()).Bind(2, begun.Entry.At).Bind(3, begun.Entry.Caller).Bind(4, begun.Entry.Address).Bind(5, begun.Entry.Action).Bind(6, begun.Entry.Subject).Run();

    public static void End(WriteTransaction write, Guid begun) => write.Prepare("DELETE FROM audit_begun WHERE id = ?").Bind(1, begun.ToByteArray()).Run();

    public static List<AuditBegun> Begun(WriteTransaction write) => All(
        write.Prepare("SELECT id, at, caller, address, action, subject FROM audit_begun ORDER BY at"),
        row => new AuditBegun(new Guid(row.Blob(0)), new(row.Time(1), row.String(2), row.String(3), row.String(4), row.String(5), 0, null, null)));

    // ---- idempotency keys

    /// <summary>Takes the key for a request.</summary>
    /// <returns>What is kept under it already, or null: the request is to be run.</returns>
    public static KeptAnswer? Begin(WriteTransaction write, string caller, string key, byte[] request, DateTimeOffset now)
    {
        using (var row = write.Prepare("SELECT request, status, type, body FROM idempotency WHERE caller = ? AND key = ?").Bind(1, caller).Bind(2, key))
            if (row.Step()) return new(row.Blob(0).ToArray(), row.Int32(1), row.String(2), row.Blob(3).ToArray());
        write.Prepare("INSERT INTO idempotency (caller, key, request, status, type, body, at) VALUES (?, ?, ?, 0, '', x'', ?)").Bind(1, caller).Bind(2, key).Bind(3, request).Bind(4, now).Run();
        return null;
    }

    public static void Finish(WriteTransaction write, string caller, string key, KeptAnswer answer) =>
        write.Prepare("UPDATE idempotency SET status = ?, type = ?, body = ? WHERE caller = ? AND key = ?")
            .Bind(1, answer.Status).Bind(2, answer.Type).Bind(3, answer.Body).Bind(4, caller).Bind(5, key).Run();

    public static void Forget(WriteTransaction write, string caller, string key) =>
        write.Prepare("DELETE FROM idempotency WHERE caller = ? AND key = ?").Bind(1, caller).Bind(2, key).Run();

    public static void KeepNewest(WriteTransaction write, string caller, int most) =>
        write.Prepare("DELETE FROM idempotency WHERE caller = ?1 AND at < (SELECT at FROM idempotency WHERE caller = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2)").Bind(1, caller).Bind(2, most - 1).Run();

    public static int ForgetBefore(WriteTransaction write, DateTimeOffset time) => write.Prepare("DELETE FROM idempotency WHERE at < ?").Bind(1, time).Run();

    static IReadOnlyList<string> Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    static List<T> All<T>(Statement statement, Func<Statement, T> row)
    {
        using var rows = statement;
        var all = new List<T>();
        while (rows.Step()) all.Add(row(rows));
        return all;
    }
}
