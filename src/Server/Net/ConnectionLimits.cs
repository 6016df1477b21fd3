using System.Net;
using System.Runtime.InteropServices;
using CbaMail.Config;

namespace CbaMail.Net;

/// <summary>Counts open connections, in all and by address (IPv6: by /64, which is one household).</summary>
public sealed class ConnectionLimits(Settings settings)
{
    readonly Dictionary<IPAddress, int> byAddress = [];
    readonly Lock gate = new();
    readonly int most = settings.Limits.Connections;
    readonly int mostByAddress = settings.Limits.PerAddress(settings.Evaluation);
    int open;

    /// <summary>Connections open now.</summary>
    public int Open { get { lock (gate) return open; } }

    /// <summary>A place, given back by disposing it; or null when there is none.</summary>
    public IDisposable? Enter(IPAddress address)
    {
        var key = Household(address);
        lock (gate)
        {
            if (open >= most) return null;
            ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(byAddress, key, out _);
            if (count >= mostByAddress) return null;
            count++;
            open++;
        }
        return new Place(this, key);
    }

    void Leave(IPAddress key)
    {
        lock (gate)
        {
            open--;
            if (--byAddress[key] == 0) byAddress.Remove(key);
        }
    }

    internal static IPAddress Household(IPAddress address)
    {
        if (address.AddressFamily != System.Net.Sockets.AddressFamily.InterNetworkV6) return address;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        if (IPAddress.IsLoopback(address)) return address;
        bytes[8..].Clear();
        return new IPAddress(bytes);
    }

    sealed class Place(ConnectionLimits limits, IPAddress key) : IDisposable
    {
        ConnectionLimits? limits = limits;
        public void Dispose() => Interlocked.Exchange(ref limits, null)?.Leave(key);
    }
}
