using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Queue;

/// <summary>The rows of the queue: all its SQL.</summary>
internal static class QueueTable
{
    public static long InsertMessage(WriteTransaction transaction, NewQueueEntry entry, DateTimeOffset created, DateTimeOffset expires)
    {
        transaction.Prepare("INSERT INTO queue_message (sender, content_id, size, ret, envid, smtputf8, eightbit, class, created, expires, priority, message_id, subject, account_id, mailing_id, arrival, release_at, deliver_by, by_mode, require_tls, hold_request, sealer, top) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")
            .Bind(1, entry.ReversePath?.ToString() ?? "").Bind(2, entry.Content.Id).Bind(3, entry.Content.Size)
            .Bind(4, entry.Return).Bind(5, entry.EnvelopeId).Bind(6, entry.SmtpUtf8).Bind(7, entry.EightBit).Bind(8, (long)entry.Class)
            .Bind(9, created).Bind(10, expires).Bind(11, (long)entry.Priority).Bind(12, entry.MessageId).Bind(13, Short(entry.Subject))
            .Bind(14, entry.Account).Bind(15, entry.Mailing).Bind(16, entry.Arrival.Length > 0 ? entry.Arrival : null)
            .Bind(17, entry.ReleaseAt).Bind(18, entry.By?.Deadline).Bind(19, entry.By?.Mode).Bind(20, entry.RequireTls)
            .Bind(21, entry.HoldRequest).Bind(22, entry.Sealer).BindOrNull(23, entry.Top).Run();
        return transaction.LastInsertId;
    }

    static string? Short(string? subject) => subject is { Length: > 120 } ? subject[..(char.IsHighSurrogate(subject[119]) ? 119 : 120)] : subject;

    public static void MarkForwarded(WriteTransaction transaction, long id) =>
        transaction.Prepare("UPDATE queue_message SET forwarded=1 WHERE id=?").Bind(1, id).Run();

    public static void InsertRecipient(WriteTransaction transaction, long messageId, int sequence, QueueRecipient recipient, DateTimeOffset next, long? rule) =>
        transaction.Prepare("INSERT INTO queue_recipient (message_id, seq, address, domain, notify, orcpt, ledger_id, next_attempt, held, rule_id, attempts, delay_told) VALUES (?,?,?,?,?,?,?,?,?,?,0,0)")
            .Bind(1, messageId).Bind(2, (long)sequence).Bind(3, recipient.Address.ToString()).Bind(4, recipient.Address.DomainKey)
            .Bind(5, recipient.Notify).Bind(6, recipient.OriginalRecipient).Bind(7, recipient.LedgerId).Bind(8, next).Bind(9, rule is not null).Bind(10, rule).Run();

    public static int DeleteRecipient(WriteTransaction transaction, long messageId, int sequence) =>
        transaction.Prepare("DELETE FROM queue_recipient WHERE message_id=? AND seq=?").Bind(1, messageId).Bind(2, (long)sequence).Run();

    public static int Defer(WriteTransaction transaction, RecipientOutcome outcome, DateTimeOffset next) =>
        transaction.Prepare("UPDATE queue_recipient SET attempts=attempts+?, next_attempt=?, delay_told=delay_told|?, last_attempt=?, last_reply=?, last_host=? WHERE message_id=? AND seq=?")
            .Bind(1, outcome.Counts).Bind(2, next).Bind(3, outcome.TellDelay).Bind(4, outcome.At).Bind(5, outcome.Reply).Bind(6, outcome.Host)
            .Bind(7, outcome.Recipient.MessageId).Bind(8, (long)outcome.Recipient.Sequence).Run();

    /// <summary>Removes the message if nobody waits for it any more; returns the content that it held, or null.</summary>
    public static long? DeleteIfDone(WriteTransaction transaction, long messageId)
    {
        if (transaction.Prepare("SELECT 1 FROM queue_recipient WHERE message_id=? LIMIT 1").Bind(1, messageId).Scalar() is not null) return null;
        var content = transaction.Prepare("SELECT content_id FROM queue_message WHERE id=?").Bind(1, messageId).Scalar();
        if (content is not null) transaction.Prepare("DELETE FROM queue_message WHERE id=?").Bind(1, messageId).Run();
        return content;
    }

