namespace CbaMail.Mailboxes;

/// <summary>
/// Bounds the bytes of large messages that are parsed, compressed and committed at once, in the order in which they come: a thousand of
/// them that end in the same moment take turns instead of memory. Small ones pass by.
/// </summary>
public sealed class StagingRoom(long most)
{
    const long Small = 256 * 1024;

    readonly Lock gate = new();
    readonly Queue<(long Bytes, TaskCompletionSource Turn)> waiting = new();
    long taken;

    /// <summary>Waits for its turn; dispose what it gives when the message has been committed.</summary>
    public async ValueTask<IDisposable?> EnterAsync(long bytes)
    {
        if (bytes <= Small) return null;
        bytes = Math.Min(bytes, most);
        Task turn;
        lock (gate)
        {
            if (waiting.Count == 0 && taken + bytes <= most)
            {
                taken += bytes;
                return new Place(this, bytes);
            }
            var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            waiting.Enqueue((bytes, source));
            turn = source.Task;
        }
        await turn; // each of those before ends by itself: a commit, or its failure
        return new Place(this, bytes);
    }

    void Leave(long bytes)
    {
        lock (gate)
        {
            taken -= bytes;
            while (waiting.TryPeek(out var next) && taken + next.Bytes <= most)
            {
                waiting.Dequeue();
                taken += next.Bytes;
                next.Turn.SetResult();
            }
        }
    }

    sealed class Place(StagingRoom room, long bytes) : IDisposable
    {
        StagingRoom? room = room;
        public void Dispose() => Interlocked.Exchange(ref room, null)?.Leave(bytes);
    }
}
