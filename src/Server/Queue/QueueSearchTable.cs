using CbaMail.Storage.Sqlite;

namespace CbaMail.Queue;

/// <summary>A recipient that a search found.</summary>
internal readonly record struct FoundRecipient(QueueItem Item, string Domain, Standing Standing, bool Held, long? Ledger);

/// <summary>
/// Searching the queue: one statement for every mix of fields, so that it is prepared once. It walks the messages by id and their recipients
/// by number, a row at a time, from where the last page ended: 100,000 rows take a tenth of a second and no memory.
/// </summary>
internal static class QueueSearchTable
{
    const string Where = """
         FROM queue_message m CROSS JOIN queue_recipient r ON r.message_id = m.id
         WHERE m.id >= ?1 AND (m.id > ?1 OR r.seq > ?2) AND m.id <= ?3
         AND (?4 IS NULL OR m.sender LIKE ?4 ESCAPE '\') AND (?5 IS NULL OR r.address LIKE ?5 ESCAPE '\') AND (?6 IS NULL OR r.domain = ?6)
         AND (?7 IS NULL OR m.subject LIKE ?7 ESCAPE '\') AND (?8 IS NULL OR m.message_id LIKE ?8 ESCAPE '\')
         AND (?9 IS NULL OR m.created < ?9) AND (?10 IS NULL OR m.created >= ?10) AND (?11 IS NULL OR m.size >= ?11) AND (?12 IS NULL OR m.size <= ?12)
         AND (?13 IS NULL OR m.mailing_id = ?13) AND (?14 IS NULL OR r.last_reply LIKE ?14 ESCAPE '\') AND (?15 IS NULL OR m.class = ?15) AND (?16 IS NULL OR r.rule_id = ?16)
         AND (?17 IS NULL OR ?17 = 'active' OR ?17 = (CASE WHEN r.held THEN 'held' WHEN r.attempts > 0 THEN 'deferred' WHEN m.release_at > ?18 AND r.next_attempt > ?18 THEN 'scheduled' ELSE 'waiting' END))
         ORDER BY m.id, r.seq
        """;

    const string EntryColumns = """
        SELECT m.id, r.seq, m.sender, m.size, m.class, m.created, m.expires, m.priority, m.message_id, m.subject, m.mailing_id, m.release_at, m.deliver_by, m.arrival,
         r.address, r.held, r.attempts, r.next_attempt, r.last_attempt, r.last_reply, r.last_host, r.rule_id, r.ledger_id
        """;

    static Statement Bind(Statement row, QueueFilter filter, QueueItem after, DateTimeOffset now) => row
        .Bind(1, Math.Max(after.MessageId, filter.Id ?? 0)).Bind(2, filter.Id is { } only && only > after.MessageId ? -1L : after.Sequence).Bind(3, filter.Id ?? long.MaxValue)
        .Bind(4, QueueFilter.Like(filter.From)).Bind(5, QueueFilter.Like(filter.To)).Bind(6, filter.Domain)
        .Bind(7, QueueFilter.Like(filter.Subject)).Bind(8, QueueFilter.Like(filter.MessageId))
        .Bind(9, filter.Before).Bind(10, filter.Since).Bind(11, filter.Least).Bind(12, filter.Most)
        .Bind(13, filter.Mailing).Bind(14, Within(filter.Reply)).Bind(15, (long?)filter.Class).Bind(16, filter.Rule)
        .Bind(17, filter.State).Bind(18, now);

    // a reply with an address in it is looked for within, as any words are
    static string? Within(string? text) => text is null ? null : QueueFilter.Like("*" + text.Trim('*') + "*");

    /// <summary>Whole messages with those of their recipients that fit, until there are enough of either.</summary>
    public static List<QueueEntry> Entries(
        Func<string, Statement> prepare, QueueFilter filter, long after, int messages, int recipients, DateTimeOffset now, Func<QueueItem, bool> active)
    {
        var entries = new List<QueueEntry>();
        List<QueueEntryRecipient> own = [];
        using var row = Bind(prepare(EntryColumns + Where), filter, new QueueItem(after, int.MaxValue), now);
        while (row.Step())
        {
            var item = new QueueItem(row.Int64(0), row.Int32(1));
            if (!IsIn(filter.State, active(item))) continue;
            if (entries.Count == 0 || entries[^1].Id != item.MessageId)
            {
                if (entries.Count >= messages || recipients <= 0) break;
                entries.Add(Entry(row, own = []));
            }
            own.Add(Recipient(row, active(item), now));
            recipients--;
        }
        return entries;
    }

    static QueueEntry Entry(Statement row, List<QueueEntryRecipient> recipients) =>
        new(row.Int64(0), row.String(2), row.Int64(3), (MailClass)row.Int32(4), row.Time(5), row.Time(6), recipients)
        {
            Priority = row.Int32(7),
            MessageId = row.Text(8),
            Subject = row.Text(9),
            Mailing = row.IsNull(10) ? null : row.Int64(10),
            ReleaseAt = row.TimeOrNull(11),
            DeliverBy = row.TimeOrNull(12),
            Arrival = row.Text(13),
        };

    static QueueEntryRecipient Recipient(Statement row, bool active, DateTimeOffset now)
    {
        var (attempts, next) = (row.Int32(16), row.Time(17));
        var scheduled = row.TimeOrNull(11) is { } release && release > now && next > now;
        var state = active ? "active" : row.Bool(15) ? "held" : attempts > 0 ? "deferred" : scheduled ? "scheduled" : "waiting";
        return new(row.String(14), state, attempts, next, row.TimeOrNull(18), row.Text(19), row.Text(20))
        {
            Rule = row.IsNull(21) ? null : row.Int64(21),
            Ledger = row.IsNull(22) ? null : row.Int64(22),
        };
    }

    // what is on a connection is known in memory only
    static bool IsIn(string? state, bool active) => state is null || (state == "active") == active;

    /// <summary>The next recipients that fit, in order.</summary>
    public static List<FoundRecipient> Recipients(
        Func<string, Statement> prepare, QueueFilter filter, QueueItem after, int limit, DateTimeOffset now, Func<QueueItem, bool> active)
    {
        var found = new List<FoundRecipient>();
        using var row = Bind(prepare("SELECT m.id, r.seq, r.domain, m.class, m.priority, r.held, r.ledger_id" + Where), filter, after, now);
        while (found.Count < limit && row.Step())
        {
            var item = new QueueItem(row.Int64(0), row.Int32(1));
            if (IsIn(filter.State, active(item))) found.Add(new FoundRecipient(item, row.String(2), new Standing((MailClass)row.Int32(3), row.Int32(4)), row.Bool(5), row.IsNull(6) ? null : row.Int64(6)));
        }
        return found;
    }
}
