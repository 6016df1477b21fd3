using CbaMail.Storage.Search;

namespace CbaMail.Mailboxes.Search;

/// <summary>What the index says of the messages of one mailbox: of each and each question yes, no, or that it has to be looked at.</summary>
public sealed class MailboxVerdicts
{
    readonly ContentColumn column;
    readonly Verdicts verdicts;
    int last;

    internal MailboxVerdicts(ContentColumn column, Verdicts verdicts) => (this.column, this.verdicts) = (column, verdicts);

    public Verdict Of(int question, uint uid)
    {
        // mostly asked in order, perhaps by two at once
        var (uids, index) = (column.Uids, last);
        if (index >= uids.Count || uids[index] != uid)
        {
            if (++index >= uids.Count || uids[index] != uid) index = uids.BinarySearch(uid);
            if (index < 0) return Verdict.Unknown; // newer than the index
            last = index;
        }
        return verdicts.Of(question, verdicts.Place(column.Contents[index]));
    }
}

/// <summary>How well the messages of a mailbox fit a fuzzy key (RFC 6203 4).</summary>
public sealed class MailboxScores
{
    readonly Dictionary<uint, sbyte> scores = [];
    readonly uint newer;

    internal MailboxScores(ContentColumn column, ContentMap places, float[] given)
    {
        var best = 0f;
        foreach (var content in column.Contents)
            if (places.Of(content) is >= 0 and var at) best = Math.Max(best, Math.Abs(given[at]));
        for (var i = 0; i < column.Uids.Count; i++)
        {
            var (uid, at) = (column.Uids[i], places.Of(column.Contents[i]));
            newer = uid + 1;
            if (at < 0) scores[uid] = -1;
            else if (given[at] != 0) scores[uid] = given[at] < 0 ? (sbyte)-1 : (sbyte)Math.Clamp((int)MathF.Round(100 * given[at] / best), 1, 100);
        }
    }

    /// <summary>1 to 100, 0 where it has not all the words, below 0 where it has to be looked at.</summary>
    public int Of(uint uid) => uid >= newer ? -1 : scores.GetValueOrDefault(uid);
}
