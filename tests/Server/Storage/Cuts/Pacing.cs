namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>A clock by which every piece of work takes long enough to be followed by a rest, and each rest lasts until it is ended.</summary>
sealed class Pacing(TimeProvider time) : TimeProvider
{
    readonly Lock gate = new();
    TaskCompletionSource resting = new(TaskCreationOptions.RunContinuationsAsynchronously);
    Action? goOn;
    long ticks;

    /// <summary>Ends when the next rest begins.</summary>
    public Task Resting { get { lock (gate) return resting.Task; } }

    public override DateTimeOffset GetUtcNow() => time.GetUtcNow();
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    public override long GetTimestamp() => Interlocked.Add(ref ticks, TimeSpan.TicksPerMillisecond * 10);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        lock (gate)
        {
            goOn = () => callback(state);
            resting.TrySetResult();
        }
        return new Rest();
    }

    /// <summary>Ends the rest.</summary>
    public void GoOn()
    {
        Action? next;
        lock (gate)
        {
            next = goOn;
            goOn = null;
            resting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        next?.Invoke();
    }

    sealed class Rest : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;
        public void Dispose() { }
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
