namespace CbaMail.Queue;

/// <summary>
/// The queue's time. It starts as the machine's clock says and goes on with the monotonic one, so that a clock that is set while the
/// server runs neither returns mail at once nor lets it wait for years. <see cref="MailQueue.FollowClockAsync"/> moves rows and this clock to the new time
/// together: ages and pauses stay as they are.
/// </summary>
sealed class QueueClock(TimeProvider time)
{
    readonly DateTimeOffset start = time.GetUtcNow();
    readonly long began = time.GetTimestamp();
    long offset; // ticks that the rows have been moved by

    /// <summary>Only goes forward; what is due later is kept by it.</summary>
    public DateTimeOffset Steady => start + time.GetElapsedTime(began);

    /// <summary>What stands in the rows.</summary>
    public DateTimeOffset Now => Steady + TimeSpan.FromTicks(Interlocked.Read(ref offset));

    /// <summary>How far the machine's clock has been set away from it.</summary>
    public TimeSpan Skew => time.GetUtcNow() - Now;

    public void Move(TimeSpan skew) => Interlocked.Add(ref offset, skew.Ticks);
}
