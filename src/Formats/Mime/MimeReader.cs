using CbaMail.Text;

namespace CbaMail.Mime;

// Mime: bytes of a message to values and back.
//
// MimeReader walks once over a message and tells an IMimeEvents what it finds, by byte offsets; MimeTree makes MimeParts of that,
// which Structure packs for the vault and ImapStructure shows to IMAP clients. MessageBuilder and ReportBuilder write.
//
// Rules that a change must keep:
// - nothing throws on input, whatever it is; what is wrong is read as a careful human would read it;
// - time is linear in the message, and depth, parts and header bytes are bounded (MimeReader.Max*, HeaderReader.MaxBytes);
//   what is beyond a bound is opaque body, never lost;
// - offsets always nest: a part lies within its parent's body, siblings follow one another;
// - what the writers write, the readers read back as it was given.
//
// Not here: S/MIME and PGP (parts like any other), TNEF, format=flowed, message/partial put together again.
// RFCs: 5322, 2045-2049, 2047, 2183, 2231, 2387, 3464, 6522, 6532; IMAP's forms RFC 9051 7.5.2.

/// <summary>What the reader found. Calls nest: PartBegin, fields, BodyBegin, the children's calls, PartEnd.</summary>
public interface IMimeEvents
{
    /// <summary>A part's header begins at <paramref name="offset"/>; the first call is the message itself.</summary>
    void PartBegin(int offset);

    /// <summary>A header field of the part that began last.</summary>
    void HeaderField(in FieldSpan field);

    /// <summary>The header ended; the body begins at <paramref name="offset"/>. <paramref name="hasParts"/>: PartBegin calls for what is inside may follow.</summary>
    void BodyBegin(int offset, ContentType type, string encoding, bool hasParts);

    /// <summary>The part whose body is open and began last ends.</summary>
    void PartEnd(int offset, int lines);
}

