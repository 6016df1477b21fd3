using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Storage;

namespace CbaMail.Queue;

/// <summary>A recipient to be queued.</summary>
/// <param name="Notify">RFC 3461 4.1 NOTIFY: "NEVER", "SUCCESS,FAILURE,DELAY" in any mix, or null.</param>
/// <param name="OriginalRecipient">RFC 3461 4.2 ORCPT as written, or null.</param>
/// <param name="LedgerId">The mailing ledger's row that waits for the outcome, or null.</param>
public sealed record QueueRecipient(MailAddress Address, string? Notify = null, string? OriginalRecipient = null, long? LedgerId = null);

/// <summary>A message to be queued.</summary>
/// <param name="ReversePath">Null for the null reverse-path &lt;&gt;.</param>
/// <param name="Return">RFC 3461 4.3 RET: "FULL", "HDRS" or null.</param>
/// <param name="EnvelopeId">RFC 3461 4.4 ENVID or null.</param>
/// <param name="Class">Whose turn comes first.</param>
public sealed record NewQueueEntry(
    MailAddress? ReversePath, ContentRef Content, IReadOnlyList<QueueRecipient> Recipients,
    string? Return = null, string? EnvelopeId = null, bool SmtpUtf8 = false, bool EightBit = false, MailClass Class = MailClass.Interactive)
{
    /// <summary>Passed on for somebody: it is sealed when it leaves (RFC 8617).</summary>
    public bool Forwarded { get; init; }

    /// <summary>Came with REQUIRETLS (RFC 8689 2).</summary>
    public bool RequireTls { get; init; }
}

/// <summary>The durable list of mail that leaves: enqueue, claim, reschedule, done. It calls nobody; the workers are in Delivery.</summary>
public sealed class MailQueue
{
    readonly Store store;
    readonly MailStore mail;
    readonly TimeProvider time;
    readonly QueueSettings settings;
    readonly Schedule schedule;
    readonly QueueClock clock;

    static readonly TimeSpan JumpOf = TimeSpan.FromMinutes(2);

    /// <summary>Reads what the last run left: all of it is due when its row says so, nothing is skipped.</summary>
    public MailQueue(Store store, MailStore mail, TimeProvider time, Settings? settings = null)
    {
        (this.store, this.mail, this.time) = (store, mail, time);
        this.settings = settings?.Queue ?? new QueueSettings();
        schedule = new Schedule(this.settings.ConnectionsPerDestination, this.settings.Connections, this.settings.BulkConnections);
        clock = new QueueClock(time);
        using var transaction = store.Read();
        QueueTable.ForEachWaiting(transaction, (item, domain, standing, due) => Add(item, Key(domain), standing, due));
    }

    internal Schedule Schedule => schedule;
    public TimeProvider Time => time;
    public QueueSettings Settings => settings;

    /// <summary>
    /// Runs in the transaction that settles a recipient with a ledger row: the mailing ledger listens (architecture.md: one durable step).
    /// </summary>
    public event Action<WriteTransaction, RemoteOutcome>? Outcome;

    string Key(string domain) => Destination.Of(domain, settings.Routes).Key;

    /// <summary>Adds the entry in the caller's transaction, holds the content, and wakes the workers after the commit.</summary>
    /// <returns>The queue id, as shown to people.</returns>
    public long Enqueue(WriteTransaction transaction, NewQueueEntry entry)
    {
        ArgumentOutOfRangeException.ThrowIfZero(entry.Recipients.Count);
        var now = clock.Now;
        mail.AddReference(transaction, entry.Content.Id);
        var id = QueueTable.InsertMessage(transaction, entry, now, now + (entry.ReversePath is null ? settings.BounceExpire : settings.Expire));
        if (entry.Forwarded) QueueTable.MarkForwarded(transaction, id);
        for (var i = 0; i < entry.Recipients.Count; i++) QueueTable.InsertRecipient(transaction, id, i, entry.Recipients[i], now);
        transaction.OnCommitted(() =>
        {
            for (var i = 0; i < entry.Recipients.Count; i++)
                Add(new QueueItem(id, i), Key(entry.Recipients[i].Address.DomainKey), entry.Class, now);
        });
        return id;
    }

    // ---- for the workers

