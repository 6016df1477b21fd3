using CbaMail.Config;
using CbaMail.Envelope;

namespace CbaMail.Inbound.Checks;

/// <summary>
/// What the client calls itself: our own name or address is a lie and refused; all else only weighs (RFC 5321 4.1.4: a name that is not true is
/// no ground to refuse).
/// </summary>
public sealed class HelloCheck(Settings settings, ClientLookups lookups) : Check
{
    public override ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel)
    {
        if (arrival.Visit.Standing is not { IsAllowed: false } standing) return ValueTask.FromResult<Refusal?>(null);
        if (!settings.Evaluation && HelloName.IsOurs(arrival.Hello, settings.Hostname, arrival.Visit.Local?.Address, arrival.Remote))
            return ValueTask.FromResult<Refusal?>(Refusal.NotPermitted.Because($"{arrival.Hello} is this server, not you; greet with your own name"));
        lookups.Greeted(standing, arrival.Hello);
        return ValueTask.FromResult<Refusal?>(null);
    }
}