/// <summary>Forward-only reader of a message's MIME structure (RFC 2045, 2046): one pass, explicit stack.</summary>
public ref struct MimeReader
{
    /// <summary>Parts within parts; deeper ones stay opaque.</summary>
    public const int MaxDepth = 100;

    /// <summary>Parts of one message, the message itself included; the last one keeps the rest of the bytes.</summary>
    public const int MaxParts = 10_000;

    struct Frame
    {
        /// <summary>The delimiter without dashes, or null for a message/rfc822 or after the close delimiter.</summary>
        public byte[]? Boundary;
        public int BodyStart;
        public bool Digest;
        public bool IsMessage;
    }

    readonly ReadOnlySpan<byte> text;
    readonly List<Frame> open = new(8);
    int parts;
    int counted;
    int lines;

    MimeReader(ReadOnlySpan<byte> text) => this.text = text;

    /// <summary>Reads the whole message and reports to <paramref name="events"/>.</summary>
    public static void Read<T>(ReadOnlySpan<byte> message, ref T events) where T : IMimeEvents, allows ref struct =>
        new MimeReader(message).Run(ref events);

    void Run<T>(ref T events) where T : IMimeEvents, allows ref struct
    {
        var position = Part(ref events, 0, ContentType.TextPlain, top: true);
        while (position < text.Length)
        {
            // Every frame that is open waits for its delimiter; a delimiter of an outer one ends all within (RFC 2046 5.1.2)
            if (!FindDelimiter(position, out var start, out var end, out var depth, out var isClose)) break;
            var bodyEnd = BeforeLineEnd(start, position);
            // the line end before an outer delimiter is that delimiter's own, also behind an inner close delimiter (RFC 2046 5.1.1)
            while (open.Count > depth + 1) Close(ref events, BeforeLineEnd(start, open[^1].BodyStart));
            position = end;
            if (isClose)
            {
                CloseChild(ref events, bodyEnd);
                // RFC 2046 5.1.1: what follows the close delimiter is the epilogue, in which its own delimiters mean nothing
                var frame = open[depth];
                frame.Boundary = null;
                open[depth] = frame;
            }
            else if (parts >= MaxParts)
            {
                // The last part takes what is left
                for (var i = 0; i < open.Count; i++)
                {
                    var frame = open[i];
                    frame.Boundary = null;
                    open[i] = frame;
                }

                break;
            }
            else
            {
                CloseChild(ref events, bodyEnd);
                // RFC 2046 5.1.1: a delimiter has its own line end before it, so that there is no part between two adjacent lines
                while (end < text.Length && IsDelimiter(end, out var next, out var same, out var closes) && same == depth && !closes) position = end = next;
                position = Part(ref events, end, open[depth].Digest ? ContentType.Rfc822 : ContentType.TextPlain, top: false);
            }
        }

        while (open.Count > 0) Close(ref events, text.Length);
        if (leafOpen) CloseLeaf(ref events, text.Length);
    }

    bool leafOpen;
    int leafStart;

    /// <summary>Ends the leaf that is open below the innermost frame, if there is one.</summary>
    void CloseChild<T>(ref T events, int end) where T : IMimeEvents, allows ref struct
    {
        if (leafOpen) CloseLeaf(ref events, end);
    }

    void CloseLeaf<T>(ref T events, int end) where T : IMimeEvents, allows ref struct
    {
        leafOpen = false;
        End(ref events, leafStart, end);
    }

    void Close<T>(ref T events, int end) where T : IMimeEvents, allows ref struct
    {
        if (leafOpen) CloseLeaf(ref events, end);
        var frame = open[^1];
        open.RemoveAt(open.Count - 1);
        End(ref events, frame.BodyStart, end);
    }

    void End<T>(ref T events, int start, int end) where T : IMimeEvents, allows ref struct
    {
        // Nor does a part end before what is in it: a delimiter right behind another leaves a part that begins on the outer one's line
        end = ended = Math.Max(Math.Max(start, end), ended);
        var count = LinesAt(end) - startLines[^1];
        startLines.RemoveAt(startLines.Count - 1);
        if (end > start && text[end - 1] != '\n') count++;
        events.PartEnd(end, count);
    }

    readonly List<int> startLines = new(8);
    int ended;

    /// <summary>
    /// Line ends before the offset; offsets grow, so every byte is counted once, but for the line end before a delimiter when a part
    /// without body was counted up to the delimiter itself.
    /// </summary>
    int LinesAt(int offset)
    {
        if (offset < counted) return lines - text[offset..counted].Count((byte)'\n');
        if (offset > counted)
        {
            lines += text[counted..offset].Count((byte)'\n');
            counted = offset;
        }

        return lines;
    }

    /// <summary>Reads the header that begins at <paramref name="offset"/> and opens the body; returns where to go on looking for delimiters.</summary>
    int Part<T>(ref T events, int offset, ContentType type, bool top) where T : IMimeEvents, allows ref struct
    {
        while (true)
        {
            parts++;
            events.PartBegin(offset);
            var headers = new HeaderReader(text, offset, top);
            string? encoding = null;
            var typed = false;
            while (!(headers.AtDashes && open.Count > 0 && IsDelimiter(headers.Position, out _, out _, out _)) && headers.Next(out var field))
            {
                events.HeaderField(field);
                var name = text.Slice(field.Start, field.NameLength);
                // The first one counts, as in most readers
                if (name.Length == 12 && !typed && Names.Equal(name, "content-type"u8))
                {
                    typed = true;
                    var value = text[field.ValueStart..field.End];
                    if (!LineFolding.Trim(value).IsEmpty) type = ContentType.Parse(value);
                }
                else if (name.Length == 25 && encoding is null && Names.Equal(name, "content-transfer-encoding"u8))
                    encoding = ReadEncoding(text[field.ValueStart..field.End]);
            }

            var body = headers.Position;
            encoding ??= "7bit";
            var identity = encoding is "7bit" or "8bit" or "binary";
            startLines.Add(LinesAt(body));
            var isMessage = type is { Type: "message", Subtype: "rfc822" or "global" };
            // RFC 2046 5.2.1: an encoded message/rfc822 is not legal, and stays opaque
            var nests = open.Count < MaxDepth && parts < MaxParts && (isMessage && identity || type.Type == "multipart" && BoundaryOf(type) is not null);
            events.BodyBegin(body, type, encoding, nests);
            if (!nests)
            {
                leafOpen = true;
                leafStart = body;
                return body;
            }

            open.Add(new Frame { BodyStart = body, IsMessage = isMessage, Boundary = isMessage ? null : BoundaryOf(type), Digest = type.Subtype == "digest" });
            if (!isMessage) return body;
            offset = body;
            top = true;
            type = ContentType.TextPlain;
        }
    }

    static string ReadEncoding(ReadOnlySpan<byte> value)
    {
        var position = 0;
        var word = ContentType.Word(value, ref position);
        return word.Length == 0 || !ParameterList.IsToken(word) ? "7bit" : word switch { "8bits" or "8-bit" => "8bit", "7bits" or "7-bit" => "7bit", _ => word };
    }

    static byte[]? BoundaryOf(ContentType type)
    {
        // RFC 2046 5.1.1: a boundary does not end in white space
        var value = type["boundary"]?.TrimEnd();
        return string.IsNullOrEmpty(value) ? null : System.Text.Encoding.UTF8.GetBytes(value);
    }

    /// <summary>The next line at or after <paramref name="from"/> that is a delimiter of an open multipart.</summary>
    readonly bool FindDelimiter(int from, out int start, out int end, out int depth, out bool isClose)
    {
        start = end = depth = 0;
        isClose = false;
        var waiting = false;
        foreach (var frame in open) waiting |= frame.Boundary is not null;
        if (!waiting) return false;
        if (IsLineStart(from) && IsDelimiter(from, out end, out depth, out isClose))
        {
            start = from;
            return true;
        }

        for (var at = from; at < text.Length;)
        {
            var next = text[at..].IndexOf("\n--"u8);
            if (next < 0) return false;
            start = at + next + 1;
            if (IsDelimiter(start, out end, out depth, out isClose)) return true;
            at = start + 2;
        }

        return false;
    }

    readonly bool IsLineStart(int at) => at == 0 || text[at - 1] == '\n';

    /// <summary>Whether the line that begins at <paramref name="at"/> is a delimiter, the innermost first (RFC 2046 5.1.2).</summary>
    readonly bool IsDelimiter(int at, out int end, out int depth, out bool isClose)
    {
        end = depth = 0;
        isClose = false;
        var line = text[at..];
        if (line.Length < 3 || line[0] != '-' || line[1] != '-') return false;
        var length = line.IndexOf((byte)'\n');
        end = length < 0 ? text.Length : at + length + 1;
        // RFC 2046 5.1.1: transport padding after the boundary; comparing the whole line, prefixes of one another differ
        line = (length < 0 ? line : line[..length])[2..].TrimEnd(" \t\r"u8);
        for (depth = open.Count - 1; depth >= 0; depth--)
        {
            if (open[depth].Boundary is not { } boundary) continue;
            isClose = line.Length == boundary.Length + 2 && line[^1] == '-' && line[^2] == '-';
            if ((isClose || line.Length == boundary.Length) && line.StartsWith(boundary)) return true;
        }

        return false;
    }

    /// <summary>Without the line end before a delimiter, which belongs to the delimiter (RFC 2046 5.1.1).</summary>
    readonly int BeforeLineEnd(int at, int floor)
    {
        if (at > floor && text[at - 1] == '\n') at--;
        if (at > floor && text[at - 1] == '\r' && at < text.Length && text[at] == '\n') at--;
        return at;
    }
}

/// <summary>Field names compared without regard to case.</summary>
static class Names
{
    public static bool Equal(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lower) => System.Text.Ascii.EqualsIgnoreCase(name, lower);
}
