using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CbaMail.Bench.Benchmarks;

/// <summary>A large mailbox over IMAP: what a client asks when it comes back, and flags of many messages at once.</summary>
internal static class Mailbox
{
    private const int Messages = 100_000;
    private const int Rounds = 5;

    public static async Task RunAsync(Report report)
    {
        await using var server = await Prepared.StartAsync();
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Offset + 143);
        client.NoDelay = true;
        var session = new Session(client.GetStream());
        await session.AskAsync("LOGIN u0001@bench.test benchpass");
        for (var i = 0; i < 500; i++)
        {
            var letter = Corpus.Message(i, "u0001@bench.test", 2_000);
            await session.AskAsync($"APPEND INBOX {{{letter.Length}+}}", letter);
        }
        await session.AskAsync("SELECT INBOX");
        for (var have = 500; have < Messages; have *= 2)
        {
            await session.AskAsync($"COPY 1:{Math.Min(have, Messages - have)} INBOX");
            await session.AskAsync("NOOP");
        }
        await MedianAsync(report, session, "SELECT of 100,000 messages", "", "SELECT INBOX");
        await MedianAsync(report, session, "UID and flags of 100,000 messages", "< 60 ms", "UID FETCH 1:* (FLAGS)");
        await MedianAsync(report, session, "flags of 10,000 messages", "< 100 ms", "STORE 1:10000 +FLAGS (\\Flagged)", "STORE 1:10000 -FLAGS (\\Flagged)");
        await MedianAsync(report, session, "  silently", "< 100 ms", "STORE 1:10000 +FLAGS.SILENT (\\Seen)", "STORE 1:10000 -FLAGS.SILENT (\\Seen)");
        report.Row("resident memory", server.Resident(), "MB");
    }

    // the first round warms; the commands take turns
    private static async Task MedianAsync(Report report, Session session, string figure, string goal, params string[] commands)
    {
        var took = new List<double>();
        for (var round = 0; round <= Rounds; round++)
        {
            var clock = Stopwatch.StartNew();
            await session.AskAsync(commands[round % commands.Length]);
            if (round > 0) took.Add(clock.Elapsed.TotalMilliseconds);
        }
        took.Sort();
        report.Row(figure, took[took.Count / 2], "ms", goal);
    }

    private sealed class Session(NetworkStream stream)
    {
        private readonly byte[] buffer = new byte[1 << 20];
        private int tag;

        public async Task AskAsync(string command, byte[]? literal = null)
        {
            var mine = $"a{++tag:00000}";
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"{mine} {command}\r\n"));
            if (literal is not null) await stream.WriteAsync((byte[])[.. literal, 13, 10]);
            var end = Encoding.ASCII.GetBytes(mine + " ");
            var tail = Array.Empty<byte>();
            while (true)
            {
                var count = await stream.ReadAsync(buffer);
                if (count == 0) throw new InvalidOperationException($"the server hung up at {command}");
                tail = [.. tail.AsSpan(Math.Max(0, tail.Length - 2000)), .. buffer.AsSpan(Math.Max(0, count - 2000), Math.Min(count, 2000))];
                var line = tail.AsSpan().LastIndexOf(end);
                if (line < 0 || tail[^1] != '\n') continue;
                var answer = Encoding.ASCII.GetString(tail.AsSpan(line));
                if (!answer.StartsWith(mine + " OK", StringComparison.Ordinal)) throw new InvalidOperationException(answer.Trim());
                return;
            }
        }
    }
}
