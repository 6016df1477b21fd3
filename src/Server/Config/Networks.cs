using System.Globalization;
using System.Net;

namespace CbaMail.Config;

/// <summary>Networks as people write them: an address alone, or <c>192.0.2.0/24</c>; bits behind the prefix do not matter.</summary>
public static class Networks
{
    public static bool TryParse(string? text, out IPNetwork network)
    {
        network = default;
        text = (text ?? "").Trim();
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var host = slash < 0 ? text : text[..slash];
        // "10.1" and "1" are addresses to inet_aton and typing errors to everybody else
        if (host.Contains('%', StringComparison.Ordinal) || !(host.Contains(':', StringComparison.Ordinal) || host.Count(c => c == '.') == 3)) return false;
        if (!IPAddress.TryParse(host, out var address) || host.Contains('[', StringComparison.Ordinal)) return false;
        var bits = address.GetAddressBytes().Length * 8;
        var prefix = bits;
        if (slash >= 0 && (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out prefix) || prefix > bits)) return false;
        if (address.IsIPv4MappedToIPv6 && prefix >= 96) (address, prefix) = (address.MapToIPv4(), prefix - 96);
        network = Of(address, prefix);
        return true;
    }

    /// <summary>The network of an address with so many bits.</summary>
    public static IPNetwork Of(IPAddress address, int prefix)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        bytes = bytes[..length];
        for (var i = 0; i < length; i++)
        {
            var kept = Math.Clamp(prefix - i * 8, 0, 8);
            bytes[i] &= (byte)(0xff00 >> kept);
        }
        return new IPNetwork(new IPAddress(bytes), prefix);
    }

    /// <summary>As people write it: an address where it is only one.</summary>
    public static string Show(IPNetwork network) =>
        network.PrefixLength == network.BaseAddress.GetAddressBytes().Length * 8 ? network.BaseAddress.ToString() : network.ToString();

    /// <summary>Whether one of them holds the address.</summary>
    public static bool Hold(this IReadOnlyList<IPNetwork> networks, IPAddress address)
    {
        for (var i = 0; i < networks.Count; i++)
            if (networks[i].Contains(address)) return true;
        return false;
    }
}
