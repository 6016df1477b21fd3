namespace CbaMail.Mailboxes;

/// <summary>
/// Reads and decodes the next bodies of a list on a thread of the pool, while whoever goes through it sends those before: decompression is half of
/// what a small body costs, and the other processor mostly has nothing to do. It keeps a short lead, small bodies alone, and nobody waits for
/// more than the one that is just being decoded.
/// </summary>
public sealed class ReadingAhead : IThreadPoolWorkItem, IDisposable
{
    /// <summary>Bytes of bodies that are decoded and have not been asked for.</summary>
    public const int MostBytes = 128 * 1024;

    readonly IReadOnlyList<MessageContent?> contents;
    readonly bool whole;
    readonly int[] ends; // bytes of those to be read, up to each
    int at = -1;         // where the caller is
    int next;            // where the reader is
    int working;         // it reads, or is about to
    int ready;           // bodies that were when the caller came to them

    /// <param name="contents">In the order in which they will be asked for; null is passed over.</param>
    /// <param name="whole">More of them than their headers is asked for.</param>
    public ReadingAhead(IReadOnlyList<MessageContent?> contents, bool whole)
    {
        (this.contents, this.whole) = (contents, whole);
        ends = new int[contents.Count];
        for (var (i, sum) = (0, 0); i < ends.Length; i++) ends[i] = sum += BytesOf(contents[i]);
    }

    /// <summary>Whether there is a processor that has nothing to do, as far as can be seen.</summary>
    public static bool IsWorthwhile => Environment.ProcessorCount > 1 && ThreadPool.PendingWorkItemCount == 0;

    /// <summary>Whether most bodies were not ready when they were asked for: the other processor has work of its own.</summary>
    public bool IsLate => ready < ends.Length / 4;

    static int BytesOf(MessageContent? content) => content is { CanBePrepared: true, Size: <= MostBytes } ? (int)content.Size : 0;

    /// <summary>The caller comes to this one.</summary>
    public void Reach(int index)
    {
        Volatile.Write(ref at, index);
        if (contents[index] is { IsOpen: true }) ready++;
        var last = Math.Min(Volatile.Read(ref next), ends.Length) - 1;
        if (last + 1 < ends.Length && (last <= index || ends[last] - ends[index] <= MostBytes / 2) && Interlocked.Exchange(ref working, 1) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute()
    {
        while (true)
        {
            var here = Volatile.Read(ref at);
            var one = Math.Max(next, here + 2);
            if (one >= ends.Length || ends[one] - (here < 0 ? 0 : ends[here]) > MostBytes) break;
            Volatile.Write(ref next, one + 1);
            if (BytesOf(contents[one]) > 0) contents[one]!.Prepare(whole);
        }
        Volatile.Write(ref working, 0);
    }

    /// <summary>Ends it, and closes what nobody has asked for.</summary>
    public void Dispose()
    {
        Volatile.Write(ref at, ends.Length);
        foreach (var content in contents) content?.Close();
    }
}
