using System.Text;

namespace CbaMail.Text;

/// <summary>Unfolding of header fields (RFC 5322 2.2.3) and the limits of lines (RFC 5322 2.1.1).</summary>
public static class LineFolding
{
    /// <summary>Lines should not be longer, without CRLF.</summary>
    public const int Soft = 78;

    /// <summary>Lines must not be longer, without CRLF.</summary>
    public const int Hard = 998;

    /// <summary>The value on one line: CR, LF and NUL gone, white space at both ends gone, the rest as it stood.</summary>
    public static byte[] Unfold(ReadOnlySpan<byte> value)
    {
        value = Trim(value);
        if (value.IndexOfAny((byte)'\r', (byte)'\n', (byte)0) < 0) return value.ToArray();
        var output = new byte[value.Length];
        var length = 0;
        foreach (var b in value)
            if (b is not ((byte)'\r' or (byte)'\n' or 0)) output[length++] = b;
        return output.AsSpan(0, length).ToArray();
    }

    /// <summary>Without white space and line ends at both ends.</summary>
    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> value) => value.Trim(" \t\r\n"u8);

    /// <summary>The value as text on one line, undecoded: raw 8-bit read as UTF-8 or by a guess.</summary>
    public static string UnfoldText(ReadOnlySpan<byte> value)
    {
        value = Trim(value);
        return value.IndexOfAny((byte)'\r', (byte)'\n', (byte)0) < 0 ? Charset.Guess(value) : Charset.Guess(Unfold(value));
    }

    /// <summary>Text with every run of white space and control characters as one space, none at the ends.</summary>
    public static string Squeeze(ReadOnlySpan<char> text)
    {
        var output = new StringBuilder(text.Length);
        foreach (var c in text)
            if (char.IsWhiteSpace(c) || char.IsControl(c))
            {
                if (output.Length > 0 && output[^1] != ' ') output.Append(' ');
            }
            else output.Append(c);
        if (output.Length > 0 && output[^1] == ' ') output.Length--;
        return output.ToString();
    }
}
