using System.Buffers;
using System.Net;
using System.Text;
using CbaMail.Text;

namespace CbaMail.Mime;

/// <summary>
/// Puts a text below the first text of a message: into each of its alternatives, plain or HTML, in their own encoding where that can
/// say it, else in UTF-8. A message that is signed or encrypted as a whole or in part (RFC 1847, RFC 8551, RFC 3156) stays as it is, and so does
/// one that holds the text already, a reply that quotes it for instance.
/// </summary>
public sealed class Footer
{
    const int LargestPart = 4 << 20; // beyond it nobody reads to the end
    const int DeepestPart = 20;

    readonly string text, html, mark;

    /// <param name="text">Plain text; lines end with LF or CRLF.</param>
    /// <param name="html">An HTML fragment, or null to make one of the text.</param>
    public Footer(string text, string? html)
    {
        this.text = text.ReplaceLineEndings("\r\n").TrimEnd();
        this.html = html ?? "<div>" + WebUtility.HtmlEncode(this.text).Replace("\r\n", "<br>\r\n", StringComparison.Ordinal) + "</div>";
        mark = Squeezed(this.text);
    }

    /// <summary>Writes the message with the text in it.</summary>
    /// <returns>False where it stays as it is; nothing has been written then.</returns>
    public bool TryWrite(ReadOnlySpan<byte> message, IBufferWriter<byte> output)
    {
        var root = MimeTree.Parse(message);
        if (root.Walk().Any(IsProtected)) return false;
        var places = new List<MimePart>();
        Find(root, places, depth: 0);
        if (places.Count == 0) return false;
        var texts = new List<string>(places.Count);
        foreach (var part in places)
        {
            var old = ContentDecoder.Text(message, part);
            if (mark.Length > 0 && Squeezed(part.Subtype == "html" ? HtmlText.ToPlainText(old) : old).Contains(mark, StringComparison.Ordinal)) return false;
            texts.Add(old);
        }
        var done = 0;
        for (var i = 0; i < places.Count; i++)
        {
            var part = places[i];
            output.Write(message[done..(int)part.HeaderOffset]);
            WritePart(message, part, part.Subtype == "html" ? Html(texts[i]) : Plain(texts[i]), output);
            done = (int)(part.BodyOffset + part.BodyLength);
        }
        output.Write(message[done..]);
        return true;
    }

    /// <summary>Whether the message, or a part of it, is signed or encrypted.</summary>
    public static bool Protects(ReadOnlySpan<byte> message) => MimeTree.Parse(message).Walk().Any(IsProtected);

    static bool IsProtected(MimePart part) =>
        part is { Type: "multipart", Subtype: "signed" or "encrypted" }
        || part is { Type: "application", Subtype: "pkcs7-mime" or "x-pkcs7-mime" or "pgp-encrypted" or "pgp-signature" or "pgp" };

    // the first text of the message: all alternatives of it, not the attachments behind it
    static bool Find(MimePart part, List<MimePart> places, int depth)
    {
        if (depth > DeepestPart) return false;
        if (part is { IsMultipart: true, Subtype: "alternative" })
        {
            foreach (var child in part.Children) Find(child, places, depth + 1);
            return places.Count > 0;
        }
        if (part.IsMultipart) return part.Children.Any(child => Find(child, places, depth + 1));
        if (part.Type != "text" || part.Subtype is not ("plain" or "html") || part.Disposition == "attachment" || part.BodyLength > LargestPart) return false;
        places.Add(part);
        return true;
    }

    string Plain(string old) => old.TrimEnd('\r', '\n') + "\r\n\r\n" + text + "\r\n";

    string Html(string old)
    {
        var end = old.LastIndexOf("</body", StringComparison.OrdinalIgnoreCase);
        if (end < 0) end = old.LastIndexOf("</html", StringComparison.OrdinalIgnoreCase);
        return end < 0 ? old.TrimEnd('\r', '\n') + "\r\n" + html + "\r\n" : old[..end] + html + "\r\n" + old[end..];
    }

