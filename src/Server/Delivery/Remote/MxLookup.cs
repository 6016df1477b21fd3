using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using CbaMail.Config;
using CbaMail.Dns;
using CbaMail.Net.Dns;
using CbaMail.Queue;
using CbaMail.Smtp.Client;

namespace CbaMail.Delivery.Remote;

/// <summary>A server to try.</summary>
/// <param name="Secure">DNSSEC vouches for its addresses.</param>
/// <param name="Alias">Where CNAMEs led from its name, or null.</param>
internal sealed record Candidate(ClientTarget Target, bool Secure = false, string? Alias = null);

/// <summary>The servers to try for a destination, best first; or why there are none.</summary>
internal sealed record Targets(IReadOnlyList<Candidate> List, ClientReply? Failure)
{
    /// <summary>DNSSEC vouches for the names of the servers, or for there being no MX records.</summary>
    public bool Secure { get; init; }

    /// <summary>The domain as DNS knows it, and where CNAMEs led from it (RFC 7672 3.2.2). Empty for routes and literals.</summary>
    public Names NextHop { get; init; } = new();

    /// <summary>The names of all the domain's servers, those included that there was no need to look up.</summary>
    public IReadOnlyList<string> Exchanges { get; init; } = [];

    public static Targets None(int code, string status, string text) => new([], ClientReply.Local(code, status, text));
}

/// <summary>The addresses of a server, those of IPv4 first.</summary>
internal sealed record HostAddresses(IReadOnlyList<IPAddress> List, bool Failed, bool Secure = false, string? Alias = null);

/// <summary>Finds the servers of a domain (RFC 5321 5.1), or of its route.</summary>
internal sealed class MxLookup(IResolver resolver, Settings settings)
{
    // A domain with more than this is a mistake or an attack on our resolver.
    const int MaxExchanges = 20;

    QueueSettings Queue => settings.Queue;

    public ValueTask<Targets> FindAsync(Destination destination, string domain, CancellationToken cancel) =>
        destination.Route is { } route ? RouteAsync(route, cancel)
        : domain.StartsWith('[') ? ValueTask.FromResult(Literal(domain))
        : DomainAsync(domain, cancel);

    async ValueTask<Targets> RouteAsync(RouteSettings route, CancellationToken cancel)
    {
        if (IPAddress.TryParse(route.Host.Trim('[', ']'), out var literal)) return new Targets([new Candidate(new ClientTarget(route.Host, literal, route.Port))], null);
        // A route works without DNS where the machine knows the name by itself.
        // What stands in /etc/hosts its administrator vouches for, so a policy of DANE may ask for TLSA records of the name.
        var addresses = new HostAddresses(HostsFile.Find(route.Host), Failed: false, Secure: true);
        if (addresses.List.Count == 0) addresses = await AddressesAsync(route.Host, cancel);
        if (addresses.List.Count > 0) // RFC 7672 2.2.1: a name from the settings is as good as a secure one
            return new Targets([.. Candidates(route.Host, addresses, route.Port).Take(Queue.HostsPerAttempt)], null) { Secure = true };
        // the settings are wrong or DNS is: neither is the message's fault
        return Targets.None(451, "4.4.3", addresses.Failed ? $"The name of the route, {route.Host}, could not be looked up now" : $"The name of the route, {route.Host}, does not exist");
    }

    // RFC 5321 4.1.3
    Targets Literal(string domain)
    {
        var text = domain[1..^1];
        if (text.StartsWith("ipv6:", StringComparison.OrdinalIgnoreCase)) text = text[5..];
        else if (text.Contains(':')) return Targets.None(550, "5.1.2", $"{domain} is no address literal");
        if (!IPAddress.TryParse(text, out var address) || (text.Count(c => c == '.') != 3 && !text.Contains(':'))) return Targets.None(550, "5.1.2", $"{domain} is no address literal");
        return IsOurs(address) ? Loop(domain) : new Targets([new Candidate(new ClientTarget(domain, address, Queue.Port))], null);
    }

    static Targets Loop(string domain) => Targets.None(554, "5.4.6", $"Mail for {domain} comes back to this server, which does not know the domain");

