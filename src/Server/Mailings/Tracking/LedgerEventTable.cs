using CbaMail.Storage;

namespace CbaMail.Mailings.Tracking;

/// <summary>What of a copy matters to whoever judges what is seen of it.</summary>
/// <param name="Delivered">Null: not yet, as far as is known.</param>
/// <param name="Opened">By a person, when first.</param>
public sealed record TrackedCopy(DateTimeOffset? Delivered, DateTimeOffset? Opened, bool Pixel);

/// <summary>Something that came of a copy.</summary>
/// <param name="Kind">deferred, delivered, opened, clicked, unseen, replied, auto-replied, complained.</param>
/// <param name="Scanner">Why it was no person; null: it may have been one.</param>
public sealed record LedgerEvent(long LedgerId, DateTimeOffset At, DateTimeOffset Last, int Count, string Kind, string Detail, string Agent, string? Scanner);

/// <summary>How often a link of a mailing was followed.</summary>
/// <param name="People">Different readers.</param>
/// <param name="Scanners">Times that programs followed it.</param>
public sealed record FollowedLink(string Link, int People, int Times, int Scanners);

/// <summary>What came of a mailing's copies.</summary>
/// <param name="OpenedByScanners">Copies of which nothing but programs fetched the picture.</param>
public sealed record ResponseCounts(int Delivered, int Opened, int Clicked, int Replied, int AutoReplied, int Unsubscribed, int Complained, int OpenedByScanners, int ClickedByScanners);

/// <summary>A copy as totals count it.</summary>
public readonly record struct CountedCopy(
    string Address, string State, string? Host, int Attempts, DateTimeOffset At, DateTimeOffset? Handed, DateTimeOffset? Opened, DateTimeOffset? Clicked, DateTimeOffset? Replied, DateTimeOffset? Complained);

/// <summary>The SQL of what came of copies.</summary>
static class LedgerEventTable
{
    /// <summary>Kinds of things kept of one copy; further ones are only counted.</summary>
    const int Most = 60;

    static readonly TimeSpan SameVisit = TimeSpan.FromMinutes(5);

    /// <summary>Null where the row is gone.</summary>
    public static TrackedCopy? Copy(WriteTransaction write, long ledgerId)
    {
        using var row = write.Prepare("SELECT l.state, l.at, l.opened, m.pixel FROM ledger l JOIN mailing m ON m.id = l.mailing_id WHERE l.id = ?").Bind(1, ledgerId);
        return row.Step() ? new(row.String(0) is "delivered" or "bounced" ? row.Time(1) : null, row.TimeOrNull(2), row.Bool(3)) : null;
    }

    /// <summary>Adds it, or counts it to the same that was seen just before.</summary>
    public static void Add(WriteTransaction write, long ledgerId, string kind, string detail, string agent, string? scanner, DateTimeOffset at, bool once = false, int times = 1)
    {
        if (write.Prepare("SELECT id FROM ledger_event WHERE ledger_id = ?1 AND kind = ?2 AND detail = ?3 AND agent = ?4 AND scanner IS ?5 AND last >= ?6 ORDER BY id DESC LIMIT 1")
            .Bind(1, ledgerId).Bind(2, kind).Bind(3, detail).Bind(4, agent).Bind(5, scanner).Bind(6, once ? DateTimeOffset.UnixEpoch : at - SameVisit).Scalar() is { } same)
        {
            if (!once) write.Prepare("UPDATE ledger_event SET count = count + ?3, last = max(last, ?1) WHERE id = ?2").Bind(1, at).Bind(2, same).Bind(3, (long)times).Run();
            return;
        }
        if (write.Prepare("SELECT count(*) FROM ledger_event WHERE ledger_id = ?").Bind(1, ledgerId).Scalar() >= Most)
        {
            write.Prepare("UPDATE ledger_event SET count = count + ?4, last = max(last, ?1) WHERE id = (SELECT max(id) FROM ledger_event WHERE ledger_id = ?2 AND kind = ?3)").Bind(1, at).Bind(2, ledgerId).Bind(3, kind).Bind(4, (long)times).Run();
            return;
        }
        write.Prepare("INSERT INTO ledger_event (ledger_id, at, last, count, kind, detail, agent, scanner) VALUES (?1,?2,?2,?7,?3,?4,?5,?6)")
            .Bind(1, ledgerId).Bind(2, at).Bind(3, kind).Bind(4, detail).Bind(5, agent).Bind(6, scanner).Bind(7, (long)times).Run();
    }

