using System.Diagnostics;
using CbaMail.Mime;

namespace CbaMail.Bench.Benchmarks;

internal static class MimeSpeed
{
    public static Task RunAsync(Report report)
    {
        foreach (var (label, size) in new[] { ("10 KB alternative", 10_240), ("20 KB alternative", 20_480), ("2 MB alternative", 2_000_000) })
        {
            var messages = Enumerable.Range(0, Math.Max(1, 2_000_000 / size)).Select(i => Corpus.Message(i, "u@bench.test", size)).ToArray();
            var rounds = 0;
            long bytes = 0;
            var clock = new Stopwatch();
            while (clock.ElapsedMilliseconds < 2000)
            {
                if (rounds++ == 2) bytes = 0;
                clock.Start();
                foreach (var message in messages)
                {
                    bytes += message.Length;
                    GC.KeepAlive(MimeTree.Parse(message));
                }
                clock.Stop();
                if (rounds == 2) clock.Reset();     // compiled by now
            }
            report.Row($"tree of {label}", bytes / 1e6 / clock.Elapsed.TotalSeconds, "MB/s");
        }
        return Task.CompletedTask;
    }
}
