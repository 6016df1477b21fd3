using CbaMail.Imap.Commands;

namespace CbaMail.Imap.Searching;

/// <summary>How well the messages of a mailbox fit the fuzzy keys of a search (RFC 6203 4): 1 to 100, the best of them 100.</summary>
internal sealed class Relevancy(int messages)
{
    public const int Most = 100;

    readonly byte[] scores = new byte[messages];
    int best;

    public static Relevancy Of(SelectedMailbox mailbox, SearchKey key, List<int> found)
    {
        var relevancy = new Relevancy(mailbox.Count);
        foreach (var index in found) relevancy.Add(index, key.RelevanceOf(mailbox, index));
        return relevancy;
    }

    /// <param name="score">1 to 100.</param>
    public void Add(int index, int score)
    {
        if (index >= scores.Length) return; // it has come since
        scores[index] = (byte)Math.Clamp(score, 1, Most);
        best = Math.Max(best, scores[index]);
    }

    public int Of(int index) => best == 0 || index >= scores.Length ? Most : Math.Max(1, scores[index] * Most / best);
}
