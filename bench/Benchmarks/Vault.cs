using System.Diagnostics;
using CbaMail.Config;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace CbaMail.Bench.Benchmarks;

internal static class Vault
{
    public static async Task RunAsync(Report report)
    {
        var floor = Floor.Print(report);
        var letters = Enumerable.Range(0, 500).Select(i => Corpus.Message(i, "u@bench.test", 10_240)).ToArray();
        foreach (var (producers, count, prepared) in new[] { (1, 4_000, true), (1, 4_000, false), (50, 30_000, false) })
        {
            var folder = System.IO.Directory.CreateTempSubdirectory("cbamail-vault-").FullName;
            var settings = new Settings { Data = folder };
            var store = new Store(settings, NullLogger<Store>.Instance, MailStore.RemoveUnacknowledged);
            var mail = new MailStore(store, settings, new Notifier(), TimeProvider.System);
            var inboxes = new long[50];
            for (var i = 0; i < inboxes.Length; i++)
            {
                var account = i + 1;
                inboxes[i] = await store.CommitAsync(t =>
                {
                    mail.CreateAccount(t, account);
                    return mail.EnsureMailbox(t, account, "INBOX");
                });
            }
            for (var i = 0; i < 6_000; i++) // what the just-in-time compiler needs
            {
                using var staged = mail.Stage(letters[i % letters.Length]);
                await mail.AppendAsync(inboxes[i % inboxes.Length], staged, MessageFlags.None, [], null, 0, default);
            }
            var ready = prepared ? letters.Select(letter => mail.Stage(letter)).ToArray() : [];
            var next = -1;
            var (clock, cpu) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
            await Task.WhenAll(Enumerable.Range(0, producers).Select(producer => Task.Run(async () =>
            {
                int i;
                while ((i = Interlocked.Increment(ref next)) < count)
                {
                    var staged = prepared ? ready[i % ready.Length] : mail.Stage(letters[i % letters.Length]);
                    await mail.AppendAsync(inboxes[producer], staged, MessageFlags.None, [], null, 0, default);
                    if (!prepared) staged.Dispose();
                }
            })));
            var seconds = clock.Elapsed.TotalSeconds;
            report.Row($"10 KB messages, {producers} producer{(producers > 1 ? "s" : "")}{(prepared ? ", parsed and compressed before" : "")}", count / seconds, "/s", producers > 1 ? ">= 6,000/s" : $">= {floor / 2:0}/s");
            if (producers == 1) report.Row("  of the disk's flushes", count / seconds / floor * 100, "%", ">= 50 %");
            report.Row("  CPU a message", (Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds / count, "ms");
            await store.DisposeAsync();
            System.IO.Directory.Delete(folder, recursive: true);
        }
    }
}
