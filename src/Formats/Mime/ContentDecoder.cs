using System.Text;
using CbaMail.Text;

namespace CbaMail.Mime;

/// <summary>The content of a part: its bytes without the transfer encoding, or its text.</summary>
public static class ContentDecoder
{
    /// <summary>The decoded bytes of a part; at most <paramref name="limit"/> bytes of its body are looked at.</summary>
    public static byte[] Bytes(ReadOnlySpan<byte> message, MimePart part, int limit = int.MaxValue)
    {
        var body = part.Body(message);
        return TransferEncoding.Decode(body[..Math.Min(limit, body.Length)], part.Encoding);
    }

    /// <summary>The text of a part: decoded, and read in its character set (RFC 2046 4.1.2). HTML may name its own.</summary>
    public static string Text(ReadOnlySpan<byte> message, MimePart part, int limit = int.MaxValue)
    {
        var bytes = Bytes(message, part, limit);
        var charset = part.Charset;
        if (string.IsNullOrEmpty(charset) && part.Subtype is "html" or "xhtml+xml") charset = MetaCharset(bytes);
        return Charset.Decode(bytes, charset);
    }

    // HTML 13.2.3.2: <meta charset=...> or http-equiv within the first bytes
    static string? MetaCharset(ReadOnlySpan<byte> html)
    {
        var head = Encoding.Latin1.GetString(html[..Math.Min(html.Length, 2048)]);
        var meta = head.IndexOf("<meta", StringComparison.OrdinalIgnoreCase);
        if (meta < 0) return null;
        var at = head.IndexOf("charset=", meta, StringComparison.OrdinalIgnoreCase);
        if (at < 0) return null;
        var rest = head.AsSpan(at + 8).TrimStart("\"' ");
        var end = rest.IndexOfAny("\"' />;");
        return end > 0 && end <= 40 ? rest[..end].ToString() : null;
    }
}
