using System.Buffers;
using System.Globalization;
using System.Text;
using CbaMail.Mime;

namespace CbaMail.Lists;

/// <summary>The two forms of a digest: multipart/digest with each post whole (RFC 2046 5.1.5), and one plain text, as readers of digests take it apart.</summary>
static class DigestText
{
    const int LongestText = 64 << 10;

    // of a post that stands in a digest nothing is left that was for its way or for programs
    static readonly string[] Kept = ["From", "To", "Cc", "Date", "Subject", "Message-ID", "In-Reply-To", "References", "Reply-To", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Language", "Content-Disposition"];

    public static string Title(MailList list, long issue) => list.IsRussian ? $"{list.Title}: сводка {issue}" : $"{list.Title} Digest, Vol 1, Issue {issue}";

    /// <param name="posts">Whole messages, as they went out.</param>
    public static byte[] Mime(MailList list, long issue, string messageId, DateTimeOffset now, IReadOnlyList<byte[]> posts, string root)
    {
        var output = new ArrayBufferWriter<byte>(posts.Sum(post => post.Length) + 4096);
        var outer = "d" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.ASCII.GetBytes(messageId))[..16]);
        var inner = outer + "i";
        var writer = Head(output, list, issue, messageId, now, root);
        writer.Parameters("Content-Type", "multipart/mixed", ("boundary", outer));
        var eightBit = posts.Any(post => !Ascii.IsValid(post));
        if (eightBit) writer.Structured("Content-Transfer-Encoding", "8bit");
        Put($"\r\n--{outer}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n");
        TransferEncoding.WriteBase64(output, Encoding.UTF8.GetBytes(Contents(list, posts).ReplaceLineEndings("\r\n")));
        Put($"\r\n--{outer}\r\nContent-Type: multipart/digest; boundary=\"{inner}\"\r\n{(eightBit ? "Content-Transfer-Encoding: 8bit\r\n" : "")}");
        foreach (var post in posts)
        {
            // RFC 2046 5.1.5: message/rfc822 unless another type is named
            Put($"\r\n--{inner}\r\n{(Ascii.IsValid(post) ? "" : "Content-Transfer-Encoding: 8bit\r\n")}\r\n");
            var header = HeaderList.Parse(post);
            foreach (var field in header)
                if (Array.Exists(Kept, field.Is)) output.Write(post.AsSpan(field.Span.Start, field.Span.End - field.Span.Start));
            Put("\r\n");
            output.Write(post.AsSpan(header.BodyOffset));
        }
        Put($"\r\n--{inner}--\r\n\r\n--{outer}--\r\n");
        return output.WrittenSpan.ToArray();

        void Put(string text) => output.Write(Encoding.UTF8.GetBytes(text));
    }

    public static byte[] Plain(MailList list, long issue, string messageId, DateTimeOffset now, IReadOnlyList<byte[]> posts, string root)
    {
        var text = new StringBuilder();
        // as digests are written since 1990: a preamble, 70 hyphens; messages with 30 hyphens between them; an end
        text.Append(Contents(list, posts)).Append('\n').Append('-', 70).Append("\n\n");
        foreach (var post in posts)
        {
            var header = HeaderList.Parse(post);
            foreach (var name in (string[])["Date", "From", "To", "Cc", "Subject", "Message-ID"])
                if (header.Value(name)?.Trim() is { Length: > 0 } value) text.Append(name).Append(": ").Append(value).Append('\n');
            var tree = MimeTree.Parse(post);
            // a line of hyphens would end the message for who takes it apart
            text.Append('\n').Append(Readable(post, tree).ReplaceLineEndings("\n").Trim('\n').Replace("\n------------------------------", "\n ------------------------------", StringComparison.Ordinal));
            foreach (var part in tree.Walk())
                if (part is { IsMultipart: false, FileName: { } name }) text.Append($"\n[{(list.IsRussian ? "вложение" : "attachment")}: {name}]");
            text.Append("\n\n").Append('-', 30).Append("\n\n");
        }
        var end = list.IsRussian ? $"Конец сводки {list.Title}, {issue}" : $"End of {list.Title} Digest, Vol 1, Issue {issue}";
        text.Append(end).Append('\n').Append('*', end.Length).Append('\n');
        var output = new ArrayBufferWriter<byte>(text.Length + 1024);
        var writer = Head(output, list, issue, messageId, now, root);
        writer.Parameters("Content-Type", "text/plain", ("charset", "utf-8"));
        writer.Structured("Content-Transfer-Encoding", "quoted-printable");
        output.Write("\r\n"u8);
        TransferEncoding.WriteQuoted(output, Encoding.UTF8.GetBytes(text.ToString().ReplaceLineEndings("\r\n")));
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The text of a message for people, out of whatever form it has.</summary>
    public static string Readable(ReadOnlySpan<byte> message, MimePart tree)
    {
        var part = tree.Walk().FirstOrDefault(one => one is { Type: "text", Subtype: "plain" } && one.Disposition != "attachment") ?? tree.Walk().FirstOrDefault(one => one is { Type: "text", Subtype: "html" } && one.Disposition != "attachment");
        if (part is null) return "";
        var text = ContentDecoder.Text(message, part, LongestText);
        return part.Subtype == "html" ? HtmlText.ToPlainText(text, LongestText) : text;
    }

    static HeaderWriter Head(ArrayBufferWriter<byte> output, MailList list, long issue, string messageId, DateTimeOffset now, string root)
    {
        var writer = new HeaderWriter(output);
        ListText.WriteListFields(writer, list, root);
        writer.Structured("Date", MailDate.Format(now));
        writer.Addresses("From", (list.Title, list.For(ListCommand.Request).ToString()));
        writer.Addresses("To", (list.Title, list.Address.ToString()));
        writer.Addresses("Reply-To", (list.Title, list.Address.ToString()));
        writer.Text("Subject", Title(list, issue));
        writer.Structured("Message-ID", $"<{messageId}>");
        writer.Structured("MIME-Version", "1.0");
        return writer;
    }

    static string Contents(MailList list, IReadOnlyList<byte[]> posts)
    {
        var text = new StringBuilder(list.IsRussian
            ? $"Писать в список: {list.Address}\nСправка: {list.For(ListCommand.Help)}\nПолучать каждое письмо отдельно: {list.For(ListCommand.Set, "normal")}\nВладельцы: {list.For(ListCommand.Owner)}\n\nСегодня:\n\n"
            : $"To post to the list: {list.Address}\nHelp: {list.For(ListCommand.Help)}\nTo get each post by itself: {list.For(ListCommand.Set, "normal")}\nOwners: {list.For(ListCommand.Owner)}\n\nToday's Topics:\n\n");
        for (var i = 0; i < posts.Count; i++)
        {
            var header = HeaderList.Parse(posts[i]);
            var author = header.Addresses("From").Mailboxes.FirstOrDefault() is { } from ? from.Name.Trim() is { Length: > 0 } name ? name : from.LocalPart : "";
            text.Append(CultureInfo.InvariantCulture, $"  {i + 1,2}. {header.Value("Subject")?.Trim()} ({author})\n");
        }
        return text.Append('\n').ToString();
    }
}