    /// <summary>What the peer answered when it took the copy, before the row says something else.</summary>
    public static void KeepDelivered(WriteTransaction write, long ledgerId)
    {
        string? told = null;
        DateTimeOffset at = default;
        using (var row = write.Prepare("SELECT reply, at FROM ledger WHERE id = ? AND state = 'delivered' AND NOT EXISTS (SELECT 1 FROM ledger_event e WHERE e.ledger_id = ledger.id AND e.kind = 'delivered')").Bind(1, ledgerId))
            if (row.Step()) (told, at) = (row.String(0), row.Time(1));
        if (told is not null) Add(write, ledgerId, "delivered", told, "", null, at);
    }

    /// <summary>Whether the program has shown itself for none of a person's, shortly before.</summary>
    public static bool IsKnown(WriteTransaction write, long ledgerId, string agent, DateTimeOffset since) =>
        write.Prepare("SELECT 1 FROM ledger_event WHERE ledger_id = ? AND agent = ? AND last >= ? AND scanner IN (?, ?) LIMIT 1")
            .Bind(1, ledgerId).Bind(2, agent).Bind(3, since).Bind(4, ScannerSigns.Unseen).Bind(5, ScannerSigns.Together).Scalar() is not null;

    /// <summary>How many different links a person may have followed since then.</summary>
    public static int Links(WriteTransaction write, long ledgerId, string agent, DateTimeOffset since) =>
        (int)(write.Prepare("SELECT count(DISTINCT detail) FROM ledger_event WHERE ledger_id = ? AND agent = ? AND kind = 'clicked' AND scanner IS NULL AND last >= ?")
            .Bind(1, ledgerId).Bind(2, agent).Bind(3, since).Scalar() ?? 0);

    /// <summary>What was taken for a person's, and was a program's.</summary>
    public static void Mark(WriteTransaction write, long ledgerId, string agent, DateTimeOffset since, string scanner) =>
        write.Prepare("UPDATE ledger_event SET scanner = ? WHERE ledger_id = ? AND agent = ? AND at >= ? AND scanner IS NULL AND kind IN ('opened', 'clicked')")
            .Bind(1, scanner).Bind(2, ledgerId).Bind(3, agent).Bind(4, since).Run();

    /// <summary>The row's own times of what people did.</summary>
    public static void Settle(WriteTransaction write, long ledgerId) =>
        write.Prepare("""
            UPDATE ledger SET opened = (SELECT min(at) FROM ledger_event WHERE ledger_id = ?1 AND kind = 'opened' AND scanner IS NULL),
                clicked = (SELECT min(at) FROM ledger_event WHERE ledger_id = ?1 AND kind = 'clicked' AND scanner IS NULL) WHERE id = ?1
            """).Bind(1, ledgerId).Run();

    /// <summary>A person has answered.</summary>
    public static void SetReplied(WriteTransaction write, long ledgerId, DateTimeOffset at) =>
        write.Prepare("UPDATE ledger SET replied = ? WHERE id = ? AND replied IS NULL").Bind(1, at).Bind(2, ledgerId).Run();

    public static List<LedgerEvent> Of(ReadTransaction read, long ledgerId)
    {
        var events = new List<LedgerEvent>();
        using var row = read.Prepare("SELECT ledger_id, at, last, count, kind, detail, agent, scanner FROM ledger_event WHERE ledger_id = ? ORDER BY id").Bind(1, ledgerId);
        while (row.Step()) events.Add(new(row.Int64(0), row.Time(1), row.Time(2), row.Int32(3), row.String(4), row.String(5), row.String(6), row.Text(7)));
        return events;
    }

