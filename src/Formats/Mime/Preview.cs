using System.Text;

namespace CbaMail.Mime;

/// <summary>The first words of a message as plain text, for lists of messages (RFC 8970).</summary>
public static class Preview
{
    const int FirstBytes = 2 * 1024;
    const int PlainBytes = 16 * 1024;
    const int HtmlBytes = 128 * 1024;

    /// <summary>At most <paramref name="length"/> characters, white space folded, from text/plain or else text/html.</summary>
    public static string Of(ReadOnlySpan<byte> message, MimePart root, int length = 200)
    {
        MimePart? plain = null, html = null;
        foreach (var part in root.Walk().Take(200))
            if (part.Type == "text" && part.Disposition != "attachment" && part.FileName is null)
            {
                if (part.Subtype == "html") html ??= part;
                else if (part.Subtype == "plain") plain ??= part;
            }

        if (plain is not null)
        {
            // the first words mostly stand in the first bytes: the rest is decoded only where they do not
            var text = Cut(ContentDecoder.Text(message, plain, FirstBytes), length);
            if (text.Length < length - 1 && plain.BodyLength > FirstBytes) text = Cut(ContentDecoder.Text(message, plain, PlainBytes), length);
            if (text.Length > 0) return text;
        }

        return html is null ? "" : Cut(HtmlText.ToPlainText(ContentDecoder.Text(message, html, HtmlBytes), length * 4 + 400, forPreview: true), length);
    }

    static string Cut(string text, int length)
    {
        var output = new StringBuilder(Math.Min(length, text.Length) + 1);
        foreach (var rune in text.EnumerateRunes())
        {
            // Mailers pad the preview with characters that have no width
            if (rune.Value is 0x00AD or 0x034F or 0x061C or 0x2007 or >= 0x200B and <= 0x200F or >= 0x2060 and <= 0x2064 or 0xFEFF or 0x115F or 0x180E) continue;
            if (Rune.IsWhiteSpace(rune) || Rune.IsControl(rune))
            {
                if (output.Length > 0 && output[^1] != ' ') output.Append(' ');
            }
            else if (output.Length + rune.Utf16SequenceLength > length) break;
            else output.Append(rune.ToString());
            if (output.Length >= length) break;
        }

        if (output.Length > 0 && output[^1] == ' ') output.Length--;
        return output.ToString();
    }
}
