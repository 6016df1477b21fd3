using System.Net;
using System.Net.Sockets;

namespace CbaMail.Tests.Wire;

/// <summary>Port numbers that nobody on this machine listens at right now.</summary>
internal static class FreePorts
{
    private static readonly int[] WellKnown = [24, 25, 80, 110, 143, 443, 465, 587, 993, 995, 4190];

    /// <summary>An offset with which every well-known port is free.</summary>
    public static int Offset()
    {
        for (var attempt = 0; attempt < 200; attempt++)
        {
            // below the ports that the kernel hands out for outgoing connections (32768 and up)
            var offset = Random.Shared.Next(200, 275) * 100;
            if (WellKnown.All(p => IsFree(p + offset))) return offset;
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
