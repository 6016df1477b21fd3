namespace CbaMail.Imap.Searching;

/// <summary>
/// Searching is what one command can make as long as it likes. It is done in slices, of which no more run at once than leave a core to everybody
/// else; who has had one goes to the end of the line. So a hundred searches slow each other down, and nobody who reads mail.
/// </summary>
internal sealed class SearchTurns(int atOnce) : IDisposable
{
    /// <summary>What one may do before the next has a turn; a message that has been begun is judged to its end.</summary>
    public static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(20);

    readonly SemaphoreSlim places = new(atOnce);

    public static SearchTurns OfThisMachine { get; } = new(Math.Max(1, Environment.ProcessorCount - 1));

    /// <summary>Waits for a turn; it ends with the answer's disposal.</summary>
    public async ValueTask<Turn> EnterAsync(CancellationToken cancel)
    {
        await places.WaitAsync(cancel);
        return new Turn(places);
    }

    public void Dispose() => places.Dispose();

    public readonly struct Turn(SemaphoreSlim? places) : IDisposable
    {
        public void Dispose() => places?.Release();
    }
}