    /// <summary>Takes the next message of the destination; null when nothing is ready.</summary>
    /// <param name="fresh">The worker was just started or woken.</param>
    internal QueueClaim? Claim(string destination, bool fresh)
    {
        for (; ; fresh = false)
        {
            var items = schedule.Claim(destination, settings.RecipientsPerTransaction, fresh);
            if (items.Count == 0) return null;
            // The lease comes before the look at the row: what the last holder of the lease committed is seen.
            try
            {
                var now = clock.Now;
                using var transaction = store.Read();
                var message = QueueTable.Message(transaction, items[0].MessageId);
                var recipients = new List<QueuedRecipient>(items.Count);
                foreach (var item in items)
                {
                    if (message is not null && QueueTable.Due(transaction, item, now, now + LongestPause) is { } recipient) recipients.Add(recipient);
                    else schedule.Release([item]); // dropped, held or put off since: its row decides
                }
                if (recipients.Count > 0) return new QueueClaim(destination, message!, recipients);
            }
            catch
            {
                PutBack(destination, items, MailClass.Interactive);
                throw;
            }
        }
    }

    /// <summary>Writes the outcomes of a claim; the leases end and the deferred are due again when the transaction is durable.</summary>
    /// <returns>How many of the recipients were still there.</returns>
    internal int Settle(WriteTransaction transaction, QueueClaim claim, IReadOnlyList<RecipientOutcome> outcomes)
    {
        var found = 0;
        foreach (var outcome in outcomes)
        {
            var row = outcome.Recipient;
            var next = outcome.NextAttempt ?? outcome.At;
            var changed = outcome.State == OutcomeState.Deferred
                ? QueueTable.Defer(transaction, outcome, next)
                : QueueTable.DeleteRecipient(transaction, row.MessageId, row.Sequence);
            found += changed;
            if (changed > 0 && row.LedgerId is { } ledger && outcome.Counts)
                Outcome?.Invoke(transaction, new RemoteOutcome(ledger, Word(outcome.State), outcome.Reply, outcome.Host, outcome.Tls, outcome.At));
        }
        if (QueueTable.DeleteIfDone(transaction, claim.Message.Id) is { } content) mail.DropReference(transaction, content);
        transaction.OnCommitted(() =>
        {
            schedule.Release(claim.Recipients.Select(Item));
            foreach (var outcome in outcomes)
                if (outcome.State == OutcomeState.Deferred)
                    Add(Item(outcome.Recipient), claim.Destination, claim.Message.Class, outcome.NextAttempt ?? outcome.At);
        });
        return found;
    }

    /// <summary>Gives a claim back untried, to be taken again after a pause: the worker was stopped or could not commit.</summary>
    internal void Abandon(QueueClaim claim) => PutBack(claim.Destination, [.. claim.Recipients.Select(Item)], claim.Message.Class);

    void PutBack(string destination, IReadOnlyList<QueueItem> items, MailClass standing)
    {
        schedule.Release(items);
        foreach (var item in items) Add(item, destination, standing, clock.Now + TimeSpan.FromSeconds(30));
    }

    static QueueItem Item(QueuedRecipient recipient) => new(recipient.MessageId, recipient.Sequence);

    static string Word(OutcomeState state) => state switch
    {
        OutcomeState.Delivered => "delivered",
        OutcomeState.Deferred => "deferred",
        _ => "bounced",
    };

    /// <summary>The time that stands in the queue's rows.</summary>
    internal DateTimeOffset Now => clock.Now;

    /// <summary>The time by which <see cref="Schedule"/> keeps what is due later.</summary>
    internal DateTimeOffset SteadyNow => clock.Steady;

    /// <summary>No pause of a retry is longer: a row that says otherwise was written by another clock.</summary>
    TimeSpan LongestPause => settings.RetryAfter.DefaultIfEmpty(TimeSpan.FromMinutes(30)).Max() * (1 + Math.Clamp(settings.RetryJitter, 0, 0.9)) + TimeSpan.FromSeconds(10);

    void Add(QueueItem item, string destination, MailClass standing, DateTimeOffset due)
    {
        var (steady, pause) = (clock.Steady, due - clock.Now);
        schedule.Add(item, destination, standing == MailClass.Bulk, steady + (pause < LongestPause ? pause : LongestPause), steady);
    }

    /// <summary>Where the machine's clock has been set, moves all rows along with it, so that the age of everything stays.</summary>
    internal async Task FollowClockAsync()
    {
        var skew = clock.Skew;
        if (skew.Duration() < JumpOf) return;
        await store.StartCommit(transaction =>
        {
            QueueTable.Move(transaction, skew);
            transaction.OnCommitted(() => clock.Move(skew));
            return true;
        });
    }

    // ---- for people

    /// <summary>Messages by rising id, those after <paramref name="after"/>.</summary>
    public IReadOnlyList<QueueEntry> List(long after = 0, int limit = 1000)
    {
        using var transaction = store.Read();
        return QueueTable.List(transaction, after, limit, schedule.IsLeased);
    }

