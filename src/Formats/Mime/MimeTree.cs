using System.Text;
using CbaMail.Text;

namespace CbaMail.Mime;

/// <summary>Builds the tree of parts over the event reader. Never throws on input; linear time.</summary>
public static class MimeTree
{
    /// <summary>Reads a whole message. Depth, parts and header bytes are bounded; what is beyond becomes opaque text.</summary>
    public static MimePart Parse(ReadOnlySpan<byte> message)
    {
        var builder = new Builder(message);
        MimeReader.Read(message, ref builder);
        return builder.Root!;
    }

    sealed class Draft
    {
        public int HeaderOffset, BodyOffset;
        public ContentType Type = ContentType.TextPlain;
        public string Encoding = "7bit";
        public ContentType? Disposition;
        public string? Id, Description, Md5, Location;
        public IReadOnlyList<string> Language = [];
        public List<MimePart>? Children;
        public byte[] Envelope = [];
    }

    ref struct Builder(ReadOnlySpan<byte> message) : IMimeEvents
    {
        readonly ReadOnlySpan<byte> message = message;
        readonly List<Draft> open = new(8);

        public MimePart? Root { get; private set; }

        public readonly void PartBegin(int offset) => open.Add(new Draft { HeaderOffset = offset });

        public readonly void HeaderField(in FieldSpan field)
        {
            var name = message.Slice(field.Start, field.NameLength);
            if (name.Length < 10 || !Names.Equal(name[..8], "content-"u8)) return;
            var draft = open[^1];
            var value = message[field.ValueStart..field.End];
            name = name[8..];
            // The first field of a name counts
            if (Names.Equal(name, "disposition"u8)) draft.Disposition ??= ContentType.ParseDisposition(value);
            else if (Names.Equal(name, "id"u8)) draft.Id ??= Wire(value);
            else if (Names.Equal(name, "description"u8)) draft.Description ??= Wire(value);
            else if (Names.Equal(name, "md5"u8)) draft.Md5 ??= Wire(value);
            else if (Names.Equal(name, "location"u8)) draft.Location ??= Wire(value);
            else if (Names.Equal(name, "language"u8) && draft.Language.Count == 0)
            {
                // RFC 3282 2: tags separated by commas
                var tags = Wire(value)?.Split([',', ' ', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
                draft.Language = tags.Length > 50 ? tags[..50] : tags;
            }
        }

        public readonly void BodyBegin(int offset, ContentType type, string encoding, bool hasParts)
        {
            var draft = open[^1];
            draft.BodyOffset = offset;
            draft.Type = type;
            draft.Encoding = encoding;
            if (hasParts) draft.Children = new(4);
            if (open.Count > 1 && open[^2].Type.Type == "message") draft.Envelope = ImapStructure.Envelope(message[draft.HeaderOffset..offset]);
        }

        public void PartEnd(int offset, int lines)
        {
            var draft = open[^1];
            open.RemoveAt(open.Count - 1);
            var part = new MimePart
            {
                Type = draft.Type.Type,
                Subtype = draft.Type.Subtype,
                Parameters = draft.Type.Parameters,
                WireParameters = draft.Type.WireParameters,
                Encoding = draft.Encoding,
                Disposition = draft.Disposition?.Type,
                DispositionParameters = draft.Disposition?.Parameters ?? [],
                WireDispositionParameters = draft.Disposition?.WireParameters ?? [],
                ContentId = draft.Id,
                Description = draft.Description,
                Md5 = draft.Md5,
                Language = draft.Language,
                Location = draft.Location,
                HeaderOffset = draft.HeaderOffset,
                BodyOffset = draft.BodyOffset,
                BodyLength = offset - draft.BodyOffset,
                BodyLines = lines,
                Children = draft.Children ?? (IReadOnlyList<MimePart>)[],
                Envelope = draft.Envelope,
            };
            if (open.Count == 0) Root = part;
            else open[^1].Children!.Add(part);
        }

        static string? Wire(ReadOnlySpan<byte> value) => LineFolding.Trim(value).IsEmpty ? null : WireText(value);
    }

    /// <summary>A field's value on one line: as it stood, or encoded (RFC 2047) where it has raw 8-bit bytes and UTF-8 may not stand there.</summary>
    internal static string WireText(ReadOnlySpan<byte> value, bool utf8 = false)
    {
        value = LineFolding.Trim(value);
        if (value.IndexOfAny((byte)'\r', (byte)'\n', (byte)0) >= 0) value = LineFolding.Unfold(value);
        if (Ascii.IsValid(value)) return Encoding.ASCII.GetString(value);
        if (utf8) return System.Text.Unicode.Utf8.IsValid(value) ? Encoding.UTF8.GetString(value) : EncodedWord.Decode(value);
        return EncodedWord.Encode(EncodedWord.Decode(value));
    }
}
