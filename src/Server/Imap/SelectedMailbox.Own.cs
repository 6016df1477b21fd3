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

    /// <summary>Messages of ranges of indexes as far as they look alike, as of <see cref="ModSeq"/>; null: too many, too different, or not all is known.</summary>
    public KnownRuns? KnownRuns(List<(int First, int Last)> ranges)
    {
        if (Reader != 0 || vanished.Count > 0 || ranges.Sum(range => range.Last - range.First + 1) > Mailboxes.KnownRuns.MostMessages) return null;
        var runs = new List<KnownRun>();
        foreach (var (first, last) in ranges)
            for (var i = first; i <= last;)
            {
                var (bits, set) = (flags[i] & ~ImapFlags.Recent, keywords[i]);
                var end = i;
                while (end < last && (flags[end + 1] & ~ImapFlags.Recent) == bits && keywords[end + 1] == set) end++;
                if (runs.Count == Mailboxes.KnownRuns.MostRuns) return null;
                runs.Add(new(uids[i], uids[end], end - i + 1, (MessageFlags)bits, keywordSets.Text((int)set)));
                i = end + 1;
            }
        return new KnownRuns(ModSeq, runs);
    }

    /// <summary>Takes in what has become of runs of messages, of which the client need not be told more.</summary>
    public void Learn(int first, in KnownRun run, long modseq)
    {
        learnt = Math.Max(learnt, modseq);
        var set = keywordSets.Intern(run.Keywords);
        for (var i = first; i < first + run.Messages; i++)
        {
            flags[i] = (byte)((byte)run.Flags | (flags[i] & ImapFlags.Recent));
            keywords[i] = set;
            modseqs[i] = modseq;
        }
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