    public static QueuedMessage? Message(ReadTransaction transaction, long id) => Message(transaction.Prepare, id);

    public static QueuedMessage? Message(Func<string, Statement> prepare, long id)
    {
        using var row = prepare("SELECT sender, content_id, size, ret, envid, smtputf8, eightbit, class, created, expires, priority, message_id, account_id, mailing_id, arrival, release_at, deliver_by, by_mode, require_tls, forwarded, hold_request, sealer, top FROM queue_message WHERE id=?").Bind(1, id);
        if (!row.Step()) return null;
        MailAddress.TryParse(row.String(0), out var sender);
        return new QueuedMessage(id, sender, row.Int64(1), row.Int64(2), row.Text(3), row.Text(4), row.Bool(5), row.Bool(6), (MailClass)row.Int32(7), row.Time(8), row.Time(9))
        {
            RequireTls = row.Bool(18),
            Forwarded = row.Bool(19),
            HoldRequest = row.Text(20),
            Sealer = row.Text(21),
            Top = row.IsNull(22) ? null : row.Blob(22).ToArray(),
            Priority = row.Int32(10),
            MessageId = row.Text(11),
            Account = row.IsNull(12) ? null : row.Int64(12),
            Mailing = row.IsNull(13) ? null : row.Int64(13),
            Arrival = row.String(14),
            ReleaseAt = row.TimeOrNull(15),
            By = row.TimeOrNull(16) is { } deadline && row.String(17) is var mode ? new DeliverBy(deadline, mode.StartsWith('R'), mode.EndsWith('T')) : null,
        };
    }

    /// <summary>The recipient if it is to be tried by <paramref name="now"/>; null when it is gone, held or put off.</summary>
    /// <param name="latest">No row of ours says later, unless it is to be released then: one that does was written by a clock that was ahead, and is due.</param>
    public static QueuedRecipient? Due(ReadTransaction transaction, QueueItem item, DateTimeOffset now, DateTimeOffset latest)
    {
        using var row = transaction.Prepare(RecipientColumns + "AND held=0 AND (next_attempt<=?3 OR (next_attempt>?4 AND coalesce((SELECT release_at FROM queue_message WHERE id=?1), 0) < next_attempt))")
            .Bind(1, item.MessageId).Bind(2, (long)item.Sequence).Bind(3, now).Bind(4, latest);
        return Recipient(row, item);
    }

    public static QueuedRecipient? Recipient(Func<string, Statement> prepare, QueueItem item)
    {
        using var row = prepare(RecipientColumns).Bind(1, item.MessageId).Bind(2, (long)item.Sequence);
        return Recipient(row, item);
    }

    const string RecipientColumns = "SELECT address, domain, notify, orcpt, ledger_id, attempts, delay_told FROM queue_recipient WHERE message_id=?1 AND seq=?2 ";

    static QueuedRecipient? Recipient(Statement row, QueueItem item)
    {
        if (!row.Step() || !MailAddress.TryParse(row.String(0), out var address)) return null;
        return new QueuedRecipient(item.MessageId, item.Sequence, address, row.String(1), row.Text(2), row.Text(3),
            row.IsNull(4) ? null : row.Int64(4), row.Int32(5), row.Bool(6));
    }

    /// <summary>When a recipient that is not held is due; null when it is gone or held.</summary>
    public static (Standing Standing, DateTimeOffset Due)? Waiting(ReadTransaction transaction, QueueItem item)
    {
        using var row = transaction.Prepare("SELECT m.class, m.priority, r.next_attempt FROM queue_recipient r JOIN queue_message m ON m.id=r.message_id WHERE r.message_id=? AND r.seq=? AND r.held=0")
            .Bind(1, item.MessageId).Bind(2, (long)item.Sequence);
        return row.Step() ? (Standing(row, 0), row.Time(2)) : null;
    }

