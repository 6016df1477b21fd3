namespace CbaMail.Tests.Wire;

/// <summary>A clock that stands still until it is moved; timers fire on the mover's thread.</summary>
internal sealed class ManualTime(DateTimeOffset? start = null) : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<Timer> timers = [];
    private DateTimeOffset now = start ?? new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    private TimeSpan skew;

    public override DateTimeOffset GetUtcNow() { lock (gate) return now + skew; }

    /// <summary>Goes on evenly whatever the clock is set to.</summary>
    public override long GetTimestamp() { lock (gate) return now.UtcTicks; }

    /// <summary>Timers that wait.</summary>
    public int Waiting { get { lock (gate) return timers.Count; } }

    public void Advance(TimeSpan span)
    {
        DateTimeOffset end;
        lock (gate) end = now + span;
        while (true)
        {
            Timer? next;
            lock (gate)
            {
                next = timers.Where(timer => timer.Due <= end).MinBy(timer => timer.Due);
                now = next is null ? end : next.Due > now ? next.Due : now;
                if (next is null) return;
                if (next.Period > TimeSpan.Zero) next.Due += next.Period; else timers.Remove(next);
            }
            next.Fire();
        }
    }

    /// <summary>Sets the clock without firing anything, as an administrator may.</summary>
    public void Set(DateTimeOffset time) { lock (gate) skew = time - now; }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class Timer(ManualTime clock, TimerCallback callback, object? state) : ITimer
    {
        public DateTimeOffset Due { get; set; }
        public TimeSpan Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var now = false;
            lock (clock.gate)
            {
                clock.timers.Remove(this);
                Period = period;
                if (dueTime == TimeSpan.Zero) now = true;
                else if (dueTime > TimeSpan.Zero)
                {
                    Due = clock.now + dueTime;
                    clock.timers.Add(this);
                }
            }
            if (now) ThreadPool.QueueUserWorkItem(_ => Fire());
            return true;
        }

        public void Dispose() { lock (clock.gate) clock.timers.Remove(this); }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
