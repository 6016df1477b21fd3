using System.Net;
using CbaMail.Config;

namespace CbaMail.Net;

/// <summary>
/// Looks at an address before anything is done for it: is it banned, does it come too often. Asked at accept, before TLS and before there is a
/// session; behind a proxy as soon as the client's address is known.
/// </summary>
public sealed class Doorkeeper(Settings settings, AllowList allowed, Bans bans, TimeProvider time, ILogger<Doorkeeper> log)
{
    static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);

    readonly TokenBuckets connections = new(RateSettings.Of(settings.Inbound.Rates.Connections, settings.Evaluation, 120, 1), time);
    long told;
    int untold;

    /// <summary>Whether limits of one address do not hold for it.</summary>
    public bool Allows(IPAddress address) => allowed.Holds(address);

    /// <summary>Null, or what to say before the door is shut.</summary>
    public string? Refuses(IPAddress address, Protocol protocol)
    {
        if (bans.IsBanned(address, out var until))
        {
            Tell(address, protocol, "banned");
            return Bans.Sentence(address, until);
        }
        if (!connections.IsOn || allowed.Holds(address)) return null;
        if (connections.Take(ConnectionLimits.Household(address).ToString()) is var wait && wait == TimeSpan.Zero) return null;
        Tell(address, protocol, "too many connections in a short time");
        return Listeners.TooMany;
    }

    // the first at once, then once a minute with their number: a crowd at a shut door must not fill the log
    void Tell(IPAddress address, Protocol protocol, string why)
    {
        var now = time.GetTimestamp();
        var last = Volatile.Read(ref told);
        if ((last != 0 && time.GetElapsedTime(last, now) < Quiet) || Interlocked.CompareExchange(ref told, now, last) != last)
        {
            Interlocked.Increment(ref untold);
            return;
        }
        NetTelemetry.ShutOut(log, address, protocol, why, Interlocked.Exchange(ref untold, 0));
    }
}