    static Standing Standing(Statement row, int column) => new((MailClass)row.Int32(column), row.Int32(column + 1));

    /// <summary>What waits for its release.</summary>
    public static List<(QueueItem Item, string Domain, Standing Standing, DateTimeOffset Due)> Scheduled(WriteTransaction transaction)
    {
        var all = new List<(QueueItem, string, Standing, DateTimeOffset)>();
        using var row = transaction.Prepare("SELECT r.message_id, r.seq, r.domain, m.class, m.priority, r.next_attempt FROM queue_message m CROSS JOIN queue_recipient r ON r.message_id=m.id WHERE m.release_at=r.next_attempt AND r.held=0");
        while (row.Step()) all.Add((new QueueItem(row.Int64(0), row.Int32(1)), row.String(2), Standing(row, 3), row.Time(5)));
        return all;
    }

    /// <summary>Moves all times: the clock has been set.</summary>
    public static void Move(WriteTransaction transaction, TimeSpan by)
    {
        var milliseconds = (long)by.TotalMilliseconds;
        transaction.Prepare("UPDATE queue_message SET created=created+?1, expires=expires+?1").Bind(1, milliseconds).Run();
        // RFC 4865 3: a time of release is a time of the day
        transaction.Prepare("UPDATE queue_recipient SET last_attempt=last_attempt+?1, next_attempt=next_attempt + CASE WHEN next_attempt = (SELECT release_at FROM queue_message WHERE id=queue_recipient.message_id) THEN 0 ELSE ?1 END")
            .Bind(1, milliseconds).Run();
    }

    /// <summary>Every recipient that is not held, in the order in which it is due.</summary>
    public static void ForEachWaiting(ReadTransaction transaction, Action<QueueItem, string, Standing, DateTimeOffset> take)
    {
        using var row = transaction.Prepare("SELECT r.message_id, r.seq, r.domain, m.class, m.priority, r.next_attempt FROM queue_recipient r JOIN queue_message m ON m.id=r.message_id WHERE r.held=0 ORDER BY r.message_id, r.seq");
        while (row.Step()) take(new QueueItem(row.Int64(0), row.Int32(1)), row.String(2), Standing(row, 3), row.Time(5));
    }

    /// <summary>The recipients of a message, inside the transaction.</summary>
    public static List<FoundRecipient> Rows(WriteTransaction transaction, long id)
    {
        var rows = new List<FoundRecipient>();
        using var row = transaction.Prepare("SELECT r.message_id, r.seq, r.domain, m.class, m.priority, r.held, r.ledger_id FROM queue_recipient r JOIN queue_message m ON m.id=r.message_id WHERE r.message_id=?").Bind(1, id);
        while (row.Step())
            rows.Add(new FoundRecipient(new QueueItem(row.Int64(0), row.Int32(1)), row.String(2), Standing(row, 3), row.Bool(5), row.IsNull(6) ? null : row.Int64(6)));
        return rows;
    }

    /// <summary>The numbers of a message's recipients, in order.</summary>
    public static List<int> Sequences(ReadTransaction transaction, long id)
    {
        var all = new List<int>();
        using var row = transaction.Prepare("SELECT seq FROM queue_recipient WHERE message_id=? ORDER BY seq").Bind(1, id);
        while (row.Step()) all.Add(row.Int32(0));
        return all;
    }

    /// <summary>A rule that held it lets go with the release.</summary>
    public static void SetHeld(WriteTransaction transaction, QueueItem item, bool held) =>
        transaction.Prepare("UPDATE queue_recipient SET held=?1, rule_id=CASE WHEN ?1 THEN rule_id END WHERE message_id=?2 AND seq=?3")
            .Bind(1, held).Bind(2, item.MessageId).Bind(3, (long)item.Sequence).Run();

