using System.Collections;
using System.Text;
using CbaMail.Text;

namespace CbaMail.Mime;

/// <summary>One header field, with its place and its bytes.</summary>
/// <param name="Name">As written.</param>
/// <param name="Raw">Everything after the colon, folded as it stood, with the line end.</param>
/// <param name="Span">Offsets into the bytes that were read.</param>
public sealed record HeaderField(string Name, ReadOnlyMemory<byte> Raw, FieldSpan Span)
{
    /// <summary>The value as text: unfolded, encoded-words decoded (RFC 2047), raw 8-bit as UTF-8 or by a guess.</summary>
    public string Value => EncodedWord.Decode(Raw.Span);

    /// <summary>The value unfolded but not decoded.</summary>
    public string RawValue => LineFolding.UnfoldText(Raw.Span);

    /// <summary>Whether this is the field of that name, without regard to case.</summary>
    public bool Is(string name) => Name.Equals(name, StringComparison.OrdinalIgnoreCase);
}

/// <summary>The header fields of a message or part in order (RFC 5322 2.2), raw and decoded.</summary>
public sealed class HeaderList : IReadOnlyList<HeaderField>
{
    /// <summary>Fields that are kept; the rest of the section is stepped over.</summary>
    public const int MaxFields = 20_000;

    readonly List<HeaderField> fields = [];

    /// <summary>Offset of the first byte of the body.</summary>
    public int BodyOffset { get; private init; }

    /// <summary>Reads the header section that begins at <paramref name="offset"/>.</summary>
    public static HeaderList Parse(ReadOnlySpan<byte> message, int offset = 0)
    {
        var reader = new HeaderReader(message, offset, top: true);
        var list = new List<HeaderField>();
        while (reader.Next(out var field))
            if (list.Count < MaxFields)
                list.Add(new HeaderField(Encoding.ASCII.GetString(message.Slice(field.Start, field.NameLength)), message[field.ValueStart..field.End].ToArray(), field));
        return new HeaderList(list) { BodyOffset = reader.Position };
    }

    HeaderList(List<HeaderField> fields) => this.fields = fields;

    public int Count => fields.Count;

    public HeaderField this[int index] => fields[index];

    /// <summary>The first field of that name, or null.</summary>
    public HeaderField? Find(string name) => fields.Find(field => field.Is(name));

    /// <summary>All fields of that name, top first.</summary>
    public IEnumerable<HeaderField> All(string name) => fields.Where(field => field.Is(name));

    /// <summary>The decoded value of the first field of that name, or null.</summary>
    public string? Value(string name) => Find(name)?.Value;

    /// <summary>The addresses of the first field of that name.</summary>
    public AddressList Addresses(string name) => Find(name) is { } field ? AddressList.Parse(field.Raw.Span) : AddressList.Empty;

    public IEnumerator<HeaderField> GetEnumerator() => fields.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