    static string Squeezed(string text)
    {
        var kept = new StringBuilder(text.Length);
        foreach (var c in text)
            if (!char.IsWhiteSpace(c) && c is not ('>' or '|')) kept.Append(c); // as quoted by a reply
        return kept.ToString();
    }

    static void WritePart(ReadOnlySpan<byte> message, MimePart part, string text, IBufferWriter<byte> output)
    {
        var (bytes, charset) = Encoded(text, part.Charset);
        var encoding = part.Encoding is "base64" or "quoted-printable" ? part.Encoding
            : Ascii.IsValid(bytes) && LongestLine(bytes) <= 998 ? "7bit"
            : part.Encoding == "8bit" && LongestLine(bytes) <= 998 ? "8bit" : "quoted-printable";
        var reader = new HeaderReader(message, (int)part.HeaderOffset, top: part.HeaderOffset == 0);
        var header = new HeaderWriter(output);
        bool type = false, transfer = false, version = false;
        while (reader.Next(out var field))
        {
            var name = message.Slice(field.Start, field.NameLength);
            if (Ascii.EqualsIgnoreCase(name, "Content-Type"u8))
            {
                if (!type) WriteType(header, part, charset);
                type = true;
            }
            else if (Ascii.EqualsIgnoreCase(name, "Content-Transfer-Encoding"u8))
            {
                if (!transfer) header.Structured("Content-Transfer-Encoding", encoding);
                transfer = true;
            }
            else if (!Ascii.EqualsIgnoreCase(name, "Content-MD5"u8))
            {
                version |= Ascii.EqualsIgnoreCase(name, "MIME-Version"u8);
                output.Write(message[field.Start..field.End]);
            }
        }
        // RFC 2045 4: a message that had none of these fields was plain ASCII text
        if (part.HeaderOffset == 0 && !version) header.Structured("MIME-Version", "1.0");
        if (!type) WriteType(header, part, charset);
        if (!transfer && encoding != "7bit") header.Structured("Content-Transfer-Encoding", encoding);
        output.Write("\r\n"u8);
        switch (encoding)
        {
            case "base64": TransferEncoding.WriteBase64(output, bytes); break;
            case "quoted-printable": TransferEncoding.WriteQuoted(output, bytes); break;
            default: output.Write(bytes); break;
        }
    }

    static void WriteType(HeaderWriter header, MimePart part, string charset) =>
        header.Parameters("Content-Type", part.Type + "/" + part.Subtype,
            [("charset", charset), .. part.Parameters.Where(pair => pair.Key != "charset").Select(pair => (pair.Key, pair.Value))]);

    // RFC 2046 4.1.2: the charset of the part where it has all the letters, else UTF-8
    static (byte[] Bytes, string Charset) Encoded(string text, string? charset)
    {
        if (Ascii.IsValid(text)) return (Encoding.ASCII.GetBytes(text), string.IsNullOrEmpty(charset) ? "us-ascii" : charset);
        if (Charset.Find(charset) is { } own && own.IsSingleByte)
        {
            try
            {
                return (Encoding.GetEncoding(own.CodePage, EncoderFallback.ExceptionFallback, DecoderFallback.ReplacementFallback).GetBytes(text), charset!);
            }
            catch (Exception e) when (e is EncoderFallbackException or NotSupportedException or ArgumentException) { } // a letter that it lacks
        }
        return (Encoding.UTF8.GetBytes(text), "utf-8");
    }

    static int LongestLine(ReadOnlySpan<byte> bytes)
    {
        var longest = 0;
        foreach (var range in bytes.Split((byte)'\n')) longest = Math.Max(longest, range.End.GetOffset(bytes.Length) - range.Start.GetOffset(bytes.Length));
        return longest;
    }
}
