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

    /// <summary>Whether the sender is to be told now that the message is late.</summary>
    public static bool DelayDue(DateTimeOffset created, DateTimeOffset now, QueueSettings settings) =>
        settings.DelayNotice > TimeSpan.Zero && now - created >= settings.DelayNotice;
}
