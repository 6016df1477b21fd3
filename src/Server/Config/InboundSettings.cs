using System.Net;

namespace CbaMail.Config;

/// <summary>The keys of what is asked of those who bring mail; docs: receiving.</summary>
public sealed record InboundSettings
{
    /// <summary>
    /// Who may say, by the PROXY protocol, for whom he connects: addresses and networks of load balancers. It counts only at listeners that are
    /// marked <c>proxy</c>, and there nobody else is heard. Default: this machine, 127.0.0.0/8 and ::1.
    /// </summary>
    public IReadOnlyList<IPNetwork> ProxyFrom { get; init; } = [new(IPAddress.Parse("127.0.0.0"), 8), new(IPAddress.IPv6Loopback, 128)];

    /// <summary>How long the header of the PROXY protocol is waited for. Default 5 seconds.</summary>
    public TimeSpan ProxyTimeout { get; init; } = TimeSpan.FromSeconds(5);
}
