using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Queue;

/// <summary>The rows of the trail, of attempts and of what has left the queue: all their SQL.</summary>
internal static class TrailTable
{
    public static void Add(WriteTransaction transaction, TrailEntry entry, DateTimeOffset at) =>
        transaction.Prepare("INSERT INTO trail (at, kind, arrival, message_id, sender, recipients, size, queue_id, origin, verdict) VALUES (?,?,?,?,?,?,?,?,?,?)")
            .Bind(1, at).Bind(2, (long)entry.Kind).Bind(3, entry.Arrival).Bind(4, entry.MessageId).Bind(5, entry.Sender).Bind(6, entry.Recipients)
            .Bind(7, entry.Size).Bind(8, entry.QueueId).Bind(9, entry.Origin).Bind(10, entry.Verdict).Run();

    public static void AddAttempt(WriteTransaction transaction, RecipientOutcome outcome) =>
        transaction.Prepare("INSERT OR REPLACE INTO queue_attempt (message_id, seq, number, at, host, tls, reply) VALUES (?,?,?,?,?,?,?)")
            .Bind(1, outcome.Recipient.MessageId).Bind(2, (long)outcome.Recipient.Sequence).Bind(3, (long)outcome.Recipient.Attempts + 1)
            .Bind(4, outcome.At).Bind(5, outcome.Host).Bind(6, outcome.Tls).Bind(7, outcome.Reply).Run();

    public static void ForgetAttempts(WriteTransaction transaction, long messageId, int sequence) =>
        transaction.Prepare("DELETE FROM queue_attempt WHERE message_id=? AND seq=?").Bind(1, messageId).Bind(2, (long)sequence).Run();

    /// <param name="word">delivered, bounced or dropped.</param>
    public static void Finish(WriteTransaction transaction, QueuedMessage message, RecipientOutcome outcome, string word, string? cause) =>
        transaction.Prepare("INSERT INTO finished (at, queue_id, seq, class, message_id, sender, recipient, outcome, cause, host, tls, reply, attempts, created) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)")
            .Bind(1, outcome.At).Bind(2, message.Id).Bind(3, (long)outcome.Recipient.Sequence).Bind(4, (long)message.Class).Bind(5, message.MessageId)
            .Bind(6, message.ReversePath?.ToString() ?? "").Bind(7, outcome.Recipient.Address.ToString()).Bind(8, word).Bind(9, cause)
            .Bind(10, outcome.Host).Bind(11, outcome.Tls).Bind(12, outcome.Reply).Bind(13, (long)outcome.Recipient.Attempts + 1).Bind(14, message.Created).Run();

    /// <summary>Removes the oldest rows of each table as far as they are from before a time.</summary>
    /// <returns>How many.</returns>
    public static int Prune(WriteTransaction transaction, DateTimeOffset before, int rows)
    {
        transaction.Prepare("DELETE FROM queue_attempt WHERE (message_id, seq) IN (SELECT queue_id, seq FROM (SELECT queue_id, seq, at FROM finished ORDER BY id LIMIT ?2) WHERE at < ?1)")
            .Bind(1, before).Bind(2, (long)rows).Run();
        return transaction.Prepare("DELETE FROM finished WHERE id IN (SELECT id FROM finished ORDER BY id LIMIT ?2) AND at < ?1").Bind(1, before).Bind(2, (long)rows).Run()
            + transaction.Prepare("DELETE FROM trail WHERE id IN (SELECT id FROM trail ORDER BY id LIMIT ?2) AND at < ?1").Bind(1, before).Bind(2, (long)rows).Run();
    }

    // ---- looking

    /// <summary>Lines that fit, the newest first.</summary>
    public static List<TraceLine> Lines(ReadTransaction transaction, TraceQuestion question, int limit)
    {
        var lines = new List<TraceLine>();
        using var row = transaction.Prepare("""
            SELECT at, kind, arrival, message_id, sender, recipients, size, queue_id, origin, verdict FROM trail
             WHERE (?1 IS NULL OR message_id = ?1) AND (?2 IS NULL OR sender LIKE ?2 ESCAPE '\') AND (?3 IS NULL OR recipients LIKE ?3 ESCAPE '\')
             AND (?4 IS NULL OR queue_id = ?4) AND (?5 IS NULL OR at >= ?5) AND (?6 IS NULL OR at < ?6)
             AND (?7 IS NULL OR arrival LIKE ?7 ESCAPE '\' OR message_id LIKE ?7 ESCAPE '\' OR sender LIKE ?7 ESCAPE '\' OR recipients LIKE ?7 ESCAPE '\' OR origin LIKE ?7 ESCAPE '\' OR verdict LIKE ?7 ESCAPE '\')
             ORDER BY id DESC LIMIT ?8
            """)
            .Bind(1, question.MessageId).Bind(2, QueueFilter.Like(question.Sender)).Bind(3, question.Recipient is { } to ? QueueFilter.Like("*" + to + "*") : null)
            .Bind(4, question.QueueId).Bind(5, question.Since).Bind(6, question.Until).Bind(7, question.Text is { } text ? QueueFilter.Like("*" + text + "*") : null).Bind(8, (long)limit);
        while (row.Step()) lines.Add(Line(row));
        return lines;
    }

    /// <summary>The lines of a queue id.</summary>
    public static List<TraceLine> LinesOf(ReadTransaction transaction, long queueId)
    {
        var lines = new List<TraceLine>();
        using var row = transaction.Prepare("SELECT at, kind, arrival, message_id, sender, recipients, size, queue_id, origin, verdict FROM trail WHERE queue_id = ? ORDER BY id").Bind(1, queueId);
        while (row.Step()) lines.Add(Line(row));
        return lines;
    }

