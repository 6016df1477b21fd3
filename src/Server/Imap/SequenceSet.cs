namespace CbaMail.Imap;

/// <summary>
/// A sequence-set as the client wrote it (RFC 9051 9): ranges of numbers, where 0 stands for "*".
/// What it means is known only together with the selected mailbox.
/// </summary>
internal sealed class SequenceSet(List<(uint From, uint To)> ranges)
{
    /// <summary>Stands for "*".</summary>
    public const uint Star = 0;

    public IReadOnlyList<(uint From, uint To)> Ranges => ranges;

    /// <summary>Stands for "$", the messages that the last search has saved (RFC 5182 2.1, RFC 9051 9, seq-last-command).</summary>
    public bool IsSaved { get; init; }

    /// <summary>Whether the number is in the set when "*" is <paramref name="last"/>. "5:3" is "3:5" (RFC 9051 9, seq-range).</summary>
    public bool Contains(uint number, uint last)
    {
        foreach (var (from, to) in ranges)
        {
            var (a, b) = Order(from, to, last);
            if (number >= a && number <= b) return true;
        }
        return false;
    }

    /// <summary>The range with "*" put in and the smaller number first.</summary>
    public static (uint From, uint To) Order(uint from, uint to, uint last)
    {
        if (from == Star) from = last;
        if (to == Star) to = last;
        return from <= to ? (from, to) : (to, from);
    }

    /// <summary>Rising, merged ranges with "*" put in.</summary>
    public List<(uint From, uint To)> Normalize(uint last)
    {
        var sorted = new List<(uint From, uint To)>(ranges.Count);
        foreach (var (from, to) in ranges) sorted.Add(Order(from, to, last));
        sorted.Sort();
        var merged = new List<(uint From, uint To)>(sorted.Count);
        foreach (var range in sorted)
        {
            if (merged.Count > 0 && range.From <= merged[^1].To + 1L)
            {
                if (range.To > merged[^1].To) merged[^1] = (merged[^1].From, range.To);
            }
            else merged.Add(range);
        }
        return merged;
    }
}
