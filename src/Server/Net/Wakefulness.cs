using Microsoft.Win32.SafeHandles;

namespace CbaMail.Net;

/// <summary>
/// Keeps the processors of this machine from falling asleep while a single peer on it sends one thing upon the other: what
/// <see cref="Lookout"/> does for the processor that serves him, done for his own. As tuned's profile for latency does for good, it asks the kernel
/// for no latency at all (/dev/cpu_dma_latency), but only while looks pay many times within a moment, so that a letter now and then never does.
/// </summary>
/// <remarks>
/// The request is the whole machine's: processors with nothing to do wait for work at full speed, and a host gives them time that a halted one
/// would leave to its other guests. Where the device is missing or not ours (a container, a user of its own) nothing is asked for.
/// </remarks>
sealed class Wakefulness : IDisposable
{
    const int Many = 16; // looks that paid within a moment
    static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(20);

    readonly TimeProvider time;
    readonly string device;
    readonly Lock gate = new();
    readonly ITimer timer;
    SafeFileHandle? request;
    bool impossible;
    int paid;
    long began;

    /// <param name="device">A test names a file.</param>
    public Wakefulness(TimeProvider time, string device = "/dev/cpu_dma_latency")
    {
        (this.time, this.device) = (time, device);
        timer = time.CreateTimer(static me => ((Wakefulness)me!).Consider(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether the request is made at present.</summary>
    public bool Awake => Volatile.Read(ref request) is not null;

    /// <summary>A look has brought bytes. Two at once may count as one.</summary>
    public void Paid()
    {
        if (impossible) return;
        if (request is null && time.GetTimestamp() is var now && time.GetElapsedTime(began, now) > Moment) (began, paid) = (now, 0);
        if (++paid >= Many && request is null) Ask();
    }

    void Ask()
    {
        lock (gate)
        {
            if (request is not null || impossible) return;
            try
            {
                var handle = File.OpenHandle(device, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                Span<byte> none = stackalloc byte[4]; // microseconds, a number of the machine's own order
                none.Clear();
                RandomAccess.Write(handle, none, 0);
                request = handle;
                timer.Change(Moment, Moment);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                impossible = true;
            }
        }
    }

    void Consider()
    {
        if (Interlocked.Exchange(ref paid, 0) < Many) Rest();
    }

    void Rest()
    {
        lock (gate)
        {
            timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            request?.Dispose(); // the kernel forgets the request with its descriptor
            request = null;
        }
    }

    /// <summary>Takes the request back.</summary>
    public void Dispose()
    {
        impossible = true;
        Rest();
        timer.Dispose();
    }
}
