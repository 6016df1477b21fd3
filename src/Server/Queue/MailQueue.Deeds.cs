using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Queue;

/// <summary>What can be done with queued mail.</summary>
public enum QueueDeed { Hold, Release, Retry, Drop }

/// <summary>What was done, or in a dry run would have been.</summary>
public sealed record QueueDeedReport(int Messages, int Recipients);

/// <summary>The queue for people: looking, holding, releasing, trying, dropping, by id or by any field.</summary>
public sealed partial class MailQueue
{
    /// <summary>Recipients of one commit: more would keep others waiting.</summary>
    const int PieceRows = 500;

    /// <summary>Recipients of one page of a list.</summary>
    const int PageRecipients = 5000;

    // ---- looking

    /// <summary>Messages by rising id, those after <paramref name="after"/>.</summary>
    public IReadOnlyList<QueueEntry> List(long after = 0, int limit = 1000) => Find(new QueueFilter(), after, limit);

    /// <summary>Messages that fit by rising id, those after <paramref name="after"/>, each with those of its recipients that fit; fewer where those are many.</summary>
    public IReadOnlyList<QueueEntry> Find(QueueFilter filter, long after = 0, int limit = 1000)
    {
        using var transaction = store.Read();
        return QueueSearchTable.Entries(transaction.Prepare, filter, after, limit, PageRecipients, clock.Now, schedule.IsLeased);
    }

    /// <summary>A message with its recipients and what was tried for each.</summary>
    public Result<QueueEntry> Show(long id)
    {
        using var transaction = store.Read();
        if (QueueSearchTable.Entries(transaction.Prepare, new QueueFilter { Id = id }, 0, 1, int.MaxValue, clock.Now, schedule.IsLeased) is not [var entry]) return NotFound(id);
        var number = 0;
        var sequences = QueueTable.Sequences(transaction, id);
        return entry with { Recipients = [.. entry.Recipients.Select(recipient => recipient with { History = TrailTable.Attempts(transaction, id, sequences[number++]) })] };
    }

    /// <summary>What waits by domain, those with most first.</summary>
    public IReadOnlyList<QueueDomain> Domains(int limit = 1000)
    {
        using var transaction = store.Read();
        return QueueSummaryTable.Domains(transaction, limit);
    }

    public QueueCounts Counts()
    {
        using var transaction = store.Read();
        return QueueTable.Counts(transaction, schedule.Active);
    }

    // ---- doing

    /// <summary>Whether nothing at all is tried, what comes while it lasts included; it ends with the process. What is on a connection now goes out.</summary>
    public bool IsHeld
    {
        get => schedule.Held;
        set => schedule.Held = value;
    }

    /// <summary>Does it to every recipient that fits, a piece a commit. What is on a connection now goes out.</summary>
    /// <param name="at">For Retry: when; null: now.</param>
    /// <param name="dry">Only counts.</param>
    public async ValueTask<QueueDeedReport> ApplyAsync(QueueDeed deed, QueueFilter filter, DateTimeOffset? at = null, bool dry = false, CancellationToken cancel = default)
    {
        var messages = new HashSet<long>();
        var recipients = 0;
        var after = new QueueItem(0, -1);
        while (true)
        {
            List<FoundRecipient> page;
            if (dry)
            {
                using var read = store.Read();
                page = QueueSearchTable.Recipients(read.Prepare, filter, after, PieceRows, clock.Now, schedule.IsLeased);
                recipients += Count(page.Where(row => Concerns(deed, row, at)), messages);
            }
            else
            {
                var done = new List<FoundRecipient>();
                page = await store.CommitAsync(transaction =>
                {
                    var rows = QueueSearchTable.Recipients(transaction.Prepare, filter, after, PieceRows, clock.Now, schedule.IsLeased);
                    done = rows.FindAll(row => Concerns(deed, row, at));
                    Do(transaction, deed, done, at);
                    return rows;
                }, cancel);
                recipients += Count(done, messages);
            }
            if (page.Count < PieceRows) return new QueueDeedReport(messages.Count, recipients);
            after = page[^1].Item;
        }
    }

    static int Count(IEnumerable<FoundRecipient> rows, HashSet<long> messages)
    {
        var count = 0;
        foreach (var row in rows)
        {
            count++;
            messages.Add(row.Item.MessageId);
        }
        return count;
    }

    bool Concerns(QueueDeed deed, FoundRecipient row, DateTimeOffset? at) => deed switch
    {
        QueueDeed.Hold => !row.Held,
        QueueDeed.Release => row.Held,
        QueueDeed.Retry => !row.Held && (at is not null || !schedule.IsLeased(row.Item)),
        _ => true,
    };

    void Do(WriteTransaction transaction, QueueDeed deed, List<FoundRecipient> rows, DateTimeOffset? at)
    {
        switch (deed)
        {
            case QueueDeed.Hold:
                foreach (var row in rows) QueueTable.SetHeld(transaction, row.Item, true);
                break;
            case QueueDeed.Release:
                foreach (var row in rows) QueueTable.SetHeld(transaction, row.Item, false);
                MakeDue(transaction, rows, null, released: true);
                break;
            case QueueDeed.Retry:
                MakeDue(transaction, rows, at);
                break;
            default:
                DropRows(transaction, rows, "Removed from the queue by an administrator");
                break;
        }
    }

