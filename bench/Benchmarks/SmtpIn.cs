using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CbaMail.Bench.Benchmarks;

internal static class SmtpIn
{
    private const int Size = 10_240;
    private const int Sessions = 50;
    private const int Messages = 20_000;

    public static async Task RunAsync(Report report)
    {
        await using var server = await Prepared.StartAsync();
        var letters = Enumerable.Range(0, 500).Select(i => Corpus.Message(i, "u@bench.test", Size)).ToArray();
        await BlastAsync(server, letters, 2_000, keep: true);     // warm
        foreach (var (keep, label, peer) in new[] { (true, "sessions kept open", ""), (false, "a connection a message", "174-179/s") })
        {
            var cpu = server.CpuSeconds();
            var seconds = await BlastAsync(server, letters, Messages, keep);
            report.Row($"50 sessions, own client, {label}", Messages / seconds, "/s", ">= 1,500/s", peer);
            report.Row("  CPU of the server a message", (server.CpuSeconds() - cpu) / Messages * 1000, "ms", "", keep ? "" : "8.9-9.6 ms");
        }
        var source = new[] { "/usr/sbin/smtp-source", "/sbin/smtp-source" }.FirstOrDefault(File.Exists);
        if (source is null)
        {
            Console.WriteLine("  smtp-source (Debian: postfix) is not installed");
            return;
        }
        foreach (var (options, label) in new[] { ("-d", "sessions kept open"), ("", "a connection a message") })
        {
            var clock = Stopwatch.StartNew();
            using var run = Process.Start(source, $"{options} -s {Sessions} -m {Messages} -l {Size} -f sender@remote.test -t u0007@bench.test 127.0.0.1:{server.Smtp}");
            await run.WaitForExitAsync();
            if (run.ExitCode != 0) throw new InvalidOperationException("smtp-source failed");
            report.Row($"50 sessions, smtp-source, {label}", Messages / clock.Elapsed.TotalSeconds, "/s", ">= 1,500/s");
        }
    }

    /// <summary>What the protocol alone costs on this machine: the same client and a server that stores nothing (smtp-sink, in C). No server that does can be quicker.</summary>
    public static async Task FloorAsync(Report report, IEnumerable<int> sessions)
    {
        string? Find(string name) => new[] { "/usr/sbin/" + name, "/sbin/" + name }.FirstOrDefault(File.Exists);
        if (Find("smtp-source") is not { } source || Find("smtp-sink") is not { } sink) return;
        var listening = new TcpListener(IPAddress.Loopback, 0);
        listening.Start();
        var port = ((IPEndPoint)listening.LocalEndpoint).Port;
        listening.Stop();
        var user = Environment.IsPrivilegedProcess ? "-u nobody " : "";
        using var serving = Process.Start(sink, $"{user}127.0.0.1:{port} 512");
        try
        {
            foreach (var count in sessions)
            {
                var messages = count == 1 ? 1_000 : 4_000;
                var clock = Stopwatch.StartNew();
                for (var attempt = 0; ; attempt++)
                {
                    using var run = Process.Start(source, $"-C 5 -s {count} -m {messages} -l {Size} -f sender@remote.test -t u@bench.test 127.0.0.1:{port}");
                    await run.WaitForExitAsync();
                    if (run.ExitCode == 0) break;
                    if (attempt == 20) throw new InvalidOperationException("smtp-sink does not answer");
                    await Task.Delay(50); // it has not opened its port yet
                    clock.Restart();
                }
                report.Row($"SMTP's floor: smtp-sink, nothing stored, {count} sessions", messages / clock.Elapsed.TotalSeconds, "/s");
            }
        }
        finally
        {
            serving.Kill();
            await serving.WaitForExitAsync();
        }
    }

    private static async Task<double> BlastAsync(BenchServer server, byte[][] letters, int count, bool keep)
    {
        var next = -1;
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Sessions).Select(async _ =>
        {
            Session? session = null;
            int i;
            while ((i = Interlocked.Increment(ref next)) < count)
            {
                session ??= await Session.OpenAsync(server.Smtp);
                await session.SendAsync($"u{i % Prepared.People + 1:0000}@bench.test", letters[i % letters.Length]);
                if (keep) continue;
                await session.QuitAsync();
                session = null;
            }
            if (session is not null) await session.QuitAsync();
        }));
        return clock.Elapsed.TotalSeconds;
    }

    internal sealed class Session(Socket socket)
    {
        private readonly byte[] buffer = new byte[4096];

        public static async Task<Session> OpenAsync(int port, string hello = "EHLO")
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));
            var session = new Session(socket);
            await session.RepliesAsync(1);
            await socket.SendAsync(Encoding.ASCII.GetBytes(hello + " bench.example\r\n"));
            await session.RepliesAsync(1);
            return session;
        }

        public Task SendAsync(string to, byte[] letter) => SendAsync([to], letter);

        public async Task SendAsync(IReadOnlyCollection<string> to, byte[] letter, string from = "sender@remote.test")
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes($"MAIL FROM:<{from}>\r\n{string.Concat(to.Select(one => $"RCPT TO:<{one}>\r\n"))}DATA\r\n"));
            await RepliesAsync(2 + to.Count);
            await socket.SendAsync(new ArraySegment<byte>[] { new(letter), new(".\r\n"u8.ToArray()) });
            await RepliesAsync(1);
        }

        public async Task SignInAsync(string user)
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes($"AUTH PLAIN {Convert.ToBase64String(Encoding.ASCII.GetBytes($"\0{user}\0benchpass"))}\r\n"));
            await RepliesAsync(1);
        }

        public async Task QuitAsync()
        {
            await socket.SendAsync("QUIT\r\n"u8.ToArray());
            socket.Dispose();
        }

        private async Task RepliesAsync(int count)
        {
            var (line, length) = (new byte[4], 0);
            while (count > 0)
            {
                var got = await socket.ReceiveAsync(buffer);
                if (got == 0) throw new InvalidOperationException("the server closed");
                for (var i = 0; i < got; i++)
                {
                    if (buffer[i] != '\n')
                    {
                        if (length < 4) line[length++] = buffer[i];
                        continue;
                    }
                    if (line[0] is not ((byte)'2' or (byte)'3')) throw new InvalidOperationException("refused: " + Encoding.ASCII.GetString(buffer, 0, got).Trim());
                    if (line[3] == ' ') count--;
                    length = 0;
                }
            }
        }
    }
}
