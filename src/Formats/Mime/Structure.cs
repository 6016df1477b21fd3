using System.Text;

namespace CbaMail.Mime;

/// <summary>
/// The compact binary form of a <see cref="MimePart"/> tree that the vault keeps beside each body: a version byte, then the parts
/// depth first; numbers as varints, offsets relative to what stands before, frequent words as one byte.
/// </summary>
public static class Structure
{
    const byte Version = 1;

    /// <summary>Only ever appended to: stored structures name words by their place.</summary>
    static readonly string[] Table =
    [
        "", "text", "plain", "html", "multipart", "mixed", "alternative", "related", "message", "rfc822", "application", "octet-stream",
        "image", "png", "jpeg", "gif", "pdf", "charset", "utf-8", "us-ascii", "boundary", "name", "filename", "type", "format", "flowed", "delsp",
        "7bit", "8bit", "binary", "base64", "quoted-printable", "inline", "attachment", "text/html", "multipart/alternative", "iso-8859-1",
        "windows-1251", "koi8-r", "UTF-8", "report", "report-type", "delivery-status", "signed", "calendar", "size", "yes", "no", "name*", "filename*",
    ];

    static readonly Dictionary<string, int> Places = Table.Select((word, i) => (word, i)).ToDictionary(x => x.word, x => x.i, StringComparer.Ordinal);

    [Flags]
    enum Has { None = 0, Parameters = 1, WireParameters = 2, Disposition = 4, WireDisposition = 8, Id = 16, More = 32, Children = 64, Envelope = 128 }

    public static byte[] Encode(MimePart root)
    {
        var output = new List<byte>(128) { Version };
        var end = 0L;
        Part(output, root, ref end);
        return [.. output];
    }

    static void Part(List<byte> output, MimePart part, ref long position)
    {
        var has = (part.Parameters.Count > 0 ? Has.Parameters : 0) | (Same(part.Parameters, part.WireParameters) ? 0 : Has.WireParameters)
            | (part.Disposition is not null || part.DispositionParameters.Count > 0 ? Has.Disposition : 0) | (Same(part.DispositionParameters, part.WireDispositionParameters) ? 0 : Has.WireDisposition)
            | (part.ContentId is not null ? Has.Id : 0)
            | (part.Description is not null || part.Md5 is not null || part.Location is not null || part.Language.Count > 0 ? Has.More : 0)
            | (part.Children.Count > 0 ? Has.Children : 0) | (part.Envelope.Length > 0 ? Has.Envelope : 0);
        output.Add((byte)has);
        Text(output, part.Type);
        Text(output, part.Subtype);
        Text(output, part.Encoding);
        Signed(output, part.HeaderOffset - position);
        Signed(output, part.BodyOffset - part.HeaderOffset);
        Signed(output, part.BodyLength);
        Signed(output, part.BodyLines);
        if (has.HasFlag(Has.Parameters)) Pairs(output, part.Parameters);
        if (has.HasFlag(Has.WireParameters)) Pairs(output, part.WireParameters);
        if (has.HasFlag(Has.Disposition))
        {
            Optional(output, part.Disposition);
            Pairs(output, part.DispositionParameters);
        }

        if (has.HasFlag(Has.WireDisposition)) Pairs(output, part.WireDispositionParameters);
        if (has.HasFlag(Has.Id)) Text(output, part.ContentId!);
        if (has.HasFlag(Has.More))
        {
            Optional(output, part.Description);
            Optional(output, part.Md5);
            Optional(output, part.Location);
            Number(output, (ulong)part.Language.Count);
            foreach (var tag in part.Language) Text(output, tag);
        }

        if (has.HasFlag(Has.Envelope))
        {
            Number(output, (ulong)part.Envelope.Length);
            output.AddRange(part.Envelope.Span);
        }

        position = part.BodyOffset;
        if (has.HasFlag(Has.Children))
        {
            Number(output, (ulong)part.Children.Count);
            foreach (var child in part.Children) Part(output, child, ref position);
        }

        position = part.BodyOffset + part.BodyLength;
    }

    static bool Same(IReadOnlyList<KeyValuePair<string, string>> a, IReadOnlyList<KeyValuePair<string, string>> b)
    {
        if (ReferenceEquals(a, b)) return true;
        if (a.Count != b.Count) return false;
        for (var i = 0; i < a.Count; i++)
            if (a[i].Key != b[i].Key || a[i].Value != b[i].Value) return false;
        return true;
    }

    static void Number(List<byte> output, ulong value)
    {
        for (; value >= 0x80; value >>= 7) output.Add((byte)(value | 0x80));
        output.Add((byte)value);
    }

    // zigzag: hand-made trees may have parts anywhere
    static void Signed(List<byte> output, long value) => Number(output, (ulong)(value << 1 ^ value >> 63));