    public static ResponseCounts Counts(ReadTransaction read, long mailing)
    {
        int Count(string sql) => (int)(read.Prepare(sql).Bind(1, mailing).Scalar() ?? 0);
        const string Events = "SELECT count(DISTINCT e.ledger_id) FROM ledger l JOIN ledger_event e ON e.ledger_id = l.id WHERE l.mailing_id = ? AND ";
        return new(
            Count("SELECT count(*) FROM ledger WHERE mailing_id = ? AND state = 'delivered'"),
            Count("SELECT count(*) FROM ledger WHERE mailing_id = ? AND (opened IS NOT NULL OR clicked IS NOT NULL)"),
            Count("SELECT count(*) FROM ledger WHERE mailing_id = ? AND clicked IS NOT NULL"),
            Count("SELECT count(*) FROM ledger WHERE mailing_id = ? AND replied IS NOT NULL"),
            Count(Events + "e.kind = 'auto-replied'"),
            ConsentTable.Left(read, mailing),
            Count("SELECT count(*) FROM ledger WHERE mailing_id = ? AND class = 'complaint'"),
            Count(Events + "e.kind = 'opened' AND e.scanner IS NOT NULL AND l.opened IS NULL AND l.clicked IS NULL"),
            Count(Events + "e.kind = 'clicked' AND e.scanner IS NOT NULL AND l.clicked IS NULL"));
    }

    public static List<FollowedLink> Links(ReadTransaction read, long mailing, int most)
    {
        var links = new List<FollowedLink>();
        using var row = read.Prepare("""
            SELECT e.detail, count(DISTINCT CASE WHEN e.scanner IS NULL THEN e.ledger_id END), coalesce(sum(CASE WHEN e.scanner IS NULL THEN e.count END), 0), coalesce(sum(CASE WHEN e.scanner IS NOT NULL THEN e.count END), 0)
              FROM ledger l JOIN ledger_event e ON e.ledger_id = l.id WHERE l.mailing_id = ? AND e.kind = 'clicked' GROUP BY e.detail ORDER BY 2 DESC, 3 DESC, 1 LIMIT ?
            """).Bind(1, mailing).Bind(2, (long)most);
        while (row.Step()) links.Add(new(row.String(0), row.Int32(1), row.Int32(2), row.Int32(3)));
        return links;
    }

    /// <summary>What became of each copy of a mailing, or of all of a course's.</summary>
    public static IEnumerable<CountedCopy> Copies(ReadTransaction read, long? mailing, long? course)
    {
        using var row = read.Prepare("""
            SELECT l.address, l.state, l.host, l.attempts, l.at, l.handed, l.opened, l.clicked, l.replied, CASE WHEN l.class = 'complaint' THEN (SELECT min(e.at) FROM ledger_event e WHERE e.ledger_id = l.id AND e.kind = 'complained') END
              FROM ledger l WHERE l.mailing_id = ?1 OR ?1 IS NULL AND l.mailing_id IN (SELECT id FROM mailing WHERE course_id = ?2)
            """).Bind(1, mailing).Bind(2, course);
        while (row.Step())
            yield return new(row.String(0), row.String(1), row.Text(2), row.Int32(3), row.Time(4), row.TimeOrNull(5), row.TimeOrNull(6), row.TimeOrNull(7), row.TimeOrNull(8), row.TimeOrNull(9));
    }

    /// <summary>Removes those of a course's mailings.</summary>
    public static void RemoveAll(WriteTransaction write, long course) =>
        write.Prepare("DELETE FROM ledger_event WHERE ledger_id IN (SELECT l.id FROM ledger l JOIN mailing m ON m.id = l.mailing_id WHERE m.course_id = ?)").Bind(1, course).Run();
}
