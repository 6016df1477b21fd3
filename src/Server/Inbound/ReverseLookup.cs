using System.Net;
using CbaMail.Dns;

namespace CbaMail.Inbound;

/// <summary>The name of an address that leads back to it (RFC 8601 2.7.3, "iprev").</summary>
static class ReverseLookup
{
    const int MostNames = 10; // RFC 7208 4.6.4 bounds the same look-up so

    public static async Task<ReverseName> LookAsync(IResolver resolver, IPAddress address, CancellationToken cancel)
    {
        var names = await resolver.PtrAsync(address, cancel);
        if (names.Status == DnsStatus.Failed) return new ReverseName(Iprev.TempError, null);
        if (names.Status != DnsStatus.Found) return new ReverseName(Iprev.PermError, null);
        var failed = false;
        var lookups = names.Records.Take(MostNames).Where(IsHostName)
            .Select(async name => (name, answer: await resolver.AddressesAsync(name, address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6, cancel))).ToList();
        foreach (var (name, answer) in await Task.WhenAll(lookups))
        {
            if (answer.Records.Contains(address)) return new ReverseName(Iprev.Pass, name.TrimEnd('.').ToLowerInvariant());
            failed |= answer.Status == DnsStatus.Failed;
        }
        return new ReverseName(failed ? Iprev.TempError : Iprev.Fail, null);
    }

    // it will stand in a Received field
    static bool IsHostName(string name) => name.Length is > 0 and <= 253 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');
}
