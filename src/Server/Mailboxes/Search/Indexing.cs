using System.Text;
using CbaMail.Storage.Search;
using CbaMail.Text;

namespace CbaMail.Mailboxes.Search;

/// <summary>Puts the words of one message into a segment, in the form of <see cref="Casemap"/>.</summary>
static class Indexing
{
    /// <summary>Characters of one message that are taken into the index; a longer one is a candidate always, and looked at.</summary>
    public const int MostText = 1 << 20;

    public static void Add(SegmentBuilder builder, DocumentId id, MessageText text)
    {
        builder.Begin(id);
        var left = MostText;
        var whole = true;
        foreach (var field in text.Header)
        {
            if (Ascii.IsValid(field.Name)) builder.Add(Section.Names, field.Name.ToUpperInvariant());
            else whole = false;
            var value = field.Value;
            if (Sections.OfField(field.Name) is { } section)
            {
                whole &= Value(builder, section, value, ref left);
                foreach (var address in MessageText.PlainAddresses(field, value)) whole &= Value(builder, section, address, ref left);
            }
            else whole &= Words(builder, Section.Header, SearchMarks.LongHeader, value, ref left);
        }
        foreach (var field in text.PartFields) whole &= Words(builder, Section.Header, SearchMarks.LongHeader, field, ref left);
        foreach (var body in text.Bodies) whole &= Words(builder, Section.Body, SearchMarks.LongBody, body, ref left);
        if (!whole || text.IsDamaged || text.IsCut) builder.Add(Section.Marks, SearchMarks.Partial);
    }

    static bool Value(SegmentBuilder builder, Section section, string value, ref int left)
    {
        var whole = IsOrdinary(value);
        value = Casemap.Key(value);
        left -= value.Length;
        whole &= value.Length <= Sections.Value && !value.Contains('\n');
        builder.Add(section, whole ? value : value[..Math.Min(value.Length, Sections.Value)].Replace('\n', ' '));
        return whole;
    }

    static bool Words(SegmentBuilder builder, Section section, string longMark, string text, ref int left)
    {
        // one message must not take more memory than many
        if (left <= 0 || builder.IsOverfull) return text.Length == 0;
        var whole = text.Length <= left && IsOrdinary(text);
        if (text.Length > left) text = text[..left];
        left -= text.Length;
        var words = new SearchWords(Casemap.Key(text));
        while (words.Next(out var word))
        {
            if (word.Length > Sections.Piece) builder.Add(Section.Marks, longMark);
            while (!word.IsEmpty) builder.Add(section, SearchWords.Take(ref word, Sections.Piece));
            if (builder.IsOverfull) return false;
        }
        return whole;
    }

    // UTF-8 has no halves of pairs: what has one is looked at
    static bool IsOrdinary(string text)
    {
        for (var at = 0; ;)
        {
            var next = text.AsSpan(at).IndexOfAnyInRange('\ud800', '\udfff');
            if (next < 0) return true;
            at += next;
            if (at + 1 >= text.Length || !char.IsSurrogatePair(text[at], text[at + 1])) return false;
            at += 2;
        }
    }
}
