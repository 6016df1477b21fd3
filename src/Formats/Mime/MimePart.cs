namespace CbaMail.Mime;

/// <summary>
/// A node of a message's MIME tree (RFC 2045-2049). All offsets are bytes from the start of the whole message.
/// </summary>
public sealed class MimePart
{
    /// <summary>Lower case, "text" where the message does not say (RFC 2045 5.2).</summary>
    public string Type { get; init; } = "text";
    /// <summary>Lower case, "plain" where the message does not say.</summary>
    public string Subtype { get; init; } = "plain";
    /// <summary>Parameters of Content-Type in order; names in lower case, values decoded (RFC 2231, RFC 2047 tolerated).</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Parameters { get; init; } = [];
    /// <summary>The same as ASCII, as they stood in the message: what IMAP shows. The decoded ones where nothing differs.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> WireParameters { get => wireParameters ?? Parameters; init => wireParameters = value; }
    /// <summary>Content-Transfer-Encoding in lower case; "7bit" where absent.</summary>
    public string Encoding { get; init; } = "7bit";
    /// <summary>Content-Disposition in lower case ("inline", "attachment"), or null.</summary>
    public string? Disposition { get; init; }
    public IReadOnlyList<KeyValuePair<string, string>> DispositionParameters { get; init; } = [];
    /// <summary>The same as ASCII, as they stood in the message.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> WireDispositionParameters { get => wireDispositionParameters ?? DispositionParameters; init => wireDispositionParameters = value; }
    /// <summary>Content-ID as written, with angle brackets, or null.</summary>
    public string? ContentId { get; init; }
    /// <summary>Content-Description in ASCII as written: <see cref="Text.EncodedWord"/> decodes it for people.</summary>
    public string? Description { get; init; }
    public string? Md5 { get; init; }
    /// <summary>Content-Language tags.</summary>
    public IReadOnlyList<string> Language { get; init; } = [];
    public string? Location { get; init; }

    /// <summary>First byte of the part's header fields.</summary>
    public long HeaderOffset { get; init; }
    /// <summary>First byte of the body: after the empty line that ends the header.</summary>
    public long BodyOffset { get; init; }
    /// <summary>Bytes of the body, without the line end that belongs to the delimiter (RFC 2046 5.1.1).</summary>
    public long BodyLength { get; init; }
    /// <summary>Lines of the body; counts a last line without CRLF.</summary>
    public int BodyLines { get; init; }

    /// <summary>Parts of a multipart; one child, the inner message's own root, for message/rfc822 and message/global.</summary>
    public IReadOnlyList<MimePart> Children { get; init; } = [];

    /// <summary>For the inner message of message/rfc822: its ENVELOPE in IMAP's wire form; else empty.</summary>
    public ReadOnlyMemory<byte> Envelope { get; init; }

    readonly IReadOnlyList<KeyValuePair<string, string>>? wireParameters, wireDispositionParameters;

    public bool IsMultipart => Type == "multipart";
    public bool IsMessage => Type == "message" && Subtype is "rfc822" or "global";

    /// <summary>The file name from Content-Disposition or Content-Type's name, or null.</summary>
    public string? FileName => Parameter(DispositionParameters, "filename") ?? Parameter(Parameters, "name");

    /// <summary>The charset parameter, or null.</summary>
    public string? Charset => Parameter(Parameters, "charset");

    /// <summary>The body's bytes within the whole message; empty where the offsets do not fit it.</summary>
    public ReadOnlySpan<byte> Body(ReadOnlySpan<byte> message) =>
        BodyOffset < 0 || BodyLength < 0 || BodyOffset + BodyLength > message.Length ? default : message.Slice((int)BodyOffset, (int)BodyLength);

    /// <summary>This part and all below it, in the order they stand in the message.</summary>
    public IEnumerable<MimePart> Walk()
    {
        var stack = new Stack<MimePart>();
        stack.Push(this);
        while (stack.TryPop(out var part))
        {
            yield return part;
            for (var i = part.Children.Count - 1; i >= 0; i--) stack.Push(part.Children[i]);
        }
    }

    /// <summary>The value of the first pair of that (lower-case) name, or null.</summary>
    public static string? Parameter(IReadOnlyList<KeyValuePair<string, string>> list, string name)
    {
        foreach (var (key, value) in list)
            if (key == name) return value;
        return null;
    }
}
