using System.Globalization;

namespace CbaMail.Bench.Benchmarks;

/// <summary>
/// The table of issue "The vault proven", side by side: the scripts of CBAMAIL_PEER_BENCH (default ../shared/bench) drive our server and
/// Postfix + Dovecot in turns, a workload each, so that both have the same weather. Takes about 15 minutes; CBAMAIL_PEER_QUICK=1: 5;
/// CBAMAIL_PEER_ONLY="outbound,smtp-in --modes one --sessions 1 " runs alone what begins so.
/// </summary>
internal static class Peers
{
    internal static readonly bool Quick = Environment.GetEnvironmentVariable("CBAMAIL_PEER_QUICK") == "1";
    private static readonly string[]? only = Environment.GetEnvironmentVariable("CBAMAIL_PEER_ONLY")?.Split(',', StringSplitOptions.RemoveEmptyEntries);

    internal static bool Wanted(params string[] line) => only is null || only.Any(string.Join(' ', line).StartsWith);

    /// <summary>A figure of the table: where it stands in the scripts' results, and how the goal is judged.</summary>
    /// <param name="Run">The result's name, up to where it may differ ("course one").</param>
    /// <param name="Times">The goal as a multiple of the peer's figure, or 0.</param>
    /// <param name="Most">The goal as an upper bound of ours, or 0.</param>
    /// <param name="Cpu">Where the CPU for it stands, in ms: shown behind.</param>
    internal sealed record Figure(string Work, string Run, string Key, string Unit, double Times = 0, double Most = 0, string? Cpu = null)
    {
        public string Goal => Times > 0 ? $">= {Times:0} x" : Most > 0 ? $"<= {Most.ToString(CultureInfo.InvariantCulture)} {Unit}" : "";

        public string Met(double? ours, double? peer) =>
            ours is null || Goal.Length == 0 ? "" : Most > 0 ? Yes(ours <= Most) : peer is null ? "?" : Yes(Unit == "/s" ? ours >= Times * peer : ours * Times <= peer);

        private static string Yes(bool met) => met ? "yes" : "NO";
    }

    private static IEnumerable<Figure> Figures()
    {
        foreach (var (sessions, times) in new[] { (1, 4), (10, 8), (50, 12), (100, 12) })
        {
            yield return new($"SMTP 10 KB, {sessions} sessions, a connection each", $"smtp-in one sessions={sessions} ", "delivered_per_s", "/s", Times: times);
            yield return new("  CPU a message", $"smtp-in one sessions={sessions} ", "cpu_ms_per_msg", "ms", Most: 0.8);
        }
        yield return new("first mail ever into 2,500 mailboxes", "first", "all_delivered_s", "s");
        yield return new("one message of 20 KB to 2,500 mailboxes", "course one", "all_delivered_s", "s", Most: 0.3);
        yield return new("  CPU a mailbox", "course one", "cpu_ms_per_mailbox", "ms");
        yield return new("  disk", "course one", "disk_mb", "MB", Most: 7.7);
        yield return new("2,500 personalised of 20 KB, 10 sessions", "course personal", "all_delivered_s", "s", Most: 1.2);
        yield return new("  CPU a message", "course personal", "cpu_ms_per_mailbox", "ms");
        yield return new("  disk (51 MB of text)", "course personal", "disk_mb", "MB", Most: 7.7);
        yield return new("outbound, injected and relayed", "outbound through", "relayed_per_s", "/s", Times: 3);
        yield return new("  CPU a message", "outbound through", "cpu_ms_per_msg", "ms");
        yield return new("outbound, from a full queue", "outbound queued", "relayed_per_s", "/s", Times: 3);
        yield return new("  CPU a message", "outbound queued", "cpu_ms_per_msg", "ms");
        yield return new("memory: idle (ours resident, the peer's shared part counted once)", "memory idle", "mb", "MB", Most: 100);
        yield return new("memory: the most under all this", "memory under load", "mb", "MB", Most: 200);
        yield return new("memory: 2,500 accounts, 500 idle IMAP over TLS", "memory 500", "mb", "MB", Most: 140);
    }

