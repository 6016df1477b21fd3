using System.Diagnostics;
using CbaMail.Config;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace CbaMail.Bench.Benchmarks;

/// <summary>Packs that are mostly dead are rewritten: how fast, and what deliveries notice of it.</summary>
internal static class Collect
{
    const int Letters = 16_000;
    const int Producers = 10;

    public static async Task RunAsync(Report report)
    {
        foreach (var hurried in new[] { false, true })
        {
            var folder = System.IO.Directory.CreateTempSubdirectory("cbamail-collect-").FullName;
            var settings = new Settings { Data = folder, Storage = new StorageSettings { PackBytes = 16 << 20 } };
            var store = new Store(settings, NullLogger<Store>.Instance, MailStore.RemoveUnacknowledged);
            var mail = new MailStore(store, settings, new Notifier(), TimeProvider.System);
            var rewriting = new PackRewriting(store, settings, TimeProvider.System, NullLogger<PackRewriting>.Instance);
            var inboxes = new long[Producers];
            for (var i = 0; i < inboxes.Length; i++)
            {
                var account = i + 1;
                inboxes[i] = await store.CommitAsync(t =>
                {
                    mail.CreateAccount(t, account);
                    return mail.EnsureMailbox(t, account, "INBOX");
                });
            }
            await DeliverAsync(mail, inboxes, number => number < Letters);
            foreach (var inbox in inboxes) await ThinAsync(mail, inbox);
            var before = store.PackSpace();

            var quiet = await RateAsync(mail, inboxes, TimeSpan.FromSeconds(3), Task.CompletedTask);
            var clock = Stopwatch.StartNew();
            var run = rewriting.CollectAsync(hurried, default);
            var timed = run.ContinueWith(_ => clock.Elapsed, TaskScheduler.Default);
            var busy = await RateAsync(mail, inboxes, TimeSpan.FromSeconds(3), run);
            var done = await run;
            var took = await timed;
            quiet = (quiet + await RateAsync(mail, inboxes, TimeSpan.FromSeconds(3), Task.CompletedTask)) / 2; // before and after: the machine is others' too
            var how = hurried ? "as fast as it goes" : "at the rate of the settings";
            report.Row($"packs rewritten {how} beside {Producers} producers: looked through", before.Bytes / took.TotalSeconds / 1e6, "MB/s");
            report.Row("  copied", done.Copied / took.TotalSeconds / 1e6, "MB/s");
            report.Row("  10 KB messages delivered without it", quiet, "/s");
            report.Row("  and while it runs", busy, "/s");
            await store.DisposeAsync();
            System.IO.Directory.Delete(folder, recursive: true);
        }
    }

    static async Task ThinAsync(MailStore mail, long inbox)
    {
        uint[] uids;
        using (var read = mail.Read()) uids = [.. read.Messages(inbox).Select(row => row.Uid).Where(uid => uid % 5 < 3)];
        await mail.StoreAsync(inbox, uids, new FlagChange(FlagMode.Add, MessageFlags.Deleted, []), null, default);
        await mail.ExpungeAsync(inbox, uids, default);
    }

    // deliveries a second, until the time is over and the run has ended, or twenty times the time
    static async Task<double> RateAsync(MailStore mail, long[] inboxes, TimeSpan least, Task until)
    {
        var clock = Stopwatch.StartNew();
        var count = await DeliverAsync(mail, inboxes, _ => clock.Elapsed < least || (!until.IsCompleted && clock.Elapsed < least * 20));
        return count / clock.Elapsed.TotalSeconds;
    }

    static async Task<int> DeliverAsync(MailStore mail, long[] inboxes, Func<int, bool> goOn)
    {
        var next = -1;
        await Task.WhenAll(inboxes.Select(inbox => Task.Run(async () =>
        {
            int i;
            while (goOn(i = Interlocked.Increment(ref next)))
            {
                using var staged = mail.Stage(Noise(i));
                await mail.AppendAsync(inbox, staged, MessageFlags.None, [], null, 0, default);
            }
        })));
        return next + 1 - inboxes.Length;
    }

    static byte[] Noise(int i)
    {
        var bytes = new byte[7200];
        new Random(i).NextBytes(bytes);
        return System.Text.Encoding.ASCII.GetBytes($"From: a@example.org\r\nSubject: {i}\r\n\r\n{Convert.ToBase64String(bytes, Base64FormattingOptions.InsertLineBreaks)}\r\n");
    }
}