    /// <summary>Makes a message (null: all that is not held) due now or at a time; the schedule of retries goes on from where it was.</summary>
    /// <returns>How many recipients.</returns>
    public async ValueTask<Result<int>> RetryAsync(long? id, CancellationToken cancel = default, DateTimeOffset? at = null)
    {
        if (id is not { } one) return (await ApplyAsync(QueueDeed.Retry, new QueueFilter(), at, cancel: cancel)).Recipients;
        return await store.CommitAsync<Result<int>>(transaction =>
        {
            var rows = QueueTable.Rows(transaction, one);
            if (rows.Count == 0) return NotFound(one);
            var due = rows.FindAll(row => Concerns(QueueDeed.Retry, row, at));
            if (due.Count == 0 && rows.Exists(row => row.Held)) return Refusal.Conflict.Because($"Message {one} is held; release it first");
            MakeDue(transaction, due, at);
            return due.Count;
        }, cancel);
    }

    /// <summary>Keeps a message from being tried until it is released. What is on a connection now goes out.</summary>
    public ValueTask<Result<int>> HoldAsync(long id, CancellationToken cancel = default) =>
        store.CommitAsync(transaction => Hold(transaction, id), cancel);

    /// <summary>As <see cref="HoldAsync"/>, in the caller's transaction.</summary>
    public Result<int> Hold(WriteTransaction transaction, long id) => Each(transaction, id, QueueDeed.Hold);

    /// <summary>Ends a hold; the message is due now, or when its sender wanted it.</summary>
    public ValueTask<Result<int>> ReleaseAsync(long id, CancellationToken cancel = default) =>
        store.CommitAsync(transaction => Release(transaction, id), cancel);

    /// <summary>As <see cref="ReleaseAsync"/>, in the caller's transaction.</summary>
    public Result<int> Release(WriteTransaction transaction, long id) => Each(transaction, id, QueueDeed.Release);

    /// <summary>Removes a message without telling its sender. What is on a connection now goes out.</summary>
    public ValueTask<Result<int>> DropAsync(long id, CancellationToken cancel = default) =>
        store.CommitAsync(transaction => Drop(transaction, id), cancel);

    /// <summary>As <see cref="DropAsync"/>, in the caller's transaction; ledger rows that wait are told "bounced".</summary>
    public Result<int> Drop(WriteTransaction transaction, long id, string reason = "Removed from the queue by an administrator")
    {
        var rows = QueueTable.Rows(transaction, id);
        if (rows.Count == 0) return NotFound(id);
        DropRows(transaction, rows, reason);
        return rows.Count;
    }

    Result<int> Each(WriteTransaction transaction, long id, QueueDeed deed)
    {
        var rows = QueueTable.Rows(transaction, id);
        if (rows.Count == 0) return NotFound(id);
        rows = rows.FindAll(row => Concerns(deed, row, null));
        Do(transaction, deed, rows, null);
        return rows.Count;
    }

    void DropRows(WriteTransaction transaction, List<FoundRecipient> rows, string reason)
    {
        var now = clock.Now;
        foreach (var group in rows.GroupBy(row => row.Item.MessageId))
        {
            var message = QueueTable.Message(transaction.Prepare, group.Key);
            foreach (var row in group)
            {
                var recipient = QueueTable.Recipient(transaction.Prepare, row.Item);
                QueueTable.DeleteRecipient(transaction, row.Item.MessageId, row.Item.Sequence);
                if (row.Ledger is { } ledger) Outcome?.Invoke(transaction, new RemoteOutcome(ledger, "bounced", reason, "", null, now));
                if (message is not null && recipient is not null) Finish(transaction, message, new RecipientOutcome(recipient, OutcomeState.Bounced, reason, "", "", null, now), "dropped", null);
            }
            if (QueueTable.DeleteIfDone(transaction, group.Key) is { } content) mail.DropReference(transaction, content);
        }
    }

    /// <param name="at">Null: now.</param>
    /// <param name="released">A hold ends: what its sender wants to leave later stays so.</param>
    void MakeDue(WriteTransaction transaction, List<FoundRecipient> rows, DateTimeOffset? at, bool released = false)
    {
        var now = clock.Now;
        var put = new List<(FoundRecipient Row, DateTimeOffset Due)>(rows.Count);
        foreach (var row in rows)
        {
            if (at is { } time) QueueTable.SetDueAt(transaction, row.Item, time);
            else QueueTable.SetDue(transaction, row.Item, now, released);
            put.Add((row, at ?? now));
        }
        transaction.OnCommitted(() =>
        {
            foreach (var (row, due) in put) Add(row.Item, Key(row.Domain), row.Standing, due);
        });
    }

    static Refusal NotFound(long id) => Refusal.NoSuchThing.Because($"There is no message {id} in the queue");
}
