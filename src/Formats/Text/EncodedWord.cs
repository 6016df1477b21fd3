using System.Buffers;
using System.Text;

namespace CbaMail.Text;

/// <summary>
/// Text in header fields: encoded-words (RFC 2047) both ways. Reading also takes the broken forms that mailers send:
/// spaces inside, characters split between words, no padding, raw 8-bit beside, wrong case, no space between words.
/// </summary>
public static class EncodedWord
{
    /// <summary>A field's raw value as text: unfolded, encoded-words decoded, raw 8-bit as UTF-8 or by a guess.</summary>
    public static string Decode(ReadOnlySpan<byte> value)
    {
        value = LineFolding.Trim(value);
        if (value.IndexOf("=?"u8) < 0) return LineFolding.UnfoldText(value);
        return DecodeWords(LineFolding.Unfold(value));
    }

    /// <summary>The same for text that was unfolded and read already.</summary>
    public static string Decode(string value)
    {
        if (!value.Contains("=?", StringComparison.Ordinal)) return value;
        return DecodeWords(Encoding.UTF8.GetBytes(value));
    }

    static string DecodeWords(ReadOnlySpan<byte> text)
    {
        var output = new StringBuilder(text.Length);
        // Bytes of adjacent words in one character set are joined before decoding: many mailers split characters
        // between words, which RFC 2047 5 (3) forbids.
        var pending = new ArrayBufferWriter<byte>(Math.Max(16, text.Length));
        string? charset = null;
        var plain = 0;
        var search = 0;
        while (search < text.Length)
        {
            var at = text[search..].IndexOf("=?"u8);
            if (at < 0) break;
            at += search;
            if (!TryWord(text[at..], out var length, out var name, out var isBase64, out var content))
            {
                search = at + 2;
                continue;
            }

            var between = text[plain..at];
            // RFC 2047 6.2: white space between adjacent encoded-words is not shown
            if (charset is null || !IsBlank(between))
            {
                Flush(output, pending, ref charset);
                output.Append(Charset.Guess(between));
            }

            var word = Encoding.ASCII.GetString(name);
            if (charset is not null && !word.Equals(charset, StringComparison.OrdinalIgnoreCase)) Flush(output, pending, ref charset);
            charset = word;
            if (isBase64) LenientBase64(content, pending);
            else Quoted(content, pending);
            plain = search = at + length;
        }

        Flush(output, pending, ref charset);
        output.Append(Charset.Guess(text[plain..]));
        return Clean(output);
    }

    static void Flush(StringBuilder output, ArrayBufferWriter<byte> pending, ref string? charset)
    {
        if (charset is not null) output.Append(Charset.Decode(pending.WrittenSpan, charset));
        pending.ResetWrittenCount();
        charset = null;
    }

    // An encoded line end would end the field for whoever prints it: RFC 2047 5 forbids it
    static string Clean(StringBuilder output)
    {
        for (var i = 0; i < output.Length; i++)
            if (output[i] is '\r' or '\n' or '\0') output[i] = ' ';
        return output.ToString();
    }

    static bool IsBlank(ReadOnlySpan<byte> text) => text.IndexOfAnyExcept((byte)' ', (byte)'\t') < 0;

    /// <summary>Reads <c>=?charset?B?text?=</c> at the start of <paramref name="text"/> (RFC 2047 2).</summary>
    static bool TryWord(ReadOnlySpan<byte> text, out int length, out ReadOnlySpan<byte> charset, out bool isBase64, out ReadOnlySpan<byte> content)
    {
        length = 0;
        isBase64 = false;
        charset = content = default;
        var mark = text[2..Math.Min(text.Length, 66)].IndexOf((byte)'?');
        // A character set that was forgotten is guessed
        if (mark < 0 || mark + 5 > text.Length) return false;
        charset = text.Slice(2, mark);
        if (charset.IndexOfAny(" \t\"<>@,="u8) >= 0) return false;
        // RFC 2231 5: =?charset*language?
        var star = charset.IndexOf((byte)'*');
        if (star > 0) charset = charset[..star];
        var rest = text[(mark + 3)..];
        if (rest.Length < 4 || rest[1] != '?') return false;
        switch (rest[0])
        {
            case (byte)'B' or (byte)'b': isBase64 = true; break;
            case (byte)'Q' or (byte)'q': break;
            default: return false;
        }

        // bounded, so that a field full of beginnings without an end stays linear
        var body = rest[2..Math.Min(rest.Length, 8192)];
        var end = body.IndexOf("?="u8);
        if (end < 0) return false;
        content = body[..end];
        length = mark + 3 + 2 + end + 2;
        return true;
    }

    /// <summary>The length of the encoded-word at the start, or 0; for parsers of phrases, where it is one token whatever it holds.</summary>
    internal static int WordLength(ReadOnlySpan<char> text)
    {
        // An illegal word may hold commas and quotes, but never white space; bounded so that scanning stays linear
        text = text[..Math.Min(text.Length, 512)];
        if (text.Length < 8 || text[0] != '=' || text[1] != '?') return 0;
        var mark = text[2..].IndexOf('?');
        if (mark < 0) return 0;
        var rest = text[(mark + 3)..];
        if (rest.Length < 4 || rest[1] != '?' || rest[0] is not ('b' or 'B' or 'q' or 'Q')) return 0;
        var end = rest[2..].IndexOf("?=", StringComparison.Ordinal);
        if (end < 0 || rest.Slice(2, end).IndexOfAny(" \t") >= 0) return 0;
        return mark + 3 + 2 + end + 2;
    }

