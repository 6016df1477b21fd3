using CbaMail.Config;

namespace CbaMail.Queue;

/// <summary>When a message is tried again (RFC 5321 4.5.4.1). Pure: time and randomness are passed in.</summary>
public static class Retry
{
    /// <summary>The pause after the given number of failed attempts (1 = after the first).</summary>
    /// <param name="random">From 0 up to, not including, 1.</param>
    public static TimeSpan After(int attempts, QueueSettings settings, double random)
    {
        var steps = settings.RetryAfter;
        if (steps.Count == 0) return TimeSpan.FromMinutes(30);
        var pause = steps[Math.Clamp(attempts - 1, 0, steps.Count - 1)];
        var jitter = Math.Clamp(settings.RetryJitter, 0, 0.9);
        return pause * (1 + jitter * (2 * random - 1));
    }

    /// <summary>The time of the next attempt, or null when the message is too old by then: it is returned now.</summary>
    public static DateTimeOffset? Next(int attempts, DateTimeOffset now, DateTimeOffset expires, QueueSettings settings, double random)
    {
        if (now >= expires) return null;
        var next = now + After(attempts, settings, random);
        // a last attempt is made just before the end instead of giving up hours early
        return next < expires ? next : expires;
    }

    const int FewestAttempts = 5;
    static readonly TimeSpan Future = TimeSpan.FromHours(1);

    /// <summary>
    /// When a message's time is over. While the server runs it keeps ages over a clock that is set (<see cref="QueueClock"/>); over a restart nobody
    /// knows whether days went by or the clock was set, so age alone decides nothing: a message that looks too old gets some attempts first, and one
    /// that seems to come from the future as many as its schedule has.
    /// </summary>
    /// <param name="attempts">Failed ones, this one included.</param>
    public static DateTimeOffset Deadline(DateTimeOffset created, DateTimeOffset expires, int attempts, DateTimeOffset now, QueueSettings settings)
    {
        var period = expires - created;
        if (created > now + Future) return attempts >= Usual(period, settings) ? now : now + period;
        return now >= expires && attempts < Math.Min(FewestAttempts, Usual(period, settings)) ? now + period : expires;
    }

    /// <summary>Attempts that the schedule makes in that time.</summary>
    static int Usual(TimeSpan period, QueueSettings settings)
    {
        var attempts = 1;
        for (var spent = TimeSpan.Zero; attempts < 1000 && (spent += After(attempts, settings, 0.5)) <= period;) attempts++;
        return attempts;
    }

    /// <summary>Whether the sender is to be told now that the message is late.</summary>
    public static bool DelayDue(DateTimeOffset created, DateTimeOffset now, QueueSettings settings) =>
        settings.DelayNotice > TimeSpan.Zero && now - created >= settings.DelayNotice;
}
