namespace CbaMail.Net;

/// <summary>
/// A few threads that wait in one epoll(7). Whichever the kernel wakes does what the event asks for on the spot and waits again: between
/// a client's bytes and our answer no thread is changed, which is most of what a command costs. Each event is asked for once (EPOLLONESHOT),
/// so that no two threads serve one connection; work that blocks a while keeps one thread, and the others go on. Where all are kept, by a
/// disk that is slow to take what arrives, further ones come for as long as that lasts.
/// </summary>
sealed class EventLoop : IDisposable
{
    const ulong End = ulong.MaxValue;
    const int MostMore = 16; // each needs a descriptor, and comes when they may be short
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    readonly int epoll;
    readonly ILogger log;
    readonly Lookout? lookout;
    readonly Lock gate = new();
    readonly int usual = Math.Max(4, Environment.ProcessorCount * 2);
    readonly List<Thread> threads = [];
    readonly Timer watch;
    Entry[] entries = new Entry[256];
    uint generation;
    int busy;          // threads that serve an event
    uint served, seen; // events; as of the last look
    volatile bool ended;
    [ThreadStatic] static EventLoop? mine;
    [ThreadStatic] static Action? afterwards;

    /// <summary>What waits for events of a descriptor.</summary>
    public interface IWaiting
    {
        /// <summary>Called by a thread of the loop; must not throw, nor block for long.</summary>
        void Happened(uint events);
    }

    // the generation tells a late event of a descriptor from those of the connection that has its number now
    record struct Entry(IWaiting? Waiting, uint Generation);

    /// <param name="lookout">Null where nobody is to look out.</param>
    public EventLoop(ILogger<EventLoop> log, Lookout? lookout = null)
    {
        (this.log, this.lookout) = (log, lookout);
        epoll = Epoll.Create();
        if (epoll < 0) throw Epoll.Failure(epoll);
        lock (gate)
        {
            while (threads.Count < usual) Begin(more: false);
        }
        watch = new Timer(static loop => ((EventLoop)loop!).Watch(), this, Look, Look);
    }

    void Begin(bool more)
    {
        var thread = new Thread(() => Run(more), 512 << 10) { Name = "events", IsBackground = true };
        thread.Start();
        threads.Add(thread);
    }

    // nothing has got done since the last look, and nobody waits for what comes
    void Watch()
    {
        lock (gate)
        {
            var now = Volatile.Read(ref served);
            try
            {
                if (!ended && now == seen && Volatile.Read(ref busy) >= threads.Count && threads.Count < usual + MostMore) Begin(more: true);
            }
            catch (OutOfMemoryException e)
            {
                NetTelemetry.EventFailed(log, e); // the next look tries again
            }
            seen = now;
        }
    }

    /// <summary>Whether the caller runs upon a loop's thread.</summary>
    internal static bool IsHere => mine is not null;

    /// <summary>Whether the caller is the only thread that serves anybody, and nothing waits for one of the pool.</summary>
    bool IsAlone => mine == this && Volatile.Read(ref busy) == 1 && ThreadPool.PendingWorkItemCount == 0;

    /// <summary>Tries to receive for a moment, where that pays: see <see cref="Lookout"/>.</summary>
    /// <param name="receive">Whether it has received something.</param>
    public bool LookOut(ulong number, Func<bool> receive)
    {
        if (lookout is null || !lookout.Begins(number, IsAlone)) return false;
        bool found;
        do found = receive(); while (!found && lookout.GoesOn(IsAlone));
        lookout.Ends(found);
        return found;
    }

    /// <summary>The same for the next connection at a door.</summary>
    public void LookOutForNext(ulong door, Func<bool> accept)
    {
        LookOut(door, accept);
        lookout?.Forget(door); // it is no peer
    }

    /// <summary>What the loop's thread that calls does when it is done with its event; the last that is said counts. Others do not.</summary>
    public void Afterwards(Action what)
    {
        if (mine == this) afterwards = what;
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
        lookout?.Forget(number);
    }

    IWaiting? Find(ulong number)
    {
        lock (gate)
        {
            var entry = entries[(int)(uint)number];
            return entry.Generation == (uint)(number >> 32) ? entry.Waiting : null;
        }
    }

    void Run(bool more)
    {
        mine = this;
        while (!ended)
        {
            var outcome = Epoll.Wait(epoll, out var events, out var number);
            if (outcome == 0 || outcome == Epoll.Interrupted) continue;
            if (outcome < 0 || number == End) break;
            Interlocked.Increment(ref busy);
            try
            {
                Find(number)?.Happened(events);
                while (afterwards is { } what)
                {
                    afterwards = null;
                    what();
                }
            }
            catch (Exception e)
            {
                NetTelemetry.EventFailed(log, e);
            }
            served++; // two at once may count as one: a sign of progress all the same
            if (Interlocked.Decrement(ref busy) < usual && more) break;
        }
        lock (gate) threads.Remove(Thread.CurrentThread);
    }

    /// <summary>Ends the threads; those that run something end after it.</summary>
    public void Dispose()
    {
        watch.Dispose();
        Thread[] left;
        lock (gate) (ended, left) = (true, [.. threads]);
        var signal = Epoll.WakeAll(epoll, End);
        var all = true;
        foreach (var thread in left) all &= thread == Thread.CurrentThread || thread.Join(TimeSpan.FromSeconds(2));
        if (signal >= 0) Epoll.Close(signal);
        if (all) Epoll.Close(epoll); // one that still waits would wait for whoever gets the number next
    }
}
