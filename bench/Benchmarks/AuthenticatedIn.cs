using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using CbaMail.MailAuth.Dkim;

namespace CbaMail.Bench.Benchmarks;

/// <summary>
/// Messages of 10 KB from a stranger, a connection each, with SPF, DKIM and DMARC verified, into the mailbox: ours beside Postfix + Dovecot +
/// Rspamd (see <see cref="Peers"/>), by the same client with the same letters and the same name server. Every message is looked at
/// afterwards: where one does not bear spf=pass, dkim=pass and dmarc=pass the benchmark has failed. CBAMAIL_PEER_QUICK=1: one round, fewer messages.
/// </summary>
internal static partial class AuthenticatedIn
{
    private const string Sender = "remote.test", Selector = "bench";
    private const int Size = 10_240, Different = 1000;

    private static readonly bool Quick = Environment.GetEnvironmentVariable("CBAMAIL_PEER_QUICK") == "1";
    private static readonly int[] Sessions = [1, 10, 50, 100];
    private static readonly RspamdWay[] Ways =
    [
        new("Debian's rules, 1 scanner (as mailcow)", 1, Lean: false),
        new("Debian's rules, 2 scanners", 2, Lean: false),
        new("SPF, DKIM, ARC, DMARC alone, 2 scanners", 2, Lean: true),
    ];

    /// <param name="Cpu">Seconds of CPU of all its processes.</param>
    /// <param name="Delivered">Counts what a mailbox gets from now on.</param>
    private sealed record Contestant(string Name, int Smtp, int Imap, Func<double> Cpu, Func<string, Task<Func<Task<int>>>> Delivered);

    /// <summary>What one round with so many sessions gave.</summary>
    private sealed record Outcome(double Rate, double Cpu);

    public static async Task RunAsync(Report report)
    {
        using var key = DkimPrivateKey.Create(DkimAlgorithm.RsaSha256);
        await using var dns = await NameServer.StartAsync((Sender,
            [("@", "v=spf1 ip4:127.0.0.0/8 -all"), ("_dmarc", "v=DMARC1; p=reject"), ($"{Selector}._domainkey", key.Record())]));
        await using var ours = await Prepared.StartAsync($"dns: {{servers: [\"{NameServer.Address}\"]}}\n");
        var letters = Letters(key);
        Floor.Print(report);
        await SmtpIn.FloorAsync(report, Sessions);
        await SignedOut.VerifyFloorAsync(report);

        var results = new Dictionary<(string Name, int Sessions), List<Outcome>>();
        var (target, rounds) = (100, Quick ? 1 : 3);
        var us = new Contestant("ours", ours.Smtp, ours.Offset + 143, ours.CpuSeconds, user => CountByImap(ours.Offset + 143, user));
        async Task MeasureAsync(Contestant one, bool slow)
        {
            await OneAsync(one, letters, 10, slow ? 60 : 500, ++target); // warm
            foreach (var sessions in Sessions)
            {
                var count = (slow ? 300 : sessions == 1 ? 1000 : 4000) / (Quick ? 2 : 1);
                var outcome = await OneAsync(one, letters, sessions, count, ++target);
                if (!results.TryGetValue((one.Name, sessions), out var list)) results[(one.Name, sessions)] = list = [];
                list.Add(outcome);
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {one.Name}, {sessions} sessions: {outcome.Rate:0} /s, {outcome.Cpu:0.00} ms"));
            }
        }

        if (PeerScripts.Find() is not { } folder)
        {
            for (var round = 0; round < rounds; round++) await MeasureAsync(us, slow: false);
            report.Note($"The peer was not measured: its scripts are not in {PeerScripts.Folder}; set CBAMAIL_PEER_BENCH to where they are.");
        }
        else
        {
            await using var peer = await PeerScripts.UpAsync(folder, "SPAM=1");
            for (var round = 0; round < rounds; round++)
                foreach (var way in Ways)
                {
                    await PeerFilter.SetAsync(way);
                    if (way == Ways[0]) await MeasureAsync(us, slow: false);
                    await MeasureAsync(new(way.Name, 10025, 10143, () => ProcessTree.CpuSeconds("/tmp/peer/pids"), _ => CountByLog("/tmp/peer/dovecot/log")), slow: true);
                }
        }
        Print(report, results);
    }

