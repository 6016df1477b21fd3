using System.Buffers;
using System.Text;

namespace CbaMail.Mime;

/// <summary>
/// Writes a report on delivery: multipart/report (RFC 6522) of a text for people, the delivery-status for machines (RFC 3464) and
/// the original message or its header. For addresses that are not ASCII in the global forms (RFC 6533).
/// </summary>
public sealed class ReportBuilder
{
    /// <summary>Usually the mail system's name and its postmaster.</summary>
    public (string Name, string Address) From { get; set; }
    /// <summary>The sender of the original message.</summary>
    public (string Name, string Address) To { get; set; }
    public string Subject { get; set; } = "";
    public DateTimeOffset Date { get; set; }
    /// <summary>Without angle brackets.</summary>
    public string MessageId { get; set; } = "";
    /// <summary>What happened and what to do, for people.</summary>
    public string Text { get; set; } = "";
    public required DeliveryStatus Status { get; set; }
    /// <summary>The original message, or only its header section.</summary>
    public ReadOnlyMemory<byte> Original { get; set; }
    /// <summary>Return the whole original (DSN's RET=FULL) or its header only (RET=HDRS, RFC 3461 4.3).</summary>
    public bool ReturnFull { get; set; }
    /// <summary>Further header fields in order.</summary>
    public List<(string Name, string Value)> Headers { get; } = [];

    public void WriteTo(IBufferWriter<byte> output)
    {
        var writer = new MimeWriter(output, MessageId);
        var header = writer.Header;
        header.Structured("Date", MailDate.Format(Date));
        header.Addresses("From", From);
        header.Addresses("To", To);
        header.Text("Subject", Subject);
        if (MessageId.Length > 0) header.Structured("Message-ID", $"<{MessageId.Trim('<', '>', ' ')}>");
        if (HeaderList.Parse(Original.Span).Find("Message-ID") is { } field && Mime.MessageId.Parse(field.Raw.Span) is { Length: < 900 } id)
        {
            header.Structured("In-Reply-To", $"<{id}>");
            header.Structured("References", $"<{id}>");
        }

        // RFC 3834 3.1.7: nobody should answer a machine's answer
        header.Structured("Auto-Submitted", "auto-replied");
        foreach (var (name, value) in Headers) header.Text(name, value);
        header.Structured("MIME-Version", "1.0");
        var boundary = writer.NextBoundary();
        // RFC 6522 3
        writer.Multipart("report", boundary, ("report-type", "delivery-status"));
        // RFC 2045 6.4: what holds 8-bit text says so itself
        if (Status.IsGlobal || !Ascii.IsValid(ReturnFull ? Original.Span : Original.Span[..HeaderList.Parse(Original.Span).BodyOffset])) header.Structured("Content-Transfer-Encoding", "8bit");
        writer.EndHeader();
        writer.Delimiter(boundary, first: true);
        writer.TextPart("text/plain", Text);
        writer.Delimiter(boundary);
        // RFC 3464 2.1; RFC 6533 3: the global form is UTF-8
        header.Structured("Content-Type", Status.IsGlobal ? "message/global-delivery-status" : "message/delivery-status");
        if (Status.IsGlobal) header.Structured("Content-Transfer-Encoding", "8bit");
        writer.EndHeader();
        Status.WriteTo(writer);
        if (!Original.IsEmpty) OriginalPart(writer, output, boundary);
        writer.CloseDelimiter(boundary);
    }

    void OriginalPart(MimeWriter writer, IBufferWriter<byte> output, string boundary)
    {
        var content = Original.Span;
        var headerEnd = HeaderList.Parse(content).BodyOffset;
        var headerBytes = content[..headerEnd];
        if (!ReturnFull) content = headerBytes;
        var ascii = Ascii.IsValid(content);
        var global = !Ascii.IsValid(headerBytes);
        writer.Delimiter(boundary);
        // RFC 6522 4: text/rfc822-headers; RFC 6533 4: message/global-headers
        writer.Header.Structured("Content-Type", (ReturnFull, global) switch
        {
            (true, false) => "message/rfc822",
            (true, true) => "message/global",
            (false, false) => "text/rfc822-headers",
            (false, true) => "message/global-headers",
        });
        if (!ascii) writer.Header.Structured("Content-Transfer-Encoding", "8bit");
        writer.EndHeader();
        output.Write(content);
        // RFC 6522 4: headers end as a message's would
        if (!content.EndsWith("\n"u8)) output.Write("\r\n"u8);
    }
}
