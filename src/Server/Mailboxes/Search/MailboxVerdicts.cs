using CbaMail.Storage.Search;

namespace CbaMail.Mailboxes.Search;

/// <summary>What the index says of the messages of one mailbox: of each and each question yes, no, or that it has to be looked at.</summary>
public sealed class MailboxVerdicts
{
    readonly uint[] uids;
    readonly int[] places;
    readonly Verdicts verdicts;
    int last;

    internal MailboxVerdicts(List<(uint Uid, long Content)> rows, Verdicts verdicts)
    {
        this.verdicts = verdicts;
        uids = new uint[rows.Count];
        places = new int[rows.Count];
        for (var i = 0; i < uids.Length; i++) (uids[i], places[i]) = (rows[i].Uid, verdicts.Place(rows[i].Content));
    }

    public Verdict Of(int question, uint uid)
    {
        // mostly asked in order, perhaps by two at once
        var index = last;
        if (index >= uids.Length || uids[index] != uid)
        {
            if (++index >= uids.Length || uids[index] != uid) index = Array.BinarySearch(uids, uid);
            if (index < 0) return Verdict.Unknown; // newer than the index
            last = index;
        }
        return verdicts.Of(question, places[index]);
    }
}

/// <summary>How well the messages of a mailbox fit a fuzzy key (RFC 6203 4).</summary>
public sealed class MailboxScores
{
    readonly Dictionary<uint, sbyte> scores = [];
    readonly uint newer;

    internal MailboxScores(List<(uint Uid, long Content)> rows, ContentMap places, float[] given)
    {
        var best = 0f;
        foreach (var (_, content) in rows)
            if (places.Of(content) is >= 0 and var at) best = Math.Max(best, Math.Abs(given[at]));
        foreach (var (uid, content) in rows)
        {
            newer = uid + 1;
            var at = places.Of(content);
            if (at < 0) scores[uid] = -1;
            else if (given[at] != 0) scores[uid] = given[at] < 0 ? (sbyte)-1 : (sbyte)Math.Clamp((int)MathF.Round(100 * given[at] / best), 1, 100);
        }
    }

    /// <summary>1 to 100, 0 where it has not all the words, below 0 where it has to be looked at.</summary>
    public int Of(uint uid) => uid >= newer ? -1 : scores.GetValueOrDefault(uid);
}
