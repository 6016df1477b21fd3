using System.Net;

namespace CbaMail.Config;

/// <summary>The keys of the resolver.</summary>
public sealed record DnsSettings : IChecked
{
    /// <summary>
    /// Servers to ask, each <c>address</c>, <c>address:port</c> or <c>[v6]:port</c>. Default: those of /etc/resolv.conf;
    /// in the evaluation profile none, so that outside DNS is never asked.
    /// </summary>
    public IReadOnlyList<string> Servers { get; init; } = [];

    /// <summary>Time to wait for one server's answer. Default 3 seconds.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How often the list of servers is gone through. Default 2.</summary>
    public int Rounds { get; init; } = 2;

    /// <summary>Whether the AD bit of the servers is believed (RFC 6840 5.8): only for a validating resolver on this machine or a trusted net. Default false.</summary>
    public bool TrustAuthenticated { get; init; }

    /// <summary>Answers kept in memory. Default 10,000; 0: none.</summary>
    public int CacheEntries { get; init; } = 10_000;

    /// <summary>The longest time an answer is kept whatever its TTL says. Default 1 day.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromDays(1);

    /// <summary>The longest time that "no such name" is kept (RFC 2308 5). Default 15 minutes.</summary>
    public TimeSpan MaxNegativeAge { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// Lists of addresses that <c>check dns --blocklists</c> looks this server up in, beside those of <c>inbound.dns-lists</c>: the ones that many
    /// receivers go by. They learn by it that the server exists, so they are asked only on request. Default zen.spamhaus.org,
    /// b.barracudacentral.org, bl.spamcop.net, psbl.surriel.com, dnsbl.dronebl.org, bl.mailspike.net.
    /// </summary>
    public IReadOnlyList<string> Blocklists { get; init; } = ["zen.spamhaus.org", "b.barracudacentral.org", "bl.spamcop.net", "psbl.surriel.com", "dnsbl.dronebl.org", "bl.mailspike.net"];

    /// <summary>
    /// Lists of domains that <c>check dns --blocklists</c> looks the domain up in. Default dbl.spamhaus.org, multi.surbl.org, multi.uribl.com.
    /// </summary>
    public IReadOnlyList<string> DomainBlocklists { get; init; } = ["dbl.spamhaus.org", "multi.surbl.org", "multi.uribl.com"];

    string? IChecked.Problem() => Servers.FirstOrDefault(text => Server(text) is null) is { } wrong ? $"dns.servers: \"{wrong}\" is no address; write 192.0.2.1, 192.0.2.1:53 or [2001:db8::1]:53" : null;

    /// <summary>Where a text of <see cref="Servers"/> leads; null where nowhere.</summary>
    internal static IPEndPoint? Server(string text)
    {
        const int port = 53;
        // "[v6]:port" is taken for an address by IPAddress, which drops the port
        if (!text.StartsWith('[') && IPAddress.TryParse(text, out var address)) return new IPEndPoint(address, port);
        return IPEndPoint.TryParse(text, out var point) ? new IPEndPoint(point.Address, point.Port == 0 ? port : point.Port) : null;
    }
}
