namespace CbaMail.Mailboxes;

/// <summary>An annotation has been set or removed.</summary>
/// <param name="Number">Rising.</param>
/// <param name="MailboxId">0: of the server.</param>
/// <param name="AccountId">Who sees it; 0: everybody.</param>
/// <param name="By">The session that did it, or null.</param>
public readonly record struct AnnotationChange(long Number, long MailboxId, long AccountId, string Entry, string? By);

/// <summary>The last changes of annotations, for those who are to be told of them (RFC 5464 4.4, RFC 5465 5.6, 5.7). In memory: who listens is connected.</summary>
public sealed class AnnotationFeed
{
    /// <summary>Changes that are remembered: somewhat over a megabyte.</summary>
    const int Most = 10_000;

    readonly Lock gate = new();
    readonly Queue<AnnotationChange> changes = new();
    Action[] listeners = [];
    long last;

    /// <summary>The number of the last change.</summary>
    public long Last => Volatile.Read(ref last);

    internal void Add(long mailboxId, IEnumerable<(long AccountId, string Entry)> entries, string? by)
    {
        lock (gate)
        {
            foreach (var (account, entry) in entries)
            {
                if (changes.Count == Most) changes.Dequeue();
                changes.Enqueue(new(last + 1, mailboxId, account, entry, by));
                Volatile.Write(ref last, last + 1);
            }
        }
        foreach (var listener in Volatile.Read(ref listeners)) listener();
    }

    /// <summary>What has changed after a number; null where that is no longer all remembered.</summary>
    public List<AnnotationChange>? Since(long number)
    {
        lock (gate)
        {
            if (number >= last) return [];
            if (changes.TryPeek(out var first) && first.Number > number + 1) return null;
            return [.. changes.Where(change => change.Number > number)];
        }
    }

    /// <summary>Calls the listener with every change until disposed; it is to set a flag and return.</summary>
    public IDisposable Subscribe(Action listener)
    {
        lock (gate) Volatile.Write(ref listeners, [.. listeners, listener]);
        return new Subscription(() => { lock (gate) Volatile.Write(ref listeners, [.. listeners.Where(one => one != listener)]); });
    }

    sealed class Subscription(Action end) : IDisposable
    {
        Action? end = end;
        public void Dispose() => Interlocked.Exchange(ref end, null)?.Invoke();
    }
}
