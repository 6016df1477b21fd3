using CbaMail.Config;
using CbaMail.Directory;
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
    /// <summary>The domain that passes it on, where the reverse-path does not tell: that of a notice is empty. Of what is not <see cref="Forwarded"/>: it is ours, a list's, and is signed.</summary>
    public string? Sealer { get; init; }
    /// <summary>Came with REQUIRETLS (RFC 8689 2).</summary>
    public bool RequireTls { get; init; }
    /// <summary>RFC 6710: -9 to 9, within the class.</summary>
    public int Priority { get; init; }
    /// <summary>RFC 4865: not before; null: at once.</summary>
    public DateTimeOffset? ReleaseAt { get; init; }
    /// <summary>What its sender asked for, as notices repeat it: "for;3600", "until;2026-03-02T09:00:00Z" (RFC 4865 5.1.2), or null.</summary>
    public string? HoldRequest { get; init; }
    public DeliverBy? By { get; init; }
    /// <summary>Without angle brackets, or null.</summary>
    public string? MessageId { get; init; }
    /// <summary>Decoded, or null; kept cut.</summary>
    public string? Subject { get; init; }
    /// <summary>Who submitted it, or null.</summary>
    public long? Account { get; init; }
    /// <summary>The mailing that it is a copy of, or null.</summary>
    public long? Mailing { get; init; }
    /// <summary>Id of the transaction that brought it, as on the log lines.</summary>
    public string Arrival { get; init; } = "";
    /// <summary>Whole header fields that stand before the content, of this entry alone; or null.</summary>
    public byte[]? Top { get; init; }
    /// <summary>How long it is tried; null: as the settings say.</summary>
    public TimeSpan? Expire { get; init; }
}

/// <summary>The durable list of mail that leaves: enqueue, claim, reschedule, done. It calls nobody; the workers are in Delivery.</summary>
public sealed partial class MailQueue
{
    readonly Store store;
    readonly MailStore mail;
    readonly TimeProvider time;
    readonly QueueSettings settings;
    readonly Schedule schedule;
    readonly QueueClock clock;

    static readonly TimeSpan JumpOf = TimeSpan.FromMinutes(2);

    /// <summary>Reads what the last run left: all of it is due when its row says so, nothing is skipped.</summary>
    public MailQueue(Store store, MailStore mail, TimeProvider time, Settings? settings = null, UserDirectory? directory = null, Secrets? secrets = null)
    {
        this.directory = directory;
        (this.store, this.mail, this.time) = (store, mail, time);
        this.settings = settings?.Queue ?? new QueueSettings();
        schedule = new Schedule(MakePace, this.settings.Connections, this.settings.BulkConnections);
        clock = new QueueClock(time);
        Trail = new Trail(store, time, this.settings);
        Rules = new QueueRules(store, time);
        var bounces = settings?.Bounces ?? new BounceSettings();
        Suppressions = new Suppressions(store, time, bounces);
        Bounces = new BounceAddresses(store, time, bounces, secrets);
        using var transaction = store.Read();
        RestorePaces(transaction);
        QueueTable.ForEachWaiting(transaction, (item, domain, standing, due) => Add(item, Key(domain), standing, due));
    }

    /// <summary>What became of each message.</summary>
    public Trail Trail { get; }
    /// <summary>What is held before it is tried.</summary>
    public QueueRules Rules { get; }
    /// <summary>Who is left out of mailings.</summary>
    public Suppressions Suppressions { get; }
    /// <summary>Return addresses that name what they return.</summary>
    public BounceAddresses Bounces { get; }

    internal Schedule Schedule => schedule;
    public TimeProvider Time => time;
    public QueueSettings Settings => settings;

    /// <summary>
    /// Runs in the transaction that settles a recipient with a ledger row: the mailing ledger listens (architecture.md: one durable step).
    /// </summary>
    public event Action<WriteTransaction, RemoteOutcome>? Outcome;

    /// <summary>Runs in the transaction that settles any recipient: how, as "delivered", "deferred", "bounced" or "dropped".</summary>
    public event Action<WriteTransaction, QueuedMessage, RecipientOutcome, string>? Settled;

    /// <summary>The destination of what is for mailboxes here.</summary>
    internal const string Here = "(here)";

    readonly UserDirectory? directory;

    string Key(string domain) => directory?.FindDomain(domain) is { Policy.RelayTo: null } ? Here : DestinationOf(domain).Key;

    /// <summary>Where mail of a domain goes: a relay domain of ours to the server that its policy names, every other by the routes of the settings.</summary>
    internal Destination DestinationOf(string domain) =>
        directory?.FindDomain(domain)?.Policy.RelayTo is { } relay && RelayAddress.Parse(relay) is { Host: { } host, Port: var port }
            ? new Destination($"{host}:{port}/", new RouteSettings { Domain = domain, Host = host, Port = port })
            : Destination.Of(domain, settings.Routes);

    /// <summary>Adds the entry in the caller's transaction, holds the content, and wakes the workers after the commit.</summary>
    /// <returns>The queue id, as shown to people.</returns>
    public long Enqueue(WriteTransaction transaction, NewQueueEntry entry)
    {
        ArgumentOutOfRangeException.ThrowIfZero(entry.Recipients.Count);
        var now = clock.Now;
        mail.AddReference(transaction, entry.Content.Id);
        // what is to wait has its whole time from then on
        var due = entry.ReleaseAt is { } release && release > now ? release : now;
        var id = QueueTable.InsertMessage(transaction, entry, now, due + (entry.Expire ?? (entry.ReversePath is null ? settings.BounceExpire : settings.Expire)));
        if (entry.Forwarded) QueueTable.MarkForwarded(transaction, id);
        var ready = new List<(QueueItem, string)>(entry.Recipients.Count);
        for (var i = 0; i < entry.Recipients.Count; i++)
        {
            var rule = Rules.Holding(transaction, entry, entry.Recipients[i].Address);
            QueueTable.InsertRecipient(transaction, id, i, entry.Recipients[i], due, rule);
            if (rule is null) ready.Add((new QueueItem(id, i), Key(entry.Recipients[i].Address.DomainKey)));
        }
        transaction.OnCommitted(() =>
        {
            foreach (var (item, key) in ready) Add(item, key, new Standing(entry.Class, entry.Priority), due);
        });
        return id;
    }

