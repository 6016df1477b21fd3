using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace CbaMail.Bench.Benchmarks;

/// <summary>
/// A mailing to 100,000 people elsewhere, from the command to the last copy that smtp-sink has taken; and one to 2,500 mailboxes here
/// while somebody works in his by IMAP.
/// </summary>
internal static class RemoteMailing
{
    const int Remote = 100_000;

    public static async Task RunAsync(Report report)
    {
        await BesideImapAsync(report);
        await RemoteAsync(report);
    }

    static async Task BesideImapAsync(Report report)
    {
        await using var server = await Prepared.StartAsync();
        var people = new StringBuilder("address,name,group,code\n");
        for (var i = 1; i <= Prepared.People; i++) people.Append(CultureInfo.InvariantCulture, $"u{i:0000}@bench.test,Student {i},group {i % 25},code-{i}\n");
        var mailing = await MakeAsync(server, people.ToString());
        using var reader = await ImapPeek.OpenAsync(server.Offset + 143, "u0001@bench.test");
        await reader.AskAsync("SELECT INBOX");
        var latencies = new List<double>();
        var clock = Stopwatch.StartNew();
        var sending = server.CliAsync("mailing", "send", mailing, "--wait");
        for (var i = 0; !sending.IsCompleted; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await reader.AskAsync((i % 4) switch { 0 => "NOOP", 1 => "FETCH 1:* (FLAGS ENVELOPE)", 2 => "UID SEARCH UNSEEN", _ => "STATUS Drafts (MESSAGES UIDNEXT)" });
            latencies.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            await Task.Delay(2);
        }
        await sending;
        report.Row("20 KB to 2,500 mailboxes, IMAP beside it", clock.Elapsed.TotalSeconds, "s", "< 2.5 s");
        latencies.Sort();
        report.Row($"  IMAP commands, 99th percentile of {latencies.Count}", latencies[(int)(latencies.Count * 0.99)], "ms", "< 20 ms");
    }

    static async Task RemoteAsync(Report report)
    {
        var user = Environment.IsPrivilegedProcess ? "-u nobody " : "";
        using var sink = Process.Start("/usr/sbin/smtp-sink", $"{user}127.0.0.1:10026 1000");
        try
        {
            await NameServer.ListensAsync(10026, "smtp-sink");
            await using var server = await Prepared.StartAsync(BenchServer.ToSink);
            var people = new StringBuilder("address,name,group,code\n");
            for (var i = 1; i <= Remote; i++) people.Append(CultureInfo.InvariantCulture, $"p{i}@d{i % 20}.sink.test,Student {i},group {i % 25},code-{i}\n");
            var mailing = await MakeAsync(server, people.ToString());
            server.ResetPeak();
            var (cpu, clock) = (server.CpuSeconds(), Stopwatch.StartNew());
            await server.CliAsync("mailing", "send", mailing);
            var planned = clock.Elapsed.TotalSeconds;
            var (rendered, counts) = (0.0, JsonDocument.Parse("{}").RootElement);
            while (true)
            {
                counts = JsonDocument.Parse(await server.CliAsync("mailing", "status", mailing, "--json")).RootElement;
                if (rendered == 0 && Count(counts, "rendered") == 0) rendered = clock.Elapsed.TotalSeconds;
                if (Count(counts, "delivered") == Remote) break;
                if (clock.Elapsed > TimeSpan.FromMinutes(10) || Count(counts, "bounced") > 0) throw new InvalidOperationException($"after {clock.Elapsed.TotalSeconds:0} s: {counts}");
                await Task.Delay(250);
            }
            var took = clock.Elapsed.TotalSeconds;
            report.Row("100,000 elsewhere: planned", planned, "s");
            report.Row("100,000 elsewhere: all rendered and queued or sent", rendered, "s");
            report.Row("100,000 elsewhere: taken by smtp-sink", took, "s");
            report.Row("  a second", Remote / took, "/s");
            report.Row("  CPU of the server a copy", (server.CpuSeconds() - cpu) / Remote * 1000, "ms");
            report.Row("  resident memory at most", server.ResidentPeak(), "MB", "< 180 MB");
        }
        finally
        {
            if (!sink.HasExited) sink.Kill();
            await sink.WaitForExitAsync();
        }
    }

    static int Count(JsonElement counts, string state) => counts.GetProperty(state).GetInt32();

    static async Task<string> MakeAsync(BenchServer server, string people)
    {
        var course = (await server.CliAsync("course", "add", "Bench", "--domain", "bench.test")).Trim();
        await server.CliAsync("course", "import", course, await server.WriteAsync("people.csv", people));
        var html = "<html><body><h1>Dear {{name}}</h1><p>Your group is {{group}}, your code {{code}}.</p><p>" + Corpus.Text(new Random(1), 9_800) + "</p></body></html>";
        return (await server.CliAsync("mailing", "create", course, "--from", "u0001@bench.test", "--subject", "Course for {{name}}", "--html", await server.WriteAsync("letter.html", html))).Trim();
    }
}
