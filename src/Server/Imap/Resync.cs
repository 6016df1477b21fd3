using CbaMail.Mailboxes;

namespace CbaMail.Imap;

/// <summary>What a client last knew of a mailbox: the parameter of SELECT (QRESYNC (...)) (RFC 7162 3.2.5).</summary>
/// <param name="Known">UIDs that the client knows, or null for all.</param>
/// <param name="Match">Some sequence numbers and the UIDs that they had, both rising, or null.</param>
internal sealed record LastKnown(uint UidValidity, long ModSeq, SequenceSet? Known, (SequenceSet Numbers, SequenceSet Uids)? Match)
{
    // RFC 7162 7: "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")"
    public static LastKnown Parse(ref ImapReader arguments)
    {
        arguments.Space();
        arguments.Open();
        var validity = arguments.NonZero();
        arguments.Space();
        var modseq = arguments.Number64();
        if (modseq == 0) arguments.Fail("a modification sequence above zero");
        SequenceSet? known = null;
        (SequenceSet, SequenceSet)? match = null;
        var more = arguments.Take((byte)' ');
        if (more && arguments.Next != '(')
        {
            known = Numbers(ref arguments);
            more = arguments.Take((byte)' ');
        }
        if (more)
        {
            arguments.Open();
            var numbers = Numbers(ref arguments);
            arguments.Space();
            match = (numbers, Numbers(ref arguments));
            arguments.Close();
        }
        arguments.Close();
        return new(validity, modseq, known, match);
    }

    // RFC 7162 7, known-uids, known-sequence-set: "*" is not allowed
    static SequenceSet Numbers(ref ImapReader arguments)
    {
        var set = arguments.Set();
        foreach (var (from, to) in set.Ranges)
            if (from == SequenceSet.Star || to == SequenceSet.Star) arguments.Refuse("\"*\" does not name a known message");
        return set;
    }
}

/// <summary>Which of the messages that a client knew are gone (RFC 7162 3.2.5, 3.2.6): from the history of expunges as far as it goes, else every UID without a message.</summary>
internal static class Resync
{
    /// <summary>What was expunged after a modification sequence among the UIDs of rising ranges, and is not in the view any more.</summary>
    public static List<(uint From, uint To)> Vanished(MailReader reader, SelectedMailbox mailbox, long since, List<(uint From, uint To)> among)
    {
        // a sequence that has never been reached here is from before a restore: nothing of what the client knows is certain
        if (since < reader.Forgotten(mailbox.Id) || since > Math.Max(1, mailbox.ModSeq)) return Missing(mailbox, among);
        var gone = new List<(uint, uint)>();
        var range = 0;
        foreach (var uid in reader.ExpungedSince(mailbox.Id, since))
        {
            while (range < among.Count && among[range].To < uid) range++;
            if (range == among.Count) break;
            if (uid >= among[range].From && mailbox.IndexOf(uid) < 0) Add(gone, uid, uid);
        }
        return gone;
    }

    /// <summary>RFC 7162 3.2.6: behaves as if all expunged messages were asked for.</summary>
    static List<(uint From, uint To)> Missing(SelectedMailbox mailbox, List<(uint From, uint To)> among)
    {
        var gone = new List<(uint, uint)>();
        foreach (var (from, last) in among)
        {
            var to = Math.Min(last, mailbox.UidNext - 1);
            if (from > to) continue;
            var next = from;
            var index = mailbox.IndexOf(from);
            for (index = index < 0 ? ~index : index; index < mailbox.Count && mailbox.Uid(index) <= to; index++)
            {
                if (mailbox.Uid(index) > next) Add(gone, next, mailbox.Uid(index) - 1);
                next = mailbox.Uid(index) + 1;
            }
            if (next <= to) Add(gone, next, to);
        }
        return gone;
    }

    public static void Add(List<(uint From, uint To)> ranges, uint from, uint to)
    {
        if (ranges.Count > 0 && ranges[^1].To + 1 == from) ranges[^1] = (ranges[^1].From, to);
        else ranges.Add((from, to));
    }

    /// <summary>The UIDs that the client may have to hear of, rising: those it knows, above those of which a match shows that it misses nothing.</summary>
    public static List<(uint From, uint To)> Among(SelectedMailbox mailbox, LastKnown last)
    {
        var known = last.Known?.Normalize(uint.MaxValue) ?? (mailbox.UidNext > 1 ? [(1, mailbox.UidNext - 1)] : []);
        if (last.Match is not { } match) return known;
        var sure = Matched(mailbox, match.Numbers, match.Uids);
        var left = new List<(uint, uint)>();
        foreach (var (from, to) in known)
            if (to > sure) left.Add((Math.Max(from, sure + 1), to));
        return left;
    }

    // RFC 7162 3.2.5.2: where the Nth message still has the UID that the client remembers, nothing below it is missing
    static uint Matched(SelectedMailbox mailbox, SequenceSet numbers, SequenceSet uids)
    {
        uint sure = 0;
        using var uid = Each(uids).GetEnumerator();
        foreach (var number in Each(numbers))
        {
            if (number > mailbox.Count || !uid.MoveNext()) break;
            if (mailbox.Uid((int)number - 1) == uid.Current) sure = uid.Current;
        }
        return sure;
    }

    static IEnumerable<uint> Each(SequenceSet set)
    {
        foreach (var (a, b) in set.Ranges)
            for (long i = Math.Min(a, b); i <= Math.Max(a, b); i++) yield return (uint)i;
    }

    /// <summary>RFC 7162 3.2.10.1; in lines of a bearable length.</summary>
    public static async ValueTask TellEarlierAsync(ImapSession session, List<(uint From, uint To)> gone)
    {
        for (var at = 0; at < gone.Count; at += ImapWriter.RangesALine)
        {
            session.Writer.Write("* VANISHED (EARLIER) "u8).Ranges(gone, at).EndLine();
            if (session.Writer.IsFull) await session.Writer.FlushAsync(session.Cancel);
        }
    }

    /// <summary>All that has happened to what the client knew, once its mailbox is open again (RFC 7162 3.2.5.1).</summary>
    public static async ValueTask TellAsync(ImapSession session, SelectedMailbox mailbox, LastKnown last)
    {
        if (last.UidValidity != mailbox.UidValidity) return; // RFC 7162 3.2.5: the client sees it and begins anew
        List<(uint From, uint To)> gone;
        using (var reader = session.Mail.Read()) gone = Vanished(reader, mailbox, last.ModSeq, Among(mailbox, last));
        await TellEarlierAsync(session, gone);
        var since = last.ModSeq > Math.Max(1, mailbox.ModSeq) ? 0 : last.ModSeq;
        var known = last.Known?.Normalize(uint.MaxValue);
        var range = 0;
        for (var i = 0; i < mailbox.Count; i++)
        {
            if (mailbox.ModSeqOf(i) <= since) continue;
            if (known is not null)
            {
                while (range < known.Count && known[range].To < mailbox.Uid(i)) range++;
                if (range == known.Count) break;
                if (mailbox.Uid(i) < known[range].From) continue;
            }
            mailbox.WriteFlags(session.Writer, i, withUid: true, withModSeq: true);
            if (session.Writer.IsFull) await session.Writer.FlushAsync(session.Cancel);
        }
    }
}
