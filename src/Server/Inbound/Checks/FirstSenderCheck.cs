using CbaMail.Config;
using CbaMail.Correspondents;
using CbaMail.Envelope;

namespace CbaMail.Inbound.Checks;

/// <summary>
/// Holds the answer to a stranger's first message back for a while; refuses nobody. Who has waited for greylisting has waited enough. A bounded
/// number waits, none of them on a thread.
/// </summary>
public sealed class FirstSenderCheck(Settings settings, Acquaintances acquaintances, CorrespondentBook? correspondents, TimeProvider time, ILogger log) : Check
{
    readonly TimeSpan delay = settings.Inbound.FirstSender(settings.Evaluation);
    int waiting;

    public override async ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel)
    {
        if (arrival.Visit.Standing is not { IsAllowed: false } standing || arrival.SignedIn is not null || arrival.HasWaited) return null;
        if (acquaintances.IsTrusted(standing.Pool) || acquaintances.IsKnown(standing.Pool, arrival.Sender?.DomainKey ?? "<>") || IsCorrespondent(arrival)) return null;
        if (Interlocked.Increment(ref waiting) <= settings.Inbound.FirstSenderWaiting)
        {
            InboundTelemetry.HeldBack(log, standing.Session, standing.Address, delay);
            try { await Task.Delay(delay, time, arrival.Visit.Leaving); }
            catch (OperationCanceledException) { _ = delay; } // the server stops: what is here is answered now
        }
        Interlocked.Decrement(ref waiting);
        return null;
    }

    bool IsCorrespondent(Arrival arrival) =>
        arrival.Sender is { } sender && correspondents is not null
        && arrival.Recipients.Exists(recipient => recipient.Targets.Any(target => target.Account is { } account && correspondents.IsKnown(account.Id, sender)));
}
