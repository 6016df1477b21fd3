using System.Net;
using System.Net.NetworkInformation;
using CbaMail.Config;
using CbaMail.Dns;

namespace CbaMail.Tls.Acme;

/// <summary>The mail domains of this server; Program plugs the directory in.</summary>
public sealed record MailDomains(Func<IReadOnlyList<string>> List);

/// <summary>
/// Which names get certificates: the host's own with those of the settings, whatever DNS says; and for each mail domain those of the usual
/// names that lead here. One that leads elsewhere would sink the order of all.
/// </summary>
sealed class AcmeNames(Settings settings, MailDomains domains, IResolver resolver)
{
    static readonly string[] Usual = ["mail", "autoconfig", "autodiscover", "mta-sts"];

    /// <summary>Names by group, the group's own first; a domain of which none leads here has no names.</summary>
    public async Task<IReadOnlyList<(string Group, IReadOnlyList<string> Names)>> WantedAsync(CancellationToken cancel)
    {
        string[] own = [.. settings.Tls.Acme.Names.Select(name => name.Trim().TrimEnd('.').ToLowerInvariant()).Prepend(settings.Hostname).Distinct(StringComparer.Ordinal)];
        var wanted = new List<(string, IReadOnlyList<string>)> { (settings.Hostname, own) };
        if (!settings.Tls.Acme.Domains) return wanted;
        var ours = await OurAddressesAsync(cancel);
        foreach (var domain in domains.List().Where(domain => domain != settings.Hostname))
        {
            var names = new List<string>();
            foreach (var name in Usual.Select(word => $"{word}.{domain}").Except(own, StringComparer.Ordinal))
                if ((await AddressesAsync(name, cancel)).Any(ours.Contains)) names.Add(name);
            wanted.Add((domain, names));
        }
        return wanted;
    }

    async Task<HashSet<IPAddress>> OurAddressesAsync(CancellationToken cancel)
    {
        var ours = (await AddressesAsync(settings.Hostname, cancel)).ToHashSet();
        foreach (var one in NetworkInterface.GetAllNetworkInterfaces())
            foreach (var address in one.GetIPProperties().UnicastAddresses) ours.Add(address.Address);
        return ours;
    }

    async Task<IReadOnlyList<IPAddress>> AddressesAsync(string name, CancellationToken cancel)
    {
        var (four, six) = (resolver.AddressesAsync(name, v6: false, cancel).AsTask(), resolver.AddressesAsync(name, v6: true, cancel).AsTask());
        return [.. (await four).Records, .. (await six).Records];
    }
}
