namespace CbaMail.Http;

/// <summary>Changes of one thing are made one after the other, so that what a change with If-Match has looked at is still so when it is made (RFC 9110 13.1.1).</summary>
sealed class PathLocks
{
    sealed class Held
    {
        public readonly SemaphoreSlim Turn = new(1);
        public int Users; // guarded by the dictionary
    }

    readonly Dictionary<string, Held> held = new(StringComparer.OrdinalIgnoreCase);

    internal int Count { get { lock (held) return held.Count; } }

    public async Task RunAsync(string path, Func<Task> deed, CancellationToken cancel)
    {
        Held mine;
        lock (held)
        {
            if (!held.TryGetValue(path, out mine!)) held[path] = mine = new();
            mine.Users++;
        }
        var inside = false;
        try
        {
            await mine.Turn.WaitAsync(cancel);
            inside = true;
            await deed();
        }
        finally
        {
            if (inside) mine.Turn.Release();
            lock (held)
                if (--mine.Users == 0) held.Remove(path);
        }
    }
}
