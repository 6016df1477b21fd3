using System.Buffers;
using CbaMail.Mailboxes;
using CbaMail.Mailboxes.Search;
using CbaMail.Mime;
using CbaMail.Storage.Search;
using CbaMail.Text;

namespace CbaMail.Imap.Commands;

/// <summary>
/// The text of one message for SEARCH, compared in the form of <see cref="Casemap"/> (RFC 9051 6.4.4, RFC 5255 4.2):
/// the same text and the same form as in the index. Needles come in that form.
/// </summary>
internal sealed class SearchText(MessageContent content)
{
    /// <summary>Messages up to here are decoded once for all that is asked of them; larger ones are read anew for each, in pieces.</summary>
    const int MostKept = 256 << 10;

    readonly MessageText text = new(content);
    GatheredTexts? bodies;
    bool wasAsked;

    /// <summary>Whether the place has it.</summary>
    public bool Contains(TextQuestion question)
    {
        text.Hold();
        try
        {
            return question.Place switch
            {
                TextPlace.Field => FieldContains(question.Field!, question.Needle),
                TextPlace.Body => BodyContains(question.Needle),
                _ => HeaderContains(question.Needle) || BodyContains(question.Needle),
            };
        }
        finally { text.Release(); }
    }

    /// <summary>Whether a field of that name has the text; the empty text asks for the field alone.</summary>
    public bool FieldContains(string name, string key)
    {
        foreach (var field in text.Header)
            if (field.Is(name) && (key.Length == 0 || Contains(field, key, withName: false))) return true;
        return false;
    }

    /// <summary>The same of a header that is at hand.</summary>
    public static bool FieldContains(ReadOnlySpan<byte> header, string name, string key)
    {
        var reader = new HeaderReader(header);
        while (reader.Next(out var field))
            if (System.Text.Ascii.EqualsIgnoreCase(header.Slice(field.Start, field.NameLength), name)
                && (key.Length == 0 || !CertainlyLacks(header[field.ValueStart..field.End], key) && Contains(new HeaderField(name, header[field.ValueStart..field.End].ToArray(), field), key, withName: false))) return true;
        return false;
    }

    // What is seen without making text of it: mostly a value in one line, and a key, of printable ASCII. Comments, quotes and addresses can be read in two ways.
    static bool CertainlyLacks(ReadOnlySpan<byte> value, string key)
    {
        const int Most = 512;
        value = value.TrimEnd("\r\n"u8);
        if (value.Length > Most || value.ContainsAnyExceptInRange((byte)' ', (byte)'~') || value.IndexOfAny((byte)'(', (byte)'\\', (byte)'@') >= 0 || value.IndexOf("=?"u8) >= 0) return false;
        if (key.Length > value.Length) return true;
        Span<byte> wanted = stackalloc byte[Most], capitals = stackalloc byte[Most];
        if (System.Text.Ascii.FromUtf16(key, wanted, out _) != OperationStatus.Done) return true; // what is not ASCII stands in no ASCII
        System.Text.Ascii.ToUpper(value, capitals, out _);
        return capitals[..value.Length].IndexOf(wanted[..key.Length]) < 0;
    }

    /// <summary>Whether the header has it, or that of a part.</summary>
    public bool HeaderContains(string key)
    {
        if (key.Length == 0) return true;
        foreach (var field in text.Header)
            if (Contains(field, key, withName: true)) return true;
        foreach (var field in text.PartFields)
            if (Contains(field, key)) return true;
        return false;
    }

    public bool BodyContains(string key)
    {
        if (key.Length == 0) return true;
        using var finder = new TextFinder(key);
        GiveBodies(finder);
        return finder.Found;
    }

    void GiveBodies(ITextTaker taker)
    {
        // mostly nothing else is asked
        if (wasAsked && bodies is null && content.Size <= MostKept) text.GiveBodies(bodies = new GatheredTexts());
        wasAsked = true;
        if (bodies is null) text.GiveBodies(taker);
        else bodies.GiveTo(taker);
    }

    static bool Contains(HeaderField field, string key, bool withName)
    {
        var value = field.Value;
        if (Contains(withName ? $"{field.Name}: {value}" : value, key)) return true;
        foreach (var address in MessageText.PlainAddresses(field, value))
            if (Contains(address, key)) return true;
        return false;
    }

    static bool Contains(string value, string key) => Casemap.Key(value).Contains(key, StringComparison.Ordinal);

    /// <summary>Whether the place has every word in some form, as the index finds them (RFC 6203 3).</summary>
    public bool Fits(TextPlace place, string? field, IReadOnlyList<FuzzyWord> words)
    {
        using var finder = new WordFinder(words);
        IEnumerable<string> fields = place switch
        {
            TextPlace.Body => [],
            TextPlace.Field => text.Header.Where(known => known.Is(field!)).SelectMany(Values),
            _ => text.Header.SelectMany(Values).Concat(text.PartFields),
        };
        foreach (var value in fields)
            if (!finder.Take(value) || !finder.End()) break;
        if (!finder.Found && place != TextPlace.Field) GiveBodies(finder);
        return finder.Found;
    }

    static IEnumerable<string> Values(HeaderField field)
    {
        var value = field.Value;
        return MessageText.PlainAddresses(field, value).Prepend(value);
    }
}