    // RFC 2047 4.2: the "Q" encoding; "_" is a space
    static void Quoted(ReadOnlySpan<byte> content, ArrayBufferWriter<byte> output)
    {
        var span = output.GetSpan(content.Length + 1);
        var length = 0;
        for (var i = 0; i < content.Length; i++)
        {
            var b = content[i];
            if (b == '_') b = (byte)' ';
            else if (b == '=' && i + 2 < content.Length && Hex(content[i + 1]) is >= 0 and var high && Hex(content[i + 2]) is >= 0 and var low)
            {
                b = (byte)(high << 4 | low);
                i += 2;
            }

            span[length++] = b;
        }

        output.Advance(length);
    }

    static void LenientBase64(ReadOnlySpan<byte> content, ArrayBufferWriter<byte> output)
    {
        var span = output.GetSpan(content.Length + 3);
        int bits = 0, count = 0, length = 0, digits = 0, padding = 0;
        foreach (var b in content)
        {
            // RFC 2045 6.8: padding that fills a quantum is the end
            if (b == '=' && digits % 4 >= 2 && digits % 4 + ++padding >= 4) break;
            var value = b switch
            {
                >= (byte)'A' and <= (byte)'Z' => b - 'A',
                >= (byte)'a' and <= (byte)'z' => b - 'a' + 26,
                >= (byte)'0' and <= (byte)'9' => b - '0' + 52,
                (byte)'+' or (byte)'-' => 62,
                (byte)'/' or (byte)'_' => 63,
                _ => -1,
            };
            if (value < 0) continue;
            padding = 0;
            digits++;
            bits = (bits << 6) | value;
            count += 6;
            if (count < 8) continue;
            count -= 8;
            span[length++] = (byte)(bits >> count);
            bits &= (1 << count) - 1;
        }

        output.Advance(length);
    }

    internal static int Hex(byte b) => b switch
    {
        >= (byte)'0' and <= (byte)'9' => b - '0',
        >= (byte)'A' and <= (byte)'F' => b - 'A' + 10,
        >= (byte)'a' and <= (byte)'f' => b - 'a' + 10,
        _ => -1,
    };

    /// <summary>Whether the text must be encoded to read back the same from a header field.</summary>
    public static bool Needs(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
            if (c is < ' ' or > '~') return true;
        return text.Contains("=?", StringComparison.Ordinal);
    }

    /// <summary>Text as encoded-words of at most 75 characters, separated by one space (RFC 2047 2). ASCII text is encoded too.</summary>
    public static string Encode(string text)
    {
        var output = new StringBuilder();
        var quoted = IsQuotedShorter(text);
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            if (output.Length > 0) output.Append(' ');
            rest = rest[Append(output, rest, quoted, 75)..];
        }

        return output.ToString();
    }

    /// <summary>Text as it is where it is plain ASCII, else as encoded-words.</summary>
    public static string EncodeIfNeeded(string text) => Needs(text) ? Encode(text) : text;

    /// <summary>Whether "Q" gives fewer bytes than "B" for this text (UTF-8).</summary>
    public static bool IsQuotedShorter(ReadOnlySpan<char> text)
    {
        int quoted = 0, bytes = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            quoted += QuotedLength(rune);
        }

        return quoted <= (bytes + 2) / 3 * 4;
    }

    /// <summary>
    /// Appends one encoded-word of at most <paramref name="room"/> characters with as many whole characters as fit, at least one,
    /// and returns how much of the text it took.
    /// </summary>
    public static int Append(StringBuilder output, ReadOnlySpan<char> text, bool quoted, int room)
    {
        // RFC 2047 2: 75 characters with charset, encoding, text and delimiters; 5 (3): whole characters only
        room = Math.Min(room, 75) - "=?utf-8?Q??=".Length;
        int taken = 0, bytes = 0, length = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            length += QuotedLength(rune);
            if (taken > 0 && (quoted ? length : (bytes + 2) / 3 * 4) > room) break;
            taken += rune.Utf16SequenceLength;
        }

        taken = Math.Min(taken, text.Length);
        Span<byte> utf8 = stackalloc byte[taken * 3];
        utf8 = utf8[..Encoding.UTF8.GetBytes(text[..taken], utf8)];
        output.Append(quoted ? "=?utf-8?Q?" : "=?utf-8?B?");
        if (!quoted) output.Append(Convert.ToBase64String(utf8));
        else
            foreach (var b in utf8)
                if (b == ' ') output.Append('_');
                else if (IsPlain((char)b)) output.Append((char)b);
                else output.Append('=').Append(b.ToString("X2"));
        output.Append("?=");
        return taken;
    }

    static int QuotedLength(Rune rune) => rune.Value == ' ' || rune.IsAscii && IsPlain((char)rune.Value) ? 1 : 3 * rune.Utf8SequenceLength;

    // RFC 2047 5 (3): the set that is safe in a phrase is safe everywhere
    static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '!' or '*' or '+' or '-' or '/';
}
