using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace CbaMail.MailAuth;

/// <summary>Where a tag stands in the text it was read from.</summary>
/// <param name="Name">Case counts (RFC 6376 3.2).</param>
/// <param name="Start">First byte of the value, white space around it left out.</param>
/// <param name="End">Behind the value's last byte.</param>
/// <param name="RawStart">Right behind the equals sign.</param>
/// <param name="RawEnd">At the semicolon or the end of the text.</param>
public readonly record struct Tag(string Name, int Start, int End, int RawStart, int RawEnd);

/// <summary>A list of <c>name=value</c> as DKIM, ARC and DMARC write it (RFC 6376 3.2). A list with a fault is no list at all.</summary>
public sealed class TagList
{
    /// <summary>More tags than any signature has are an attack on our time.</summary>
    public const int MaxTags = 64;

    static readonly SearchValues<byte> NameBytes = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"u8);
    static readonly SearchValues<byte> White = SearchValues.Create(" \t\r\n"u8);
    // RFC 6376 3.2: VALCHAR, white space, and UTF-8 (RFC 8616 5)
    static readonly SearchValues<byte> NotValue = SearchValues.Create([.. Enumerable.Range(0, 32).Where(b => b is not ('\t' or '\r' or '\n')).Select(b => (byte)b), 127]);
    static readonly string[] Letters = [.. Enumerable.Range(0, 128).Select(c => ((char)c).ToString())];

    readonly ReadOnlyMemory<byte> text;
    readonly List<Tag> tags;

    TagList(ReadOnlyMemory<byte> text, List<Tag> tags) => (this.text, this.tags) = (text, tags);

    /// <summary>In the order in which they stand.</summary>
    public IReadOnlyList<Tag> Tags => tags;

    /// <summary>Reads a list; null and a reason where it is malformed.</summary>
    public static TagList? Parse(ReadOnlyMemory<byte> text, out string problem)
    {
        var span = text.Span;
        var tags = new List<Tag>(12);
        problem = "";
        if (span.ContainsAny(NotValue)) return Bad("it has control characters", out problem);
        for (var at = 0; ;)
        {
            var end = span[at..].IndexOf((byte)';');
            end = end < 0 ? span.Length : at + end;
            var piece = span[at..end];
            if (piece.IndexOfAnyExcept(White) < 0)
            {
                // RFC 6376 3.2: one semicolon may end the list; an empty tag within it is no tag
                if (end < span.Length || tags.Count == 0) return Bad("it has an empty tag", out problem);
                break;
            }

            var equals = piece.IndexOf((byte)'=');
            if (equals < 0) return Bad("a tag has no equals sign", out problem);
            var name = piece[..equals].Trim(" \t\r\n"u8);
            if (name.IsEmpty || name.ContainsAnyExcept(NameBytes) || !char.IsAsciiLetter((char)name[0])) return Bad("the name of a tag is malformed", out problem);
            var known = name.Length == 1 ? Letters[name[0]] : Encoding.ASCII.GetString(name);
            // RFC 6376 3.2: a name that stands twice makes the whole list invalid
            foreach (var tag in tags)
                if (tag.Name == known) return Bad($"the tag {known}= stands twice", out problem);
            if (tags.Count == MaxTags) return Bad("it has too many tags", out problem);
            var (start, stop) = (at + equals + 1, end);
            while (start < stop && White.Contains(span[start])) start++;
            while (stop > start && White.Contains(span[stop - 1])) stop--;
            tags.Add(new(known, start, stop, at + equals + 1, end));
            if (end == span.Length) break;
            at = end + 1;
        }

        return new(text, tags);
    }

    static TagList? Bad(string reason, out string problem)
    {
        problem = reason;
        return null;
    }

    /// <summary>The tag, or null where it does not stand in the list.</summary>
    public Tag? Find(string name)
    {
        foreach (var tag in tags)
            if (tag.Name == name) return tag;
        return null;
    }

    /// <summary>The value's bytes; false where the tag does not stand in the list. White space inside is kept.</summary>
    public bool TryGet(string name, out ReadOnlySpan<byte> value)
    {
        value = Find(name) is { } tag ? text.Span[tag.Start..tag.End] : default;
        return Find(name) is not null;
    }

    /// <summary>The value as text, null where the tag does not stand in the list.</summary>
    public string? Text(string name) => TryGet(name, out var value) ? Encoding.UTF8.GetString(value) : null;

    /// <summary>The parts of a colon-separated value without the white space around each; null where the tag does not stand in the list.</summary>
    public string[]? Words(string name) =>
        Text(name)?.Split(':').Select(word => word.Trim(' ', '\t', '\r', '\n')).ToArray();

    /// <summary>A number of digits alone; what is too large for us counts as the largest.</summary>
    public static bool TryNumber(ReadOnlySpan<byte> text, int mostDigits, out long number)
    {
        number = 0;
        if (text.IsEmpty || text.Length > mostDigits || text.IndexOfAnyExceptInRange((byte)'0', (byte)'9') >= 0) return false;
        foreach (var digit in text)
        {
            if (number > (long.MaxValue - 9) / 10)
            {
                number = long.MaxValue;
                return true;
            }

            number = number * 10 + (digit - '0');
        }

        return true;
    }

    /// <summary>Decodes base64 in which white space counts for nothing and the padding may be missing (RFC 6376 2.10).</summary>
    public static bool TryBase64(ReadOnlySpan<byte> text, out byte[] bytes)
    {
        bytes = [];
        var bare = new byte[text.Length + 3];
        var length = 0;
        foreach (var b in text)
            if (!White.Contains(b)) bare[length++] = b;
        for (var padding = 0; padding < 2 && length > 0 && bare[length - 1] == '='; padding++) length--;
        if (length % 4 == 1 || bare.AsSpan(0, length).Contains((byte)'=')) return false;
        while (length % 4 != 0) bare[length++] = (byte)'=';
        var output = new byte[Base64.GetMaxDecodedFromUtf8Length(length)];
        if (Base64.DecodeFromUtf8(bare.AsSpan(0, length), output, out var read, out var written) != OperationStatus.Done || read != length) return false;
        bytes = output[..written];
        return true;
    }
}