    /// <summary>Whether mail for a domain would have to wait now: all is held, or the pace of its servers lets nothing go for a while.</summary>
    internal bool Waits(string domain) => schedule.Waits(Key(domain));

    // ---- for the workers

    /// <summary>Takes the next message of a destination of the lane; null when nothing is ready, or nothing may go yet.</summary>
    /// <param name="fresh">The worker was just started or woken.</param>
    /// <param name="stay">The destination that the worker is connected to.</param>
    /// <param name="only">Nothing but that destination's, whatever its class and the pace.</param>
    internal QueueClaim? Claim(string lane, bool fresh, string? stay = null, bool only = false)
    {
        for (; ; fresh = false)
        {
            var items = schedule.Claim(lane, settings.RecipientsPerTransaction, fresh, clock.Steady, out var destination, stay, only);
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
                    else
                    {
                        schedule.Release([item]); // dropped, held or put off since: its row decides
                        if (QueueTable.Waiting(transaction, item) is { } put && put.Due > now) Add(item, destination, put.Standing, put.Due);
                    }
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
        foreach (var outcome in outcomes) found += Settle(transaction, claim.Message, outcome);
        if (QueueTable.DeleteIfDone(transaction, claim.Message.Id) is { } content) mail.DropReference(transaction, content);
        transaction.OnCommitted(() =>
        {
            schedule.Release(claim.Recipients.Select(Item));
            foreach (var outcome in outcomes)
                if (outcome.State == OutcomeState.Deferred)
                    Add(Item(outcome.Recipient), claim.Destination, claim.Message.Standing, outcome.NextAttempt ?? outcome.At);
        });
        return found;
    }

    int Settle(WriteTransaction transaction, QueuedMessage message, RecipientOutcome outcome)
    {
        var row = outcome.Recipient;
        var changed = outcome.State == OutcomeState.Deferred
            ? QueueTable.Defer(transaction, outcome, outcome.NextAttempt ?? outcome.At)
            : QueueTable.DeleteRecipient(transaction, row.MessageId, row.Sequence);
        if (changed == 0 || !outcome.Counts) return changed;
        var cause = outcome.State == OutcomeState.Delivered ? null : outcome.Verdict.Word;
        if (row.LedgerId is { } ledger)
            Outcome?.Invoke(transaction, new RemoteOutcome(ledger, Word(outcome.State), outcome.Reply, outcome.Host, outcome.Tls, outcome.At, cause));
        if (outcome.State == OutcomeState.Deferred)
        {
            TrailTable.AddAttempt(transaction, outcome);
            Settled?.Invoke(transaction, message, outcome, Word(outcome.State));
        }
        else Finish(transaction, message, outcome, Word(outcome.State), cause);
        if (outcome.State == OutcomeState.Delivered) Suppressions.RecordAlive(transaction, row.Address);
        else if (outcome is { State: OutcomeState.Bounced, Verdict: { Cause: BounceCause.Dead } verdict })
            Suppressions.RecordDead(transaction, row.Address, message.Mailing is { } mailing ? $"mailing {mailing}" : $"queue {message.Id}", verdict.OfDomain, outcome.Reply);
        return changed;
    }

    /// <summary>What ended is kept for the trace; a mailing's ledger has it already.</summary>
    void Finish(WriteTransaction transaction, QueuedMessage message, RecipientOutcome outcome, string word, string? cause)
    {
        Settled?.Invoke(transaction, message, outcome, word);
        if (outcome.Recipient.LedgerId is null && Trail.IsKept) TrailTable.Finish(transaction, message, outcome, word, cause);
        else if (outcome.Recipient.Attempts > 0) TrailTable.ForgetAttempts(transaction, outcome.Recipient.MessageId, outcome.Recipient.Sequence);
    }

    /// <summary>Gives a claim back untried, to be taken again after a pause: the worker was stopped or could not commit.</summary>
    internal void Abandon(QueueClaim claim) => PutBack(claim.Destination, [.. claim.Recipients.Select(Item)], claim.Message.Standing);

    void PutBack(string destination, IReadOnlyList<QueueItem> items, Standing standing)
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

    void Add(QueueItem item, string destination, Standing standing, DateTimeOffset due)
    {
        var (steady, pause) = (clock.Steady, due - clock.Now);
        schedule.Add(item, destination, standing, steady + (pause < LongestPause ? pause : LongestPause), steady);
    }

    /// <summary>Where the machine's clock has been set, moves all rows along with it, so that the age of everything stays.</summary>
    internal async Task FollowClockAsync()
    {
        var skew = clock.Skew;
        if (skew.Duration() < JumpOf) return;
        await store.StartCommit(transaction =>
        {
            QueueTable.Move(transaction, skew);
            // what is to be released at a time is not moved along, so it comes nearer or goes further off
            var scheduled = QueueTable.Scheduled(transaction);
            transaction.OnCommitted(() =>
            {
                clock.Move(skew);
                foreach (var (item, domain, standing, due) in scheduled) Add(item, Key(domain), standing, due);
            });
            return true;
        });
    }
}
