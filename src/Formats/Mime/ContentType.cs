using CbaMail.Text;

namespace CbaMail.Mime;

/// <summary>A Content-Type or Content-Disposition with its parameters, decoded and as they stood.</summary>
/// <param name="Type">Lower case; for a disposition the whole word.</param>
/// <param name="Subtype">Lower case; empty for a disposition.</param>
/// <param name="Parameters">Names in lower case, values as text.</param>
/// <param name="WireParameters">Pure ASCII, as IMAP shows them; the same object where nothing differs.</param>
public sealed record ContentType(
    string Type, string Subtype, IReadOnlyList<KeyValuePair<string, string>> Parameters, IReadOnlyList<KeyValuePair<string, string>> WireParameters)
{
    // RFC 2045 5.2, RFC 2046 5.1.5
    public static readonly ContentType TextPlain = new("text", "plain", [], []);
    public static readonly ContentType Rfc822 = new("message", "rfc822", [], []);

    /// <summary>The parameter of that (lower-case) name, or null.</summary>
    public string? this[string name] => MimePart.Parameter(Parameters, name);

    /// <summary>Reads Content-Type's value; what has no type and subtype is text/plain, as RFC 2045 5.2 recommends.</summary>
    public static ContentType Parse(ReadOnlySpan<byte> value)
    {
        var position = 0;
        var type = Word(value, ref position);
        var subtype = "";
        var slash = false;
        ParameterList.SkipSpace(value, ref position);
        if (position < value.Length && value[position] == '/')
        {
            position++;
            slash = true;
            subtype = Word(value, ref position);
        }

        // two types, or three words: which one was meant nobody knows
        ParameterList.SkipSpace(value, ref position);
        var ends = position >= value.Length || value[position] is not ((byte)'/' or (byte)',');
        // RFC 2046 4: data of an unknown kind
        if (ends && slash && subtype.Length == 0 && type is "application" or "image" or "audio" or "video") (type, subtype) = ("application", "octet-stream");
        else if (!ends || !ParameterList.IsToken(type) || !ParameterList.IsToken(subtype)) (type, subtype) = ("text", "plain");
        var (decoded, wire) = ReadParameters(value[position..]);
        return new ContentType(type, subtype, decoded, wire);
    }

    /// <summary>Reads Content-Disposition's value; null where there is no word.</summary>
    public static ContentType? ParseDisposition(ReadOnlySpan<byte> value)
    {
        var position = 0;
        var word = Word(value, ref position);
        if (word.Length == 0 || !ParameterList.IsToken(word))
        {
            // RFC 2183 2.8: an unknown disposition is an attachment; "filename=x" alone is common
            if (value.IndexOf("filename"u8) < 0) return null;
            word = "attachment";
            position = Math.Max(0, value.IndexOf("filename"u8));
        }
        else if (position < value.Length && value[position] == '=')
        {
            word = "attachment";
            position = 0;
        }

        var (decoded, wire) = ReadParameters(value[position..]);
        return new ContentType(word, "", decoded, wire);
    }

    static (IReadOnlyList<KeyValuePair<string, string>>, IReadOnlyList<KeyValuePair<string, string>>) ReadParameters(ReadOnlySpan<byte> rest)
    {
        if (LineFolding.Trim(rest).IsEmpty) return ([], []);
        var decoded = new List<KeyValuePair<string, string>>(2);
        var wire = new List<KeyValuePair<string, string>>(2);
        ParameterList.Parse(rest, decoded, wire);
        for (var i = 0; i < decoded.Count; i++)
            if (decoded.Count != wire.Count || decoded[i].Key != wire[i].Key || decoded[i].Value != wire[i].Value) return (decoded, wire);
        if (decoded.Count != wire.Count) return (decoded, wire);
        return (decoded, decoded);
    }

    /// <summary>One word in lower case, after white space and comments; tolerates quotes around it.</summary>
    internal static string Word(ReadOnlySpan<byte> value, ref int position)
    {
        ParameterList.SkipSpace(value, ref position);
        if (position < value.Length && value[position] == '"') position++;
        var start = position;
        while (position < value.Length && value[position] is > (byte)' ' and not ((byte)';' or (byte)'/' or (byte)'(' or (byte)'"' or (byte)'=' or (byte)',')) position++;
        var word = value[start..position];
        if (position < value.Length && value[position] == '"') position++;
        return word.Length > 127 ? "" : Words.Lower(word);
    }
}
