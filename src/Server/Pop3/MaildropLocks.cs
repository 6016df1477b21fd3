using System.Collections.Concurrent;

namespace CbaMail.Pop3;

/// <summary>
/// Who has which maildrop open (RFC 1939 4: one session at a time), and who signed in when (LOGIN-DELAY, RFC 2449 6.5).
/// By the monotonic clock; one server has the store, so its memory is enough.
/// </summary>
public sealed class MaildropLocks(TimeProvider time)
{
    const int MostRemembered = 10_000;

    readonly ConcurrentDictionary<long, TaskCompletionSource> open = new();
    readonly Dictionary<long, long> lastSignIn = [];
    readonly Lock gate = new();

    /// <returns>What gives the maildrop free when it is disposed; null where another session keeps it for longer than <paramref name="patience"/>.</returns>
    public async ValueTask<IDisposable?> EnterAsync(long accountId, TimeSpan patience, CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        while (!open.TryAdd(accountId, mine))
        {
            var left = patience - time.GetElapsedTime(began);
            if (left <= TimeSpan.Zero) return null;
            if (!open.TryGetValue(accountId, out var other)) continue;
            try { await other.Task.WaitAsync(left, time, cancel); }
            catch (TimeoutException) { return null; }
        }
        return new Hold(this, accountId, mine);
    }

    /// <summary>Notes a sign-in, unless it comes too early after the one before.</summary>
    /// <returns>How long it is still too early; zero: it is not.</returns>
    public TimeSpan Admit(long accountId, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero) return TimeSpan.Zero;
        lock (gate)
        {
            var now = time.GetTimestamp();
            if (lastSignIn.TryGetValue(accountId, out var last) && time.GetElapsedTime(last, now) is var since && since < delay) return delay - since;
            if (lastSignIn.Count >= MostRemembered) Forget(now, delay);
            lastSignIn[accountId] = now;
            return TimeSpan.Zero;
        }
    }

    void Forget(long now, TimeSpan delay)
    {
        foreach (var (account, last) in lastSignIn)
            if (time.GetElapsedTime(last, now) >= delay) lastSignIn.Remove(account);
        if (lastSignIn.Count >= MostRemembered) lastSignIn.Clear(); // more accounts than anybody has: rather too lenient than too large
    }

    sealed class Hold(MaildropLocks locks, long accountId, TaskCompletionSource ended) : IDisposable
    {
        public void Dispose()
        {
            if (!locks.open.TryRemove(new(accountId, ended))) return;
            ended.SetResult();
        }
    }
}
