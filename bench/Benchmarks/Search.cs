using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace CbaMail.Bench.Benchmarks;

/// <summary>
/// The full-text index of a mailbox of 100,000 different messages in Russian and English, about 3 KB each, in the running server; and what
/// deliveries notice of indexes being filled.
/// </summary>
internal static partial class Search
{
    // fewer to see whether it runs
    private static readonly int Messages = int.TryParse(Environment.GetEnvironmentVariable("CBAMAIL_SEARCH_MESSAGES"), out var few) ? few : 100_000;
    private static readonly int Delivered = Math.Min(12_000, Messages);
    private const string User = "u0001@bench.test";

    public static async Task RunAsync(Report report)
    {
        await BesideAsync(report);
        await using var server = await BenchServer.StartAsync(settings: "search: {after: 0s}\n");
        await server.CliAsync("domain", "add", "bench.test");
        await server.CliAsync("account", "import", await server.WriteAsync("accounts.csv", $"address,name,password\n{User},Anna,benchpass\n"));
        await server.StopAsync();
        var text = await FillAsync(server.Data);
        var clock = Stopwatch.StartNew();
        await server.StartAgainAsync();
        var (cpu, idle) = (server.CpuSeconds(), server.Resident());
        server.ResetPeak();
        long bytes;
        while (true)
        {
            var status = JsonDocument.Parse(await server.CliAsync("search", "status", User, "--json")).RootElement[0];
            bytes = status.GetProperty("bytes").GetInt64();
            if (status.GetProperty("pending").GetInt64() == 0) break;
            await Task.Delay(500);
        }
        report.Row("filling the index", Messages / clock.Elapsed.TotalSeconds, "messages/s");
        report.Row("  CPU a message", (server.CpuSeconds() - cpu) / Messages * 1000, "ms", "<= 1 ms");
        report.Row("  memory: before", idle, "MB");
        report.Row("  memory: peak meanwhile", server.ResidentPeak(), "MB");
        report.Row("size, of the text", 100.0 * bytes / text, "%", "< 35 %");
        using var client = await ImapPeek.OpenAsync(server.Offset + 143, User);
        await client.AskAsync("SELECT INBOX");
        foreach (var (what, key) in Questions) await MedianAsync(report, client, what, key, 5, "< 100 ms");
        await MedianAsync(report, client, "FUZZY TEXT, a frequent word in any form", "FUZZY TEXT \"договорами\"", 3, "");
        await MedianAsync(report, client, "BODY, a phrase of two frequent words", "BODY \"договор, договор\"", 1, "");
        report.Row("  memory after these", server.Resident(), "MB");
    }

    private static readonly (string What, string Key)[] Questions =
    [
        ("TEXT, a rare word", "TEXT \"иголка777\""),
        ("TEXT, a frequent word", "TEXT \"договор\""),
        ("TEXT, a part of words", "TEXT \"гово\""),
        ("TEXT, one letter", "TEXT \"о\""),
        ("TEXT, nowhere", "TEXT \"qqqqq\""),
        ("TEXT, two words, one is rare", "TEXT \"иголка777 договор\""),
        ("BODY, a rare word", "BODY \"иголка777\""),
        ("SUBJECT, with spaces", "SUBJECT \"number 4217\""),
        ("FROM, an address", "FROM \"anna7@example.test\""),
        ("TEXT and a flag and a date", "UNSEEN SINCE 1-Jan-2020 TEXT \"иголка777\""),
    ];

    [GeneratedRegex(@"COUNT (\d+)")]
    private static partial Regex Count { get; }

    // the first round warms
    private static async Task MedianAsync(Report report, ImapPeek client, string what, string key, int rounds, string goal)
    {
        var took = new List<double>();
        var found = "";
        for (var round = 0; round <= rounds; round++)
        {
            var clock = Stopwatch.StartNew();
            found = Count.Match(await client.AskAsync($"SEARCH RETURN (COUNT) CHARSET UTF-8 {key}")).Groups[1].Value;
            if (round > 0 || rounds == 1) took.Add(clock.Elapsed.TotalMilliseconds);
            if (rounds == 1) break;
        }
        took.Sort();
        report.Row($"{what}: {found}", took[took.Count / 2], "ms", goal);
    }

