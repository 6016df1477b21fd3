using System.Diagnostics;
using CbaMail.Config;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace CbaMail.Bench.Benchmarks;

/// <summary>
/// Backups and verifications beside arriving mail: what the mail notices of it, and whether a snapshot holds every message that was acknowledged
/// before, each whole.
/// </summary>
internal static class BackupLoad
{
    const int Filled = 40_000;
    const double Rate = 1_000;
    static readonly TimeSpan Alone = TimeSpan.FromSeconds(8);

    public static async Task RunAsync(Report report)
    {
        await using var server = await Prepared.StartAsync();
        var load = new SmtpLoad(server);
        Show(report, "filling the store", await load.RunAsync(null, (sent, _) => sent < Filled));
        foreach (var rate in (double?[])[Rate, null])
        {
            var how = rate is null ? "as fast as it goes" : "1,000 due a second";
            var before = await load.RunAsync(rate, Alone);
            Show(report, how + ", alone", before);
            var repository = Path.Combine(server.Folder, "repository-" + (rate is null ? "fast" : "due"));
            var acknowledged = new List<HashSet<int>>();
            async Task BackUpAsync()
            {
                var now = Stopwatch.GetTimestamp();
                acknowledged.Add([.. load.Acknowledged.Where(pair => pair.Value < now).Select(pair => pair.Key)]);
                await server.CliAsync("backup", repository);
            }
            var (full, seconds) = await load.BesideAsync(rate, BackUpAsync);
            Show(report, how + ", a first backup beside", full, seconds);
            var (next, more) = await load.BesideAsync(rate, BackUpAsync);
            Show(report, how + ", a second backup beside", next, more);
            var (read, whole) = await load.BesideAsync(rate, () => server.CliAsync("verify"));
            Show(report, how + ", verify beside", read, whole);
            var after = await load.RunAsync(rate, Alone);
            Show(report, how + ", alone again", after);
            var alone = (before.Rate + after.Rate) / 2;
            if (rate is null) report.Row("  rate beside a first backup, of that alone", full.Rate / alone * 100, "%", ">= 75 %");
            if (rate is null) report.Row("  rate beside verify, of that alone", read.Rate / alone * 100, "%", ">= 75 %");
            if (rate is not null) report.Row("  p99 beside verify, of that alone", read.P(0.99) / Math.Max(before.P(0.99), after.P(0.99)), "x", "<= 2 x");
            var names = System.IO.Directory.GetDirectories(Path.Combine(repository, "snapshots")).Order(StringComparer.Ordinal).Select(Path.GetFileName).ToList();
            for (var i = 0; i < names.Count; i++) await CompareAsync(report, server, load, repository, names[i]!, acknowledged[i]);
        }
    }

    static void Show(Report report, string what, SmtpLoad.Outcome outcome, double? seconds = null)
    {
        report.Row(what, outcome.Rate, "/s");
        report.Note(FormattableString.Invariant($"    50 sessions: median {outcome.P(0.5):0.0} ms, p99 {outcome.P(0.99):0.0} ms, worst {outcome.P(1):0} ms; CPU {outcome.Cpu:0.00}{(seconds is { } s ? FormattableString.Invariant($"; it took {s:0.0} s") : "")}"));
    }

    // restored elsewhere: all that was acknowledged before is there once, and whatever is there is whole
    static async Task CompareAsync(Report report, BenchServer server, SmtpLoad load, string repository, string snapshot, HashSet<int> acknowledged)
    {
        var data = Path.Combine(server.Folder, "restored");
        var clock = Stopwatch.StartNew();
        await server.ElsewhereAsync("restore", repository, "--at", snapshot, "--data", data);
        var took = clock.Elapsed.TotalSeconds;
        var there = new HashSet<int>();
        var settings = new Settings { Data = data };
        await using (var store = new Store(settings, NullLogger<Store>.Instance, MailStore.RemoveUnacknowledged))
        {
            var mail = new MailStore(store, settings, new Notifier(), TimeProvider.System);
            using var read = mail.Read();
            for (var account = 1; account <= Prepared.People; account++)
                foreach (var mailbox in read.Mailboxes(account))
                    foreach (var row in read.Messages(mailbox.Id))
                    {
                        var content = read.Content(mailbox.Id, row) ?? throw new InvalidOperationException($"account {account} UID {row.Uid} has no body");
                        Whole(load, content.Read(0, (int)content.Size), there);
                    }
        }
        var missing = acknowledged.Except(there).Count();
        if (missing > 0) throw new InvalidOperationException($"{missing} messages that were acknowledged before the backup are not in the snapshot {snapshot}");
        System.IO.Directory.Delete(data, recursive: true);
        report.Note(FormattableString.Invariant($"    {snapshot} restored in {took:0.0} s: all {acknowledged.Count:n0} that were acknowledged before are there, and {there.Count - acknowledged.Count:n0} of those since; each was compared byte by byte"));
    }

    static void Whole(SmtpLoad load, ReadOnlySpan<byte> bytes, HashSet<int> there)
    {
        var mark = bytes.IndexOf("X-Bench: "u8);
        var number = mark < 0 ? -1 : int.Parse(bytes.Slice(mark + SmtpLoad.Mark.Length, 9), null);
        if (number < 0 || !bytes[mark..].SequenceEqual(load.Letter(number))) throw new InvalidOperationException($"message {number} is not as it was sent");
        if (!there.Add(number)) throw new InvalidOperationException($"message {number} stands twice");
    }
}