    public Result<QueueEntry> Show(long id)
    {
        using var transaction = store.Read();
        return QueueTable.Show(transaction, id, schedule.IsLeased) is { } entry ? entry : NotFound(id);
    }

    public QueueCounts Counts()
    {
        using var transaction = store.Read();
        return QueueTable.Counts(transaction, schedule.Active);
    }

    /// <summary>Makes a message (null: all that is not held) due now; the schedule of retries goes on from where it was.</summary>
    /// <returns>How many recipients.</returns>
    public ValueTask<Result<int>> RetryAsync(long? id, CancellationToken cancel = default) => store.CommitAsync<Result<int>>(transaction =>
    {
        var rows = QueueTable.Rows(transaction, id);
        if (id is { } one && rows.Count == 0) return NotFound(one);
        var due = rows.Where(row => !row.Held && !schedule.IsLeased(row.Item)).ToList();
        if (id is not null && due.Count == 0 && rows.Exists(row => row.Held)) return Refusal.Conflict.Because($"Message {id} is held; release it first");
        MakeDue(transaction, due.ConvertAll(row => (row.Item, row.Domain, row.Class)));
        return due.Count;
    }, cancel);

    /// <summary>Keeps a message from being tried until it is released. What is on a connection now goes out.</summary>
    public ValueTask<Result<int>> HoldAsync(long id, CancellationToken cancel = default) =>
        store.CommitAsync(transaction => Hold(transaction, id), cancel);

    /// <summary>Whether nothing at all is tried, what comes while it lasts included; it ends with the process. What is on a connection now goes out.</summary>
    public bool IsHeld
    {
        get => schedule.Held;
        set => schedule.Held = value;
    }

    /// <summary>As <see cref="HoldAsync"/>, in the caller's transaction.</summary>
    public Result<int> Hold(WriteTransaction transaction, long id)
    {
        var rows = QueueTable.Rows(transaction, id);
        if (rows.Count == 0) return NotFound(id);
        QueueTable.SetHeld(transaction, id, true);
        return rows.Count(row => !row.Held);
    }

    /// <summary>Ends a hold; the message is due now.</summary>
    public ValueTask<Result<int>> ReleaseAsync(long id, CancellationToken cancel = default) =>
        store.CommitAsync(transaction => Release(transaction, id), cancel);

    /// <summary>As <see cref="ReleaseAsync"/>, in the caller's transaction.</summary>
    public Result<int> Release(WriteTransaction transaction, long id)
    {
        var rows = QueueTable.Rows(transaction, id);
        if (rows.Count == 0) return NotFound(id);
        var held = rows.Where(row => row.Held).Select(row => (row.Item, row.Domain, row.Class)).ToList();
        QueueTable.SetHeld(transaction, id, false);
        MakeDue(transaction, held);
        return held.Count;
    }

    /// <summary>Removes a message without telling its sender. What is on a connection now goes out.</summary>
    public ValueTask<Result<int>> DropAsync(long id, CancellationToken cancel = default) =>
        store.CommitAsync(transaction => Drop(transaction, id), cancel);

    /// <summary>As <see cref="DropAsync"/>, in the caller's transaction; ledger rows that wait are told "bounced".</summary>
    public Result<int> Drop(WriteTransaction transaction, long id, string reason = "Removed from the queue by an administrator")
    {
        var rows = QueueTable.Rows(transaction, id);
        if (rows.Count == 0) return NotFound(id);
        var now = clock.Now;
        foreach (var row in rows)
        {
            QueueTable.DeleteRecipient(transaction, row.Item.MessageId, row.Item.Sequence);
            if (row.Ledger is { } ledger) Outcome?.Invoke(transaction, new RemoteOutcome(ledger, "bounced", reason, "", null, now));
        }
        if (QueueTable.DeleteIfDone(transaction, id) is { } content) mail.DropReference(transaction, content);
        return rows.Count;
    }

    void MakeDue(WriteTransaction transaction, List<(QueueItem Item, string Domain, MailClass Class)> rows)
    {
        var now = clock.Now;
        foreach (var (item, _, _) in rows) QueueTable.SetDue(transaction, item, now);
        transaction.OnCommitted(() =>
        {
            foreach (var (item, domain, standing) in rows) Add(item, Key(domain), standing, now);
        });
    }

    static Refusal NotFound(long id) => Refusal.NoSuchThing.Because($"There is no message {id} in the queue");
}
