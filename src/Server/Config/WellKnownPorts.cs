using System.Net;
using System.Net.Sockets;

namespace CbaMail.Config;

/// <summary>Where the protocols listen: the well-known ports plus the offset, unless the settings file says otherwise.</summary>
public static class WellKnownPorts
{
    /// <summary>The well-known port of each protocol, before the offset (contract.md, "Ports").</summary>
    public static readonly IReadOnlyList<(Protocol Protocol, int Port)> All =
    [
        (Protocol.Smtp, 25), (Protocol.Submission, 587), (Protocol.Submissions, 465), (Protocol.Lmtp, 24),
        (Protocol.Imap, 143), (Protocol.Imaps, 993), (Protocol.Pop3, 110), (Protocol.Pop3s, 995),
        (Protocol.Http, 80), (Protocol.Https, 443),
    ];

    public static int PortOf(Protocol protocol) => All.First(row => row.Protocol == protocol).Port;

    /// <summary>
    /// The listeners of a protocol that the settings file does not mention: loopback in the evaluation profile, else every address.
    /// LMTP is for other programs of this machine and asks nobody for a password: always loopback.
    /// </summary>
    public static IEnumerable<ListenerSettings> Default(Protocol protocol, bool evaluation, int offset)
    {
        var port = PortOf(protocol) + offset;
        if (!evaluation && protocol != Protocol.Lmtp) return [new() { Protocol = protocol, Address = "::", Port = port }];
        return LoopbackAddresses().Select(address => new ListenerSettings { Protocol = protocol, Address = address, Port = port });
    }

    /// <summary>127.0.0.1, and ::1 where the machine has it.</summary>
    public static IReadOnlyList<string> LoopbackAddresses() => HasV6Loopback.Value ? ["127.0.0.1", "::1"] : ["127.0.0.1"];

    static readonly Lazy<bool> HasV6Loopback = new(() =>
    {
        if (!Socket.OSSupportsIPv6) return false;
        try
        {
            using var probe = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
            probe.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
            return true;
        }
        catch (SocketException)
        {
            return false; // containers often have the family but no address
        }
    });

    /// <summary>
    /// Reads what stands behind a protocol in the settings file: <c>off</c>, a port, an address, <c>address:port</c>, <c>[v6]:port</c>.
    /// A port is taken as it is written; without one it is the well-known port plus the offset. <c>proxy</c> behind any of them, or alone:
    /// only proxies connect here, by the PROXY protocol.
    /// </summary>
    public static bool TryParse(Protocol protocol, string text, bool evaluation, int offset, out IReadOnlyList<ListenerSettings> listeners)
    {
        listeners = [];
        text = text.Trim();
        if (text == "proxy" || text.EndsWith(" proxy", StringComparison.Ordinal))
        {
            var place = text[..^5].TrimEnd();
            if (place is "off" or "false" or "no" || !TryParse(protocol, place.Length == 0 ? "on" : place, evaluation, offset, out var open) || open.Any(one => one.Proxy)) return false;
            listeners = [.. open.Select(one => one with { Proxy = true })];
            return true;
        }
        if (text is "off" or "false" or "no") return true;
        if (text is "on" or "true" or "yes" or "default") { listeners = [.. Default(protocol, evaluation, offset)]; return true; }
        if (int.TryParse(text, out var alone))
        {
            if (alone is < 0 or > 65535) return false;
            listeners = [.. Default(protocol, evaluation, offset).Select(listener => listener with { Port = alone })];
            return true;
        }
        var address = text == "*" ? "::" : text.StartsWith("*:", StringComparison.Ordinal) ? "[::]" + text[1..] : text;
        var port = PortOf(protocol) + offset;
        if (!IPAddress.TryParse(address.Trim('[', ']'), out var ip) || (address.Contains("]:") && address.StartsWith('[')))
        {
            if (!IPEndPoint.TryParse(address, out var point) || address.LastIndexOf(':') < 0) return false;
            (ip, port) = (point.Address, point.Port);
        }
        if (port is < 0 or > 65535) return false;
        listeners = [new() { Protocol = protocol, Address = ip.ToString(), Port = port }];
        return true;
    }
}
