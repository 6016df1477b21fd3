namespace CbaMail.Imap.Searching;

/// <summary>
/// Searching is what one command can make as long as it likes. It is done in slices, of which no more run at once than leave a core to everybody
/// else; who has had one goes to the end of the line. So a hundred searches slow each other down, and nobody who reads mail.
/// </summary>
internal sealed class SearchTurns(int atOnce, int cores) : IDisposable
{
    /// <summary>What one may do before the next has a turn; a message that has been begun is judged to its end.</summary>
    public static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(20);

    /// <summary>The same where one search has a second core, which was for everybody else.</summary>
    public static readonly TimeSpan HelpersSlice = TimeSpan.FromMilliseconds(5);

    readonly SemaphoreSlim places = new(atOnce), helpers = new(cores - atOnce, Math.Max(1, cores - atOnce));
    int waiting;

    public static SearchTurns OfThisMachine { get; } = new(Math.Max(1, Environment.ProcessorCount - 1), Environment.ProcessorCount);

    /// <summary>Waits for a turn; it ends with the answer's disposal.</summary>
    public ValueTask<Turn> EnterAsync(CancellationToken cancel) => places.Wait(0, CancellationToken.None) ? new(new Turn(places)) : WaitAsync(cancel);

    async ValueTask<Turn> WaitAsync(CancellationToken cancel)
    {
        Interlocked.Increment(ref waiting);
        try { await places.WaitAsync(cancel); }
        finally { Interlocked.Decrement(ref waiting); }
        return new Turn(places);
    }

    /// <summary>A short turn on a core that has nothing to do, besides the search's own; null where somebody else waits for one.</summary>
    public Turn? TryHelp() => Volatile.Read(ref waiting) == 0 && ThreadPool.PendingWorkItemCount == 0 && helpers.Wait(0) ? new Turn(helpers) : null;

    public void Dispose()
    {
        places.Dispose();
        helpers.Dispose();
    }

    public readonly struct Turn(SemaphoreSlim? places) : IDisposable
    {
        public void Dispose() => places?.Release();
    }
}
