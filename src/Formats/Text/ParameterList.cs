using System.Text;

namespace CbaMail.Text;

/// <summary>
/// The parameters of Content-Type and Content-Disposition (RFC 2045 5.1, RFC 2183 2): reading with character sets and
/// continuations (RFC 2231), encoded-words in quoted values, raw 8-bit, missing quotes and semicolons; writing.
/// </summary>
public static class ParameterList
{
    const int MaxParameters = 200;
    const int MaxPieces = 1000;

    readonly record struct Piece(string Name, int Index, bool Encoded, byte[] Value);

    /// <summary>
    /// Reads what follows the first semicolon. <paramref name="decoded"/> has lower-case names and values as text;
    /// <paramref name="wire"/> pure ASCII values as they stood, continuations joined into <c>name*</c>, as IMAP shows them.
    /// </summary>
    public static void Parse(ReadOnlySpan<byte> text, List<KeyValuePair<string, string>> decoded, List<KeyValuePair<string, string>> wire)
    {
        text = text[..Math.Min(text.Length, 65536)];
        var pieces = new List<Piece>(4);
        var position = 0;
        while (pieces.Count < MaxPieces && Next(text, ref position, out var name, out var value))
            if (name.Length > 0) pieces.Add(PieceOf(name, value));

        if (pieces.Count == 1 && pieces[0].Index < 0 && !pieces[0].Encoded)
        {
            AddPlain(pieces[0], decoded, wire);
            return;
        }

        var done = new HashSet<string>(StringComparer.Ordinal);
        Dictionary<string, List<Piece>>? continued = null;
        foreach (var piece in pieces)
            if (piece.Index >= 0 || piece.Encoded)
            {
                continued ??= new(StringComparer.Ordinal);
                if (!continued.TryGetValue(piece.Name, out var list)) continued[piece.Name] = list = [];
                list.Add(piece);
            }

        foreach (var piece in pieces)
        {
            if (decoded.Count >= MaxParameters) return;
            if (continued is not null && continued.TryGetValue(piece.Name, out var list))
            {
                // The plain form beside an extended one is a fallback for old readers
                if (piece.Index < 0 && !piece.Encoded) wire.Add(WirePlain(piece, Charset.Guess(piece.Value)));
                if (done.Add(piece.Name)) AddContinued(piece.Name, list, decoded, wire);
            }
            else if (done.Add(piece.Name)) AddPlain(piece, decoded, wire);
        }
    }

    static Piece PieceOf(string name, byte[] value)
    {
        // RFC 2231 3 and 4: name*0, name*0*, name*
        var star = name.IndexOf('*');
        if (star <= 0) return new(name, -1, false, value);
        var rest = name.AsSpan(star + 1);
        var encoded = rest.Length == 0 || rest[^1] == '*';
        if (rest.Length > 0 && encoded) rest = rest[..^1];
        if (rest.Length == 0) return new(name[..star], -1, true, value);
        return rest.Length <= 4 && int.TryParse(rest, System.Globalization.NumberStyles.None, null, out var index)
            ? new(name[..star], index, encoded, value)
            : new(name, -1, false, value);
    }

    static void AddPlain(Piece piece, List<KeyValuePair<string, string>> decoded, List<KeyValuePair<string, string>> wire)
    {
        // RFC 2047 5 forbids encoded-words here; most mailers send them all the same
        var value = piece.Value.AsSpan().IndexOf("=?"u8) >= 0 ? EncodedWord.Decode(piece.Value) : Charset.Guess(piece.Value);
        decoded.Add(new(piece.Name, value));
        wire.Add(WirePlain(piece, value));
    }

    static KeyValuePair<string, string> WirePlain(Piece piece, string value) =>
        Ascii.IsValid(piece.Value) ? new(piece.Name, Encoding.ASCII.GetString(piece.Value)) : new(piece.Name + "*", "utf-8''" + Percent(Encoding.UTF8.GetBytes(value)));

