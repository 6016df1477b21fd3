using System.Buffers;
using System.Text;

namespace CbaMail.Mime;

/// <summary>
/// Changes to a message, made on its bytes: what is not changed stays as it is, octet for octet, or signatures would break.
/// Fields of what was put in are mended so that they can be nothing but one field each: line ends become CRLF, a line that goes on begins
/// with white space, none is longer than 998 octets (RFC 5322 2.1.1).
/// </summary>
public sealed class MessageEdits
{
    const int MaxLine = 998;
    static readonly byte[] LineEnd = [(byte)'\r', (byte)'\n'];

    readonly ReadOnlyMemory<byte> message;
    readonly List<Field> fields = [];
    readonly ReadOnlyMemory<byte> separator;
    readonly ReadOnlyMemory<byte> body;
    int floor; // nothing is inserted above
    LineEnds? replaced;

    /// <param name="Bytes">The whole field with its line end.</param>
    /// <param name="NameLength">Of its name, which stands first.</param>
    readonly record struct Field(ReadOnlyMemory<byte> Bytes, int NameLength, bool Hidden);

    /// <param name="own">
    /// The name of the field that the server itself put on top ("Received"), or nothing. The first of that name is not seen and not changed,
    /// and nothing is inserted above it.
    /// </param>
    public MessageEdits(ReadOnlyMemory<byte> message, ReadOnlySpan<byte> own = default)
    {
        this.message = message;
        var reader = new HeaderReader(message.Span);
        var end = 0;
        while (reader.Next(out var field))
        {
            // lines that are no field stay where they are
            if (field.Start != end) fields.Add(new Field(message[end..field.Start], 0, Hidden: true));
            end = field.End;
            var added = new Field(message[field.Start..end], field.NameLength, Hidden: false);
            var isOwn = floor == 0 && !own.IsEmpty && IsNamed(added, own);
            fields.Add(added with { Hidden = isOwn });
            if (isOwn) floor = fields.Count;
        }
        separator = message[end..reader.Position];
        body = message[reader.Position..];
    }

    /// <summary>Whether there is anything to be written anew.</summary>
    public bool IsChanged { get; private set; }

    /// <summary>The body as it is now.</summary>
    public ReadOnlyMemory<byte> Body => replaced is null ? body : replaced.Text;