    public static async Task RunAsync(Report report)
    {
        Floor.Print(report);
        await SmtpIn.FloorAsync(report, [1, 10, 50, 100]);
        if (PeerScripts.Find() is not { } folder)
        {
            report.Note($"The peer was not measured: its scripts are not in {PeerScripts.Folder}; set CBAMAIL_PEER_BENCH to where they are.");
            return;
        }
        await using var ours = await Prepared.StartAsync(BenchServer.ToSink + "dkim: {sign: no}\n"); // unsigned, as the peer sends it
        await using var peer = await PeerScripts.UpAsync(folder);
        var servers = new[] { new PeerScripts(folder, "ours", await ours.WriteAsync("env", PeerScripts.EnvironmentOf(ours))), peer };
        var runs = Quick ? "1" : "3";
        foreach (var server in servers) await server.MemoryAsync("memory idle");
        // long enough that starting the clients and counting what arrived weighs nothing (the script sends a quarter over one session)
        string[][] work =
        [
            ["course", "--runs", runs],
            ["smtp-in", "--modes", "spread", "--sessions", "10", "--messages", "3000", "--runs", "1"], // both warm; not in the table
            .. new[] { 1, 10, 50, 100 }.Select(s => new[] { "smtp-in", "--modes", "one", "--sessions", $"{s}", "--messages", Quick ? "2000" : s == 1 ? "12000" : "8000", "--runs", runs }),
            ["outbound", "--modes", "through", "--messages", Quick ? "1000" : "5000", "--runs", runs],
            ["outbound", "--modes", "queued", "--messages", Quick ? "2000" : "10000", "--runs", runs],
        ];
        foreach (var line in work.Where(Wanted))
        {
            foreach (var server in servers)
                await server.RunAsync(server == peer || line[0] != "outbound" ? line : [.. line, "--auth", "--port", $"{ours.Offset + 587}"]);
        }
        foreach (var server in servers) server.Peak("memory under load");
        foreach (var server in servers.Where(_ => Wanted("imap")))
        {
            if (server != peer) await ours.RestartAsync(); // accounts and idle connections alone
            await server.RunAsync(["imap", "--modes", "idle", "--idle", "500", "--runs", "1"]);
            server.Copy("imap idle tls", "total_pss_mb", "memory 500");
        }
        Print(report, Figures(), servers[0], servers[1]);
    }

    internal static void Print(Report report, IEnumerable<Figure> figures, PeerScripts ours, PeerScripts peer)
    {
        report.Note($"{"work",-66} {"ours",12} {"peer",12} {"ratio",8}   {"goal",-12} {"met?",-4}");
        foreach (var figure in figures)
        {
            var (a, b) = (ours.Value(figure.Run, figure.Key), peer.Value(figure.Run, figure.Key));
            if (a is null && b is null && only is not null) continue;
            var cpu = figure.Cpu is { } key ? $"   CPU {Shown(ours.Value(figure.Run, key), "ms")} / {Shown(peer.Value(figure.Run, key), "ms")}" : "";
            report.Note($"{figure.Work,-66} {Shown(a, figure.Unit),12} {Shown(b, figure.Unit),12} {(a > 0 && b > 0 ? (figure.Unit == "/s" ? a / b : b / a).Value.ToString("0.0", CultureInfo.InvariantCulture) + " x" : ""),8}   {figure.Goal,-12} {figure.Met(a, b),-4}{cpu}".TrimEnd());
        }
        report.Note($"CPU of others while this ran, at most: {Math.Max(ours.Noise, peer.Noise):0} %. Figures by the clock count only where it was low; CPU and ratios stand.");
    }

    private static string Shown(double? value, string unit) =>
        value is not { } v ? "-" : v.ToString(v >= 100 ? "0" : v >= 1 ? "0.0" : "0.000", CultureInfo.InvariantCulture) + " " + unit;
}
