using CbaMail.Envelope;

namespace CbaMail.Inbound.Checks;

/// <summary>Refuses nobody: at MAIL it begins to ask what lists say of the sender's domain, and allows a client that is allowed by its name.</summary>
public sealed class SenderLookupCheck(ClientLookups lookups) : Check
{
    public override async ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel)
    {
        if (arrival.Visit.Standing is not { IsAllowed: false } standing || arrival.SignedIn is not null) return null;
        await lookups.NameAsync(standing);
        arrival.Visit.RemoteName = standing.Reverse.Name;
        arrival.OfSender = lookups.OfSender(standing, arrival.Sender?.DomainKey ?? "");
        return null;
    }
}
