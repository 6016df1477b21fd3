using System.Text;
using CbaMail.Text;

namespace CbaMail.Storage.Search;

/// <summary>Where a text is looked for.</summary>
public enum TextPlace { Body, Anywhere, Field }

/// <summary>What is asked of the index: which messages hold a text (RFC 9051 6.4.4).</summary>
/// <param name="Field">The name of a header field, where one is asked for.</param>
/// <param name="Needle">In the form of <see cref="Casemap"/>; empty asks for the field alone.</param>
public sealed record TextQuestion(TextPlace Place, string? Field, string Needle);

/// <summary>
/// Answers a question from one segment. A needle that is part of a word is decided by the words that hold it; one with spaces or marks in it
/// gives candidates: its first word ends a word of the text, its last begins one, those between are whole.
/// </summary>
readonly struct Answer(SegmentReader segment)
{
    /// <summary>Longer parts of a needle are looked for by their beginning: they cannot span more than two pieces of a long word.</summary>
    const int Longest = 32;

    /// <summary>The messages that hold it, and those that have to be looked at.</summary>
    public static (DocumentSet Yes, DocumentSet Maybe) To(SegmentReader segment, TextQuestion question)
    {
        var (yes, maybe) = (new DocumentSet(segment.Documents), new DocumentSet(segment.Documents));
        new Answer(segment).Ask(question, yes, maybe);
        maybe.Or(segment.Find(Section.Marks, Utf8(SearchMarks.Partial), WordMatch.Is));
        return (yes, maybe);
    }

    void Ask(TextQuestion question, DocumentSet yes, DocumentSet maybe)
    {
        switch (question.Place)
        {
            case TextPlace.Field:
                AskField(question.Field!, question.Needle, yes, maybe);
                break;
            case TextPlace.Body:
                AskWords(question.Needle, [Section.Body], [], yes, maybe);
                break;
            default:
                if (question.Needle.Length > 0 && !question.Needle.Contains('\n'))
                    foreach (var section in Sections.Values) yes.Or(segment.Find(section, Utf8(question.Needle), WordMatch.Contains));
                AskWords(question.Needle, [Section.Body, Section.Header, Section.Names], Sections.Values, yes, maybe);
                break;
        }
    }

    void AskField(string name, string needle, DocumentSet yes, DocumentSet maybe)
    {
        if (Sections.OfField(name) is { } whole)
        {
            if (!needle.Contains('\n')) yes.Or(segment.Find(whole, Utf8(needle), WordMatch.Contains));
            return;
        }
        if (!Ascii.IsValid(name) || name.Contains('\n'))
        {
            maybe.AddAll();
            return;
        }
        var have = segment.Find(Section.Names, Utf8(name.ToUpperInvariant()), WordMatch.Is);
        if (needle.Length == 0)
        {
            yes.Or(have);
            return;
        }
        var (some, more) = (new DocumentSet(segment.Documents), new DocumentSet(segment.Documents));
        AskWords(needle, [Section.Header], [], some, more);
        some.Or(more);
        some.And(have);
        maybe.Or(some);
    }

    void AskWords(string needle, Section[] sections, Section[] values, DocumentSet yes, DocumentSet maybe)
    {
        if (needle.Length == 0)
        {
            yes.AddAll();
            return;
        }
        DocumentSet? all = null;
        for (var at = 0; at < needle.Length;)
        {
            if (!SearchWords.IsPart(needle[at])) { at++; continue; }
            var start = at;
            while (at < needle.Length && SearchWords.IsPart(needle[at])) at++;
            var match = (start == 0, at == needle.Length) switch
            {
                (true, true) => WordMatch.Contains,
                (true, false) => WordMatch.Ends,
                (false, true) => WordMatch.Starts,
                _ => WordMatch.Is,
            };
            var word = needle[start..at];
            if (match == WordMatch.Contains && word.Length <= Longest)
            {
                // a part of one word: what the index says is so
                foreach (var section in sections)
                {
                    yes.Or(segment.Find(section, Utf8(word), match));
                    AcrossPieces(section, word, maybe);
                }
                return;
            }
            var some = new DocumentSet(segment.Documents);
            foreach (var section in sections) Candidates(section, word, match, some);
            foreach (var section in values) some.Or(segment.Find(section, Utf8(Short(word)), WordMatch.Contains));
            if (all is null) all = some; else all.And(some);
            if (all.IsEmpty) return;
        }
        if (all is null) maybe.AddAll(); // nothing but spaces and marks
        else maybe.Or(all);
    }

    static string Short(string word)
    {
        var rest = word.AsSpan();
        return SearchWords.Take(ref rest, Longest).ToString();
    }

    void Candidates(Section section, string word, WordMatch match, DocumentSet to)
    {
        // names stand as a whole, hyphens and all
        if (word.Length > Longest || section == Section.Names) match = WordMatch.Contains;
        word = Short(word);
        to.Or(segment.Find(section, Utf8(word), match));
        if (match is WordMatch.Contains or WordMatch.Ends) AcrossPieces(section, word, to);
    }

    // of a word that lies over the end of a piece, one half lies in one piece
    void AcrossPieces(Section section, string word, DocumentSet to)
    {
        if (word.Length < 2 || section == Section.Names) return;
        var mark = section == Section.Body ? SearchMarks.LongBody : SearchMarks.LongHeader;
        var some = segment.Find(Section.Marks, Utf8(mark), WordMatch.Is);
        if (some.IsEmpty) return;
        var half = (word.Length + 1) / 2;
        var either = new DocumentSet(segment.Documents);
        // pieces end between characters, and so do the halves
        var first = char.IsHighSurrogate(word[half - 1]) ? word[..(half - 1)] : word[..half];
        var last = char.IsLowSurrogate(word[^half]) ? word[^(half - 1)..] : word[^half..];
        foreach (var part in (string[])[first, last])
            if (part.Length > 0) either.Or(segment.Find(section, Utf8(part), WordMatch.Contains));
        some.And(either);
        to.Or(some);
    }

    static ReadOnlyMemory<byte> Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
