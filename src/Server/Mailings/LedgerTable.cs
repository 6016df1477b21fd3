using CbaMail.Courses;
using CbaMail.Mailings.Tracking;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Mailings;

/// <summary>A frozen recipient that waits for its copy.</summary>
public sealed record LedgerWork(long Id, long PersonId, string Address, string Name, string Fields, int Line, string MessageId);

/// <summary>The SQL of the ledger.</summary>
public static class LedgerTable
{
    static readonly string[] Names = ["rendered", "queued", "delivered", "deferred", "bounced", "skipped"];

    /// <summary>The word that stands in the table and in <c>--json</c>.</summary>
    public static string Word(LedgerState state) => Names[(int)state];

    internal static LedgerState State(string word) => (LedgerState)Array.IndexOf(Names, word);

    /// <summary>People to whom a mailing of the course came back, and when at last.</summary>
    public static Dictionary<long, DateTimeOffset> Bounced(ReadTransaction transaction, long course)
    {
        var found = new Dictionary<long, DateTimeOffset>();
        using var query = transaction.Prepare("SELECT person_id, max(at) FROM ledger WHERE state = 'bounced' AND mailing_id IN (SELECT id FROM mailing WHERE course_id = ?) GROUP BY person_id").Bind(1, course);
        while (query.Step()) found[query.Int64(0)] = query.Time(1);
        return found;
    }

    /// <summary>Freezes one recipient.</summary>
    public static void Add(WriteTransaction transaction, long mailing, in Participant person, string messageId, LedgerState state, string reply, DateTimeOffset at) =>
        transaction.Prepare("INSERT INTO ledger (mailing_id, person_id, address, name, fields, line, message_id, state, reply, attempts, at) VALUES (?,?,?,?,?,?,?,?,?,0,?)")
            .Bind(1, mailing).Bind(2, person.Id).Bind(3, person.Address).Bind(4, person.Name).Bind(5, person.Fields).Bind(6, person.Line)
            .Bind(7, messageId).Bind(8, Word(state)).Bind(9, reply).Bind(10, at).Run();

    /// <summary>Who stands in it, by numbers of persons.</summary>
    internal static HashSet<long> People(ReadTransaction transaction, long mailing)
    {
        var people = new HashSet<long>();
        using var query = transaction.Prepare("SELECT person_id FROM ledger WHERE mailing_id = ?").Bind(1, mailing);
        while (query.Step()) people.Add(query.Int64(0));
        return people;
    }

    /// <summary>The next recipients that have no copy yet and need not wait for an hour, by rising id.</summary>
    public static List<LedgerWork> Waiting(ReadTransaction transaction, long mailing, long after, int count, DateTimeOffset now)
    {
        var rows = new List<LedgerWork>(count);
        using var query = transaction.Prepare(
            "SELECT id, person_id, address, name, fields, line, message_id FROM ledger WHERE mailing_id = ? AND state = 'rendered' AND id > ? AND (not_before IS NULL OR not_before <= ?) ORDER BY id LIMIT ?")
            .Bind(1, mailing).Bind(2, after).Bind(3, now).Bind(4, count);
        while (query.Step())
            rows.Add(new(query.Int64(0), query.Int64(1), query.String(2), query.String(3), query.String(4), query.Int32(5), query.String(6)));
        return rows;
    }

    /// <summary>Lets a row wait for an hour.</summary>
    public static void Postpone(WriteTransaction transaction, long id, DateTimeOffset until, string reason) =>
        transaction.Prepare("UPDATE ledger SET not_before = ?, reply = ? WHERE id = ? AND state = 'rendered'").Bind(1, until).Bind(2, reason).Bind(3, id).Run();

    /// <summary>When the next of those that wait for an hour may leave; null: none waits.</summary>
    public static DateTimeOffset? Next(ReadTransaction transaction, DateTimeOffset now)
    {
        using var query = transaction.Prepare("SELECT min(l.not_before) FROM ledger l JOIN mailing m ON m.id = l.mailing_id WHERE l.not_before > ? AND l.state = 'rendered' AND m.state = 'sending'").Bind(1, now);
        return query.Step() ? query.TimeOrNull(0) : null;
    }

    /// <summary>How many copies of a class somebody has been sent since then, in all courses.</summary>
    internal static int Handed(WriteTransaction transaction, long person, string kind, DateTimeOffset since) =>
        (int)(transaction.Prepare("SELECT count(*) FROM ledger l JOIN mailing m ON m.id = l.mailing_id WHERE l.person_id = ? AND m.class = ? AND l.handed >= ? AND l.state <> 'skipped'").Bind(1, person).Bind(2, kind).Bind(3, since).Scalar() ?? 0);

