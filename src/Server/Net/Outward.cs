using System.Net;
using System.Net.Sockets;
using CbaMail.Dns;

namespace CbaMail.Net;

/// <summary>
/// Connections to where somebody else's URL points: names are asked of the resolver that mail uses, and each address is judged after it is known, so
/// that no name can lead into our own net.
/// </summary>
public static class Outward
{
    // RFC 6890; behind 64:ff9b::/96, 2001::/32 and 2002::/16 a gateway may reach every IPv4 address
    static readonly IPNetwork[] PrivateNets =
    [
        .. new[] { "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3", "::/127", "fc00::/7", "fe80::/10", "ff00::/8", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16" }
            .Select(IPNetwork.Parse),
    ];

    /// <summary>Whether an address is private, loopback, link-local, multicast or otherwise none of the open net.</summary>
    public static bool IsPrivate(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return Array.Exists(PrivateNets, net => net.Contains(address));
    }

    /// <param name="allowed">Addresses that it says no to are passed over.</param>
    /// <exception cref="SocketException">No allowed address could be reached.</exception>
    public static async ValueTask<Stream> ConnectAsync(IResolver resolver, DnsEndPoint where, Func<IPAddress, bool> allowed, CancellationToken cancel)
    {
        foreach (var address in await AddressesAsync(resolver, where.Host, cancel))
        {
            if (!allowed(address)) continue;
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(address, where.Port, cancel);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException)
            {
                socket.Dispose(); // the next address is tried
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
        throw new SocketException((int)SocketError.HostUnreachable);
    }

    static async Task<IReadOnlyList<IPAddress>> AddressesAsync(IResolver resolver, string host, CancellationToken cancel)
    {
        if (IPAddress.TryParse(host.Trim('[', ']'), out var literal)) return [literal];
        var v4 = await resolver.AddressesAsync(host, v6: false, cancel);
        var v6 = Socket.OSSupportsIPv6 ? await resolver.AddressesAsync(host, v6: true, cancel) : null;
        return [.. v4.Records, .. v6?.Records ?? []];
    }
}
