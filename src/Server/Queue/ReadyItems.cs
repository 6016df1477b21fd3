namespace CbaMail.Queue;

/// <summary>Whose turn it is: the class goes first, within it the priority (RFC 6710 5.1).</summary>
internal readonly record struct Standing(MailClass Class, int Priority = 0)
{
    public static implicit operator Standing(MailClass standing) => new(standing);
}

/// <summary>
/// What is ready for one destination in one class, the best first. A level of priority is worth five minutes of waiting: who has 9 goes before
/// everything of priority 0 that became ready in the last three quarters of an hour, and what has -9 goes before all that comes an hour and a half
/// after it. So the higher goes first wherever mail queues up, and nothing waits for ever.
/// Within a level it is first come, first served.
/// </summary>
internal sealed class ReadyItems
{
    public const int Most = 9;
    const long Step = 5 * 60 * 1000;

    readonly Queue<Entry> usual = new();
    Queue<Entry>?[]? ranked; // by priority, those that are not 0; most destinations never have one

    readonly record struct Entry(QueueItem Item, long Since);

    public int Count { get; private set; }

    /// <summary>Those of another priority than 0.</summary>
    public int Ranked => Count - usual.Count;

    public void Enqueue(QueueItem item, int priority, DateTimeOffset since)
    {
        Count++;
        Level(Math.Clamp(priority, -Most, Most)).Enqueue(new Entry(item, since.ToUnixTimeMilliseconds()));
    }

    Queue<Entry> Level(int priority) => priority == 0 ? usual : (ranked ??= new Queue<Entry>?[2 * Most + 1])[priority + Most] ??= new();

    public bool TryPeek(out QueueItem item, out long rank)
    {
        (item, rank) = (default, long.MaxValue);
        if (Best(out rank) is not { } best) return false;
        item = best.Peek().Item;
        return true;
    }

    public void Dequeue()
    {
        if (Best(out _) is not { } best) return;
        best.Dequeue();
        Count--;
    }

    /// <param name="rank">When the first would have come had it waited for its priority; the least goes first.</param>
    Queue<Entry>? Best(out long rank)
    {
        Queue<Entry>? best = usual.TryPeek(out var first) ? usual : null;
        rank = best is null ? long.MaxValue : first.Since;
        if (ranked is null) return best;
        for (var priority = Most; priority >= -Most; priority--)
        {
            if (ranked[priority + Most] is not { Count: > 0 } level) continue;
            var its = level.Peek().Since - priority * Step;
            if (its < rank || (its == rank && priority > 0)) (best, rank) = (level, its);
        }
        return best;
    }
}
