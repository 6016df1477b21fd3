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

/// <summary>The servers to try for a destination, best first; or why there are none.</summary>
internal sealed record Targets(IReadOnlyList<ClientTarget> List, ClientReply? Failure)
{
    public static Targets None(int code, string status, string text) => new([], ClientReply.Local(code, status, text));
}

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
        if (IPAddress.TryParse(route.Host.Trim('[', ']'), out var literal)) return new Targets([new ClientTarget(route.Host, literal, route.Port)], null);
        // A route works without DNS where the machine knows the name by itself.
        var addresses = HostsFile.Find(route.Host);
        var failed = false;
        if (addresses.Count == 0) (addresses, failed) = await AddressesAsync(route.Host, cancel);
        if (addresses.Count > 0) return new Targets([.. addresses.Take(Queue.HostsPerAttempt).Select(address => new ClientTarget(route.Host, address, route.Port))], null);
        // the settings are wrong or DNS is: neither is the message's fault
        return Targets.None(451, "4.4.3", failed ? $"The name of the route, {route.Host}, could not be looked up now" : $"The name of the route, {route.Host}, does not exist");
    }

    // RFC 5321 4.1.3
    Targets Literal(string domain)
    {
        var text = domain[1..^1];
        if (text.StartsWith("ipv6:", StringComparison.OrdinalIgnoreCase)) text = text[5..];
        else if (text.Contains(':')) return Targets.None(550, "5.1.2", $"{domain} is no address literal");
        if (!IPAddress.TryParse(text, out var address) || (text.Count(c => c == '.') != 3 && !text.Contains(':'))) return Targets.None(550, "5.1.2", $"{domain} is no address literal");
        return IsOurs(address) ? Loop(domain) : new Targets([new ClientTarget(domain, address, Queue.Port)], null);
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
                return await HostsAsync(domain, [name], implicitMx: true, cancel);
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
        return await HostsAsync(domain, [.. sorted.Take(MaxExchanges).Select(record => record.Exchange)], implicitMx: false, cancel);
    }

    async ValueTask<Targets> HostsAsync(string domain, IReadOnlyList<string> hosts, bool implicitMx, CancellationToken cancel)
    {
        var targets = new List<ClientTarget>();
        var failed = false;
        foreach (var host in hosts)
        {
            var (addresses, unclear) = await AddressesAsync(host, cancel);
            failed |= unclear;
            // RFC 5321 5.1: our own address in the list ends it, as everything behind would come back to us
            if (addresses.Any(IsOurs))
            {
                if (targets.Count == 0) return Loop(domain);
                break;
            }
            targets.AddRange(addresses.Select(address => new ClientTarget(host, address, Queue.Port)));
            if (targets.Count >= Queue.HostsPerAttempt) break;
        }
        if (targets.Count > 0) return new Targets([.. targets.Take(Queue.HostsPerAttempt)], null);
        if (failed) return Targets.None(451, "4.4.3", $"The addresses of the mail servers of {domain} could not be looked up now");
        return implicitMx
            ? Targets.None(550, "5.1.2", $"The domain {domain} has no mail server and no address")
            : Targets.None(550, "5.4.4", $"None of the mail servers of {domain} has an address");
    }

    /// <summary>IPv4 first: what is sent over IPv6 from machines without reverse names is refused by the large providers.</summary>
    async ValueTask<(IReadOnlyList<IPAddress> Addresses, bool Failed)> AddressesAsync(string host, CancellationToken cancel)
    {
        var v4 = await resolver.AddressesAsync(host, v6: false, cancel);
        if (!Queue.UseIpv6 || !Socket.OSSupportsIPv6) return (v4.Records, v4.Status == DnsStatus.Failed);
        var v6 = await resolver.AddressesAsync(host, v6: true, cancel);
        return ([.. v4.Records, .. v6.Records], v4.Status == DnsStatus.Failed || v6.Status == DnsStatus.Failed);
    }

    /// <summary>Whether a connection there would reach our own SMTP listener.</summary>
    bool IsOurs(IPAddress address)
    {
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
