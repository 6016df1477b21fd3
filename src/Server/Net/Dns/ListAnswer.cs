using System.Globalization;
using System.Net;
using CbaMail.Dns;

namespace CbaMail.Net.Dns;

/// <summary>How lists in DNS are asked (RFC 5782 2.1), and which of their answers count.</summary>
static class ListAnswer
{
    /// <summary>The address in its reversed form, a dot at the end, to stand before the list's zone (RFC 5782 2.1, 2.4).</summary>
    public static string Reversed(IPAddress address)
    {
        var reversed = DnsName.Reverse(address);
        return reversed[..^(reversed.EndsWith("in-addr.arpa", StringComparison.Ordinal) ? "in-addr.arpa" : "ip6.arpa").Length];
    }

    /// <summary>Four octets, each a number, "*" or a span; null for what is none.</summary>
    public static (int From, int To)[]? Pattern(string text)
    {
        var octets = text.Trim().Split('.');
        if (octets.Length != 4) return null;
        var pattern = new (int, int)[4];
        for (var i = 0; i < 4; i++)
        {
            var ends = octets[i] == "*" ? ["0", "255"] : octets[i].Split('-');
            if (ends.Length > 2 || !byte.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out var from) ||
                !byte.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var to) || to < from) return null;
            pattern[i] = (from, to);
        }
        return pattern;
    }

    /// <summary>Whether an answer is one of those that count; all do where none are named.</summary>
    public static bool Fits((int From, int To)[][] patterns, byte[] octets) =>
        patterns.Length == 0 || Array.Exists(patterns, pattern => !octets.Where((octet, i) => octet < pattern[i].From || octet > pattern[i].To).Any());

    /// <summary>The list says that it does not answer us, most often because a large public resolver asked.</summary>
    public static bool IsRefusal(IPAddress answer) => answer.GetAddressBytes() is [127, 255, 255, _];
}
