using System.Text;

namespace CbaMail.Mime;

/// <summary>
/// What more patient readers see in a header that ends in a line that is no field, or is longer than is read here: they go on up to the empty
/// line (RFC 5322 2.1). Whoever judges a message by its fields must know of those, or another author is shown than the one that was judged.
/// </summary>
public static class BrokenHeader
{
    /// <summary>The values of the fields of that name behind the place where the section broke off, each with what folds below it.</summary>
    /// <param name="from"><see cref="HeaderReader.Position"/> of a reader that did not end cleanly.</param>
    public static List<ReadOnlyMemory<byte>> Further(ReadOnlySpan<byte> text, int from, ReadOnlySpan<byte> name)
    {
        var found = new List<ReadOnlyMemory<byte>>();
        while (from < text.Length && !IsEmptyLine(text[from..]))
        {
            var start = from;
            do from = NextLine(text, from);
            while (from < text.Length && text[from] is (byte)' ' or (byte)'\t');
            var line = text[start..from];
            if (line.Length <= name.Length || !Ascii.EqualsIgnoreCase(line[..name.Length], name)) continue;
            // some take whatever stands before the colon for white space
            var rest = line[name.Length..];
            var colon = rest.IndexOf((byte)':');
            if (colon >= 0 && !rest[..colon].ContainsAnyInRange((byte)'!', (byte)'~') && found.Count < 100) found.Add(rest[(colon + 1)..].ToArray());
        }
        return found;
    }

    static bool IsEmptyLine(ReadOnlySpan<byte> rest) => rest[0] == '\n' || (rest[0] == '\r' && rest.Length > 1 && rest[1] == '\n');

    static int NextLine(ReadOnlySpan<byte> text, int from)
    {
        var at = text[from..].IndexOf((byte)'\n');
        return at < 0 ? text.Length : from + at + 1;
    }
}
