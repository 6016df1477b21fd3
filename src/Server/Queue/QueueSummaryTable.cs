using CbaMail.Storage;

namespace CbaMail.Queue;

/// <summary>What waits for one domain.</summary>
/// <param name="Deferred">Recipients that were tried and are tried again.</param>
/// <param name="Oldest">When the oldest message for it was queued.</param>
/// <param name="NextAttempt">Of those that are not held; null where all are.</param>
/// <param name="LastReply">What was heard last; null where nothing was tried.</param>
public sealed record QueueDomain(string Domain, int Recipients, int Deferred, int Held, DateTimeOffset Oldest, DateTimeOffset? NextAttempt, string? LastReply);

/// <summary>The queue by domain: all its SQL.</summary>
internal static class QueueSummaryTable
{
    /// <summary>The domains that most waits for come first.</summary>
    public static List<QueueDomain> Domains(ReadTransaction transaction, int limit)
    {
        var domains = new List<QueueDomain>();
        // a time is 13 digits until the year 2286, so the newest reply is the greatest text
        using var row = transaction.Prepare("""
            SELECT r.domain, count(*), sum(r.held = 0 AND r.attempts > 0), sum(r.held), min(m.created), min(CASE WHEN r.held THEN NULL ELSE r.next_attempt END),
             substr(max(CASE WHEN r.last_reply IS NULL THEN NULL ELSE printf('%015d', r.last_attempt) || r.last_reply END), 16)
             FROM queue_recipient r JOIN queue_message m ON m.id = r.message_id GROUP BY r.domain ORDER BY count(*) DESC, r.domain LIMIT ?
            """).Bind(1, (long)limit);
        while (row.Step()) domains.Add(new(row.String(0), row.Int32(1), row.Int32(2), row.Int32(3), row.Time(4), row.TimeOrNull(5), row.Text(6)));
        return domains;
    }
}