    // 10 KB messages to 2,500 mailboxes, as fast as it goes; with and without indexes in turns
    private static async Task BesideAsync(Report report)
    {
        double[] sum = [0, 0];
        var indexed = 0L;
        for (var round = 0; round < 4; round++)
        {
            var with = round % 2 == 1;
            await using var server = await Prepared.StartAsync(with ? "search: {after: 0s}\n" : "search: {index: no}\n");
            var load = new SmtpLoad(server);
            await load.RunAsync(null, (sent, _) => sent < 1_500);
            var clock = Stopwatch.StartNew();
            await load.RunAsync(null, (sent, _) => sent < Delivered);
            sum[round % 2] += clock.Elapsed.TotalSeconds;
            if (!with) continue;
            foreach (var row in JsonDocument.Parse(await server.CliAsync("search", "status", "--json")).RootElement.EnumerateArray())
                indexed += row.GetProperty("messages").GetInt64() - row.GetProperty("pending").GetInt64();
        }
        report.Row("deliveries without indexes", 2 * Delivered / sum[0], "/s");
        report.Row($"deliveries while indexes are filled ({indexed / 2:N0})", 2 * Delivered / sum[1], "/s");
    }

    private static async Task<long> FillAsync(string folder)
    {
        var settings = new Settings { Data = folder };
        await using var store = new Store(settings, NullLogger<Store>.Instance, MailStore.RemoveUnacknowledged);
        var mail = new MailStore(store, settings, new Notifier(), TimeProvider.System);
        var account = new UserDirectory(store, TimeProvider.System).ListAccounts().Single(known => known.Address.ToString() == User).Id;
        var inbox = await store.CommitAsync(t => mail.EnsureMailbox(t, account, "INBOX"));
        var random = new Random(1);
        string[] russian = ["ра", "ко", "не", "ст", "во", "та", "по", "ли", "ми", "до", "при", "гор", "сть", "ан"], english = ["ing", "re", "con", "ate", "er", "th", "pro", "s", "al", "en", "ti", "on"];
        string[] Make(string[] syllables) => [.. Enumerable.Range(0, 60_000).Select(_ => string.Concat(Enumerable.Range(0, random.Next(1, 6)).Select(_ => syllables[random.Next(syllables.Length)])))];
        string[][] words = [Make(russian), Make(english)];
        var size = 0L;
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, 16).Select(producer => Task.Run(async () =>
        {
            var mine = new Random(producer);
            int i;
            while ((i = Interlocked.Increment(ref next)) < Messages)
            {
                var letter = Encoding.UTF8.GetBytes(Letter(i, words[i % 2], mine));
                Interlocked.Add(ref size, letter.Length);
                using var staged = mail.Stage(letter);
                await mail.AppendAsync(inbox, staged, MessageFlags.None, [], null, 0, default);
            }
        })));
        return size;
    }

    private static string Letter(int i, string[] words, Random random)
    {
        var body = new StringBuilder();
        for (var n = 0; n < (i % 2 == 0 ? 250 : 450); n++) body.Append(words[(int)(words.Length * Math.Pow(random.NextDouble(), 4))]).Append(n % 12 == 11 ? "\r\n" : " ");
        if (i % 20 == 0) body.Append("договор ");
        if (i % 10_000 == 0) body.Append("иголка777 договор");
        return $"From: Anna <anna{i % 500}@example.test>\r\nTo: b@example.test\r\nSubject: number {i} {words[i % words.Length]}\r\nMessage-ID: <{i}.{random.NextInt64():x}@example.test>\r\n" +
            $"Date: Mon, 02 Feb 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n";
    }
}
