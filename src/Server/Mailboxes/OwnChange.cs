namespace CbaMail.Mailboxes;

/// <summary>
/// Between which modification sequences of a mailbox one's own changes lie. Who knew all up to the first knows all up to the last and need not
/// look for it, which is a walk over the whole mailbox.
/// </summary>
public sealed class OwnChange
{
    long before, after;
    bool isBroken;

    /// <summary>The last one, if who knew this one has missed nothing; else the same.</summary>
    public long Reaches(long known) => !isBroken && after != 0 && before == known ? after : known;

    /// <summary>The modification sequence that what was changed has, or 0.</summary>
    public long ModSeq => after;

    /// <summary>A commit has begun at one and ended at the other.</summary>
    internal void Add(long from, long to)
    {
        isBroken |= after != 0 && after != from; // somebody else was between two of ours
        if (after == 0) before = from;
        after = to;
    }
}
