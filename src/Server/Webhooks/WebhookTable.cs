using CbaMail.Storage;

namespace CbaMail.Webhooks;

/// <summary>An event on its way to a webhook.</summary>
sealed record WaitingEvent(long Id, long Webhook, string Event, DateTimeOffset At, byte[] Body, int Attempts);

/// <summary>All SQL of webhooks (Storage/Schema/0026_webhooks.sql).</summary>
static class WebhookTable
{
    public static List<(Webhook Webhook, byte[] Secret)> All(ReadTransaction read)
    {
        using var rows = read.Prepare("SELECT id, url, events, description, enabled, created, failing, problem, secret FROM webhook ORDER BY id");
        var all = new List<(Webhook, byte[])>();
        while (rows.Step())
            all.Add((new(rows.Int64(0), rows.String(1), rows.String(2).Split(' ', StringSplitOptions.RemoveEmptyEntries), rows.String(3), rows.Int32(4) != 0, rows.Time(5), rows.IsNull(6) ? null : rows.Time(6), rows.String(7)),
                rows.Blob(8).ToArray()));
        return all;
    }

    public static long Add(WriteTransaction write, Webhook hook)
    {
        write.Prepare("INSERT INTO webhook (url, events, description, secret, enabled, created, failing, problem) VALUES (?, ?, ?, x'', ?, ?, NULL, '')")
            .Bind(1, hook.Url).Bind(2, string.Join(' ', hook.Events)).Bind(3, hook.Description).Bind(4, hook.Enabled).Bind(5, hook.Created).Run();
        return write.LastInsertId;
    }

    public static void SetSecret(WriteTransaction write, long id, byte[] secret) => write.Prepare("UPDATE webhook SET secret = ? WHERE id = ?").Bind(1, secret.AsSpan()).Bind(2, id).Run();

    public static void Change(WriteTransaction write, Webhook hook) =>
        write.Prepare("UPDATE webhook SET url = ?, events = ?, description = ?, enabled = ?, failing = ?, problem = ? WHERE id = ?")
            .Bind(1, hook.Url).Bind(2, string.Join(' ', hook.Events)).Bind(3, hook.Description).Bind(4, hook.Enabled).Bind(5, hook.Failing).Bind(6, hook.Problem).Bind(7, hook.Id).Run();

    public static void Remove(WriteTransaction write, long id)
    {
        write.Prepare("DELETE FROM webhook_attempt WHERE delivery_id IN (SELECT id FROM webhook_delivery WHERE webhook_id = ?)").Bind(1, id).Run();
        write.Prepare("DELETE FROM webhook_delivery WHERE webhook_id = ?").Bind(1, id).Run();
        write.Prepare("DELETE FROM webhook WHERE id = ?").Bind(1, id).Run();
    }

    // ---- events

    public static long AddEvent(WriteTransaction write, long webhook, string eventId, string name, DateTimeOffset at, byte[] body)
    {
        write.Prepare("INSERT INTO webhook_delivery (webhook_id, event_id, event, at, body, due) VALUES (?, ?, ?, ?, ?, ?)")
            .Bind(1, webhook).Bind(2, eventId).Bind(3, name).Bind(4, at).Bind(5, body.AsSpan()).Bind(6, at).Run();
        return write.LastInsertId;
    }

    public static long CountWaiting(ReadTransaction read, long webhook) =>
        read.Prepare("SELECT count(*) FROM webhook_delivery WHERE webhook_id = ? AND due IS NOT NULL").Bind(1, webhook).Scalar() ?? 0;

    public static List<WaitingEvent> Due(ReadTransaction read, long webhook, DateTimeOffset now, int limit)
    {
        using var rows = read.Prepare("SELECT id, event, at, body, attempts FROM webhook_delivery WHERE webhook_id = ? AND due <= ? ORDER BY due, id LIMIT ?").Bind(1, webhook).Bind(2, now).Bind(3, limit);
        var due = new List<WaitingEvent>();
        while (rows.Step()) due.Add(new(rows.Int64(0), webhook, rows.String(1), rows.Time(2), rows.Blob(3).ToArray(), rows.Int32(4)));
        return due;
    }

