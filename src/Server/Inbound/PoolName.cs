using System.Globalization;
using System.Net;
using CbaMail.MailAuth.Dmarc;
using CbaMail.Net;

namespace CbaMail.Inbound;

/// <summary>Whom many addresses belong to.</summary>
static class PoolName
{
    static readonly string[] OfLines = ["adsl", "broadband", "cable", "client", "cust", "customer", "dhcp", "dial", "dialup", "dip", "dsl", "dyn", "dynamic", "fttb", "fttx", "gpon", "home", "ip", "lte", "mobile", "nat", "pool", "pools", "ppp", "pppoe", "res", "residential", "user", "vdsl", "wimax", "xdsl"];

    /// <param name="name">A name that address and name service agree upon, or null.</param>
    public static string Of(IPAddress address, string? name) =>
        name is not null && !IsOfALine(address, name) && Organisation(name) is { } organisation ? organisation : ConnectionLimits.Network(address).ToString();

    /// <summary>The domain that somebody has registered; null for a registry's own name.</summary>
    public static string? Organisation(string name)
    {
        var organisation = PublicSuffixList.InUse.OrganizationalDomain(name.TrimEnd('.').ToLowerInvariant());
        return organisation.Contains('.', StringComparison.Ordinal) ? organisation : null;
    }

    /// <summary>Whether the name is one that a provider gives to all his lines: it holds the address, or says that it is one of a pool.</summary>
    public static bool IsOfALine(IPAddress address, string name)
    {
        var host = name.ToLowerInvariant();
        foreach (var label in host.Split('.').SkipLast(2))
            foreach (var word in label.Split('-'))
                if (OfLines.Contains(word.TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9'))) return true;
        var bytes = address.GetAddressBytes();
        if (bytes.Length == 4)
        {
            if (host.Contains(Convert.ToHexStringLower(bytes), StringComparison.Ordinal)) return true;
            var numbers = Numbers(host);
            // the last two octets are enough: 7.113.example.net
            return bytes[2..].All(octet => numbers.Contains(octet)) && bytes[2] != bytes[3];
        }
        var digits = Convert.ToHexStringLower(bytes);
        var plain = host.Replace("-", "", StringComparison.Ordinal).Replace(".", "", StringComparison.Ordinal).Replace(":", "", StringComparison.Ordinal);
        return plain.Contains(digits[16..], StringComparison.Ordinal) || plain.Contains(digits[..16], StringComparison.Ordinal);
    }

    static HashSet<int> Numbers(string host)
    {
        var numbers = new HashSet<int>();
        for (var i = 0; i < host.Length;)
        {
            if (!char.IsAsciiDigit(host[i])) { i++; continue; }
            var start = i;
            while (i < host.Length && char.IsAsciiDigit(host[i])) i++;
            if (i - start <= 3 && int.TryParse(host.AsSpan(start, i - start), NumberStyles.None, CultureInfo.InvariantCulture, out var number)) numbers.Add(number);
        }
        return numbers;
    }
}