    /// <summary>Whether the row still waits for its copy, as of this transaction.</summary>
    public static bool IsWaiting(WriteTransaction transaction, long id) =>
        transaction.Prepare("SELECT 1 FROM ledger WHERE id = ? AND state = 'rendered'").Bind(1, id).Scalar() is not null;

    /// <summary>Moves a row on, in the transaction that stores its copy.</summary>
    public static void Settle(WriteTransaction transaction, long id, LedgerState state, string reply, long? queueId, DateTimeOffset at) =>
        transaction.Prepare("UPDATE ledger SET state = ?1, reply = ?2, queue_id = ?3, at = ?4, handed = CASE WHEN ?1 IN ('queued', 'delivered') THEN ?4 END WHERE id = ?5 AND state = 'rendered'")
            .Bind(1, Word(state)).Bind(2, reply).Bind(3, queueId).Bind(4, at).Bind(5, id).Run();

    internal static void RecordRemote(WriteTransaction transaction, long id, LedgerState state, string reply, string? host, string? tls, DateTimeOffset at, string? cause = null)
    {
        if (state == LedgerState.Deferred) LedgerEventTable.Add(transaction, id, "deferred", reply, "", null, at); // the row keeps the last answer alone
        transaction.Prepare(
            "UPDATE ledger SET state = ?, reply = ?, host = ?, tls = ?, at = ?, attempts = attempts + 1, queue_id = CASE WHEN ? = 'deferred' THEN queue_id END, class = ? WHERE id = ? AND state IN ('queued', 'deferred')")
            .Bind(1, Word(state)).Bind(2, reply).Bind(3, host).Bind(4, tls).Bind(5, at).Bind(6, Word(state)).Bind(7, cause).Bind(8, id).Run();
    }

    /// <summary>A copy that a server had taken has come back.</summary>
    internal static bool RecordLate(WriteTransaction transaction, long id, string reply, string cause, DateTimeOffset at)
    {
        LedgerEventTable.KeepDelivered(transaction, id);
        return transaction.Prepare("UPDATE ledger SET state = 'bounced', reply = ?, class = ?, at = ? WHERE id = ? AND state = 'delivered'")
            .Bind(1, reply).Bind(2, cause).Bind(3, at).Bind(4, id).Run() > 0;
    }

    /// <summary>Whose copy it is, and who sent it.</summary>
    internal static LedgerOwner? Owner(ReadTransaction transaction, long id)
    {
        using var row = transaction.Prepare("SELECT l.mailing_id, l.address, m.from_address FROM ledger l JOIN mailing m ON m.id = l.mailing_id WHERE l.id = ?").Bind(1, id);
        return row.Step() ? new LedgerOwner(row.Int64(0), row.String(1), row.String(2)) : null;
    }

    /// <summary>Lines that somebody asks for by what he knows of them, the newest first.</summary>
    internal static List<(LedgerRow Row, long Mailing, long? QueueId)> Find(ReadTransaction transaction, string? messageId, string? address, string? text, DateTimeOffset? since, DateTimeOffset? until, int count)
    {
        var rows = new List<(LedgerRow, long, long?)>();
        using var query = transaction.Prepare("""
            SELECT id, person_id, address, name, line, state, message_id, reply, host, tls, attempts, at, class, opened, clicked, replied, mailing_id, queue_id FROM ledger
             WHERE (?1 IS NULL OR message_id = ?1) AND (?2 IS NULL OR address LIKE ?2 ESCAPE '\') AND (?3 IS NULL OR address LIKE ?3 ESCAPE '\' OR reply LIKE ?3 ESCAPE '\' OR host LIKE ?3 ESCAPE '\')
             AND (?4 IS NULL OR at >= ?4) AND (?5 IS NULL OR at < ?5) AND state <> 'rendered'
             ORDER BY id DESC LIMIT ?6
            """).Bind(1, messageId).Bind(2, address).Bind(3, text).Bind(4, since).Bind(5, until).Bind(6, (long)count);
        while (query.Step()) rows.Add((Read(query), query.Int64(16), query.IsNull(17) ? null : query.Int64(17)));
        return rows;
    }

    /// <summary>Marks all that still wait for their copy as skipped.</summary>
    public static int SkipWaiting(WriteTransaction transaction, long mailing, string reason, DateTimeOffset at) =>
        transaction.Prepare("UPDATE ledger SET state = 'skipped', reply = ?, at = ? WHERE mailing_id = ? AND state = 'rendered'")
            .Bind(1, reason).Bind(2, at).Bind(3, mailing).Run();

