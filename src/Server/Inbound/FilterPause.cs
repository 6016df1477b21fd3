using CbaMail.Config;
using CbaMail.Envelope;

namespace CbaMail.Inbound;

/// <summary>
/// Leaves a filter alone that fails again and again, so that a dead one costs each message a moment and not the whole time limit. One message tries
/// it after each pause; the pauses grow to a minute.
/// </summary>
sealed class FilterPause(TimeProvider time, Action<int, string, int> left, Action back)
{
    /// <summary>Failures in a row after which it is left alone.</summary>
    const int MostFailures = 3;
    static readonly TimeSpan First = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    public static readonly Refusal Rejected = new(550, "5.7.1", "NOPERM", 403, "Command rejected");
    public static readonly Refusal Deferred = new(451, "4.7.1", "UNAVAILABLE", 503, "Service unavailable - try again later");

    readonly Lock gate = new();
    int failures;
    long triedAt, gaveUpAt;
    TimeSpan pause;
    volatile string? problem;

    /// <summary>Why it is left alone since it failed so often; null: it is not.</summary>
    public string? Problem => problem;

    /// <summary>Whether it may be asked now.</summary>
    public bool MayTry()
    {
        if (Volatile.Read(ref failures) < MostFailures) return true;
        lock (gate)
        {
            if (pause == TimeSpan.Zero) return true;
            if (time.GetElapsedTime(triedAt) < pause) return false;
            triedAt = time.GetTimestamp(); // this one tries; others wait for what comes of it
            return true;
        }
    }

    public void Succeeded()
    {
        if (Volatile.Read(ref failures) == 0) return;
        lock (gate)
        {
            if (pause > TimeSpan.Zero) back();
            (failures, pause, problem) = (0, TimeSpan.Zero, null);
        }
    }

    public void Failed(string reason)
    {
        lock (gate)
        {
            // of those that were under way when it was given up, only the one that tries again may make the pause longer
            if (++failures < MostFailures) return;
            if (pause > TimeSpan.Zero && time.GetElapsedTime(gaveUpAt) < pause) return;
            pause = pause == TimeSpan.Zero ? First : pause * 2 < Longest ? pause * 2 : Longest;
            gaveUpAt = triedAt = time.GetTimestamp();
            problem = reason;
            left(failures, reason, (int)pause.TotalSeconds);
        }
    }

    /// <summary>What a filter's failure means for mail, by its mode.</summary>
    public static Refusal? Outcome(FilterFailure mode, string name, Moment moment, Arrival arrival)
    {
        switch (mode)
        {
            case FilterFailure.Accept:
                return null;
            case FilterFailure.Reject:
                return Rejected;
            case FilterFailure.Quarantine:
                if (moment == Moment.Message) arrival.Judge(Disposition.Quarantine, name, "it could not be asked");
                return null;
            default:
                return Deferred;
        }
    }
}
