using CbaMail.Mailboxes;

namespace CbaMail.Imap;

// what the session changes itself, and what it knows for that
internal sealed partial class SelectedMailbox
{
    /// <summary>What this session has changed itself, and has taken in: of that it need not be told.</summary>
    /// <param name="gone">What it has expunged.</param>
    public void Made(OwnChange change, IReadOnlyList<uint>? gone = null)
    {
        // readers' marks have modification sequences of their own, and searches that are kept want to see what has changed
        if (Reader != 0 || !Contexts.IsEmpty || change.Reaches(ModSeq) is var now && now == ModSeq) return;
        foreach (var uid in gone ?? [])
            if (IndexOf(uid) >= 0) vanished.Add(uid);
        ModSeq = now;
    }

    /// <summary>What is known of messages, as of <see cref="ModSeq"/>; null: readers' marks are not all known.</summary>
    public KnownFlags? Known(List<uint> messages)
    {
        if (Reader != 0) return null;
        var states = new List<FlagState>(messages.Count);
        var index = -1;
        foreach (var uid in messages)
            if ((index = IndexNear(uid, index + 1)) >= 0 && !vanished.Contains(uid)) states.Add(new(uid, Flags(index), keywordSets.Text((int)keywords[index]), modseqs[index]));
        return new KnownFlags(ModSeq, states);
    }
}
