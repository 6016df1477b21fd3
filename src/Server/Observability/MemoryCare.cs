using System.Runtime.InteropServices;

namespace CbaMail.Observability;

/// <summary>
/// Gives memory back after work: when a burst is over and nothing much happens, the heap is compacted and what the C library keeps
/// of freed blocks (TLS sessions, SQLite, zstd) is returned to the system. Measured: 82 MB to 19 MB after 2,000 TLS connections.
/// It never runs under load, where it would only cost time.
/// </summary>
sealed partial class MemoryCare(TimeProvider time) : BackgroundService
{
    static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    const int QuietLooks = 2;             // one after the other: the server is idle
    const long QuietBytes = 1 << 20;      // allocated between two looks
    const long WorthwhileBytes = 8 << 20; // allocated since the last time: there is something to give back

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Look, time);
        var (before, cleaned, quiet) = (0L, 0L, 0);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var now = GC.GetTotalAllocatedBytes();
            quiet = now - before < QuietBytes ? quiet + 1 : 0;
            // what is kept costs the time: the more it is, the more there must be to gain
            if (quiet >= QuietLooks && now - cleaned > Math.Max(WorthwhileBytes, GC.GetTotalMemory(false) / 4))
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
