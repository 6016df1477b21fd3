using System.Globalization;
using System.Text;

namespace CbaMail.Envelope;

/// <summary>
/// xtext (RFC 3461 4): ASCII in which "+", "=" and what is not printable stand as "+" and two capital hexadecimal digits;
/// and utf-8-addr-xtext, which writes other characters as <c>\x{20AC}</c> (RFC 6533 3).
/// </summary>
public static class Xtext
{
    /// <summary>Null where the text is no xtext.</summary>
    public static string? Decode(ReadOnlySpan<char> text)
    {
        var bytes = new byte[text.Length];
        var count = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is < '!' or > '~' or '=') return null;
            if (c != '+')
            {
                bytes[count++] = (byte)c;
                continue;
            }
            if (i + 2 >= text.Length || !IsUpperHex(text[i + 1]) || !IsUpperHex(text[i + 2])) return null;
            bytes[count++] = byte.Parse(text.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            i += 2;
        }
        var all = bytes.AsSpan(0, count);
        return System.Text.Unicode.Utf8.IsValid(all) && all.IndexOfAnyInRange((byte)0, (byte)31) < 0 ? Encoding.UTF8.GetString(all) : null;
    }

    /// <summary>As xtext; characters beyond ASCII stand as their UTF-8 octets.</summary>
    public static string Encode(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            if (b is > 32 and < 127 and not (byte)'+' and not (byte)'=') result.Append((char)b);
            else result.Append('+').Append(b.ToString("X2", CultureInfo.InvariantCulture));
        }
        return result.ToString();
    }

    /// <summary>Reads utf-8-addr-xtext or utf-8-addr-unitext; null where it is neither.</summary>
    public static string? DecodeUtf8(ReadOnlySpan<char> text)
    {
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c != '\\')
            {
                if (c is <= ' ' or '\x7f' or '=') return null;
                result.Append(c);
                continue;
            }
            // RFC 6533 3: EmbeddedUnicodeChar = %x5C.78 "{" HEXPOINT "}"
            if (i + 3 >= text.Length || text[i + 1] != 'x' || text[i + 2] != '{') return null;
            var close = text[i..].IndexOf('}');
            if (close is < 4 or > 9) return null;
            if (!int.TryParse(text.Slice(i + 3, close - 3), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var point)) return null;
            if (!Rune.IsValid(point) || point < 32 || point == 127) return null;
            result.Append(new Rune(point).ToString());
            i += close;
        }
        return result.ToString();
    }

    /// <summary>utf-8-addr-xtext: fit for a connection without SMTPUTF8.</summary>
    public static string EncodeUtf8(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.IsAscii && rune.Value is > 32 and < 127 and not '+' and not '=' and not '\\') result.Append((char)rune.Value);
            else result.Append(CultureInfo.InvariantCulture, $"\\x{{{rune.Value:X}}}");
        }
        return result.ToString();
    }

    static bool IsUpperHex(char c) => c is >= '0' and <= '9' or >= 'A' and <= 'F';
}
