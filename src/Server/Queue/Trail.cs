using System.Collections.Concurrent;
using CbaMail.Config;
using CbaMail.Storage;

namespace CbaMail.Queue;

/// <summary>What a line of the trail is about.</summary>
public enum TrailKind { Placed, Refused, Dropped, Bounce }

/// <summary>A message that arrived, or was refused.</summary>
/// <param name="Arrival">Id of the transaction, as on the log lines.</param>
/// <param name="MessageId">Without angle brackets, or null.</param>
/// <param name="Sender">Empty for &lt;&gt;.</param>
/// <param name="Recipients">A line each: address, tab, what was done with it.</param>
/// <param name="QueueId">Of what leaves, or null.</param>
/// <param name="Origin">Address of the client, tab, its name, tab, account, tab, protocol and TLS; or words where nobody was connected.</param>
/// <param name="Verdict">Why it was refused or judged to be junk; empty: nothing to say.</param>
public sealed record TrailEntry(
    TrailKind Kind, string Arrival, string? MessageId, string Sender, string Recipients, long Size, long? QueueId, string Origin, string Verdict);

/// <summary>
/// What became of each message, for <see cref="TraceSearch"/>: a row in the commit that places it, a row in the commit that ends it
/// in the queue. What was refused changes nothing in the store, so it is noted in memory and written some seconds later with whatever else there
/// is; a flood of it is cut off, for it is worth no disk.
/// </summary>
public sealed class Trail(Store store, TimeProvider time, QueueSettings settings)
{
    const int MostWaiting = 2000;
    const int PerSecond = 2;
    const int Burst = 2000;

    readonly ConcurrentQueue<(DateTimeOffset At, TrailEntry Entry)> waiting = new();
    readonly SemaphoreSlim noted = new(0, 1);
    readonly Lock gate = new();
    double allowance = Burst;
    long last = time.GetTimestamp();
    int left;

    public bool IsKept => settings.KeepFinished > TimeSpan.Zero;

    /// <summary>A message was placed; in the commit that places it.</summary>
    public void Add(WriteTransaction transaction, TrailEntry entry)
    {
        if (IsKept) TrailTable.Add(transaction, entry, time.GetUtcNow());
    }

    /// <summary>A message or recipient was refused.</summary>
    public void Note(TrailEntry entry)
    {
        if (!IsKept) return;
        lock (gate)
        {
            var now = time.GetTimestamp();
            allowance = Math.Min(Burst, allowance + time.GetElapsedTime(last, now).TotalSeconds * PerSecond);
            last = now;
            if (allowance < 1 || waiting.Count >= MostWaiting)
            {
                left++;
                return;
            }
            allowance--;
        }
        waiting.Enqueue((time.GetUtcNow(), entry));
        if (noted.CurrentCount > 0) return;
        try { noted.Release(); }
        catch (SemaphoreFullException) { return; } // somebody else has just told the writer
    }

    /// <summary>Completes when something waits to be written.</summary>
    internal Task WaitAsync(CancellationToken cancel) => noted.WaitAsync(cancel);

    /// <summary>Writes what was noted.</summary>
    public async Task FlushAsync(CancellationToken cancel = default)
    {
        if (waiting.IsEmpty) return;
        var entries = new List<(DateTimeOffset, TrailEntry)>();
        while (entries.Count < MostWaiting && waiting.TryDequeue(out var entry)) entries.Add(entry);
        var more = Interlocked.Exchange(ref left, 0);
        if (more > 0) entries.Add((time.GetUtcNow(), new TrailEntry(TrailKind.Refused, "", null, "", "", 0, null, "", $"and {more} more that were refused")));
        await store.StartCommit(transaction =>
        {
            foreach (var (at, entry) in entries) TrailTable.Add(transaction, entry, at);
            return true;
        }, cancel);
    }

    /// <summary>Removes what is older than it is to be kept, some rows a commit.</summary>
    internal async Task PruneAsync(CancellationToken cancel)
    {
        var before = time.GetUtcNow() - settings.KeepFinished;
        while (await store.CommitAsync(transaction => TrailTable.Prune(transaction, before, 1000), cancel) > 0) { }
    }
}
