using System.Buffers;
using System.Text;
using CbaMail.Text;

namespace CbaMail.Mime;

/// <summary>
/// Writes header fields: folded before 78 characters where white space allows it, never above 998 (RFC 5322 2.1.1), text encoded
/// (RFC 2047). No value can end its field: CR, LF and other controls become spaces.
/// </summary>
public sealed class HeaderWriter(IBufferWriter<byte> output)
{
    /// <summary>A word that is longer is encoded, for it could not be folded.</summary>
    const int LongestWord = 960;

    readonly StringBuilder line = new(128);
    int column;

    /// <summary>A field of free text (RFC 5322 2.2.1).</summary>
    public void Text(string name, string value)
    {
        Begin(name);
        value = Clean(value);
        // White space at the ends would be lost in unfolding
        if (value.Length > 0 && (value[0] == ' ' || value[^1] == ' ')) Encoded(" ", value);
        else
            for (var at = 0; at < value.Length;)
            {
                var space = at == 0 ? " " : Spaces(value, ref at);
                var end = WordEnd(value, at);
                if (!Must(value.AsSpan(at, end - at)))
                {
                    Word(space, value.AsSpan(at, end - at));
                    at = end;
                    continue;
                }

                // The run of words that must be encoded goes together: white space between encoded-words is not shown (RFC 2047 6.2)
                var start = at;
                for (at = end; at < value.Length;)
                {
                    var next = at;
                    Spaces(value, ref next);
                    var nextEnd = WordEnd(value, next);
                    if (!Must(value.AsSpan(next, nextEnd - next))) break;
                    at = nextEnd;
                }

                Encoded(space, value.AsSpan(start, at - start));
            }

        End();
    }

    /// <summary>A field of addresses (RFC 5322 3.6.3); internationalised domains in ASCII where the local part is ASCII too.</summary>
    public void Addresses(string name, params IEnumerable<(string Name, string Address)> list)
    {
        Begin(name);
        var first = true;
        foreach (var (display, address) in list)
        {
            if (!first)
            {
                line.Append(',');
                column++;
            }

            first = false;
            Folded(AddressList.Format(Clean(display).Trim(), AddressText(address)));
        }

        End();
    }

    /// <summary>A structured field that is ASCII already: folded at its spaces.</summary>
    public void Structured(string name, string value)
    {
        Begin(name);
        Folded(Clean(value));
        End();
    }

    /// <summary>A word with parameters, as Content-Type and Content-Disposition have them (RFC 2045 5.1, RFC 2231).</summary>
    public void Parameters(string name, string word, params IEnumerable<(string Name, string Value)> parameters)
    {
        Begin(name);
        Word(" ", Clean(word));
        foreach (var (key, value) in parameters)
            foreach (var piece in ParameterList.Format(key, Clean(value)))
                Parameter(piece);
        End();
    }

    /// <summary>As <see cref="Parameters"/>, with a name that old readers take from an encoded-word although RFC 2047 5 forbids it there.</summary>
    public void TypeWithName(string type, string fileName)
    {
        Begin("Content-Type");
        Word(" ", Clean(type));
        var name = Clean(fileName);
        if (!EncodedWord.Needs(name))
        {
            foreach (var piece in ParameterList.Format("name", name)) Parameter(piece);
        }
        else
        {
            line.Append(';');
            column++;
            var rest = name.AsSpan();
            var start = " name=\"";
            while (!rest.IsEmpty)
            {
                var word = new StringBuilder(start.TrimStart(' '));
                rest = rest[EncodedWord.Append(word, rest, quoted: false, 60)..];
                if (rest.IsEmpty) word.Append('"');
                Word(" ", word.ToString());
                start = "";
            }
        }

        End();
    }

    void Parameter(string piece)
    {
        line.Append(';');
        column++;
        Word(" ", piece);
    }

    void Begin(string name)
    {
        line.Clear();
        foreach (var c in name)
            if (c is > ' ' and <= '~' and not ':') line.Append(c);
        line.Append(':');
        column = line.Length;
    }

    void End()
    {
        line.Append("\r\n");
        var span = output.GetSpan(line.Length * 3);
        var length = 0;
        foreach (var chunk in line.GetChunks()) length += Encoding.UTF8.GetBytes(chunk.Span, span[length..]);
        output.Advance(length);
    }

    void Folded(string value)
    {
        for (var at = 0; at < value.Length;)
        {
            var space = at == 0 && value[0] != ' ' ? " " : Spaces(value, ref at);
            var end = WordEnd(value, at);
            Word(space.Length == 0 ? " " : space, value.AsSpan(at, end - at));
            at = end;
        }
    }

    void Word(ReadOnlySpan<char> space, ReadOnlySpan<char> word)
    {
        if (column + space.Length + word.Length > LineFolding.Soft && column > space.Length && line[^1] is not '\n') Fold();
        line.Append(space).Append(word);
        column += space.Length + word.Length;
    }

    void Fold()
    {
        line.Append("\r\n");
        column = 0;
    }

    void Encoded(string space, ReadOnlySpan<char> text)
    {
        var quoted = EncodedWord.IsQuotedShorter(text);
        while (!text.IsEmpty)
        {
            // an encoded-word needs some room to be worth it
            if (column + space.Length + 30 > LineFolding.Soft) Fold();
            line.Append(space);
            column += space.Length;
            var before = line.Length;
            text = text[EncodedWord.Append(line, text, quoted, LineFolding.Soft - column)..];
            column += line.Length - before;
            space = " ";
        }
    }

    static bool Must(ReadOnlySpan<char> word) => word.Length > LongestWord || EncodedWord.Needs(word);

    static string Spaces(string value, ref int at)
    {
        var start = at;
        while (at < value.Length && value[at] == ' ') at++;
        return at - start == 1 ? " " : new string(' ', at - start);
    }

    static int WordEnd(string value, int at)
    {
        var end = value.IndexOf(' ', at);
        return end < 0 ? value.Length : end;
    }

    static string Clean(string value)
    {
        foreach (var c in value)
            if (c is < ' ' or '\x7f' or '\u0085' or '\u2028' or '\u2029')
                return string.Create(value.Length, value, static (span, text) =>
                {
                    for (var i = 0; i < span.Length; i++) span[i] = text[i] is < ' ' or '\x7f' or '\u0085' or '\u2028' or '\u2029' ? ' ' : text[i];
                });
        return value;
    }

    /// <summary>An address as it may stand in a field; what would break out of it is dropped.</summary>
    internal static string AddressText(string address)
    {
        if (Envelope.MailAddress.TryParse(address, out var parsed))
            return Ascii.IsValid(parsed.LocalPart) && Idna.TryToAscii(parsed.Domain, out var domain) ? (parsed with { Domain = domain }).ToString() : parsed.ToString();
        return string.Concat(address.Where(c => c > ' ' && c != '\x7f' && c is not ('<' or '>' or ',' or ';' or ':' or '(' or ')' or '"' or '\\' or '[' or ']')));
    }
}
