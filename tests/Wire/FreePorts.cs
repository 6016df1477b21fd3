using System.Net;
using System.Net.Sockets;

namespace CbaMail.Tests.Wire;

/// <summary>Port numbers that nobody on this machine listens at right now.</summary>
internal static class FreePorts
{
    private static readonly int[] WellKnown = [24, 25, 80, 110, 143, 443, 465, 587, 993, 995, 4190];

    private static readonly HashSet<int> given = [];

    /// <summary>An offset with which every well-known port is free, and was given to nobody else: a server that has stopped may start there again.</summary>
    public static int Offset()
    {
        lock (given)
        {
            for (var attempt = 0; attempt < 1000; attempt++)
            {
                // below the ports that the kernel hands out for outgoing connections (32768 and up)
                var offset = Random.Shared.Next(15_000, 28_000);
                var ports = WellKnown.Select(port => port + offset).ToList();
                if ((attempt < 800 && ports.Exists(given.Contains)) || !ports.TrueForAll(IsFree)) continue;
                given.UnionWith(ports);
                return offset;
            }
        }
        throw new InvalidOperationException("no free ports");
    }

    public static int One()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
