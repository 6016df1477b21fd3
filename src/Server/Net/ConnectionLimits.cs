using System.Net;
using System.Runtime.InteropServices;
using CbaMail.Config;

namespace CbaMail.Net;

/// <summary>Counts open connections, in all, by address (IPv6: by /64, which is one household) and by network (/24, in IPv6 /48).</summary>
public sealed class ConnectionLimits(Settings settings)
{
    readonly Dictionary<IPAddress, int> byAddress = [];
    readonly Dictionary<IPNetwork, int> byNetwork = [];
    readonly int mostByNetwork = settings.Limits.PerNetwork(settings.Evaluation);
    readonly Lock gate = new();
    readonly int most = settings.Limits.Connections;
    readonly int mostByAddress = settings.Limits.PerAddress(settings.Evaluation);
    int open;

    /// <summary>Connections open now.</summary>
    public int Open { get { lock (gate) return open; } }

    /// <summary>A place, given back by disposing it; or null when there is none.</summary>
    /// <param name="allowed">Only the number in all holds for it.</param>
    public IDisposable? Enter(IPAddress address, bool allowed = false)
    {
        var key = Household(address);
        var network = Network(address);
        lock (gate)
        {
            if (open >= most) return null;
            if (!allowed && (byAddress.GetValueOrDefault(key) >= mostByAddress || byNetwork.GetValueOrDefault(network) >= mostByNetwork)) return null;
            CollectionsMarshal.GetValueRefOrAddDefault(byAddress, key, out _)++;
            CollectionsMarshal.GetValueRefOrAddDefault(byNetwork, network, out _)++;
            open++;
        }
        return new Place(this, key, network);
    }

    void Leave(IPAddress key, IPNetwork network)
    {
        lock (gate)
        {
            open--;
            if (--byAddress[key] == 0) byAddress.Remove(key);
            if (--byNetwork[network] == 0) byNetwork.Remove(network);
        }
    }

    /// <summary>Whom one owner mostly has: 256 addresses of IPv4, one site of IPv6.</summary>
    public static IPNetwork Network(IPAddress address) => Networks.Of(address, address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? 48 : 24);

    /// <summary>The address, or in IPv6 its /64.</summary>
    public static IPAddress Household(IPAddress address)
    {
        if (address.AddressFamily != System.Net.Sockets.AddressFamily.InterNetworkV6) return address;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        if (IPAddress.IsLoopback(address)) return address;
        bytes[8..].Clear();
        return new IPAddress(bytes);
    }

    sealed class Place(ConnectionLimits limits, IPAddress key, IPNetwork network) : IDisposable
    {
        ConnectionLimits? limits = limits;
        public void Dispose() => Interlocked.Exchange(ref limits, null)?.Leave(key, network);
    }
}
