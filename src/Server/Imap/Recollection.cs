using CbaMail.Net;

namespace CbaMail.Imap;

/// <summary>
/// What sessions have worked out of whole mailboxes, for the next that asks the same: webmail connects anew for every page that it shows, selects the
/// mailbox and sorts it. Bounded for all sessions together; what was asked for last stays. Whoever finds something proves by the mailbox that it holds.
/// </summary>
internal sealed class Recollection(MemoryGate? memory)
{
    const long MostBytes = 8 << 20, LargestPart = 4;
    /// <summary>What is worked out of fewer messages is as fast as remembering.</summary>
    public const int LeastMessages = 500;

    /// <param name="What">The question.</param>
    public readonly record struct Key(long MailboxId, long Reader, string What);

    readonly Lock gate = new();
    readonly Dictionary<Key, LinkedListNode<(Key Key, object What, long Bytes)>> known = [];
    readonly LinkedList<(Key Key, object What, long Bytes)> byUse = []; // the last used first
    long held;

    public T? Find<T>(Key key) where T : class
    {
        lock (gate)
        {
            if (!known.TryGetValue(key, out var node)) return null;
            byUse.Remove(node);
            byUse.AddFirst(node);
            return node.Value.What as T;
        }
    }

    public void Keep(Key key, object what, long bytes)
    {
        var most = memory is { IsShort: true } ? 0 : MostBytes;
        lock (gate)
        {
            if (known.TryGetValue(key, out var old)) Remove(old);
            if (bytes <= most / LargestPart)
            {
                known[key] = byUse.AddFirst((key, what, bytes));
                held += bytes;
            }
            while (held > most) Remove(byUse.Last!);
        }
    }

    void Remove(LinkedListNode<(Key Key, object What, long Bytes)> node)
    {
        byUse.Remove(node);
        known.Remove(node.Value.Key);
        held -= node.Value.Bytes;
    }
}

/// <summary>
/// Which messages a view has. UIDs only rise and never come again, so views that end with the same one and have the same number have the same messages.
/// </summary>
internal readonly record struct ViewShape(uint UidValidity, uint LastUid, int Count)
{
    public static ViewShape Of(SelectedMailbox mailbox) => new(mailbox.UidValidity, mailbox.LastUid, mailbox.Count);

    /// <summary>Whether the mailbox begins with all of these messages.</summary>
    public bool IsFirstOf(SelectedMailbox mailbox) => UidValidity == mailbox.UidValidity && Count > 0 && Count <= mailbox.Count && mailbox.Uid(Count - 1) == LastUid;
}

/// <summary>All messages of a mailbox in an order, by index.</summary>
internal sealed record SortedView(ViewShape Shape, int[] Order)
{
    /// <summary>Those found in this order.</summary>
    /// <param name="found">Rising.</param>
    public List<int> Of(List<int> found)
    {
        if (found.Count == Order.Length) return [.. Order];
        var wanted = new bool[Order.Length];
        foreach (var index in found) wanted[index] = true;
        var sorted = new List<int>(found.Count);
        foreach (var index in Order)
            if (wanted[index]) sorted.Add(index);
        return sorted;
    }
}

/// <summary>The threads of all messages of a mailbox, as they are answered.</summary>
internal sealed record ThreadedView(ViewShape Shape, ReadOnlyMemory<byte> Answer);

/// <summary>A mailbox as a session sees it that has just selected it.</summary>
internal sealed record ViewCopy(ViewShape Shape, uint UidNext, long ModSeq, uint[] Uids, byte[] Flags, NumberColumn Keywords, NumberColumn ModSeqs, string?[] KeywordSets)
{
    public long Bytes => 13L * Uids.Length + 1000 + 100 * KeywordSets.Length;
}