    /// <summary>Adds a field below all others.</summary>
    /// <param name="value">What stands behind the colon, a leading space included; lines separated by LF or CRLF.</param>
    public void Append(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => Put(fields.Count, name, value);

    /// <summary>Adds a field that will have <paramref name="index"/> fields before it, the server's own counted; at the end where there are fewer.</summary>
    public void Insert(int index, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => Put(Math.Clamp(index, floor, fields.Count), name, value);

    /// <summary>
    /// Gives the field of that name another value, or with null takes it away. <paramref name="occurrence"/> counts from 1 among the fields
    /// of that name as they are now. Where there are fewer, the value is appended as a new field.
    /// </summary>
    /// <returns>Whether there was such a field.</returns>
    public bool Change(ReadOnlySpan<byte> name, int occurrence, byte[]? value)
    {
        for (var i = 0; i < fields.Count; i++)
        {
            if (!IsNamed(fields[i], name) || --occurrence > 0) continue;
            IsChanged = true;
            if (value is null) RemoveAt(i);
            else fields[i] = Make(name, value);
            return true;
        }
        if (value is not null) Append(name, value);
        return false;
    }

    /// <summary>Takes away all fields of that name.</summary>
    /// <returns>How many there were.</returns>
    public int Remove(ReadOnlySpan<byte> name)
    {
        var count = 0;
        for (var i = fields.Count - 1; i >= 0; i--)
        {
            if (!IsNamed(fields[i], name)) continue;
            RemoveAt(i);
            count++;
        }
        IsChanged |= count > 0;
        return count;
    }

    /// <summary>The next piece of another body; the first one drops the old. Line ends become CRLF.</summary>
    public void ReplaceBody(ReadOnlySpan<byte> piece)
    {
        IsChanged = true;
        (replaced ??= new LineEnds()).Add(piece);
    }

    /// <summary>Visits the fields that are not hidden, top first: name, and everything behind the colon with its line end.</summary>
    public IEnumerable<(ReadOnlyMemory<byte> Name, ReadOnlyMemory<byte> Value)> Fields()
    {
        foreach (var field in fields)
        {
            if (field.Hidden) continue;
            var colon = field.NameLength + field.Bytes.Span[field.NameLength..].IndexOf((byte)':');
            yield return (field.Bytes[..field.NameLength], field.Bytes[(colon + 1)..]);
        }
    }

    /// <summary>The pieces of the message as it is now.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Pieces()
    {
        if (!IsChanged)
        {
            yield return message;
            yield break;
        }
        foreach (var field in fields)
        {
            yield return field.Bytes;
            // the last line of a message may lack its end; what now stands behind it needs one
            if (!field.Bytes.Span.EndsWith("\n"u8)) yield return LineEnd;
        }
        // RFC 5322 2.1: an empty line ends the header; where a body begins without one, a field that was added would swallow it
        yield return separator.IsEmpty ? LineEnd : separator;
        yield return Body;
    }

    void RemoveAt(int at)
    {
        fields.RemoveAt(at);
        if (at < floor) floor--;
    }

    static bool IsNamed(in Field field, ReadOnlySpan<byte> name) =>
        !field.Hidden && field.NameLength == name.Length && Ascii.EqualsIgnoreCase(field.Bytes.Span[..field.NameLength], name);

    void Put(int at, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        IsChanged = true;
        fields.Insert(at, Make(name, value));
    }

    static Field Make(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var text = new ArrayBufferWriter<byte>(name.Length + value.Length + 16);
        foreach (var b in name)
            if (b is > 32 and < 127 and not (byte)':') text.Write([b]);
        if (text.WrittenCount == 0) text.Write("X-Unnamed"u8);
        var length = text.WrittenCount;
        text.Write(":"u8);
        var column = length + 1;
        var first = true;
        foreach (var range in value.Split((byte)'\n'))
        {
            var line = value[range].TrimEnd((byte)'\r');
            if (!first)
            {
                if (line.Trim(" \t\r"u8).IsEmpty) continue; // an empty line would end the header
                text.Write("\r\n"u8);
                column = 0;
                if (line[0] is not ((byte)' ' or (byte)'\t')) // and one without white space would be another field
                {
                    text.Write("\t"u8);
                    column = 1;
                }
            }
            first = false;
            Line(text, line, ref column);
        }
        text.Write("\r\n"u8);
        return new Field(text.WrittenMemory, length, Hidden: false);
    }

    // RFC 5322 2.1.1: folded at white space where there is some, and in mid-word rather than above the limit
    static void Line(ArrayBufferWriter<byte> text, ReadOnlySpan<byte> line, ref int column)
    {
        while (column + line.Length > MaxLine)
        {
            var room = MaxLine - column;
            var cut = line[..room].LastIndexOfAny((byte)' ', (byte)'\t');
            var at = cut > 0 && !line[..cut].Trim(" \t"u8).IsEmpty ? cut : room;
            Clean(text, line[..at]);
            text.Write("\r\n"u8);
            line = line[at..];
            column = 0;
            if (line[0] is (byte)' ' or (byte)'\t') continue;
            text.Write(" "u8);
            column = 1;
        }
        Clean(text, line);
        column += line.Length;
    }

    static void Clean(ArrayBufferWriter<byte> text, ReadOnlySpan<byte> bytes)
    {
        var span = text.GetSpan(bytes.Length)[..bytes.Length];
        bytes.CopyTo(span);
        foreach (ref var b in span)
            if (b is 0 or (byte)'\r') b = (byte)' ';
        text.Advance(bytes.Length);
    }

    /// <summary>Text whose line ends are made CRLF, piece by piece.</summary>
    sealed class LineEnds
    {
        readonly ArrayBufferWriter<byte> text = new();
        bool afterCr;

        public ReadOnlyMemory<byte> Text
        {
            get
            {
                if (afterCr) text.Write("\n"u8);
                afterCr = false;
                return text.WrittenMemory;
            }
        }

        public void Add(ReadOnlySpan<byte> piece)
        {
            while (piece.Length > 0)
            {
                if (afterCr)
                {
                    text.Write("\n"u8);
                    afterCr = false;
                    if (piece[0] == '\n')
                    {
                        piece = piece[1..];
                        continue;
                    }
                }
                var next = piece.IndexOfAny((byte)'\r', (byte)'\n');
                if (next < 0)
                {
                    text.Write(piece);
                    return;
                }
                text.Write(piece[..next]);
                text.Write(piece[next] == '\r' ? "\r"u8 : "\r\n"u8);
                afterCr = piece[next] == '\r';
                piece = piece[(next + 1)..];
            }
        }
    }
}
