using CbaMail.Config;
using CbaMail.Envelope;

namespace CbaMail.Storage;

/// <summary>
/// Whether the store can take new mail. It watches the free space, looking once a second at most, and remembers a commit that the
/// machine let fail. While something is wrong new mail is refused at the doors, and reading, flags, moving and removing go on from the
/// reserve (<see cref="StorageSettings.KeepFree"/>). It ends by itself: after a failed commit a small one is tried every second.
/// Begin and end are one line of the log each, however many messages come.
/// </summary>
public sealed class StoreCondition : IDisposable
{
    const long LookMilliseconds = 1000;
    const long DefaultReserve = 64L << 20;

    readonly Disk disk;
    readonly string path;
    readonly ILogger log;
    readonly Func<Task> probe;
    readonly Lock gate = new();
    readonly CancellationTokenSource stopping = new();
    Refusal? trouble;     // of the last commit
    Refusal? told;        // what the log has heard
    bool probing;
    long looked = long.MinValue / 2;
    long free = long.MaxValue;

    /// <param name="probe">Commits something small.</param>
    internal StoreCondition(Disk disk, string path, StorageSettings settings, Func<Task> probe, ILogger log)
    {
        (this.disk, this.path, this.probe, this.log) = (disk, path, probe, log);
        if (disk.Space(path) is not { } space) return;
        IsWatched = true;
        // a tenth at most: a small disk must not be all reserve
        Reserve = settings.KeepFree ?? Math.Min(DefaultReserve, space.Total / 10);
    }

    /// <summary>The disk can say how full it is.</summary>
    public bool IsWatched { get; }

    /// <summary>Bytes below which new mail is refused.</summary>
    public long Reserve { get; }

    /// <summary>Commits fail just now: not even small ones are to be relied on.</summary>
    public bool IsFailing => Volatile.Read(ref trouble) is not null;

    /// <summary>Less is free than the reserve.</summary>
    public bool IsShort => IsWatched && Free() < (ReferenceEquals(Volatile.Read(ref told), StoreTrouble.Full) ? Reserve + Reserve / 4 : Reserve);

    /// <summary>There is room for work ahead of time.</summary>
    public bool IsAmple => !IsWatched || Free() > 2 * Reserve + (16 << 20) || Free() > 4 * Reserve;

    /// <summary>Why new mail is not taken now, or null.</summary>
    public Refusal? Refusal => RefusalFor(0);

    /// <summary>The same for mail of that size, where it is known.</summary>
    public Refusal? RefusalFor(long bytes)
    {
        if (!IsWatched) return null;
        if (Volatile.Read(ref trouble) is { } known) return known;
        if (IsShort)
        {
            Tell(StoreTrouble.Full);
            return StoreTrouble.Full;
        }
        Tell(null);
        return bytes > 0 && Free() - bytes < Reserve ? StoreTrouble.Full : null;
    }

    /// <summary>What people are told, or null while all is well.</summary>
    public string? Sentence => Refusal is not { } why ? null
        : $"no new mail is taken: {Why(why)}; reading and deleting go on, and it is taken again by itself";

    /// <summary>A commit failed.</summary>
    /// <returns>Whether it was a trouble of the machine, of which the log has been told.</returns>
    internal bool Failed(Exception error)
    {
        if (!IsWatched || StoreTrouble.Of(error) is not { } refusal) return false;
        lock (gate)
        {
            trouble = refusal;
            looked = long.MinValue / 2;
            if (!probing) _ = ProbeAsync();
            probing = true;
        }
        Tell(refusal);
        return true;
    }

    /// <summary>A commit that wrote something succeeded.</summary>
    internal void Succeeded()
    {
        if (Volatile.Read(ref trouble) is null) return;
        lock (gate) trouble = null;
        _ = Refusal;
    }

    async Task ProbeAsync()
    {
        await Task.Yield();
        while (MustProbe())
        {
            try
            {
                await Task.Delay(TimeSpan.FromSeconds(1), stopping.Token);
                await probe();
            }
            catch (Exception e) when (e is OperationCanceledException or InvalidOperationException or ObjectDisposedException)
            {
                return; // the server stops
            }
            catch (Exception)
            {
                continue; // still so; the first failure has been told
            }
        }
    }

    // a failure that comes now finds that nobody probes any more
    bool MustProbe()
    {
        lock (gate) return probing = IsFailing && !stopping.IsCancellationRequested;
    }

    long Free()
    {
        var now = Environment.TickCount64;
        if (now - Volatile.Read(ref looked) < LookMilliseconds) return Volatile.Read(ref free);
        Volatile.Write(ref looked, now);
        try
        {
            if (disk.Space(path) is { } space) Volatile.Write(ref free, space.Free);
        }
        catch (IOException)
        {
            return Volatile.Read(ref free); // no descriptor for the look: as it was
        }
        return Volatile.Read(ref free);
    }

    void Tell(Refusal? now)
    {
        if (ReferenceEquals(Volatile.Read(ref told), now)) return;
        lock (gate)
        {
            if (ReferenceEquals(told, now)) return;
            told = now;
        }
        if (now is not null) StorageTelemetry.TakesNoMail(log, Why(now));
        else StorageTelemetry.TakesMail(log, free >> 20);
    }

    string Why(Refusal refusal) =>
        ReferenceEquals(refusal, StoreTrouble.Full) ? $"{free >> 10} KiB are free on the disk of {path}, and {Reserve >> 10} KiB are kept for reading and deleting (storage.keep-free); make room there"
        : ReferenceEquals(refusal, StoreTrouble.Unwritable) ? $"the disk of {path} cannot be written to; see what the system says of it, and whether it has become read-only"
        : ReferenceEquals(refusal, StoreTrouble.Descriptors) ? "too many files and connections are open; raise the limit (LimitNOFILE= of the systemd unit, or ulimit -n)"
        : "memory is short";

    public void Dispose() => stopping.Cancel();
}
