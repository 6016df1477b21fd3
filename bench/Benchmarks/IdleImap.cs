using System.Diagnostics;

namespace CbaMail.Bench.Benchmarks;

/// <summary>What connections over TLS hold that have signed in, selected INBOX and wait in IDLE; and what others notice of them.</summary>
internal static class IdleImap
{
    public static async Task RunAsync(Report report)
    {
        await MeasureAsync(report, 500, "< 30 MB", apart: false);
        await MeasureAsync(report, 500, "< 30 MB", apart: true);
        await MeasureAsync(report, 5000, "< 280 MB", apart: true);
    }

    /// <param name="apart">Whether each comes to a mailbox of its own (of 2,500) instead of all to one.</param>
    private static async Task MeasureAsync(Report report, int count, string goal, bool apart)
    {
        await using var server = await Prepared.StartAsync(sql: ImapPeers.CheapPasswords);
        var port = server.Offset + 993;
        string User(int i) => apart ? $"u{i % Prepared.People + 1:0000}@bench.test" : "u0001@bench.test";
        for (var i = 0; i < 20; i++) (await ImapPeek.OpenAsync(port, User(0), tls: true)).Dispose();
        await Task.Delay(2000);
        var before = server.Resident();
        var what = $"{count:N0}, {(apart ? "each its mailbox" : "one mailbox")}";
        var (clients, next, clock) = (new ImapPeek[count], -1, Stopwatch.StartNew());
        var probes = new List<double>();
        using var done = new CancellationTokenSource();
        var probe = ProbeAsync(port, probes, done.Token);
        await Task.WhenAll(Enumerable.Range(0, 10).Select(async _ =>
        {
            int i;
            while ((i = Interlocked.Increment(ref next)) < count)
            {
                clients[i] = await ImapPeek.OpenAsync(port, User(i), tls: true);
                await clients[i].IdleAsync();
            }
        }));
        report.Row($"{what}: they come", count / clock.Elapsed.TotalSeconds, "/s");
        report.Row("  memory above idle, at once", server.Resident() - before, "MB", goal);
        await Task.Delay(5000);
        report.Row("  5 s later", server.Resident() - before, "MB", goal);
        await Task.Delay(15_000);
        await done.CancelAsync();
        await probe;
        report.Row("  20 s later", server.Resident() - before, "MB", goal);
        report.Row($"  meanwhile LOGIN and NOOP of others, p99 of {probes.Count}", probes.Order().ElementAt(probes.Count * 99 / 100), "ms");
        foreach (var client in clients) client.Dispose();
    }

    private static async Task ProbeAsync(int port, List<double> took, CancellationToken done)
    {
        while (!done.IsCancellationRequested)
        {
            var clock = Stopwatch.StartNew();
            using (var client = await ImapPeek.OpenAsync(port, "u2500@bench.test", tls: true)) await client.AskAsync("NOOP");
            took.Add(clock.Elapsed.TotalMilliseconds);
            await Task.Delay(20, CancellationToken.None);
        }
    }
}
