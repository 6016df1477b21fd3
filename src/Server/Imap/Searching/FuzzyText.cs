using CbaMail.Imap.Commands;
using CbaMail.Mailboxes.Search;
using CbaMail.Storage.Search;

namespace CbaMail.Imap.Searching;

/// <summary>
/// A text that is looked for fuzzily (RFC 6203): a message matches where it has every word in some form, and where it holds the text as it
/// stands. Scores come from the index; what the index does not know is looked at, and has one of two scores.
/// </summary>
internal sealed class FuzzyText(TextQuestion question)
{
    /// <summary>Scores of messages that the index gives none: with every word, and with the text as a part of words alone.</summary>
    const int Looked = 50, Part = 10;

    readonly IReadOnlyList<FuzzyWord> words = FuzzyWord.All(question.Needle);
    readonly Dictionary<uint, int> others = [];
    MailboxScores? scores;

    public async ValueTask PrepareAsync(ImapSession session, TextIndex index, long mailboxId)
    {
        others.Clear();
        if (words.Count > 0) scores = await index.ScoreAsync(mailboxId, question.Place, question.Field, words, session.Cancel);
    }

    /// <param name="plain">What the index says of the text as it stands.</param>
    public bool Matches(SearchCandidate candidate, Verdict plain)
    {
        var uid = candidate.Mailbox.Uid(candidate.Index);
        var score = scores?.Of(uid) ?? 0;
        if (score > 0) return true;
        if (score == 0 && plain != Verdict.Unknown)
        {
            if (plain == Verdict.Yes) others[uid] = Part;
            return plain == Verdict.Yes;
        }
        if (candidate.Text is not { } text) return false;
        if (words.Count > 0 && text.Fits(question.Place, question.Field, words)) others[uid] = Looked;
        else if (text.Contains(question)) others[uid] = Part;
        else return false;
        return true;
    }

    /// <summary>1 to 100, or 0 where it did not match (RFC 6203 4).</summary>
    public int RelevanceOf(uint uid) => scores?.Of(uid) is { } score and > 0 ? score : others.GetValueOrDefault(uid);
}
