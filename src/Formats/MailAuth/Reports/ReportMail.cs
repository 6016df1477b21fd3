using System.Buffers;
using System.Globalization;
using CbaMail.Mime;

namespace CbaMail.MailAuth.Reports;

/// <summary>Reports as mail: how they are named, written, and found again in what others send (RFC 7489 7.2.1.1, RFC 8460 5).</summary>
public sealed record ReportMail(string Submitter, string Domain, DateTimeOffset Begin, DateTimeOffset End, string Id)
{
    /// <summary>RFC 7489 7.2.1.1, RFC 8460 5.1: receiver!domain!begin!end[!unique].extension.</summary>
    /// <param name="extension">"xml.gz" or "json.gz".</param>
    /// <param name="unique">Letters and digits, or empty.</param>
    public string FileName(string extension, string unique = "") => string.Create(CultureInfo.InvariantCulture,
        $"{Submitter}!{Domain}!{Begin.ToUnixTimeSeconds()}!{End.ToUnixTimeSeconds()}{(unique.Length > 0 ? "!" + unique : "")}.{extension}");

    /// <summary>RFC 7489 7.2.1.1, RFC 8460 5.3.</summary>
    public string Subject => $"Report Domain: {Domain} Submitter: {Submitter} Report-ID: <{Id}>";

    /// <summary>Writes the mail for an aggregate report of DMARC.</summary>
    public void WriteAggregate(IBufferWriter<byte> output, string from, string to, string messageId, DateTimeOffset date, AggregateReport report) =>
        Write(output, from, to, messageId, date, tls: false,
            $"This is a DMARC aggregate report of {Submitter} about mail in the name of {Domain}.\n\nProgrammes read the attached file (RFC 7489).\n",
            new MimeFile(FileName("xml.gz"), "application/gzip", ReportContainer.Gzip(AggregateReportWriter.Write(report))));

    /// <summary>Writes the mail for a report on TLS.</summary>
    public void WriteTls(IBufferWriter<byte> output, string from, string to, string messageId, DateTimeOffset date, TlsReport report) =>
        Write(output, from, to, messageId, date, tls: true,
            $"This is a report of {Submitter} on TLS towards {Domain}.\n\nProgrammes read the attached file (RFC 8460).\n",
            new MimeFile(FileName("json.gz", Unique), "application/tlsrpt+gzip", ReportContainer.Gzip(TlsReportJson.Write(report))));

    string Unique => string.Concat(Id.Where(char.IsAsciiLetterOrDigit).Take(32));

    void Write(IBufferWriter<byte> output, string from, string to, string messageId, DateTimeOffset date, bool tls, string text, MimeFile file)
    {
        var writer = new MimeWriter(output, messageId);
        var header = writer.Header;
        header.Structured("Date", MailDate.Format(date));
        header.Addresses("From", ("", from));
        header.Addresses("To", ("", to));
        header.Text("Subject", Subject);
        header.Structured("Message-ID", $"<{messageId}>");
        // RFC 3834 5: a machine speaks
        header.Structured("Auto-Submitted", "auto-generated");
        if (tls)
        {
            // RFC 8460 5.3
            header.Structured("TLS-Report-Domain", Domain);
            header.Structured("TLS-Report-Submitter", Submitter);
            // what it reports must not keep it from arriving (RFC 8689 3: delivered whatever TLS of the receiver is worth); such sessions count for no report
            header.Structured("TLS-Required", "No");
        }
        header.Structured("MIME-Version", "1.0");
        var boundary = writer.NextBoundary();
        if (tls) writer.Multipart("report", boundary, ("report-type", "tlsrpt"));
        else writer.Multipart("mixed", boundary);
        writer.EndHeader();
        writer.Delimiter(boundary, first: true);
        writer.TextPart("text/plain", text);
        writer.Delimiter(boundary);
        writer.FilePart(file, inline: false);
        writer.CloseDelimiter(boundary);
    }

    /// <summary>How the reason begins where a message is simply no report.</summary>
    public const string Nothing = "no part of the message is ";

    /// <summary>Parts of a message that may hold a report; more are not looked at.</summary>
    const int MaxParts = 5; // each may open into megabytes

    /// <summary>The aggregate report of DMARC in a message, whatever its sender calls the attachment; null with the last reason.</summary>
    public static AggregateReport? FindAggregate(ReadOnlySpan<byte> message, out string problem) =>
        Find(message, ".xml", Nothing + "an aggregate report", AggregateReportReader.Read, out problem);

    /// <summary>The report on TLS in a message; null with the last reason.</summary>
    public static TlsReport? FindTls(ReadOnlySpan<byte> message, out string problem) =>
        Find(message, ".json", Nothing + "a report on TLS", TlsReportJson.Read, out problem);

    delegate T? Reader<T>(ReadOnlyMemory<byte> file, out string problem);

    static T? Find<T>(ReadOnlySpan<byte> message, string extension, string nothing, Reader<T> read, out string problem) where T : class
    {
        problem = nothing;
        foreach (var part in MimeTree.Parse(message).Walk().Where(p => IsReport(p, extension)).Take(MaxParts))
            if (read(ContentDecoder.Bytes(message, part), out problem) is { } report) return report;
        return null;
    }

    static bool IsReport(MimePart part, string extension)
    {
        if (part.IsMultipart || part.IsMessage) return false;
        if (part.Subtype is "gzip" or "x-gzip" or "zip" or "x-zip" or "x-zip-compressed" or "xml" or "json" or "tlsrpt+json" or "tlsrpt+gzip") return true;
        var name = part.FileName ?? "";
        return name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".zip", StringComparison.OrdinalIgnoreCase) || name.EndsWith(extension, StringComparison.OrdinalIgnoreCase);
    }
}