    static void AddContinued(string name, List<Piece> list, List<KeyValuePair<string, string>> decoded, List<KeyValuePair<string, string>> wire)
    {
        // A whole name* wins over continuations; these may come in any order and end at the first gap (RFC 2231 3)
        List<Piece> parts = [];
        foreach (var piece in list)
            if (piece is { Index: < 0, Encoded: true } && parts.Count == 0) parts.Add(piece);
        if (parts.Count == 0)
        {
            foreach (var piece in list.OrderBy(piece => piece.Index))
                if (piece.Index == parts.Count || parts.Count == 0 && piece.Index == 1) parts.Add(piece);
            if (parts.Count == 0) parts.Add(list[0]);
        }

        string? charset = null;
        var language = "";
        var bytes = new MemoryStream();
        var anyEncoded = false;
        for (var i = 0; i < parts.Count; i++)
        {
            var value = parts[i].Value.AsSpan();
            if (!parts[i].Encoded)
            {
                bytes.Write(value);
                continue;
            }

            anyEncoded = true;
            // RFC 2231 4: charset'language'text, in the first piece only
            if (i == 0 && value.IndexOf((byte)'\'') is >= 0 and var first)
            {
                var second = value[(first + 1)..].IndexOf((byte)'\'');
                if (second >= 0)
                {
                    charset = Encoding.ASCII.GetString(value[..first]);
                    language = Encoding.ASCII.GetString(value.Slice(first + 1, second));
                    value = value[(first + second + 2)..];
                }
            }

            Unpercent(value, bytes);
        }

        var raw = bytes.GetBuffer().AsSpan(0, (int)bytes.Length);
        var text = Charset.Decode(raw, charset);
        if (charset is null && raw.IndexOf("=?"u8) >= 0) text = EncodedWord.Decode(raw);
        text = text.Replace('\0', ' ').Replace('\r', ' ').Replace('\n', ' ');
        decoded.Add(new(name, text));
        if (!anyEncoded && Ascii.IsValid(raw)) wire.Add(new(name, Encoding.ASCII.GetString(raw).Replace('\0', ' ')));
        else if (charset is { Length: > 0 } && IsToken(charset) && (language.Length == 0 || IsToken(language))) wire.Add(new(name + "*", charset + "'" + language + "'" + Percent(raw)));
        else wire.Add(new(name + "*", "utf-8''" + Percent(Encoding.UTF8.GetBytes(text))));
    }

    static void Unpercent(ReadOnlySpan<byte> value, MemoryStream output)
    {
        for (var i = 0; i < value.Length; i++)
            if (value[i] == '%' && i + 2 < value.Length && EncodedWord.Hex(value[i + 1]) is >= 0 and var high && EncodedWord.Hex(value[i + 2]) is >= 0 and var low)
            {
                output.WriteByte((byte)(high << 4 | low));
                i += 2;
            }
            else output.WriteByte(value[i]);
    }

    // RFC 2231 7: attribute-char
    static string Percent(ReadOnlySpan<byte> bytes)
    {
        var output = new StringBuilder(bytes.Length * 2);
        foreach (var b in bytes)
            if (IsAttributeChar((char)b)) output.Append((char)b);
            else output.Append('%').Append(b.ToString("X2"));
        return output.ToString();
    }

    static bool IsAttributeChar(char c) => c is > ' ' and <= '~' && !"*'%()<>@,;:\\\"/[]?=".Contains(c);

    /// <summary>Whether the text is a token (RFC 2045 5.1), so that it needs no quotes.</summary>
    public static bool IsToken(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
            if (c is <= ' ' or > '~' || "()<>@,;:\\\"/[]?=".Contains(c)) return false;
        return text.Length > 0;
    }

    /// <summary>One name and raw value; false at the end. A name without value is skipped by an empty name.</summary>
    static bool Next(ReadOnlySpan<byte> text, ref int position, out string name, out byte[] value)
    {
        name = "";
        value = [];
        SkipSpace(text, ref position);
        while (position < text.Length && text[position] == ';')
        {
            position++;
            SkipSpace(text, ref position);
        }

        if (position >= text.Length) return false;
        var start = position;
        while (position < text.Length && text[position] is not ((byte)'=' or (byte)';')) position++;
        var key = LineFolding.Trim(text[start..position]);
        if (position >= text.Length || text[position] == ';') return true;
        position++;
        SkipSpace(text, ref position);
        value = position < text.Length && text[position] == '"' ? QuotedValue(text, ref position) : TokenValue(text, ref position);
        // "a b=c" after a missing semicolon: the last word is the name
        var gap = key.LastIndexOfAny(" \t\r\n"u8);
        if (gap >= 0) key = key[(gap + 1)..];
        if (key.IsEmpty || key.Length > 100 || key.IndexOfAnyInRange((byte)0x80, (byte)0xFF) >= 0 || key.IndexOfAnyInRange((byte)0, (byte)' ') >= 0) return true;
        name = Words.Lower(key);
        return true;
    }

    static byte[] QuotedValue(ReadOnlySpan<byte> text, ref int position)
    {
        var start = ++position;
        var plain = text[position..].IndexOfAny("\"\\\r\n\0"u8);
        if (plain >= 0 && text[position + plain] == '"')
        {
            position += plain + 1;
            SkipJunk(text, ref position);
            return text.Slice(start, plain).ToArray();
        }

        var close = position;
        while (close < text.Length && text[close] != '"') close += text[close] == '\\' ? 2 : 1;
        var output = new byte[Math.Min(close, text.Length) - position + 1];
        var length = 0;
        for (; position < text.Length && text[position] != '"'; position++)
        {
            var b = text[position];
            if (b is (byte)'\r' or (byte)'\n' or 0) continue;
            // Only quotes and backslashes are unescaped: "C:\dir\file" comes from mailers that escape nothing
            if (b == '\\' && position + 1 < text.Length && text[position + 1] is (byte)'"' or (byte)'\\') b = text[++position];
            output[length++] = b;
        }

        position++;
        SkipJunk(text, ref position);
        return output.AsSpan(0, length).ToArray();
    }

