using System.Buffers;

namespace CbaMail.Mime;

/// <summary>A file to send: an attachment, or an inline image that the HTML names by <c>cid:</c>.</summary>
public sealed record MimeFile(string FileName, string ContentType, ReadOnlyMemory<byte> Content, string? ContentId = null)
{
    sealed record Made(ReadOnlyMemory<byte> Content, byte[] Base64);

    Made? made;

    /// <summary>The content in base64 with line ends, made at the first use and kept: many messages may carry the same file.</summary>
    public ReadOnlyMemory<byte> Base64
    {
        get
        {
            var have = made;
            if (have is not null && have.Content.Equals(Content)) return have.Base64;
            var buffer = new ArrayBufferWriter<byte>((int)Math.Max(1, TransferEncoding.Base64Length(Content.Length)));
            TransferEncoding.WriteBase64(buffer, Content.Span);
            made = have = new Made(Content, buffer.WrittenSpan.ToArray());
            return have.Base64;
        }
    }

    public bool Equals(MimeFile? other) => other is not null && FileName == other.FileName && ContentType == other.ContentType && Content.Equals(other.Content) && ContentId == other.ContentId;

    public override int GetHashCode() => HashCode.Combine(FileName, ContentType, Content.Length, ContentId);
}

/// <summary>
/// Writes a message: encoded and folded headers, alternative/related/mixed, attachments, legal line lengths
/// (RFC 5322 2.1.1). What is written reads back as what was given, and is the same bytes each time.
/// </summary>
public sealed class MessageBuilder
{
    /// <summary>Display name and address; the name may be empty.</summary>
    public (string Name, string Address) From { get; set; }
    public (string Name, string Address)? ReplyTo { get; set; }
    public List<(string Name, string Address)> To { get; } = [];
    public List<(string Name, string Address)> Cc { get; } = [];
    public string Subject { get; set; } = "";
    public DateTimeOffset Date { get; set; }
    /// <summary>Without angle brackets.</summary>
    public string MessageId { get; set; } = "";
    public string? Text { get; set; }
    public string? Html { get; set; }
    /// <summary>A calendar beside the text, for programs, with its METHOD (RFC 6047 2.4); goes with <see cref="Text"/> and without <see cref="Html"/>.</summary>
    public (ReadOnlyMemory<byte> Bytes, string Method)? Calendar { get; set; }
    public List<MimeFile> Inline { get; } = [];
    public List<MimeFile> Attachments { get; } = [];
    /// <summary>Further header fields in order; values are encoded and folded as unstructured text.</summary>
    public List<(string Name, string Value)> Headers { get; } = [];

    /// <summary>Text that is not ASCII stands as it is where its lines allow: for mail that does not leave this server, or goes by 8BITMIME.</summary>
    public bool EightBit { get; set; }

    public void WriteTo(IBufferWriter<byte> output)
    {
        var writer = new MimeWriter(output, MessageId.Length > 0 ? MessageId : MailDate.Format(Date) + From.Address + Subject, EightBit);
        WriteHeader(writer.Header);
        if (Attachments.Count == 0)
        {
            Content(writer);
            return;
        }

        // RFC 2046 5.1.3
        var boundary = writer.NextBoundary();
        writer.Multipart("mixed", boundary);
        writer.EndHeader();
        writer.Delimiter(boundary, first: true);
        Content(writer);
        foreach (var file in Attachments)
        {
            writer.Delimiter(boundary);
            writer.FilePart(file, inline: false);
        }

        writer.CloseDelimiter(boundary);
    }

    // RFC 5322 3.6
    void WriteHeader(HeaderWriter header)
    {
        header.Structured("Date", MailDate.Format(Date));
        header.Addresses("From", From);
        if (ReplyTo is { } replyTo) header.Addresses("Reply-To", replyTo);
        if (To.Count > 0) header.Addresses("To", To);
        if (Cc.Count > 0) header.Addresses("Cc", Cc);
        header.Text("Subject", Subject);
        if (MessageId.Length > 0) header.Structured("Message-ID", $"<{MessageId.Trim('<', '>', ' ')}>");
        foreach (var (name, value) in Headers) header.Text(name, value);
        header.Structured("MIME-Version", "1.0");
    }

    void Content(MimeWriter writer)
    {
        if (Calendar is { } calendar)
        {
            var boundary = writer.NextBoundary();
            writer.Multipart("alternative", boundary);
            writer.EndHeader();
            writer.Delimiter(boundary, first: true);
            writer.TextPart("text/plain", Text ?? "");
            writer.Delimiter(boundary);
            writer.CalendarPart(calendar.Bytes.Span, calendar.Method);
            writer.CloseDelimiter(boundary);
        }
        else if (Text is null && Html is not null) HtmlContent(writer);
        else if (Html is null && Inline.Count == 0) writer.TextPart("text/plain", Text ?? "");
        else if (Html is null)
        {
            // Images that no HTML names still go along
            var mixed = writer.NextBoundary();
            writer.Multipart("mixed", mixed);
            writer.EndHeader();
            writer.Delimiter(mixed, first: true);
            writer.TextPart("text/plain", Text ?? "");
            InlineFiles(writer, mixed);
            writer.CloseDelimiter(mixed);
        }
        else
        {
            // RFC 2046 5.1.4: the plainest first, the richest last
            var boundary = writer.NextBoundary();
            writer.Multipart("alternative", boundary);
            writer.EndHeader();
            writer.Delimiter(boundary, first: true);
            writer.TextPart("text/plain", Text!);
            writer.Delimiter(boundary);
            HtmlContent(writer);
            writer.CloseDelimiter(boundary);
        }
    }

    void HtmlContent(MimeWriter writer)
    {
        if (Inline.Count == 0)
        {
            writer.TextPart("text/html", Html!);
            return;
        }

        // RFC 2387 3.1: type names the root's
        var boundary = writer.NextBoundary();
        writer.Multipart("related", boundary, ("type", "text/html"));
        writer.EndHeader();
        writer.Delimiter(boundary, first: true);
        writer.TextPart("text/html", Html!);
        InlineFiles(writer, boundary);
        writer.CloseDelimiter(boundary);
    }

    void InlineFiles(MimeWriter writer, string boundary)
    {
        foreach (var file in Inline)
        {
            writer.Delimiter(boundary);
            writer.FilePart(file, inline: true);
        }
    }
}
