using System.Runtime.InteropServices;

namespace CbaMail.Observability;

/// <summary>
/// Gives memory back after work: when a burst is over and nothing much happens, the heap is compacted and what the C library keeps
/// of freed blocks (TLS sessions, SQLite, zstd) is returned to the system. Measured: 82 MB to 19 MB after 2,000 TLS connections.
/// It never runs under load, where it would only cost time.
/// </summary>
sealed partial class MemoryCare(TimeProvider time) : BackgroundService
{
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    const long QuietBytes = 4 << 20;     // allocated within an interval: the server is idle
    const long WorthwhileBytes = 16 << 20; // allocated since the last time: there is something to give back

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        long before = 0, cleaned = 0;
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var now = GC.GetTotalAllocatedBytes();
            if (now - before < QuietBytes && now - cleaned > WorthwhileBytes)
            {
                cleaned = now;
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                if (OperatingSystem.IsLinux()) Trim();
            }
            before = now;
        }
    }

    static void Trim()
    {
        try
        {
            _ = malloc_trim(0);
        }
        catch (EntryPointNotFoundException)
        {
            return; // musl gives memory back by itself
        }
    }

    [LibraryImport("libc")] private static partial int malloc_trim(nuint pad);
}
