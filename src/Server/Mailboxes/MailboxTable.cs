using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Mailboxes;

/// <summary>SQL of mailboxes and of what an account uses.</summary>
static class MailboxTable
{
    /// <summary>The accounts that have mailboxes.</summary>
    public static List<long> Accounts(ReadTransaction read)
    {
        using var row = read.Prepare("SELECT DISTINCT account_id FROM mailbox ORDER BY account_id");
        var list = new List<long>();
        while (row.Step()) list.Add(row.Int64(0));
        return list;
    }

    const string Columns = "SELECT id, account_id, name, special_use, subscribed, uid_validity, uid_next, recent_uid, modseq, messages, unseen, deleted, bytes, shared, keep_days FROM mailbox";

    static Mailbox Read(Statement row) => new(
        row.Int64(0), row.Int64(1), row.String(2), row.Text(3), row.Bool(4),
        (uint)row.Int64(5), (uint)row.Int64(6), (uint)row.Int64(7), row.Int64(8),
        row.Int32(9), row.Int32(10), row.Int32(11), row.Int64(12))
    { IsShared = row.Bool(13), KeepDays = row.IsNull(14) ? null : row.Int32(14) };

    static Mailbox? One(Statement row)
    {
        using (row) return row.Step() ? Read(row) : null;
    }

    public static List<Mailbox> All(Statement statement, long accountId)
    {
        using var row = statement.Bind(1, accountId);
        var all = new List<Mailbox>();
        while (row.Step()) all.Add(Read(row));
        return all;
    }

    const string AllSql = Columns + " WHERE account_id = ? ORDER BY name";
    const string GetSql = Columns + " WHERE id = ?";
    const string FindSql = Columns + " WHERE account_id = ? AND name = ?";

    public static List<Mailbox> All(ReadTransaction read, long accountId) => All(read.Prepare(AllSql), accountId);
    public static List<Mailbox> All(WriteTransaction write, long accountId) => All(write.Prepare(AllSql), accountId);
    public static Mailbox? Get(ReadTransaction read, long id) => One(read.Prepare(GetSql).Bind(1, id));
    public static Mailbox? Get(WriteTransaction write, long id) => One(write.Prepare(GetSql).Bind(1, id));
    public static long Count(WriteTransaction write, long accountId) => write.Prepare("SELECT count(*) FROM mailbox WHERE account_id = ?").Bind(1, accountId).Scalar() ?? 0;

    /// <summary>The INBOX of every account.</summary>
    public static Dictionary<long, long> Inboxes(ReadTransaction read)
    {
        using var row = read.Prepare("SELECT account_id, id FROM mailbox WHERE name = 'INBOX'");
        var all = new Dictionary<long, long>();
        while (row.Step()) all.Add(row.Int64(0), row.Int64(1));
        return all;
    }

    public static Mailbox? Find(ReadTransaction read, long accountId, string name) => One(read.Prepare(FindSql).Bind(1, accountId).Bind(2, name));
    public static Mailbox? Find(WriteTransaction write, long accountId, string name) => One(write.Prepare(FindSql).Bind(1, accountId).Bind(2, name));

    public static long Insert(WriteTransaction write, long accountId, string name, string? specialUse, bool subscribed, uint uidValidity, long modseq, DateTimeOffset now)
    {
        write.Prepare("""
            INSERT INTO mailbox (account_id, name, special_use, subscribed, uid_validity, uid_next, recent_uid, modseq, messages, unseen, deleted, bytes, created)
            VALUES (?, ?, ?, ?, ?, 1, 1, ?, 0, 0, 0, 0, ?)
            """).Bind(1, accountId).Bind(2, name).Bind(3, specialUse).Bind(4, subscribed).Bind(5, uidValidity).Bind(6, modseq).Bind(7, now).Run();
        return write.LastInsertId;
    }

    public static void Rename(WriteTransaction write, long id, string name) =>
        write.Prepare("UPDATE mailbox SET name = ? WHERE id = ?").Bind(1, name).Bind(2, id).Run();

    public static void Subscribe(WriteTransaction write, long id, bool subscribed) =>
        write.Prepare("UPDATE mailbox SET subscribed = ? WHERE id = ?").Bind(1, subscribed).Bind(2, id).Run();

    // ---- subscriptions that have outlived their mailbox

    public static void KeepSubscription(WriteTransaction write, long accountId, string name) =>
        write.Prepare("INSERT OR IGNORE INTO lost_subscription (account_id, name) VALUES (?, ?)").Bind(1, accountId).Bind(2, name).Run();

    /// <summary>Names that are subscribed and not there, or another's.</summary>
    public static long CountSubscriptions(WriteTransaction write, long accountId) =>
        write.Prepare("SELECT count(*) FROM lost_subscription WHERE account_id = ?").Bind(1, accountId).Scalar() ?? 0;

    /// <returns>Whether the name was subscribed.</returns>
    public static bool TakeSubscription(WriteTransaction write, long accountId, string name) =>
        write.Prepare("DELETE FROM lost_subscription WHERE account_id = ? AND name = ?").Bind(1, accountId).Bind(2, name).Run() > 0;

    public static void DropSubscriptions(WriteTransaction write, long accountId) =>
        write.Prepare("DELETE FROM lost_subscription WHERE account_id = ?").Bind(1, accountId).Run();

