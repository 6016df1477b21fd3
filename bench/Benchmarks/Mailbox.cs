using System.Diagnostics;

namespace CbaMail.Bench.Benchmarks;

/// <summary>A large mailbox over IMAP: what a client asks when it comes back, and flags of many messages at once.</summary>
internal static class Mailbox
{
    private const int Messages = 100_000;
    private const int Rounds = 5;

    public static async Task RunAsync(Report report)
    {
        await using var server = await Prepared.StartAsync();
        using var session = await ImapPeek.OpenAsync(server.Offset + 143, "u0001@bench.test");
        for (var i = 0; i < 500; i++) await session.AppendAsync("INBOX", [Corpus.Message(i, "u0001@bench.test", 2_000)]);
        await session.RunAsync("SELECT INBOX");
        for (var have = 500; have < Messages; have *= 2)
        {
            await session.RunAsync($"COPY 1:{Math.Min(have, Messages - have)} INBOX");
            await session.RunAsync("NOOP");
        }
        await MedianAsync(report, session, "SELECT of 100,000 messages", "", "SELECT INBOX");
        await MedianAsync(report, session, "UID and flags of 100,000 messages", "< 60 ms", "UID FETCH 1:* (FLAGS)");
        await MedianAsync(report, session, "flags of 10,000 messages", "< 100 ms", "STORE 1:10000 +FLAGS (\\Flagged)", "STORE 1:10000 -FLAGS (\\Flagged)");
        await MedianAsync(report, session, "  silently", "< 100 ms", "STORE 1:10000 +FLAGS.SILENT (\\Seen)", "STORE 1:10000 -FLAGS.SILENT (\\Seen)");
        report.Row("resident memory", server.Resident(), "MB");
    }

    // the first round warms; the commands take turns
    private static async Task MedianAsync(Report report, ImapPeek session, string figure, string goal, params string[] commands)
    {
        var took = new List<double>();
        for (var round = 0; round <= Rounds; round++)
        {
            var clock = Stopwatch.StartNew();
            await session.RunAsync(commands[round % commands.Length]);
            if (round > 0) took.Add(clock.Elapsed.TotalMilliseconds);
        }
        took.Sort();
        report.Row(figure, took[took.Count / 2], "ms", goal);
    }
}