    /// <summary>Marks rows that were taken out of the queue as skipped.</summary>
    public static int SkipQueued(WriteTransaction transaction, long mailing, long queueId, string reason, DateTimeOffset at) =>
        transaction.Prepare("UPDATE ledger SET state = 'skipped', reply = ?, at = ?, queue_id = NULL WHERE mailing_id = ? AND queue_id = ? AND state IN ('queued', 'deferred')")
            .Bind(1, reason).Bind(2, at).Bind(3, mailing).Bind(4, queueId).Run();

    /// <summary>Queue entries of the mailing that have not been taken by a peer.</summary>
    public static List<long> QueueIds(WriteTransaction transaction, long mailing)
    {
        var ids = new List<long>();
        foreach (var state in (string[])["queued", "deferred"])
        {
            using var query = transaction.Prepare("SELECT DISTINCT queue_id FROM ledger WHERE mailing_id = ? AND state = ? AND queue_id IS NOT NULL").Bind(1, mailing).Bind(2, state);
            while (query.Step()) ids.Add(query.Int64(0));
        }
        return ids;
    }

    /// <summary>Whether anybody may have his copy at once.</summary>
    public static bool AnyDue(WriteTransaction transaction, long mailing, DateTimeOffset now) =>
        transaction.Prepare("SELECT 1 FROM ledger WHERE mailing_id = ? AND state = 'rendered' AND (not_before IS NULL OR not_before <= ?) LIMIT 1").Bind(1, mailing).Bind(2, now).Scalar() is not null;

    /// <summary>Whether anybody still waits for a copy.</summary>
    public static bool AnyWaiting(WriteTransaction transaction, long mailing) =>
        transaction.Prepare("SELECT 1 FROM ledger WHERE mailing_id = ? AND state = 'rendered' LIMIT 1").Bind(1, mailing).Scalar() is not null;

    public static LedgerCounts Counts(ReadTransaction transaction, long mailing) => Counts(transaction.Prepare, mailing);

    /// <summary>As the transaction whose statements these are sees it.</summary>
    public static LedgerCounts Counts(Func<string, Statement> prepare, long mailing)
    {
        var counts = new int[Names.Length];
        using var query = prepare("SELECT state, count(*) FROM ledger WHERE mailing_id = ? GROUP BY state").Bind(1, mailing);
        while (query.Step()) counts[(int)State(query.String(0))] = query.Int32(1);
        return new(counts.Sum(), counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]);
    }

    /// <summary>Lines by rising id, a page at a time.</summary>
    public static List<LedgerRow> Rows(ReadTransaction transaction, long mailing, long after, int count)
    {
        var rows = new List<LedgerRow>();
        using var query = transaction.Prepare(
            "SELECT id, person_id, address, name, line, state, message_id, reply, host, tls, attempts, at, class, opened, clicked, replied FROM ledger WHERE mailing_id = ? AND id > ? ORDER BY id LIMIT ?")
            .Bind(1, mailing).Bind(2, after).Bind(3, count);
        while (query.Step()) rows.Add(Read(query));
        return rows;
    }

    /// <summary>One person's lines in a course's mailings, the oldest first, with his fields and when each copy left.</summary>
    internal static List<(LedgerRow Row, long Mailing, string Fields, DateTimeOffset? Handed)> OfPerson(ReadTransaction transaction, long course, long person, int count)
    {
        var rows = new List<(LedgerRow, long, string, DateTimeOffset?)>();
        using var query = transaction.Prepare("""
            SELECT id, person_id, address, name, line, state, message_id, reply, host, tls, attempts, at, class, opened, clicked, replied, mailing_id, fields, handed FROM ledger
             WHERE mailing_id IN (SELECT id FROM mailing WHERE course_id = ? AND state <> 'draft') AND person_id = ? ORDER BY mailing_id DESC LIMIT ?
            """).Bind(1, course).Bind(2, person).Bind(3, (long)count);
        while (query.Step()) rows.Add((Read(query), query.Int64(16), query.String(17), query.TimeOrNull(18)));
        rows.Reverse();
        return rows;
    }

    static LedgerRow Read(Statement query) => new(
        query.Int64(0), query.Int64(1), query.String(2), query.String(3), query.Int32(4), State(query.String(5)), query.String(6),
        query.String(7), query.Text(8), query.Text(9), query.Int32(10), query.Time(11), query.Text(12),
        query.TimeOrNull(13), query.TimeOrNull(14), query.TimeOrNull(15));

    public static void RemoveMailing(WriteTransaction transaction, long mailing) =>
        transaction.Prepare("DELETE FROM ledger WHERE mailing_id = ?").Bind(1, mailing).Run(); // of one that was never sent: it has no events
}
