using System.Diagnostics;
using System.Runtime.InteropServices;

namespace CbaMail.Bench.Benchmarks;

/// <summary>What the disk allows: a flush after each 4 KB, into a file that grows and into one that was filled with zeros before.</summary>
internal static partial class Floor
{
    private const int Block = 4096;
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(3);

    public static Task RunAsync(Report report)
    {
        Print(report);
        return Task.CompletedTask;
    }

    /// <returns>Flushes a second, appending.</returns>
    public static double Print(Report report)
    {
        var appending = 0.0;
        foreach (var (filled, label) in new[] { (false, "4 KB appended + fdatasync"), (true, "4 KB into a zero-filled file + fdatasync") })
        {
            var (rate, median) = Measure(filled);
            report.Row("the disk's floor: " + label, rate, "/s");
            report.Row("  half of them within", median, "ms");
            if (!filled) appending = rate;
        }
        return appending;
    }

    private static (double Rate, double Median) Measure(bool filled)
    {
        var path = Path.Combine(Path.GetTempPath(), $"cbamail-floor-{Environment.ProcessId}");
        var block = new byte[Block];
        new Random(1).NextBytes(block);
        try
        {
            using var file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite);
            if (filled)
            {
                for (var at = 0L; at < 64 << 20; at += 1 << 20) RandomAccess.Write(file, new byte[1 << 20], at);
                RandomAccess.FlushToDisk(file);
            }
            var took = new List<double>();
            var clock = Stopwatch.StartNew();
            for (var at = 0L; clock.Elapsed < Time; at += Block)
            {
                var begun = clock.Elapsed;
                RandomAccess.Write(file, block, filled ? at % (64 << 20) : at);
                if (Flush((int)file.DangerousGetHandle()) != 0) throw new IOException("fdatasync failed");
                took.Add((clock.Elapsed - begun).TotalMilliseconds);
            }
            took.Sort();
            return (took.Count / Time.TotalSeconds, took[took.Count / 2]);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [LibraryImport("libc", EntryPoint = "fdatasync")]
    private static partial int Flush(int file);
}
