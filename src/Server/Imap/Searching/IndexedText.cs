using CbaMail.Imap.Commands;
using CbaMail.Mailboxes;
using CbaMail.Mailboxes.Search;
using CbaMail.Storage.Search;

namespace CbaMail.Imap.Searching;

/// <summary>
/// A key that asks for a text: answered by the index where that is sure, and by looking at the message where it is not. Below FUZZY forms of
/// the words count too (<see cref="FuzzyText"/>).
/// </summary>
internal sealed class IndexedText
{
    readonly TextQuestion question;
    readonly FuzzyText? fuzzy;
    MailboxVerdicts? verdicts;
    long mailboxId;
    int number;

    IndexedText(TextQuestion question, FuzzyText? fuzzy) => (this.question, this.fuzzy) = (question, fuzzy);

    /// <summary>The key.</summary>
    public static SearchKey Key(TextQuestion question, bool isFuzzy)
    {
        var fuzzy = isFuzzy ? new FuzzyText(question) : null;
        var text = new IndexedText(question, fuzzy);
        return new SearchKey(SearchCost.Content, text.Matches) { Guess = text.Guess, Texts = [text], Fuzzy = fuzzy is null ? [] : [fuzzy] };
    }

    // what is known without looking at the message
    Verdict Plain(SearchCandidate candidate) =>
        verdicts is null || candidate.Mailbox.Id != mailboxId ? Verdict.Unknown : verdicts.Of(number, candidate.Mailbox.Uid(candidate.Index));

    Verdict Guess(SearchCandidate candidate) => fuzzy is null ? Plain(candidate) : Verdict.Unknown;

    bool Matches(SearchCandidate candidate)
    {
        var plain = Plain(candidate);
        if (fuzzy is not null) return fuzzy.Matches(candidate, plain);
        return plain == Verdict.Yes || plain == Verdict.Unknown && candidate.Contains(question);
    }

    /// <summary>Asks the index for all keys of a search at once.</summary>
    public static async ValueTask PrepareAsync(ImapSession session, long mailboxId, SearchKey key)
    {
        if (key.Texts.Count == 0 || session.Context.Index is not { } index) return;
        // rows that are read one after the other answer sooner than words that have to be looked up in messages
        var (texts, questions, scores) = (new List<IndexedText>(), new List<TextQuestion>(), false);
        foreach (var text in key.Texts)
        {
            if (text.fuzzy is null && IsInRow(text.question)) continue;
            texts.Add(text);
            questions.Add(text.question);
            scores |= text.fuzzy is not null;
        }
        if (texts.Count == 0 || await index.AskAsync(mailboxId, questions, session.Cancel, scores) is not { } verdicts) return;
        for (var i = 0; i < texts.Count; i++)
        {
            (texts[i].verdicts, texts[i].mailboxId, texts[i].number) = (verdicts, mailboxId, i);
            if (texts[i].fuzzy is { } fuzzy) await fuzzy.PrepareAsync(session, index, mailboxId);
        }
    }

    // a field that stands in the row, and not as a whole in the index
    static bool IsInRow(TextQuestion question) => question is { Place: TextPlace.Field, Field: { } name } && KeptFields.Has(name) && Sections.OfField(name) is null;

    /// <summary>Forgets the answers: the search goes on with single messages (RFC 5267 4.3), and they take memory.</summary>
    public static void Forget(SearchKey key)
    {
        foreach (var text in key.Texts) text.verdicts = null;
    }
}