    public static List<string> LostSubscriptions(ReadTransaction read, long accountId)
    {
        using var row = read.Prepare("SELECT name FROM lost_subscription WHERE account_id = ? ORDER BY name").Bind(1, accountId);
        var names = new List<string>();
        while (row.Step()) names.Add(row.String(0));
        return names;
    }

    /// <summary>Mailboxes that may not keep all for ever.</summary>
    public static List<Mailbox> Keeping(ReadTransaction read)
    {
        using var row = read.Prepare(Columns + " WHERE keep_days > 0 OR (keep_days IS NULL AND special_use IN ('\\Junk', '\\Trash'))");
        var all = new List<Mailbox>();
        while (row.Step()) all.Add(Read(row));
        return all;
    }

    public static void SetKeepDays(WriteTransaction write, long id, int? days) =>
        write.Prepare("UPDATE mailbox SET keep_days = ? WHERE id = ?").Bind(1, days).Bind(2, id).Run();

    public static void SetSpecialUse(WriteTransaction write, long id, string? use) =>
        write.Prepare("UPDATE mailbox SET special_use = ? WHERE id = ?").Bind(1, use).Bind(2, id).Run();

    public static long Forgotten(ReadTransaction read, long id) => read.Prepare("SELECT forgotten FROM mailbox WHERE id = ?").Bind(1, id).Scalar() ?? 0;

    public static void Delete(WriteTransaction write, long id)
    {
        write.Prepare("DELETE FROM mailbox WHERE id = ?").Bind(1, id).Run();
        write.Prepare("DELETE FROM expunged WHERE mailbox_id = ?").Bind(1, id).Run();
        AclTable.RemoveAll(write, id);
        AnnotationTable.RemoveAll(write, id);
        ReaderTable.RemoveAll(write, id);
    }

    /// <summary>Takes the next UID and counts the message in.</summary>
    public static (uint Uid, uint UidValidity)? TakeUid(WriteTransaction write, long id, bool seen, bool deleted, long bytes, long modseq) =>
        TakeUids(write, id, 1, seen ? 0 : 1, deleted ? 1 : 0, bytes, modseq);

    /// <summary>Takes the next UIDs and counts the messages in.</summary>
    /// <returns>The first of them.</returns>
    public static (uint Uid, uint UidValidity)? TakeUids(WriteTransaction write, long id, int messages, int unseen, int deleted, long bytes, long modseq)
    {
        using var row = write.Prepare("""
            UPDATE mailbox SET uid_next = uid_next + ?1, messages = messages + ?1, unseen = unseen + ?2, deleted = deleted + ?3, bytes = bytes + ?4, modseq = ?5
            WHERE id = ?6 RETURNING uid_next - ?1, uid_validity
            """).Bind(1, messages).Bind(2, unseen).Bind(3, deleted).Bind(4, bytes).Bind(5, modseq).Bind(6, id);
        return row.Step() ? ((uint)row.Int64(0), (uint)row.Int64(1)) : null;
    }

    /// <summary>Adds to the counters after a change of flags or an expunge.</summary>
    public static void Adjust(WriteTransaction write, long id, int messages, int unseen, int deleted, long bytes, long modseq) =>
        write.Prepare("UPDATE mailbox SET messages = messages + ?, unseen = unseen + ?, deleted = deleted + ?, bytes = bytes + ?, modseq = ? WHERE id = ?")
            .Bind(1, messages).Bind(2, unseen).Bind(3, deleted).Bind(4, bytes).Bind(5, modseq).Bind(6, id).Run();

    /// <summary>Messages below this UID are no longer \Recent to whoever comes.</summary>
    public static void SetRecent(WriteTransaction write, long id, uint uid) =>
        write.Prepare("UPDATE mailbox SET recent_uid = max(recent_uid, ?) WHERE id = ?").Bind(1, uid).Bind(2, id).Run();

    // ---- usage: one row an account

    public static void InsertUsage(WriteTransaction write, long accountId) =>
        write.Prepare("INSERT OR IGNORE INTO usage (account_id, modseq, bytes, messages) VALUES (?, 1, 0, 0)").Bind(1, accountId).Run();

    public static void DeleteUsage(WriteTransaction write, long accountId) =>
        write.Prepare("DELETE FROM usage WHERE account_id = ?").Bind(1, accountId).Run();

    /// <summary>The account's next modification sequence, or null where the quota (0 = none) would be passed.</summary>
    public static long? Use(WriteTransaction write, long accountId, long bytes, int messages, long quota)
    {
        using var row = write.Prepare("""
            UPDATE usage SET modseq = modseq + 1, bytes = bytes + ?1, messages = messages + ?2
            WHERE account_id = ?3 AND (?4 = 0 OR ?1 <= 0 OR bytes + ?1 <= ?4) RETURNING modseq
            """).Bind(1, bytes).Bind(2, messages).Bind(3, accountId).Bind(4, quota);
        return row.Step() ? row.Int64(0) : null;
    }

    public static (long Bytes, long Messages) Usage(ReadTransaction read, long accountId) => Usage(read.Prepare(UsageSql).Bind(1, accountId));

    public static (long Bytes, long Messages) Usage(WriteTransaction write, long accountId) => Usage(write.Prepare(UsageSql).Bind(1, accountId));

    const string UsageSql = "SELECT bytes, messages FROM usage WHERE account_id = ?";

    static (long Bytes, long Messages) Usage(Statement statement)
    {
        using var row = statement;
        return row.Step() ? (row.Int64(0), row.Int64(1)) : (0, 0);
    }
}
