using System.Text;

namespace CbaMail.Mime;

/// <summary>Takes fields out of a header octet by octet, as HEADER.FIELDS gives them (RFC 9051 6.4.5.1).</summary>
public static class FieldChoice
{
    /// <summary>Copies the fields named, or all others, each as it stands, up to the empty line; what is copied ends with a line end.</summary>
    /// <param name="to">As long as the header, and two octets longer.</param>
    /// <returns>Octets copied.</returns>
    public static int Copy(ReadOnlySpan<byte> header, IReadOnlyList<string> names, bool named, Span<byte> to)
    {
        var at = 0;
        var take = false;
        while (!header.IsEmpty)
        {
            var line = NextLine(ref header);
            if (line.Trim("\r\n"u8).IsEmpty) break;
            if (line[0] is not ((byte)' ' or (byte)'\t'))
            {
                var colon = line.IndexOf((byte)':');
                take = colon >= 0 && IsNamed(line[..colon].TrimEnd(" \t"u8), names) == named;
            }
            if (!take) continue;
            line.CopyTo(to[at..]);
            at += line.Length;
        }
        if (at == 0 || to[at - 1] == '\n') return at;
        "\r\n"u8.CopyTo(to[at..]);
        return at + 2;
    }

    /// <summary>
    /// Whether the header is made of whole fields alone, each with its line end (RFC 5322 2.2): then every reader sees the same fields, and each of them
    /// can stand without the others.
    /// </summary>
    public static bool IsPlain(ReadOnlySpan<byte> header)
    {
        for (var first = true; !header.IsEmpty; first = false)
        {
            var line = NextLine(ref header);
            if (line[^1] != '\n') return false;
            if (line.Trim("\r\n"u8).IsEmpty) return header.IsEmpty;
            if (line[0] is (byte)' ' or (byte)'\t' ? first : !IsField(line)) return false;
        }
        return true;
    }

    static bool IsField(ReadOnlySpan<byte> line)
    {
        var colon = line.IndexOf((byte)':');
        return colon > 0 && !line[..colon].ContainsAnyExceptInRange((byte)'!', (byte)'~');
    }

    static ReadOnlySpan<byte> NextLine(ref ReadOnlySpan<byte> header)
    {
        var end = header.IndexOf((byte)'\n');
        var line = end < 0 ? header : header[..(end + 1)];
        header = header[line.Length..];
        return line;
    }

    static bool IsNamed(ReadOnlySpan<byte> field, IReadOnlyList<string> names)
    {
        for (var i = 0; i < names.Count; i++)
            if (Ascii.EqualsIgnoreCase(field, names[i])) return true;
        return false;
    }
}
