using System.Globalization;
using CbaMail.Correspondents;
using CbaMail.Envelope;

namespace CbaMail.Inbound.Checks;

/// <summary>
/// Greylisting: the first attempt of a stranger is answered "try again" (RFC 6647). Asked at RCPT; for the null sender at DATA, since those who
/// verify an address ask for it with the null sender and go (RFC 6647 2.3 calls that out). Spared is whom we know or who is vouched for:
/// those the recipient has written to, clients that have passed often, good lists, authenticated senders.
/// </summary>
public sealed class GreylistCheck(Acquaintances acquaintances, ClientLookups lookups, CorrespondentBook? correspondents) : Check
{
    public override async ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel)
    {
        if (arrival.Visit.Standing is not { IsAllowed: false } standing || arrival.SignedIn is not null) return null;
        if ((arrival.Sender is null) != (arrival.Asked is null)) return null; // <> at RCPT, others at DATA
        await lookups.SettleAsync(standing);
        if (standing.IsAllowed || arrival.Weight < 0 || arrival.Authenticated is not null || acquaintances.IsTrusted(standing.Pool)) return null;
        return arrival.Asked is { } asked ? Ask(arrival, standing, asked) : AskAll(arrival, standing);
    }

    Refusal? AskAll(Arrival arrival, Standing standing)
    {
        Refusal? refusal = null;
        foreach (var recipient in arrival.Recipients) refusal ??= Ask(arrival, standing, recipient);
        return refusal;
    }

    Refusal? Ask(Arrival arrival, Standing standing, ArrivalRecipient recipient)
    {
        if (arrival.Sender is { } sender && correspondents is not null)
            foreach (var target in recipient.Targets)
                if (target.Account is { } account && correspondents.IsKnown(account.Id, sender)) return null;
        var wait = acquaintances.Try(standing.Pool, arrival.Sender?.DomainKey ?? "<>", recipient.Address.Key);
        if (wait <= TimeSpan.Zero)
        {
            arrival.HasWaited = true;
            return null;
        }
        return new Refusal(451, "4.7.1", "UNAVAILABLE", 503, string.Create(CultureInfo.InvariantCulture,
            $"We do not know each other yet: please send this again in {Math.Ceiling(wait.TotalSeconds)} seconds (greylisting)"));
    }
}