    // After a closing quote: what stands before the next semicolon is lost, unless it looks like a further parameter
    static void SkipJunk(ReadOnlySpan<byte> text, ref int position)
    {
        if (position >= text.Length) return;
        SkipSpace(text, ref position);
        if (position >= text.Length || text[position] == ';') return;
        var rest = text[position..];
        var stop = rest.IndexOfAny((byte)';', (byte)'=');
        if (stop < 0) position = text.Length;
        else if (rest[stop] == ';') position += stop;
    }

    static byte[] TokenValue(ReadOnlySpan<byte> text, ref int position)
    {
        var start = position;
        var end = text[position..].IndexOf((byte)';');
        end = end < 0 ? text.Length : position + end;
        var value = text[start..end];
        // RFC 2045 5.1: a comment may follow, with a semicolon even; only after white space, for file names have parentheses
        var comment = value.IndexOf(" ("u8);
        if (comment > 0)
        {
            var after = start + comment + 1;
            var near = text[..Math.Min(text.Length, after + 1000)];
            SkipComment(near, ref after);
            if (near[after - 1] == ')')
            {
                SkipSpace(near, ref after);
                if (after == text.Length || text[after] == ';')
                {
                    position = after;
                    return LineFolding.Unfold(value[..comment]);
                }
            }
        }

        // charset=utf-8 format=flowed: a semicolon is missing
        var equals = value.IndexOf((byte)'=');
        if (equals > 0 && value[..equals].LastIndexOfAny(" \t\r\n"u8) is > 0 and var space && !value.StartsWith("=?"u8) && IsName(value[(space + 1)..equals]))
        {
            end = start + space;
            value = value[..space];
        }

        position = end;
        return LineFolding.Unfold(value);
    }

    static bool IsName(ReadOnlySpan<byte> text)
    {
        foreach (var b in text)
            if (!char.IsAsciiLetter((char)b) && b is not ((byte)'-' or (byte)'*') && !char.IsAsciiDigit((char)b)) return false;
        return text.Length > 0;
    }

    /// <summary>Skips white space, line ends and comments (RFC 5322 3.2.2).</summary>
    internal static void SkipSpace(ReadOnlySpan<byte> text, ref int position)
    {
        while (position < text.Length)
        {
            var b = text[position];
            if (b is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' or 0) position++;
            else if (b == '(') SkipComment(text, ref position);
            else return;
        }
    }

    static void SkipComment(ReadOnlySpan<byte> text, ref int position)
    {
        var depth = 0;
        for (; position < text.Length; position++)
        {
            if (text[position] == '\\') position++;
            else if (text[position] == '(') depth++;
            else if (text[position] == ')' && --depth == 0)
            {
                position++;
                return;
            }
        }

        position = Math.Min(position, text.Length);
    }

    /// <summary>
    /// One parameter as it is written, as pieces that each fit on a line: a token, a quoted string, or RFC 2231 with
    /// UTF-8 in as many continuations as it takes.
    /// </summary>
    public static IEnumerable<string> Format(string name, string value)
    {
        var plain = true;
        foreach (var c in value)
            if (c is < ' ' or > '~') plain = false;
        if (plain && value.Length + name.Length < 70 && !value.Contains("=?", StringComparison.Ordinal))
            return [IsToken(value) ? $"{name}={value}" : $"{name}=\"{value.Replace("\\", "\\\\").Replace("\"", "\\\"")}\""];
        var all = Percent(Encoding.UTF8.GetBytes(value));
        if (all.Length + name.Length < 62) return [$"{name}*=utf-8''{all}"];
        List<string> pieces = [];
        for (var i = 0; i < all.Length;)
        {
            var take = Math.Min(60 - name.Length, all.Length - i);
            take = Math.Max(take, 9);
            take = Math.Min(take, all.Length - i);
            // no piece ends inside %XX
            if (i + take < all.Length && all[i + take - 1] == '%') take--;
            else if (i + take < all.Length && all[i + take - 2] == '%') take -= 2;
            pieces.Add($"{name}*{pieces.Count}*={(pieces.Count == 0 ? "utf-8''" : "")}{all.AsSpan(i, take)}");
            i += take;
        }

        return pieces;
    }
}
