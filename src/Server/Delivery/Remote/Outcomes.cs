using CbaMail.Config;
using CbaMail.Queue;
using CbaMail.Smtp.Client;

namespace CbaMail.Delivery.Remote;

/// <summary>Who is to be told what of an attempt (RFC 3461 4.1, 5.2).</summary>
internal sealed record Tidings(
    IReadOnlyList<RecipientOutcome> Failed, IReadOnlyList<RecipientOutcome> Delayed, IReadOnlyList<RecipientOutcome> Relayed);

/// <summary>From the peer's replies to what happens with each recipient. Pure: time and randomness are passed in.</summary>
internal static class Outcomes
{
    /// <param name="replies">One a recipient of the claim, in order.</param>
    /// <param name="random">From 0 up to, not including, 1; asked once a recipient.</param>
    public static IReadOnlyList<RecipientOutcome> Of(
        QueueClaim claim, IReadOnlyList<ClientReply> replies, string host, string? tls, DateTimeOffset now, QueueSettings settings, Func<double> random)
    {
        var settled = replies.Any(reply => !reply.IsTemporary);
        var outcomes = new List<RecipientOutcome>(replies.Count);
        for (var i = 0; i < replies.Count; i++)
        {
            var (reply, recipient) = (replies[i], claim.Recipients[i]);
            var outcome = new RecipientOutcome(recipient, OutcomeState.Delivered, reply.ToString(), reply.Status, host, tls, now);
            if (reply.IsPositive) { }
            else if (reply.IsPermanent) outcome = outcome with { State = OutcomeState.Bounced };
            // RFC 5321 4.5.3.1.10: too many at once is no failure; they go with the next transaction, as long as each gets somebody further
            else if (reply is { Code: 452, Status: "4.5.3" or "4.3.1" } && settled) outcome = outcome with { State = OutcomeState.Deferred, NextAttempt = now, Counts = false };
            // RFC 2852 4.1.3: after its time it is of no use
            else if (claim.Message.By is { Return: true } by && by.Deadline <= now) outcome = outcome with { State = OutcomeState.Bounced, Status = "5.4.7", Reply = $"Not delivered within the time that was asked for; last: {reply}" };
            // our own bound, not the server's: the mail waits until that is over, and is not returned for it
            else if (reply.Pause is { } pause)
                outcome = outcome with { State = OutcomeState.Deferred, NextAttempt = Before(claim.Message.By, now + Within(pause, random()), now), Counts = false, TellDelay = TellsDelay(claim.Message, recipient, now, settings) };
            else if (Retry.Next(recipient.Attempts + 1, now, Deadline(claim.Message, recipient, now, settings), settings, random()) is { } next)
                outcome = outcome with { State = OutcomeState.Deferred, NextAttempt = Before(claim.Message.By, next, now), TellDelay = TellsDelay(claim.Message, recipient, now, settings) };
            // RFC 3463 3.5 X.4.7: it has taken too long
            else outcome = outcome with { State = OutcomeState.Bounced, Status = "5.4.7", Reply = $"Given up after {Span(now - claim.Message.Created)}; last: {reply}" };
            outcomes.Add(outcome);
        }
        return outcomes;
    }

    // looked at every few hours, as the settings may be changed; a little apart, so that not all come at once
    static TimeSpan Within(TimeSpan pause, double random) => (pause < LongestPause ? pause : LongestPause) + TimeSpan.FromSeconds(1 + 59 * random);

    static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    static DateTimeOffset Deadline(QueuedMessage message, QueuedRecipient recipient, DateTimeOffset now, QueueSettings settings) =>
        Retry.Deadline(message.Created, message.Expires, recipient.Attempts + 1, now, settings);

    // its time is not slept through: it is tried once more just then, or its sender hears of it just then
    static DateTimeOffset Before(DeliverBy? by, DateTimeOffset next, DateTimeOffset now) => by is not null && by.Deadline > now && by.Deadline < next ? by.Deadline : next;

    static bool TellsDelay(QueuedMessage message, QueuedRecipient recipient, DateTimeOffset now, QueueSettings settings) =>
        message.ReversePath is not null && !recipient.DelayTold && Wants(recipient, "DELAY", unsaid: true)
        && (message.By is { Return: false } by ? by.Deadline <= now : Retry.DelayDue(message.ReleaseAt is { } release && release > message.Created ? release : message.Created, now, settings));

    /// <summary>RFC 2852 4.1.3: what is to be returned after its time is not handed over after it. Null: it may go.</summary>
    public static ClientReply? TooLate(QueuedMessage message, DateTimeOffset now) =>
        message.By is { Return: true } by && by.Deadline <= now ? ClientReply.Local(550, "5.4.7", "Not delivered within the time that was asked for") : null;

    static string Span(TimeSpan span) => span.TotalDays >= 2 ? $"{span.TotalDays:0} days" : span.TotalHours >= 2 ? $"{span.TotalHours:0} hours" : $"{span.TotalMinutes:0} minutes";

    /// <summary>RFC 3461 4.1: without NOTIFY the sender hears of failures, and of delays as we like.</summary>
    static bool Wants(QueuedRecipient recipient, string what, bool unsaid) =>
        recipient.Notify is null ? unsaid : recipient.Notify.Split(',').Contains(what, StringComparer.OrdinalIgnoreCase);

    /// <summary>What the sender is told; nothing where there is none (RFC 5321 4.5.5: never a bounce of a bounce).</summary>
    /// <param name="passedOn">The peer has taken the DSN parameters and answers for them from here on (RFC 3461 5.2.1).</param>
    /// <param name="knowsDeadlines">The peer has been told of the deadline (RFC 2852).</param>
    public static Tidings Tell(QueuedMessage message, IReadOnlyList<RecipientOutcome> outcomes, bool passedOn, bool knowsDeadlines = true)
    {
        if (message.ReversePath is null) return new Tidings([], [], []);
        // of a mailing the ledger tells, and who is not told a thousand times reads it
        outcomes = [.. outcomes.Where(outcome => outcome.Recipient.LedgerId is null)];
        return new Tidings(
            [.. outcomes.Where(outcome => outcome.State == OutcomeState.Bounced && Wants(outcome.Recipient, "FAILURE", unsaid: true))],
            [.. outcomes.Where(outcome => outcome.TellDelay)],
            [.. outcomes.Where(outcome => outcome.State == OutcomeState.Delivered && TellsRelay(message.By, outcome, passedOn, knowsDeadlines))]);
    }

    /// <summary>
    /// RFC 3461 5.2.2: a peer without DSN: the sender hears that the trace ends here. RFC 2852 4.1.4: one who asked for a trace hears of each server, and
    /// one who wants to know of lateness hears that nobody will tell from here on.
    /// </summary>
    static bool TellsRelay(DeliverBy? by, RecipientOutcome outcome, bool passedOn, bool knowsDeadlines) =>
        (!passedOn && Wants(outcome.Recipient, "SUCCESS", unsaid: false))
        || (by is not null && (by.Trace || (!by.Return && !knowsDeadlines && outcome.At < by.Deadline)) && !Wants(outcome.Recipient, "NEVER", unsaid: false));
}