    private static byte[][] Letters(DkimPrivateKey key)
    {
        var signer = new DkimSigner([new(Sender, Selector, key)], new());
        var letters = new byte[Different][];
        Parallel.For(0, Different, i =>
        {
            var message = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(Corpus.Message(i, "u@bench.test", Size)).Replace("office@bench.test", "office@" + Sender, StringComparison.Ordinal));
            letters[i] = [.. signer.Sign(message, DateTimeOffset.UtcNow), .. message];
        });
        return letters;
    }

    private static async Task<Outcome> OneAsync(Contestant one, byte[][] letters, int sessions, int count, int target)
    {
        var user = string.Create(CultureInfo.InvariantCulture, $"u{target:0000}@bench.test");
        var delivered = await one.Delivered(user);
        var (next, cpu, clock) = (-1, one.Cpu(), Stopwatch.StartNew());
        await Task.WhenAll(Enumerable.Range(0, sessions).Select(async _ =>
        {
            int i;
            while ((i = Interlocked.Increment(ref next)) < count)
            {
                var session = await SmtpIn.Session.OpenAsync(one.Smtp);
                await session.SendAsync(user, letters[i % letters.Length]);
                await session.QuitAsync();
            }
        }));
        while (await delivered() < count)
        {
            if (clock.Elapsed > TimeSpan.FromMinutes(4)) throw new InvalidOperationException($"{one.Name}: only {await delivered()} of {count} have arrived");
            await Task.Delay(20);
        }
        var outcome = new Outcome(count / clock.Elapsed.TotalSeconds, (one.Cpu() - cpu) / count * 1000);
        await ProveAsync(one, user, count);
        return outcome;
    }

    /// <summary>Every message must say that all three have passed.</summary>
    private static async Task ProveAsync(Contestant one, string user, int count)
    {
        using var peek = await ImapPeek.OpenAsync(one.Imap, user);
        var fields = await peek.FieldsAsync("Authentication-Results");
        var bad = fields.Where(field => !(field.Contains("spf=pass", StringComparison.Ordinal) && field.Contains("dkim=pass", StringComparison.Ordinal) && field.Contains("dmarc=pass", StringComparison.Ordinal))).ToList();
        if (fields.Count != count || bad.Count > 0)
            throw new InvalidOperationException($"{one.Name}: of {fields.Count} messages {bad.Count} are not authenticated, such as: {bad.FirstOrDefault()}");
    }

    private static async Task<Func<Task<int>>> CountByImap(int port, string user)
    {
        var peek = await ImapPeek.OpenAsync(port, user);
        return peek.CountAsync;
    }

    private static Task<Func<Task<int>>> CountByLog(string log)
    {
        var (start, count) = (new FileInfo(log).Length, 0);
        return Task.FromResult<Func<Task<int>>>(async () =>
        {
            using var file = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            file.Seek(start, SeekOrigin.Begin);
            var text = await new StreamReader(file, Encoding.Latin1).ReadToEndAsync();
            text = text[..(text.LastIndexOf('\n') + 1)];
            start += text.Length;
            return count += Stored.Count(text);
        });
    }

    private static void Print(Report report, Dictionary<(string Name, int Sessions), List<Outcome>> results)
    {
        double? Median(string name, int sessions, Func<Outcome, double> of) =>
            results.TryGetValue((name, sessions), out var list) ? list.Select(of).Order().ElementAt(list.Count / 2) : null;
        report.Note($"{"delivered /s (CPU ms a message)",-42} {string.Concat(Sessions.Select(s => $"{s + " sessions",22}"))}");
        foreach (var name in results.Keys.Select(k => k.Name).Distinct())
            report.Note($"{name,-42} {string.Concat(Sessions.Select(s => $"{Text(Median(name, s, o => o.Rate), Median(name, s, o => o.Cpu)),22}"))}");
        foreach (var name in results.Keys.Select(k => k.Name).Distinct().Where(name => name != "ours"))
            report.Note($"{"ours : " + name,-42} {string.Concat(Sessions.Select(s => $"{Ratio(Median("ours", s, o => o.Rate) / Median(name, s, o => o.Rate)),22}"))}");
        report.Note("Every message was looked at in its mailbox: spf=pass, dkim=pass, dmarc=pass.");
    }

    private static string Text(double? rate, double? cpu) => rate is { } a && cpu is { } b ? string.Create(CultureInfo.InvariantCulture, $"{a:0} /s ({b:0.00})") : "-";
    private static string Ratio(double? ratio) => ratio is { } value ? string.Create(CultureInfo.InvariantCulture, $"{value:0.0} x {(value >= 3 ? "(>= 3: yes)" : "(>= 3: NO)")}") : "-";

    [GeneratedRegex("saved mail to |stored mail into")]
    private static partial Regex Stored { get; }
}