    static void Text(List<byte> output, string text)
    {
        if (Places.TryGetValue(text, out var place))
        {
            Number(output, (ulong)place);
            return;
        }

        // 0..99 are places in the table; from 100 on the length of UTF-8
        var bytes = Encoding.UTF8.GetBytes(text);
        Number(output, (ulong)bytes.Length + 100);
        output.AddRange(bytes);
    }

    static void Optional(List<byte> output, string? text)
    {
        output.Add(text is null ? (byte)0 : (byte)1);
        if (text is not null) Text(output, text);
    }

    static void Pairs(List<byte> output, IReadOnlyList<KeyValuePair<string, string>> pairs)
    {
        Number(output, (ulong)pairs.Count);
        foreach (var (key, value) in pairs)
        {
            Text(output, key);
            Text(output, value);
        }
    }

    /// <summary>Reads what <see cref="Encode"/> wrote.</summary>
    /// <exception cref="InvalidDataException">The bytes are of another version or damaged.</exception>
    public static MimePart Decode(ReadOnlyMemory<byte> encoded)
    {
        var reader = new Reader(encoded);
        if (reader.Byte() != Version) throw new InvalidDataException("A structure of unknown version");
        var end = 0L;
        return reader.Part(ref end, 0);
    }

    struct Reader(ReadOnlyMemory<byte> input)
    {
        int position;

        public byte Byte()
        {
            if (position >= input.Length) throw Damaged();
            return input.Span[position++];
        }

        public MimePart Part(ref long end, int depth)
        {
            // Every multipart or message is one level, and the innermost leaves one more
            if (depth > MimeReader.MaxDepth + 1) throw Damaged();
            var has = (Has)Byte();
            var type = Text();
            var subtype = Text();
            var encoding = Text();
            var header = end + Signed();
            var body = header + Signed();
            var length = Signed();
            var lines = (int)Signed();
            var parameters = has.HasFlag(Has.Parameters) ? Pairs() : [];
            var wire = has.HasFlag(Has.WireParameters) ? Pairs() : parameters;
            var disposition = has.HasFlag(Has.Disposition) ? Optional() : null;
            var dispositionParameters = has.HasFlag(Has.Disposition) ? Pairs() : [];
            var wireDisposition = has.HasFlag(Has.WireDisposition) ? Pairs() : dispositionParameters;
            var id = has.HasFlag(Has.Id) ? Text() : null;
            string? description = null, md5 = null, location = null;
            string[] language = [];
            if (has.HasFlag(Has.More))
            {
                description = Optional();
                md5 = Optional();
                location = Optional();
                language = new string[Count()];
                for (var i = 0; i < language.Length; i++) language[i] = Text();
            }

            var envelope = has.HasFlag(Has.Envelope) ? Bytes(Count()) : default;
            end = body;
            MimePart[] children = has.HasFlag(Has.Children) ? new MimePart[Count()] : [];
            for (var i = 0; i < children.Length; i++) children[i] = Part(ref end, depth + 1);
            end = body + length;
            return new MimePart
            {
                Type = type,
                Subtype = subtype,
                Encoding = encoding,
                Parameters = parameters,
                WireParameters = wire,
                Disposition = disposition,
                DispositionParameters = dispositionParameters,
                WireDispositionParameters = wireDisposition,
                ContentId = id,
                Description = description,
                Md5 = md5,
                Location = location,
                Language = language,
                Envelope = envelope,
                HeaderOffset = header,
                BodyOffset = body,
                BodyLength = length,
                BodyLines = lines,
                Children = children,
            };
        }

        ulong Number()
        {
            var value = 0UL;
            for (var shift = 0; shift < 64; shift += 7)
            {
                var b = Byte();
                value |= (ulong)(b & 0x7F) << shift;
                if (b < 0x80) return value;
            }

            throw Damaged();
        }

        long Signed()
        {
            var value = Number();
            return (long)(value >> 1) ^ -(long)(value & 1);
        }

        // Everything that is counted takes at least a byte each
        int Count()
        {
            var count = Number();
            return count <= (ulong)(input.Length - position) ? (int)count : throw Damaged();
        }

        ReadOnlyMemory<byte> Bytes(int count)
        {
            if (count > input.Length - position) throw Damaged();
            position += count;
            return input.Slice(position - count, count);
        }

        string Text()
        {
            var number = Number();
            if (number < 100) return number < (ulong)Table.Length ? Table[number] : throw Damaged();
            if (number - 100 > (ulong)(input.Length - position)) throw Damaged();
            return Encoding.UTF8.GetString(Bytes((int)(number - 100)).Span);
        }

        string? Optional() => Byte() == 0 ? null : Text();

        KeyValuePair<string, string>[] Pairs()
        {
            var pairs = new KeyValuePair<string, string>[Count()];
            for (var i = 0; i < pairs.Length; i++) pairs[i] = new(Text(), Text());
            return pairs;
        }

        static InvalidDataException Damaged() => new("A damaged structure");
    }
}
