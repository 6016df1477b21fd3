namespace CbaMail.Backup;

/// <summary>Keeps a copy gentle: it works in pieces, and rests after each as long as the piece took, so that at least half of the disk is left to the mail.</summary>
sealed class Pace(TimeProvider time, CancellationToken cancel)
{
    static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(250);

    long since = time.GetTimestamp();

    public CancellationToken Cancel => cancel;

    public async Task RestAsync()
    {
        var took = time.GetElapsedTime(since);
        if (took > TimeSpan.FromMilliseconds(2)) await Task.Delay(took < Longest ? took : Longest, time, cancel);
        cancel.ThrowIfCancellationRequested();
        since = time.GetTimestamp();
    }
}
