namespace CbaMail.Net;

/// <summary>
/// A few threads that wait in one epoll(7). Whichever the kernel wakes does what the event asks for on the spot and waits again: between
/// a client's bytes and our answer no thread is changed, which is most of what a command costs. Each event is asked for once (EPOLLONESHOT),
/// so that no two threads serve one connection; work that blocks a while keeps one thread, and the others go on.
/// </summary>
sealed class EventLoop : IDisposable
{
    const ulong End = ulong.MaxValue;

    readonly int epoll;
    readonly ILogger log;
    readonly Lock gate = new();
    readonly Thread[] threads;
    Entry[] entries = new Entry[256];
    uint generation;
    volatile bool ended;

    /// <summary>What waits for events of a descriptor.</summary>
    public interface IWaiting
    {
        /// <summary>Called by a thread of the loop; must not throw, nor block for long.</summary>
        void Happened(uint events);
    }

    // the generation tells a late event of a descriptor from those of the connection that has its number now
    record struct Entry(IWaiting? Waiting, uint Generation);

    public EventLoop(ILogger<EventLoop> log)
    {
        this.log = log;
        epoll = Epoll.Create();
        if (epoll < 0) throw Epoll.Failure(epoll);
        threads = new Thread[Math.Max(4, Environment.ProcessorCount * 2)];
        for (var i = 0; i < threads.Length; i++) threads[i] = new Thread(Run, 512 << 10) { Name = "events", IsBackground = true };
        foreach (var thread in threads) thread.Start();
    }

    /// <summary>Makes a descriptor known; its events are asked for by <see cref="Arm"/>.</summary>
    /// <returns>The number that its events bear.</returns>
    public ulong Register(int descriptor, IWaiting waiting)
    {
        lock (gate)
        {
            if (descriptor >= entries.Length) Array.Resize(ref entries, Math.Max(entries.Length * 2, descriptor + 1));
            entries[descriptor] = new Entry(waiting, ++generation);
            return ((ulong)generation << 32) | (uint)descriptor;
        }
    }

    /// <summary>Asks for the next of these events, once.</summary>
    /// <exception cref="IOException">The kernel has no room for it.</exception>
    public void Arm(ulong number, uint events, bool isNew)
    {
        var outcome = Epoll.Arm(epoll, (int)(uint)number, events | Epoll.OneShot, number, isNew);
        if (outcome < 0) throw Epoll.Failure(outcome);
    }

    /// <summary>Before the descriptor is closed: what the kernel still tells of it is nobody's.</summary>
    public void Forget(ulong number)
    {
        lock (gate)
        {
            ref var entry = ref entries[(int)(uint)number];
            if (entry.Generation == (uint)(number >> 32)) entry = default;
        }
    }

    IWaiting? Find(ulong number)
    {
        lock (gate)
        {
            var entry = entries[(int)(uint)number];
            return entry.Generation == (uint)(number >> 32) ? entry.Waiting : null;
        }
    }

    void Run()
    {
        while (!ended)
        {
            var outcome = Epoll.Wait(epoll, out var events, out var number);
            if (outcome == 0 || outcome == Epoll.Interrupted) continue;
            if (outcome < 0 || number == End) return;
            try
            {
                Find(number)?.Happened(events);
            }
            catch (Exception e)
            {
                NetTelemetry.EventFailed(log, e);
            }
        }
    }

    /// <summary>Ends the threads; those that run something end after it.</summary>
    public void Dispose()
    {
        ended = true;
        var signal = Epoll.WakeAll(epoll, End);
        var all = true;
        foreach (var thread in threads) all &= thread == Thread.CurrentThread || thread.Join(TimeSpan.FromSeconds(2));
        if (signal >= 0) Epoll.Close(signal);
        if (all) Epoll.Close(epoll); // one that still waits would wait for whoever gets the number next
    }
}
