using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace CbaMail.Bench.Benchmarks;

/// <summary>The REST API over the public port with 2,500 accounts: reads, changes that are on the disk and in the audit log, a whole list.</summary>
internal static class Api
{
    private const int Clients = 16, Reads = 40_000, Changes = 3_000, Rounds = 7;

    public static async Task RunAsync(Report report)
    {
        await using var server = await Prepared.StartAsync();
        var key = (await server.CliAsync("key", "add", "bench")).Trim();
        await ManyAsync(server, key, Reads / 10, i => $"GET /api/v1/accounts/{Name(i)}"); // warms
        var reads = await ManyAsync(server, key, Reads, i => $"GET /api/v1/accounts/{Name(i)}");
        report.Row($"account reads, {Clients} connections", reads.Rate, "/s", ">= 5,000/s");
        report.Row("  server's CPU each", reads.Cpu, "ms");
        await ManyAsync(server, key, Changes / 10, i => $"PATCH /api/v1/accounts/{Name(i)}", i => $"{{\"name\":\"Warm {i}\"}}");
        var changes = await ManyAsync(server, key, Changes, i => $"PATCH /api/v1/accounts/{Name(i)}", i => $"{{\"name\":\"Student {i}\"}}");
        report.Row($"account changes, {Clients} connections", changes.Rate, "/s", ">= 300/s");
        report.Row("  server's CPU each", changes.Cpu, "ms");
        using var one = new Client(server.Offset + 80, key);
        var took = new List<double>();
        for (var round = 0; round <= Rounds; round++)
        {
            var clock = Stopwatch.StartNew();
            var body = await one.AskAsync("GET /api/v1/accounts?domain=bench.test&limit=5000", null);
            if (round > 0) took.Add(clock.Elapsed.TotalMilliseconds);
            using var list = JsonDocument.Parse(body);
            if (list.RootElement.GetProperty("items").GetArrayLength() != Prepared.People) throw new InvalidOperationException("the list is not whole");
        }
        took.Sort();
        report.Row("a list of 2,500 accounts", took[took.Count / 2], "ms", "< 60 ms");
        report.Row("resident memory", server.Resident(), "MB");
    }

    private static string Name(int i) => $"u{i % Prepared.People + 1:0000}@bench.test";

    private static async Task<(double Rate, double Cpu)> ManyAsync(BenchServer server, string key, int count, Func<int, string> line, Func<int, string>? body = null)
    {
        var next = -1;
        var (clock, cpu) = (Stopwatch.StartNew(), server.CpuSeconds());
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            using var client = new Client(server.Offset + 80, key);
            for (int i; (i = Interlocked.Increment(ref next)) < count;) await client.AskAsync(line(i), body?.Invoke(i));
        })));
        return (count / clock.Elapsed.TotalSeconds, (server.CpuSeconds() - cpu) / count * 1000);
    }

    /// <summary>HTTP/1.1 by hand: the machine is the client's too, and HttpClient takes more of it than the server.</summary>
    private sealed class Client : IDisposable
    {
        private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        private readonly string head;
        private byte[] buffer = new byte[1 << 20];

        public Client(int port, string key)
        {
            socket.Connect("127.0.0.1", port);
            head = $" HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n";
        }

        public async Task<ReadOnlyMemory<byte>> AskAsync(string line, string? body)
        {
            var length = body is null ? "" : $"Content-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n";
            await socket.SendAsync(Encoding.UTF8.GetBytes($"{line}{head}{length}\r\n{body}"));
            for (var have = 0; ;)
            {
                var count = await socket.ReceiveAsync(buffer.AsMemory(have));
                if (count == 0) throw new IOException("the server hung up");
                have += count;
                var end = buffer.AsSpan(0, have).IndexOf("\r\n\r\n"u8);
                if (end >= 0)
                {
                    var header = Encoding.ASCII.GetString(buffer, 0, end);
                    if (!header.StartsWith("HTTP/1.1 200", StringComparison.Ordinal)) throw new InvalidOperationException(header.Split('\r')[0]);
                    var at = header.IndexOf("Content-Length: ", StringComparison.OrdinalIgnoreCase) + 16;
                    var size = int.Parse(header[at..].Split('\r')[0], null);
                    if (have >= end + 4 + size) return buffer.AsMemory(end + 4, size);
                    if (buffer.Length < end + 4 + size) Array.Resize(ref buffer, end + 4 + size);
                }
            }
        }

        public void Dispose() => socket.Dispose();
    }
}