    async ValueTask<Targets> DomainAsync(string domain, CancellationToken cancel)
    {
        string name;
        try { name = new IdnMapping().GetAscii(domain); }
        catch (ArgumentException) { return Targets.None(550, "5.1.2", $"{domain} is no domain name"); }

        var answer = await resolver.MxAsync(name, cancel);
        switch (answer.Status)
        {
            case DnsStatus.NoSuchName:
                return Targets.None(550, "5.1.2", $"The domain {domain} does not exist");
            case DnsStatus.Failed:
                return Targets.None(451, "4.4.3", $"The mail servers of {domain} could not be looked up now");
            case DnsStatus.NoData:
                return await HostsAsync(domain, [(name, 0)], implicitMx: true, answer.Authenticated, new Names(name), cancel);
        }
        // RFC 7505 3: one record, the root, means: no mail here
        if (answer.Records.Count == 1 && answer.Records[0].Exchange == ".") return Targets.None(556, "5.1.10", $"The domain {domain} takes no mail (null MX)");
        var records = answer.Records.Where(record => record.Exchange != ".").ToArray();
        // RFC 5321 5.1: those of the same preference in a random order, to spread the load
        Random.Shared.Shuffle(records);
        var sorted = records.OrderBy(record => record.Preference).ToList();
        var own = sorted.FindIndex(record => DnsName.Same(record.Exchange, settings.Hostname));
        if (own >= 0) sorted.RemoveAll(record => record.Preference >= sorted[own].Preference);
        if (own >= 0 && sorted.Count == 0) return Loop(domain);
        var nextHop = answer.Alias is { } alias ? new Names(name, alias) : new Names(name);
        return await HostsAsync(domain, [.. sorted.Take(MaxExchanges).Select(record => (record.Exchange.ToLowerInvariant(), record.Preference))], implicitMx: false, answer.Authenticated, nextHop, cancel);
    }

    async ValueTask<Targets> HostsAsync(string domain, IReadOnlyList<(string Name, int Preference)> hosts, bool implicitMx, bool secure, Names nextHop, CancellationToken cancel)
    {
        var targets = new List<Candidate>();
        var (failed, level, below) = (false, -1, 0); // how many there are of better preference than the one looked at
        foreach (var (host, preference) in hosts)
        {
            var addresses = await AddressesAsync(host, cancel);
            failed |= addresses.Failed;
            if (preference != level) (level, below) = (preference, targets.Count);
            // RFC 5321 5.1: our own address in the list ends it, as everything behind or beside would come back to us
            if (addresses.List.Any(IsOurs))
            {
                if (below == 0) return Loop(domain);
                targets.RemoveRange(below, targets.Count - below);
                break;
            }
            targets.AddRange(Candidates(host, addresses, Queue.Port));
            if (targets.Count >= Queue.HostsPerAttempt) break;
        }
        if (targets.Count > 0) return new Targets([.. targets.Take(Queue.HostsPerAttempt)], null) { Secure = secure, NextHop = nextHop, Exchanges = [.. hosts.Select(host => host.Name)] };
        if (failed) return Targets.None(451, "4.4.3", $"The addresses of the mail servers of {domain} could not be looked up now");
        return implicitMx
            ? Targets.None(550, "5.1.2", $"The domain {domain} has no mail server and no address")
            : Targets.None(550, "5.4.4", $"None of the mail servers of {domain} has an address");
    }

    static IEnumerable<Candidate> Candidates(string host, HostAddresses addresses, int port) =>
        addresses.List.Select(address => new Candidate(new ClientTarget(host, address, port), addresses.Secure, addresses.Alias));

    /// <summary>IPv4 first: what is sent over IPv6 from machines without reverse names is refused by the large providers.</summary>
    async ValueTask<HostAddresses> AddressesAsync(string host, CancellationToken cancel)
    {
        var v4 = await resolver.AddressesAsync(host, v6: false, cancel);
        if (!Queue.UseIpv6 || !Socket.OSSupportsIPv6) return new HostAddresses(v4.Records, v4.Status == DnsStatus.Failed, v4.Authenticated, v4.Alias);
        var v6 = await resolver.AddressesAsync(host, v6: true, cancel);
        // RFC 7672 2.1.3: both stand in one zone; only an answer that came can say whether it is signed
        var secure = (v4.Status == DnsStatus.Failed || v4.Authenticated) && (v6.Status == DnsStatus.Failed || v6.Authenticated);
        return new HostAddresses([.. v4.Records, .. v6.Records], v4.Status == DnsStatus.Failed || v6.Status == DnsStatus.Failed, secure, v4.Alias ?? v6.Alias);
    }

    /// <summary>Whether a connection there would reach our own SMTP listener.</summary>
    bool IsOurs(IPAddress address)
    {
        // the system takes one for the other, and "any" for this machine
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (address.Equals(IPAddress.Any)) address = IPAddress.Loopback;
        else if (address.Equals(IPAddress.IPv6Any)) address = IPAddress.IPv6Loopback;
        foreach (var listener in settings.Listeners)
        {
            if (listener.Protocol != Protocol.Smtp || listener.Port != Queue.Port || !IPAddress.TryParse(listener.Address, out var at)) continue;
            if (at.Equals(address)) return true;
            if (!at.Equals(IPAddress.Any) && !at.Equals(IPAddress.IPv6Any)) continue;
            if (IPAddress.IsLoopback(address) || OwnAddresses().Contains(address)) return true;
        }
        return false;
    }

    static IEnumerable<IPAddress> OwnAddresses() =>
        NetworkInterface.GetAllNetworkInterfaces().SelectMany(card => card.GetIPProperties().UnicastAddresses).Select(unicast => unicast.Address);
}
