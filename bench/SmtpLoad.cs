using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using CbaMail.Bench.Benchmarks;

namespace CbaMail.Bench;

/// <summary>Messages over 50 sessions for as long as something lasts, each unlike any other, with the time that each acknowledgement took.</summary>
internal sealed class SmtpLoad(BenchServer server)
{
    const int Sessions = 50;
    const int Size = 10_240;

    readonly byte[][] letters = [.. Enumerable.Range(0, 500).Select(i => Corpus.Message(i, "u@bench.test", Size))];
    int last;

    /// <summary>Number of each message that was answered with 250, and when (<see cref="Stopwatch.GetTimestamp"/>).</summary>
    public ConcurrentDictionary<int, long> Acknowledged { get; } = new();

    public const string Mark = "X-Bench: ";

    /// <summary>A message by its number, as it was sent.</summary>
    public byte[] Letter(int number) => [.. Head(number), .. letters[number % letters.Length]];

    static byte[] Head(int number) => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Mark}{number:d9}\r\n"));

    /// <param name="Latencies">From when a message was due until its 250, in ms, sorted.</param>
    public sealed record Outcome(double Rate, double[] Latencies, double Cpu)
    {
        public double P(double share) => Latencies.Length == 0 ? 0 : Latencies[Math.Min(Latencies.Length - 1, (int)(Latencies.Length * share))];
    }

    /// <param name="rate">Messages a second that are due; null for as many as the server takes.</param>
    public async Task<Outcome> RunAsync(double? rate, Func<int, TimeSpan, bool> goOn)
    {
        var latencies = new ConcurrentBag<double>();
        var (sent, cpu, clock) = (0, server.CpuSeconds(), Stopwatch.StartNew());
        await Task.WhenAll(Enumerable.Range(0, Sessions).Select(_ => Task.Run(async () =>
        {
            var session = await SmtpIn.Session.OpenAsync(server.Smtp);
            while (true)
            {
                var mine = Interlocked.Increment(ref sent) - 1;
                if (!goOn(mine, clock.Elapsed)) break;
                var number = Interlocked.Increment(ref last);
                var due = rate is { } a ? mine / a : clock.Elapsed.TotalSeconds;
                var wait = due - clock.Elapsed.TotalSeconds;
                if (wait > 0) await Task.Delay(TimeSpan.FromSeconds(wait));
                await session.SendAsync($"u{number % Prepared.People + 1:0000}@bench.test", Letter(number));
                Acknowledged[number] = Stopwatch.GetTimestamp();
                // a timer that wakes late is not the server's fault; a session that is late is
                latencies.Add((clock.Elapsed.TotalSeconds - due) * 1000);
            }
            await session.QuitAsync();
        })));
        double[] sorted = [.. latencies.Order()];
        return new Outcome(sorted.Length / clock.Elapsed.TotalSeconds, sorted, (server.CpuSeconds() - cpu) / clock.Elapsed.TotalSeconds);
    }

    public Task<Outcome> RunAsync(double? rate, TimeSpan time) => RunAsync(rate, (_, elapsed) => elapsed < time);

    /// <summary>Beside some work, for as long as that lasts and two seconds at least; tells how long the work took.</summary>
    public async Task<(Outcome Outcome, double Seconds)> BesideAsync(double? rate, Func<Task> work)
    {
        var (began, seconds) = (Stopwatch.StartNew(), 0.0);
        Task? running = null;
        var outcome = await RunAsync(rate, (_, elapsed) =>
        {
            if (elapsed > TimeSpan.FromSeconds(0.5) && Interlocked.CompareExchange(ref running, Task.CompletedTask, null) is null) running = TimedAsync();
            return elapsed < TimeSpan.FromSeconds(2) || Volatile.Read(ref seconds) == 0;
        });
        await running!;
        return (outcome, seconds);

        async Task TimedAsync()
        {
            await Task.Yield();
            var clock = Stopwatch.StartNew();
            try { await work(); }
            finally { Volatile.Write(ref seconds, clock.Elapsed.TotalSeconds); }
        }
    }
}