    /// <summary>When the next is due that is not yet, or null.</summary>
    public static DateTimeOffset? Next(ReadTransaction read, long webhook, DateTimeOffset now)
    {
        using var row = read.Prepare("SELECT due FROM webhook_delivery WHERE webhook_id = ? AND due > ? ORDER BY due LIMIT 1").Bind(1, webhook).Bind(2, now);
        return row.Step() ? row.Time(0) : null;
    }

    /// <summary>Writes an attempt down.</summary>
    /// <param name="next">When it is tried again; null: it is over.</param>
    public static bool Attempted(WriteTransaction write, WaitingEvent one, DateTimeOffset at, TimeSpan took, int status, string error, DateTimeOffset? next)
    {
        if (write.Prepare("UPDATE webhook_delivery SET attempts = ?2, due = ?3, delivered = ?4, body = CASE WHEN ?3 IS NULL THEN NULL ELSE body END WHERE id = ?1 AND due IS NOT NULL")
            .Bind(1, one.Id).Bind(2, one.Attempts + 1).Bind(3, next).Bind(4, error.Length == 0).Run() == 0) return false; // the webhook was removed
        write.Prepare("INSERT INTO webhook_attempt (delivery_id, number, at, took, status, error) VALUES (?, ?, ?, ?, ?, ?)")
            .Bind(1, one.Id).Bind(2, one.Attempts + 1).Bind(3, at).Bind(4, (long)took.TotalMilliseconds).Bind(5, status).Bind(6, error).Run();
        return true;
    }

    /// <summary>Newest first.</summary>
    public static List<WebhookDelivery> Deliveries(ReadTransaction read, long webhook, int limit)
    {
        var found = new List<WebhookDelivery>();
        using (var rows = read.Prepare("SELECT id, event_id, event, at, due, delivered FROM webhook_delivery WHERE webhook_id = ? ORDER BY id DESC LIMIT ?").Bind(1, webhook).Bind(2, limit))
            while (rows.Step())
                found.Add(new(rows.Int64(0), rows.String(1), rows.String(2), rows.Time(3), rows.IsNull(4) ? rows.Int32(5) != 0 ? "delivered" : "given-up" : "waiting", rows.IsNull(4) ? null : rows.Time(4), []));
        return [.. found.Select(one => one with { Attempts = Attempts(read, one.Id) })];
    }

    static List<WebhookAttempt> Attempts(ReadTransaction read, long delivery)
    {
        using var rows = read.Prepare("SELECT at, took, status, error FROM webhook_attempt WHERE delivery_id = ? ORDER BY number").Bind(1, delivery);
        var attempts = new List<WebhookAttempt>();
        while (rows.Step()) attempts.Add(new(rows.Time(0), rows.Int64(1), rows.Int32(2), rows.String(3)));
        return attempts;
    }

    /// <summary>Forgets what is over and old, or more than is kept of one webhook, and gives up what was not told in time while its webhook was off.</summary>
    public static void Prune(WriteTransaction write, IEnumerable<long> webhooks, int kept, DateTimeOffset old, DateTimeOffset expired)
    {
        foreach (var id in webhooks)
        {
            write.Prepare("UPDATE webhook_delivery SET due = NULL, body = NULL WHERE webhook_id = ? AND due IS NOT NULL AND at < ?").Bind(1, id).Bind(2, expired).Run();
            write.Prepare("""
                DELETE FROM webhook_delivery WHERE webhook_id = ?1 AND due IS NULL AND (at < ?2
                    OR id <= (SELECT id FROM webhook_delivery WHERE webhook_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?3))
                """).Bind(1, id).Bind(2, old).Bind(3, kept).Run();
        }
        write.Prepare("DELETE FROM webhook_attempt WHERE delivery_id NOT IN (SELECT id FROM webhook_delivery)").Run();
    }
}
