using System.Diagnostics;
using System.Text;
using CbaMail.Config;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace CbaMail.Bench.Benchmarks;

/// <summary>The vault alone: 10 KB messages made durable by so many producers, and one body into 2,500 mailboxes.</summary>
static class StorageBench
{
    const int Mailboxes = 2500;

    public static async Task RunAsync(string directory)
    {
        var settings = new Settings { Data = directory };
        await using var store = new Store(settings, NullLogger<Store>.Instance, MailStore.RemoveUnacknowledged);
        var mail = new MailStore(store, settings, new Notifier(), TimeProvider.System);
        var inboxes = new List<long>();
        for (var from = 1; from <= Mailboxes; from += 250)
            inboxes.AddRange(await store.CommitAsync(t => Enumerable.Range(from, 250).Select(account => { mail.CreateAccount(t, account); return mail.EnsureMailbox(t, account, "INBOX"); }).ToList()));

        var body = Text(10_240);
        Console.WriteLine($"{"10 KB, durable",-40}{"messages/s",12}{"CPU ms each",14}");
        foreach (var (producers, count) in new[] { (1, 1000), (10, 5000), (50, 20_000), (100, 20_000) })
        {
            var (wall, cpu) = await MeasureAsync(() => Task.WhenAll(Enumerable.Range(0, producers).Select(p => Task.Run(async () =>
            {
                for (var i = p; i < count; i += producers)
                {
                    using var staged = mail.Stage(body);
                    await mail.AppendAsync(inboxes[i % Mailboxes], staged, default, [], null, 0, default);
                }
            }))));
            Console.WriteLine($"{producers + " producers",-40}{count / wall,12:N0}{cpu / count * 1000,14:F3}");
        }

        using (var staged = mail.Stage(Text(20_480)))
        {
            var (wall, cpu) = await MeasureAsync(async () =>
            {
                ContentRef? content = null;
                foreach (var piece in inboxes.Chunk(250))
                    await store.CommitAsync(t =>
                    {
                        content ??= mail.AddContent(t, staged);
                        foreach (var inbox in piece) mail.AddMessage(t, inbox, new NewMessage(content.Value, default, default, [], DateTimeOffset.UnixEpoch), 0);
                        return 0;
                    });
            });
            Console.WriteLine($"{"one 20 KB body to 2,500 mailboxes",-40}{wall * 1000,9:N0} ms{cpu * 1000,11:N0} ms");
        }
    }

    static async Task<(double Wall, double Cpu)> MeasureAsync(Func<Task> work)
    {
        var process = Process.GetCurrentProcess();
        var (start, cpu) = (Stopwatch.GetTimestamp(), process.TotalProcessorTime);
        await work();
        process.Refresh();
        return (Stopwatch.GetElapsedTime(start).TotalSeconds, (process.TotalProcessorTime - cpu).TotalSeconds);
    }

    static byte[] Text(int size)
    {
        var random = new Random(7);
        var text = new StringBuilder("From: a@bench.test\r\nTo: b@bench.test\r\nSubject: bench\r\nDate: Mon, 02 Feb 2026 10:00:00 +0000\r\n\r\n");
        while (text.Length < size) text.Append(string.Join(' ', Enumerable.Range(0, 10).Select(_ => Word(random)))).Append("\r\n");
        return Encoding.ASCII.GetBytes(text.ToString(0, size));
    }

    static string Word(Random random) => string.Create(random.Next(2, 9), random, (span, r) => { for (var i = 0; i < span.Length; i++) span[i] = (char)('a' + r.Next(26)); });
}
