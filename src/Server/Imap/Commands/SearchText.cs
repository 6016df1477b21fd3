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
    readonly MessageText text = new(content);
    List<string>? bodies;

    List<string> Bodies => bodies ??= [.. text.Bodies.Select(Casemap.Key)];

    /// <summary>Whether the place has it.</summary>
    public bool Contains(TextQuestion question) => question.Place switch
    {
        TextPlace.Field => FieldContains(question.Field!, question.Needle),
        TextPlace.Body => BodyContains(question.Needle),
        _ => HeaderContains(question.Needle) || BodyContains(question.Needle),
    };

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
                && (key.Length == 0 || Contains(new HeaderField(name, header[field.ValueStart..field.End].ToArray(), field), key, withName: false))) return true;
        return false;
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
        foreach (var body in Bodies)
            if (body.Contains(key, StringComparison.Ordinal)) return true;
        return false;
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
        IEnumerable<string> keys = place switch
        {
            TextPlace.Body => Bodies,
            TextPlace.Field => text.Header.Where(known => known.Is(field!)).SelectMany(Values).Select(Casemap.Key),
            _ => text.Header.SelectMany(Values).Concat(text.PartFields).Select(Casemap.Key).Concat(Bodies),
        };
        var missing = new List<FuzzyWord>(words);
        foreach (var key in keys)
            if (missing.RemoveAll(word => word.BestFit(key) > 0) > 0 && missing.Count == 0) return true;
        return false;
    }

    static IEnumerable<string> Values(HeaderField field)
    {
        var value = field.Value;
        return MessageText.PlainAddresses(field, value).Prepend(value);
    }
}