    /// <param name="unlessScheduled">Leaves what is to be released later.</param>
    public static void SetDue(WriteTransaction transaction, QueueItem item, DateTimeOffset due, bool unlessScheduled) =>
        transaction.Prepare("UPDATE queue_recipient SET next_attempt=min(next_attempt,?1) WHERE message_id=?2 AND seq=?3 AND NOT (?4 AND next_attempt > ?1 AND next_attempt = coalesce((SELECT release_at FROM queue_message WHERE id=?2), 0))")
            .Bind(1, due).Bind(2, item.MessageId).Bind(3, (long)item.Sequence).Bind(4, unlessScheduled).Run();

    /// <summary>Puts the next attempt to a time, be it later or earlier.</summary>
    public static void SetDueAt(WriteTransaction transaction, QueueItem item, DateTimeOffset due)
    {
        transaction.Prepare("UPDATE queue_recipient SET next_attempt=? WHERE message_id=? AND seq=?").Bind(1, due).Bind(2, item.MessageId).Bind(3, (long)item.Sequence).Run();
        transaction.Prepare("UPDATE queue_message SET release_at=?1, expires=max(expires,?1) WHERE id=?2").Bind(1, due).Bind(2, item.MessageId).Run();
    }

    public static QueueCounts Counts(ReadTransaction transaction, int active)
    {
        using var messages = transaction.Prepare("SELECT count(*), min(created) FROM queue_message");
        messages.Step();
        using var recipients = transaction.Prepare("SELECT count(*), coalesce(sum(held=0 AND attempts>0),0), coalesce(sum(held),0) FROM queue_recipient");
        recipients.Step();
        return new QueueCounts(messages.Int32(0), recipients.Int32(0), recipients.Int32(1), recipients.Int32(2), active, messages.TimeOrNull(1));
    }

    // ---- for verification

    /// <summary>The body of every message.</summary>
    public static List<long> Contents(ReadTransaction read)
    {
        using var row = read.Prepare("SELECT content_id FROM queue_message");
        var all = new List<long>();
        while (row.Step()) all.Add(row.Int64(0));
        return all;
    }

    public static List<string> Holding(ReadTransaction read, long contentId)
    {
        using var row = read.Prepare("SELECT id, sender FROM queue_message WHERE content_id = ? LIMIT 10").Bind(1, contentId);
        var all = new List<string>();
        while (row.Step()) all.Add($"queue {row.Int64(0)} from <{row.String(1)}> (remove it with: cbamail queue drop {row.Int64(0)})");
        return all;
    }

    public static List<HolderFault> Wrong(ReadTransaction read)
    {
        var all = new List<HolderFault>();
        using (var row = read.Prepare("SELECT id, sender FROM queue_message m WHERE NOT EXISTS (SELECT 1 FROM queue_recipient r WHERE r.message_id = m.id)"))
            while (row.Step())
            {
                var (id, sender) = (row.Int64(0), row.String(1));
                all.Add(new HolderFault($"queue {id} has no recipient any more", $"Queue {id}, whose recipients are lost, was given back to {(sender.Length > 0 ? sender : "the administrator")}, into a mailbox of its own.",
                    write => DeleteIfDone(write, id), sender));
            }
        using (var row = read.Prepare("SELECT DISTINCT message_id FROM queue_recipient r WHERE NOT EXISTS (SELECT 1 FROM queue_message m WHERE m.id = r.message_id)"))
            while (row.Step())
            {
                var id = row.Int64(0);
                all.Add(new HolderFault($"queue {id} has recipients but no message", $"The recipients of queue {id}, whose message is lost, were removed.", write =>
                {
                    write.Prepare("DELETE FROM queue_recipient WHERE message_id = ?1 AND NOT EXISTS (SELECT 1 FROM queue_message WHERE id = ?1)").Bind(1, id).Run();
                    return null;
                }));
            }
        return all;
    }
}
