using System.Text;

namespace CbaMail.Text;

/// <summary>IMAP's names of mailboxes: modified UTF-7 (RFC 3501 5.1.3) to text and back.</summary>
public static class Utf7Mailbox
{
    const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

    /// <summary>Text as modified UTF-7; pure printable ASCII stays as it is but for <c>&amp;</c>.</summary>
    public static string Encode(string text)
    {
        var output = new StringBuilder(text.Length + 8);
        for (var i = 0; i < text.Length;)
        {
            var c = text[i];
            if (c is >= ' ' and <= '~')
            {
                // RFC 3501 5.1.3: "&" is written as "&-"
                output.Append(c);
                if (c == '&') output.Append('-');
                i++;
                continue;
            }

            output.Append('&');
            int bits = 0, count = 0;
            for (; i < text.Length && text[i] is not (>= ' ' and <= '~'); i++)
            {
                bits = (bits << 16) | text[i];
                for (count += 16; count >= 6; count -= 6) output.Append(Alphabet[(bits >> (count - 6)) & 63]);
                bits &= (1 << count) - 1;
            }

            if (count > 0) output.Append(Alphabet[(bits << (6 - count)) & 63]);
            output.Append('-');
        }

        return output.ToString();
    }

    /// <summary>
    /// Modified UTF-7 as text; false where the name is not well formed (also: printable ASCII inside base64, padding bits set,
    /// superfluous shifts, half a surrogate pair). A name with raw 8-bit UTF-8 is passed through by the caller, not here.
    /// </summary>
    public static bool TryDecode(ReadOnlySpan<char> name, out string text)
    {
        text = "";
        var output = new StringBuilder(name.Length);
        var afterShift = false;
        for (var i = 0; i < name.Length; i++)
        {
            var c = name[i];
            if (c is < ' ' or > '~') return false;
            if (c != '&')
            {
                output.Append(c);
                afterShift = false;
                continue;
            }

            var length = name[(i + 1)..].IndexOf('-');
            if (length < 0) return false;
            if (length == 0)
            {
                output.Append('&');
                afterShift = false;
            }
            else
            {
                // RFC 3501 5.1.3: no "null shifts" such as "-&" between two base64 runs
                if (afterShift || !DecodeRun(name.Slice(i + 1, length), output)) return false;
                afterShift = true;
            }

            i += length + 1;
        }

        text = output.ToString();
        return IsWellFormed(text);
    }

    static bool DecodeRun(ReadOnlySpan<char> run, StringBuilder output)
    {
        int bits = 0, count = 0;
        foreach (var c in run)
        {
            var value = Alphabet.IndexOf(c);
            if (value < 0) return false;
            bits = (bits << 6) | value;
            count += 6;
            if (count < 16) continue;
            count -= 16;
            var unit = (char)((bits >> count) & 0xFFFF);
            if (unit is >= ' ' and <= '~') return false;
            output.Append(unit);
            bits &= (1 << count) - 1;
        }

        return count < 6 && bits == 0;
    }

    static bool IsWellFormed(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (!char.IsHighSurrogate(text[i]) || i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1])) return false;
            i++;
        }

        return true;
    }

    /// <summary>RFC 2152 UTF-7, which old mailers use as a character set of text; tolerant.</summary>
    internal static string DecodePlainUtf7(ReadOnlySpan<byte> bytes)
    {
        var output = new StringBuilder(bytes.Length);
        for (var i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] != '+')
            {
                output.Append((char)bytes[i]);
                continue;
            }

            if (i + 1 < bytes.Length && bytes[i + 1] == '-')
            {
                output.Append('+');
                i++;
                continue;
            }

            int bits = 0, count = 0, j = i + 1;
            for (; j < bytes.Length; j++)
            {
                var value = bytes[j] == '/' ? 63 : bytes[j] == ',' ? -1 : Alphabet.IndexOf((char)bytes[j]);
                if (value < 0) break;
                bits = (bits << 6) | value;
                if ((count += 6) < 16) continue;
                count -= 16;
                output.Append((char)((bits >> count) & 0xFFFF));
                bits &= (1 << count) - 1;
            }

            i = j < bytes.Length && bytes[j] == '-' ? j : j - 1;
        }

        for (var i = 0; i < output.Length; i++)
        {
            if (!char.IsSurrogate(output[i])) continue;
            if (char.IsHighSurrogate(output[i]) && i + 1 < output.Length && char.IsLowSurrogate(output[i + 1])) i++;
            else output[i] = '\uFFFD';
        }

        return output.ToString();
    }
}
