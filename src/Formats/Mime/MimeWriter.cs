using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Text;

namespace CbaMail.Mime;

/// <summary>Writes the parts of a message: text in the shortest legal encoding, files in base64, delimiters.</summary>
public sealed class MimeWriter
{
    readonly IBufferWriter<byte> output;
    readonly string seed;
    readonly bool eightBit;
    int boundaries;

    /// <param name="output">Takes the bytes.</param>
    /// <param name="seed">What boundaries derive from, so that the same message is written the same again: its Message-ID.</param>
    /// <param name="eightBit">Text that is not ASCII may stand as it is (RFC 6152): it does not leave this server.</param>
    public MimeWriter(IBufferWriter<byte> output, string seed, bool eightBit = false)
    {
        this.output = output;
        this.eightBit = eightBit;
        Header = new HeaderWriter(output);
        this.seed = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(seed)).AsSpan(0, 10));
    }

    /// <summary>Writes header fields to the same place.</summary>
    public HeaderWriter Header { get; }

    /// <summary>The next boundary. "=_" occurs in neither quoted-printable nor base64 (RFC 2045 6.7), so no encoded body can hold it.</summary>
    public string NextBoundary() => $"=_{seed}.{++boundaries}";

    /// <summary>Ends a header section.</summary>
    public void EndHeader() => output.Write("\r\n"u8);

    /// <summary>A delimiter before a part (RFC 2046 5.1.1); <paramref name="first"/> has no line end to take from a body before it.</summary>
    public void Delimiter(string boundary, bool first = false)
    {
        output.Write(first ? "--"u8 : "\r\n--"u8);
        Ascii(boundary);
        output.Write("\r\n"u8);
    }

    /// <summary>The close delimiter.</summary>
    public void CloseDelimiter(string boundary)
    {
        output.Write("\r\n--"u8);
        Ascii(boundary);
        output.Write("--\r\n"u8);
    }

    void Ascii(string text)
    {
        var span = output.GetSpan(text.Length);
        output.Advance(Encoding.ASCII.GetBytes(text, span));
    }

    /// <summary>Content-Type of a multipart.</summary>
    public void Multipart(string subtype, string boundary, params IEnumerable<(string, string)> parameters) =>
        Header.Parameters("Content-Type", "multipart/" + subtype, [.. parameters, ("boundary", boundary)]);

    /// <summary>
    /// A whole text part, header and body, in UTF-8. Line ends become CRLF, and the last line gets one. The encoding is 7bit where
    /// that is legal, else whichever of quoted-printable and base64 is shorter.
    /// </summary>
    public void TextPart(string type, string text)
    {
        var rented = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        var raw = rented.AsSpan(0, Encoding.UTF8.GetBytes(text, rented));
        var canonical = Canonical(raw, out var length);
        var body = canonical.AsSpan(0, length);
        var (encoding, ascii) = Choose(body, eightBit);
        Header.Parameters("Content-Type", type, ("charset", ascii ? "us-ascii" : "utf-8"));
        Header.Structured("Content-Transfer-Encoding", encoding);
        EndHeader();
        switch (encoding)
        {
            case "7bit" or "8bit": output.Write(body); break;
            case "base64": TransferEncoding.WriteBase64(output, body); break;
            default: TransferEncoding.WriteQuoted(output, body); break;
        }

        ArrayPool<byte>.Shared.Return(canonical);
        ArrayPool<byte>.Shared.Return(rented);
    }

    // RFC 6047 2.4: the method stands in the header too; base64 carries it through whatever folds and cuts lines
    internal void CalendarPart(ReadOnlySpan<byte> calendar, string method)
    {
        Header.Parameters("Content-Type", "text/calendar", ("charset", "utf-8"), ("method", method));
        Header.Structured("Content-Transfer-Encoding", "base64");
        EndHeader();
        TransferEncoding.WriteBase64(output, calendar);
    }

    // RFC 2046 4.1.1: the canonical form of text has CRLF as line end
    static byte[] Canonical(ReadOnlySpan<byte> text, out int length)
    {
        var target = ArrayPool<byte>.Shared.Rent(text.Length + text.Count((byte)'\n') + text.Count((byte)'\r') + 2);
        length = 0;
        while (true)
        {
            var next = text.IndexOfAny((byte)'\r', (byte)'\n');
            var line = next < 0 ? text : text[..next];
            line.CopyTo(target.AsSpan(length));
            length += line.Length;
            if (next < 0 && line.IsEmpty) return target;
            target[length++] = (byte)'\r';
            target[length++] = (byte)'\n';
            if (next < 0) return target;
            text = text[(next + (text[next] == '\r' && next + 1 < text.Length && text[next + 1] == '\n' ? 2 : 1))..];
            if (text.IsEmpty) return target;
        }
    }

    static (string Encoding, bool Ascii) Choose(ReadOnlySpan<byte> body, bool eightBit)
    {
        var ascii = System.Text.Ascii.IsValid(body);
        // RFC 2045 2.7: 7bit has lines of at most 998, no NUL, CR and LF only together
        if (ascii && body.IndexOf((byte)0) < 0 && !body.StartsWith("From "u8) && body.IndexOf("\nFrom "u8) < 0 && LongestLine(body) <= LineFolding.Hard) return ("7bit", true);
        // RFC 2045 2.8: 8bit has the same rules for lines
        if (eightBit && !ascii && body.IndexOf((byte)0) < 0 && !body.StartsWith("From "u8) && body.IndexOf("\nFrom "u8) < 0 && LongestLine(body) <= LineFolding.Hard) return ("8bit", false);
        var plain = 0;
        foreach (var b in body)
            if (b is >= (byte)' ' and <= (byte)'~' and not (byte)'=' or (byte)'\r' or (byte)'\n' or (byte)'\t') plain++;
        var quoted = plain + 3L * (body.Length - plain);
        quoted += quoted / 75 * 3;
        return (quoted <= TransferEncoding.Base64Length(body.Length) ? "quoted-printable" : "base64", ascii);
    }

    internal static int LongestLine(ReadOnlySpan<byte> body)
    {
        var longest = 0;
        while (!body.IsEmpty)
        {
            var end = body.IndexOf((byte)'\n');
            var length = end < 0 ? body.Length : end > 0 && body[end - 1] == '\r' ? end - 1 : end;
            longest = Math.Max(longest, length);
            if (end < 0) break;
            body = body[(end + 1)..];
        }

        return longest;
    }

    /// <summary>A whole file part. Its base64 is made once a <see cref="MimeFile"/>, however many messages carry it.</summary>
    public void FilePart(MimeFile file, bool inline)
    {
        var type = ContentType.Parse(Encoding.ASCII.GetBytes(file.ContentType));
        var isMessage = type is { Type: "message" };
        var word = file.ContentType.Contains('/') && type.Type != "multipart" ? $"{type.Type}/{type.Subtype}" : "application/octet-stream";
        // RFC 2046 5.2.1: message/rfc822 may not be encoded; one that cannot stand as it is goes as a plain file
        var identity = isMessage && LongestLine(file.Content.Span) <= LineFolding.Hard && file.Content.Span.IndexOf((byte)0) < 0;
        if (isMessage && !identity) word = "application/octet-stream";
        if (type.Parameters.Count > 0 && !EncodedWord.Needs(file.FileName))
            Header.Parameters("Content-Type", word, [.. type.Parameters.Where(pair => pair.Key is not ("name" or "boundary")).Select(pair => (pair.Key, pair.Value)), ("name", file.FileName)]);
        else Header.TypeWithName(word, file.FileName);
        Header.Structured("Content-Transfer-Encoding", !identity ? "base64" : System.Text.Ascii.IsValid(file.Content.Span) ? "7bit" : "8bit");
        Header.Parameters("Content-Disposition", inline ? "inline" : "attachment", file.FileName.Length > 0 ? [("filename", file.FileName)] : []);
        if (file.ContentId is { Length: > 0 } id) Header.Structured("Content-ID", $"<{id.Trim('<', '>', ' ')}>");
        EndHeader();
        output.Write(identity ? file.Content.Span : file.Base64.Span);
    }
}
