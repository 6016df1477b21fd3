using System.Globalization;
using CbaMail.Config;

namespace CbaMail.Net;

/// <summary>
/// Whether there is memory for more work. Above <see cref="LimitSettings.MemoryShare"/> of what the server may take, new connections hear
/// 421 or BYE, new messages 452 or NO, large answers wait: work is refused before the kernel ends the process. Who is in stays in.
/// </summary>
/// <remarks>
/// Looked at: the managed heap against its own limit; the process' private pages (native ones too: TLS, SQLite) against the limit of
/// its cgroup or, without one, the machine's memory; and what its cgroup keeps for good against that one's limit. Pages of files never
/// count: the kernel takes them back. Above the share the heap is compacted, at most every three seconds.
/// </remarks>
public sealed class MemoryGate
{
    const long LookMilliseconds = 100, CloseLookMilliseconds = 10, CollectMilliseconds = 3000;
    const double Close = 0.6; // of the share: from there on a crowd could use up the rest between two looks
    const double Slack = 0.05; // it opens a little below where it closes
    /// <summary>How long what has been promised may take until it is seen among what is used.</summary>
    const long PromiseMilliseconds = 250;

    readonly double share;
    readonly long heapLimit;
    readonly long limit;
    readonly ControlGroup group = ControlGroup.Find();
    readonly ILogger log;
    readonly Lock gate = new();
    long looked = long.MinValue / 2, lookAgain = LookMilliseconds;
    long collected = long.MinValue / 2;
    long promised, promisedBefore, promises, promisesSince = long.MinValue / 2;
    double seen;
    bool isShort, isTight;

    public MemoryGate(Settings settings, ILogger<MemoryGate> log)
    {
        this.log = log;
        share = Math.Clamp(settings.Limits.MemoryShare, 0.1, 1);
        // a limit that the kernel enforces holds whatever the settings say
        limit = Math.Min(settings.Limits.Memory ?? long.MaxValue, group.Limit ?? (settings.Limits.Memory is null ? MachineMemory() : long.MaxValue));
        heapLimit = Math.Min(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, limit);
        Look = () => (GC.GetTotalMemory(false), PrivateBytes(), GroupShare());
    }

    /// <summary>Test: what is used, instead of looking.</summary>
    internal Func<(long Heap, long Private, double Group)> Look { get; set; }

    /// <summary>More work is to be refused now.</summary>
    public bool IsShort
    {
        get
        {
            var now = Environment.TickCount64;
            if (now - Volatile.Read(ref looked) < Volatile.Read(ref lookAgain)) return Volatile.Read(ref isShort);
            lock (gate)
            {
                if (now - looked >= lookAgain) Measure(now);
                return isShort;
            }
        }
    }

    /// <summary>Memory is not short, but may soon be: whoever waits keeps as little as it can. As of the last look.</summary>
    public bool IsTight => IsShort || Volatile.Read(ref isTight);

    /// <summary>
    /// Room for work that is about to take so many bytes, or null: what has been promised to others, and is not yet to be seen, counts as used.
    /// So a crowd that comes between two looks is not let in as a whole.
    /// </summary>
    public Promise? Ask(long bytes)
    {
        if (IsShort) return null;
        lock (gate)
        {
            Forget(Environment.TickCount64);
            if (seen + (double)(Promised + bytes) / Least >= share) return null;
            promised += bytes;
            isTight |= seen + (double)Promised / Least >= share * Close;
            return new Promise(this, bytes, promises);
        }
    }

    /// <summary>Bytes that somebody is about to take; counted until they must have been, or until he has done.</summary>
    public readonly struct Promise : IDisposable
    {
        readonly MemoryGate of;
        readonly long bytes, number;

        internal Promise(MemoryGate of, long bytes, long number) => (this.of, this.bytes, this.number) = (of, bytes, number);

        public void Dispose()
        {
            lock (of.gate)
            {
                if (number == of.promises) of.promised -= bytes;
                else if (number == of.promises - 1) of.promisedBefore -= bytes;
            }
        }
    }

    long Least => Math.Min(heapLimit, limit);

    long Promised => promised + promisedBefore;

    void Forget(long now)
    {
        if (now - promisesSince < PromiseMilliseconds) return;
        (promisedBefore, promised, promisesSince) = (promised, 0, now);
        promises++;
    }

    void Measure(long now)
    {
        var used = Used();
        var most = isShort ? share - Slack : share;
        if (used >= most && now - collected >= CollectMilliseconds)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            collected = Environment.TickCount64;
            used = Used();
        }
        Volatile.Write(ref lookAgain, used < most * Close ? LookMilliseconds : CloseLookMilliseconds);
        Volatile.Write(ref looked, Environment.TickCount64);
        seen = used;
        Forget(looked);
        Volatile.Write(ref isTight, used + (double)Promised / Least >= share * Close);
        if (used >= most == isShort) return;
        Volatile.Write(ref isShort, !isShort);
        if (isShort) NetTelemetry.MemoryShort(log, (int)(used * 100), limit >> 20);
        else NetTelemetry.MemoryBack(log, (int)(used * 100), limit >> 20);
    }

    double Used()
    {
        var (heap, own, inGroup) = Look();
        return Math.Max(Math.Max((double)heap / heapLimit, (double)own / limit), inGroup);
    }

    double GroupShare() => group.OwnLimit is { } most ? (double)group.Kept((long)(most * (share - 2 * Slack))) / most : 0;

    /// <summary>Waits for memory, for work that can wait.</summary>
    /// <returns>Whether there is some.</returns>
    public async ValueTask<bool> WaitAsync(TimeSpan patience, TimeProvider time, CancellationToken cancel) => await AskAsync(0, patience, time, cancel) is not null;

    /// <summary>The same for work that is about to take so many bytes.</summary>
    public async ValueTask<Promise?> AskAsync(long bytes, TimeSpan patience, TimeProvider time, CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            if (Ask(bytes) is { } promise) return promise;
            if (time.GetElapsedTime(began) >= patience) return null;
            await Task.Delay(TimeSpan.FromMilliseconds(LookMilliseconds), time, cancel);
        }
    }

    // statm: size resident shared ..., in pages; what is not shared cannot be taken back by the kernel
    static long PrivateBytes()
    {
        try
        {
            var fields = File.ReadAllText("/proc/self/statm").Split(' ');
            return (long.Parse(fields[1], CultureInfo.InvariantCulture) - long.Parse(fields[2], CultureInfo.InvariantCulture)) * Environment.SystemPageSize;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or IndexOutOfRangeException)
        {
            return Environment.WorkingSet; // another system, or no descriptor for the look
        }
    }

    static long MachineMemory()
    {
        try
        {
            var line = File.ReadLines("/proc/meminfo").First(l => l.StartsWith("MemTotal:", StringComparison.Ordinal));
            return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or FormatException)
        {
            return GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        }
    }
}
