using System.Buffers;

namespace CbaMail.Mime;

/// <summary>Where a header field stands in the bytes it was read from.</summary>
/// <param name="Start">First byte of the name.</param>
/// <param name="NameLength">Bytes of the name, without white space before the colon.</param>
/// <param name="ValueStart">First byte after the colon.</param>
/// <param name="End">After the line end of the field's last line.</param>
public readonly record struct FieldSpan(int Start, int NameLength, int ValueStart, int End);

/// <summary>
/// Steps through the fields of one header section (RFC 5322 2.2) without allocating. It stops at the empty line, at a line that
/// is no field (the body begins there although the empty line is missing), at the limit, and at the end of the bytes.
/// </summary>
public ref struct HeaderReader
{
    /// <summary>Header bytes of one section that are read; what is beyond counts as body.</summary>
    public const int MaxBytes = 1 << 20;

    static readonly SearchValues<byte> NotName = SearchValues.Create([.. Enumerable.Range(0, 33).Select(i => (byte)i), (byte)':', .. Enumerable.Range(127, 129).Select(i => (byte)i)]);

    readonly ReadOnlySpan<byte> text;
    readonly int limit;
    int position;

    /// <summary>Reads from <paramref name="start"/> on; <paramref name="top"/> lets a "From " line of mbox stand first.</summary>
    public HeaderReader(ReadOnlySpan<byte> text, int start = 0, bool top = false)
    {
        this.text = text;
        position = start;
        limit = (int)Math.Min(text.Length, (long)start + MaxBytes);
        if (!top) return;
        // RFC 4155 appendix A: what a copy out of an mbox file begins with is no field; "From:" is one, and so is "From :" (RFC 5322 4.5)
        var rest = text[position..];
        if ((rest.StartsWith("From "u8) || rest.StartsWith(">From "u8)) && !IsField(position, out _, out _)) position = NextLine(position);
    }

    /// <summary>Where the reader stands: after <see cref="Next"/> returned false, the first byte of the body.</summary>
    public readonly int Position => position;

    /// <summary>
    /// After <see cref="Next"/> returned false: an empty line ended the section, or the text did. False where a line that is no field ended it, or
    /// the limit: other readers go on there, and see fields that this one does not.
    /// </summary>
    public bool EndedCleanly { get; private set; }

    /// <summary>The bytes of the line that comes next begin with "--", so that it may be a delimiter.</summary>
    public readonly bool AtDashes => position + 1 < text.Length && text[position] == '-' && text[position + 1] == '-';

    /// <summary>The next field; false at the end of the section, which it has then stepped over.</summary>
    public bool Next(out FieldSpan field)
    {
        field = default;
        if (position >= limit)
        {
            EndedCleanly = position >= text.Length;
            return false;
        }
        var rest = text[position..];
        if (rest[0] == '\n' || rest[0] == '\r' && rest.Length > 1 && rest[1] == '\n')
        {
            position += rest[0] == '\n' ? 1 : 2;
            EndedCleanly = true;
            return false;
        }

        if (!IsField(position, out var name, out var colon) && (!SkipStray() || !IsField(position, out name, out colon))) return false;
        var start = position;
        var end = NextLine(position + colon);
        // RFC 5322 2.2.3: a line that begins with white space goes on with the field; one of white space alone does too
        // (RFC 5322 4.2), but an empty line never
        while (end < limit && text[end] is ((byte)' ' or (byte)'\t')) end = NextLine(end);
        position = end;
        field = new FieldSpan(start, name, start + colon + 1, end);
        return true;
    }

    readonly bool IsField(int at, out int name, out int colon)
    {
        var rest = text[at..];
        name = colon = Math.Max(0, rest.IndexOfAny(NotName));
        // RFC 5322 4.5: obsolete white space before the colon
        while (colon < rest.Length && rest[colon] is ((byte)' ' or (byte)'\t')) colon++;
        return name > 0 && colon < rest.Length && rest[colon] == ':';
    }

    /// <summary>
    /// Steps over lines that go on with no field, have no name, or are an mbox's, when a field comes after them: somebody cut the
    /// header, and the fields behind are no less fields for it. Else they are the body's first lines.
    /// </summary>
    bool SkipStray()
    {
        var at = position;
        while (at < limit && (text[at] is (byte)' ' or (byte)'\t' or (byte)':' || text[at..].StartsWith("From "u8))) at = NextLine(at);
        if (at == position || at >= limit || text[at] == '-' || !IsField(at, out _, out _)) return false;
        position = at;
        return true;
    }

    readonly int NextLine(int from)
    {
        var at = text[from..].IndexOf((byte)'\n');
        return at < 0 ? text.Length : from + at + 1;
    }
}