    static TraceLine Line(Statement row) => new(row.Time(0), new TrailEntry(
        (TrailKind)row.Int32(1), row.String(2), row.Text(3), row.String(4), row.String(5), row.Int64(6), row.IsNull(7) ? null : row.Int64(7), row.String(8), row.String(9)));

    /// <summary>Every line of some time, the newest first: the trail is walked from its end.</summary>
    public static void Walk(ReadTransaction transaction, DateTimeOffset since, DateTimeOffset until, Action<DateTimeOffset, TrailEntry> see)
    {
        using var row = transaction.Prepare("SELECT at, kind, arrival, message_id, sender, recipients, size, queue_id, origin, verdict FROM trail ORDER BY id DESC");
        // what was refused is written some seconds late, so a line may be a little older than the one before it
        while (row.Step() && row.Time(0) >= since.AddMinutes(-1))
            if (row.Time(0) >= since && row.Time(0) < until) see(row.Time(0), Line(row).Entry);
    }

    /// <summary>Every recipient that left the queue in some time: when, from whom, and how.</summary>
    public static void WalkFinished(ReadTransaction transaction, DateTimeOffset since, DateTimeOffset until, Action<DateTimeOffset, string, string> see)
    {
        using var row = transaction.Prepare("SELECT at, sender, outcome FROM finished ORDER BY id DESC");
        while (row.Step() && row.Time(0) >= since.AddMinutes(-1))
            if (row.Time(0) >= since && row.Time(0) < until) see(row.Time(0), row.String(1), row.String(2));
    }

    /// <summary>How recipients left the queue.</summary>
    public static List<Tally> Outcomes(ReadTransaction transaction, DateTimeOffset since, DateTimeOffset until)
    {
        var tallies = new List<Tally>();
        using var row = transaction.Prepare("SELECT outcome, count(*) FROM finished WHERE at >= ? AND at < ? GROUP BY outcome ORDER BY count(*) DESC").Bind(1, since).Bind(2, until);
        while (row.Step()) tallies.Add(new Tally(row.String(0), row.Int64(1)));
        return tallies;
    }

    /// <summary>Whose servers sent back how much, and of what class.</summary>
    public static List<Tally> Bounces(ReadTransaction transaction, DateTimeOffset since, DateTimeOffset until, int limit)
    {
        var tallies = new List<Tally>();
        using var row = transaction.Prepare("""
            SELECT substr(recipient, instr(recipient, '@') + 1) || coalesce(' (' || cause || ')', ''), count(*) FROM finished WHERE outcome = 'bounced' AND at >= ? AND at < ?
             GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT ?
            """).Bind(1, since).Bind(2, until).Bind(3, (long)limit);
        while (row.Step()) tallies.Add(new Tally(row.String(0), row.Int64(1)));
        return tallies;
    }

    const string FinishedColumns = "SELECT queue_id, seq, at, class, message_id, sender, recipient, outcome, cause, host, tls, reply, attempts, created FROM finished ";

    /// <summary>What has left the queue and fits, the newest first.</summary>
    public static List<FinishedRecipient> Finished(ReadTransaction transaction, TraceQuestion question, int limit)
    {
        using var row = transaction.Prepare(FinishedColumns + """
             WHERE (?1 IS NULL OR message_id = ?1) AND (?2 IS NULL OR sender LIKE ?2 ESCAPE '\') AND (?3 IS NULL OR recipient LIKE ?3 ESCAPE '\')
             AND (?4 IS NULL OR queue_id = ?4) AND (?5 IS NULL OR at >= ?5) AND (?6 IS NULL OR at < ?6)
             AND (?7 IS NULL OR message_id LIKE ?7 ESCAPE '\' OR sender LIKE ?7 ESCAPE '\' OR recipient LIKE ?7 ESCAPE '\' OR host LIKE ?7 ESCAPE '\' OR reply LIKE ?7 ESCAPE '\')
             ORDER BY id DESC LIMIT ?8
            """)
            .Bind(1, question.MessageId).Bind(2, QueueFilter.Like(question.Sender)).Bind(3, QueueFilter.Like(question.Recipient))
            .Bind(4, question.QueueId).Bind(5, question.Since).Bind(6, question.Until).Bind(7, question.Text is { } text ? QueueFilter.Like("*" + text + "*") : null).Bind(8, (long)limit);
        return Read(row);
    }

    public static List<FinishedRecipient> FinishedOf(ReadTransaction transaction, long queueId)
    {
        using var row = transaction.Prepare(FinishedColumns + "WHERE queue_id = ? ORDER BY seq").Bind(1, queueId);
        return Read(row);
    }

    static List<FinishedRecipient> Read(Statement row)
    {
        var found = new List<FinishedRecipient>();
        while (row.Step())
            found.Add(new FinishedRecipient(row.Int64(0), row.Int32(1), row.Time(2), (MailClass)row.Int32(3), row.Text(4), row.String(5), row.String(6), row.String(7), row.Text(8),
                row.String(9), row.Text(10), row.String(11), row.Int32(12), row.Time(13)));
        return found;
    }

    public static List<QueueAttempt> Attempts(ReadTransaction transaction, long messageId, int sequence)
    {
        var attempts = new List<QueueAttempt>();
        using var row = transaction.Prepare("SELECT at, host, tls, reply FROM queue_attempt WHERE message_id=? AND seq=? ORDER BY number").Bind(1, messageId).Bind(2, (long)sequence);
        while (row.Step()) attempts.Add(new QueueAttempt(row.Time(0), row.String(1), row.Text(2), row.String(3)));
        return attempts;
    }
}
