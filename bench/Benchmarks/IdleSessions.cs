using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CbaMail.Bench.Benchmarks;

/// <summary>What clients cost that have greeted and say nothing more.</summary>
internal static class IdleSessions
{
    private const int Sessions = 2000;

    public static async Task RunAsync(Report report)
    {
        await using var server = await BenchServer.StartAsync();
        await TalkAsync(server, 20); // what the first ones load once
        await Task.Delay(TimeSpan.FromSeconds(6));
        var before = server.Resident();
        var cpu = server.CpuSeconds();
        var open = await TalkAsync(server, Sessions, keep: true);
        report.Row("CPU, connected and greeted, each", (server.CpuSeconds() - cpu) / Sessions * 1000, "ms");
        report.Row($"growth at once, {Sessions:N0} sessions", server.Resident() - before, "MB", "< 60 MB");
        await Task.Delay(TimeSpan.FromSeconds(12));
        var idle = server.Resident() - before;
        report.Row($"growth after 12 s, {Sessions:N0} sessions", idle, "MB", "< 60 MB");
        report.Row("that is, each", idle * 1024 / Sessions, "KB");
        foreach (var socket in open) socket.Dispose();
    }

    private static async Task<List<Socket>> TalkAsync(BenchServer server, int count, bool keep = false)
    {
        var open = new List<Socket>();
        var buffer = new byte[4096];
        for (var i = 0; i < count; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, server.Smtp));
            await ExpectAsync(socket, buffer, "220");
            await socket.SendAsync("EHLO client.example.org\r\n"u8.ToArray());
            await ExpectAsync(socket, buffer, "250");
            if (keep) open.Add(socket);
            else socket.Dispose();
        }
        return open;
    }

    private static async Task ExpectAsync(Socket socket, byte[] buffer, string code)
    {
        var text = Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer));
        if (!text.StartsWith(code, StringComparison.Ordinal)) throw new InvalidOperationException("expected " + code + ", got " + text);
    }
}
