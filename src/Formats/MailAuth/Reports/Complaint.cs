using System.Net;
using CbaMail.Mime;
using CbaMail.Text;

namespace CbaMail.MailAuth.Reports;

/// <summary>How a complaint was written.</summary>
public enum ComplaintForm
{
    /// <summary>multipart/report with a feedback-report (RFC 5965).</summary>
    Arf,
    /// <summary>The message itself forwarded, with X-HmXmrOriginalRecipient: Outlook's junk mail reporting.</summary>
    Forwarded,
}

/// <summary>
/// A complaint of a provider about a message of ours (RFC 5965, RFC 6650). Real ones hide the recipient and leave fields out: what
/// ties it to a message is any of Message-ID, Feedback-ID, the reverse-path and the address in List-Unsubscribe.
/// </summary>
public sealed record Complaint(ComplaintForm Form)
{
    /// <summary>abuse, fraud, virus, other, not-spam, auth-failure or opt-out, in lower case (RFC 5965 7.3, RFC 6591).</summary>
    public string FeedbackType { get; init; } = "abuse";
    public string? UserAgent { get; init; }
    /// <summary>Reverse-path of the message, without brackets: our VERP address.</summary>
    public string? OriginalMailFrom { get; init; }
    /// <summary>Recipients, as far as they are told.</summary>
    public IReadOnlyList<string> OriginalRecipients { get; init; } = [];
    public IPAddress? SourceIp { get; init; }
    public DateTimeOffset? ArrivalDate { get; init; }
    public string? OriginalEnvelopeId { get; init; }
    public IReadOnlyList<string> ReportedDomains { get; init; } = [];
    public string? ReportingMta { get; init; }
    /// <summary>Messages that this complaint stands for.</summary>
    public int Incidents { get; init; } = 1;
    /// <summary>Of auth-failure what failed: dkim, spf, dmarc and so on (RFC 6591 3.1).</summary>
    public string? AuthFailure { get; init; }

    /// <summary>Of the returned message or header, without brackets.</summary>
    public string? MessageId { get; init; }
    public string? FeedbackId { get; init; }
    /// <summary>List-Unsubscribe, unfolded.</summary>
    public string? ListUnsubscribe { get; init; }
    /// <summary>Return-Path of the returned message, without brackets.</summary>
    public string? ReturnPath { get; init; }
    public string? Subject { get; init; }
    /// <summary>Domain of the returned message's From.</summary>
    public string? FromDomain { get; init; }

    const int MaxRecipients = 100;
    const int MaxText = 1000;
    const int MaxFields = 64 << 10;

    /// <summary>Reads a message; null where it is no complaint.</summary>
    public static Complaint? Read(ReadOnlySpan<byte> message)
    {
        var root = MimeTree.Parse(message);
        MimePart? report = null, original = null;
        foreach (var part in root.Walk())
        {
            // RFC 5965 2: the second part; the third is the message or its header. Some say report-type in another case, or not at all
            if (part is { Type: "message", Subtype: "feedback-report" }) report ??= part;
            else if (part.IsMessage || part is { Type: "text", Subtype: "rfc822-headers" } or { Type: "message", Subtype: "global-headers" or "rfc822-headers" }) original ??= part;
        }
        var returned = original is null ? null : HeaderList.Parse(ContentDecoder.Bytes(message, original));
        if (report is not null) return Returned(Fields(HeaderList.Parse([.. ContentDecoder.Bytes(message, report, MaxFields), (byte)'\r', (byte)'\n'])), returned);
        // Outlook: the message attached to a mail, or passed on whole
        var header = HeaderList.Parse(message);
        foreach (var candidate in (HeaderList?[])[returned, header])
            if (candidate?.Value("X-HmXmrOriginalRecipient") is { } recipient)
                return Returned(new Complaint(ComplaintForm.Forwarded) { OriginalRecipients = Addresses([recipient]), SourceIp = Ip(candidate.Value("X-Sender-IP") ?? candidate.Value("X-SID-Original-IP")) }, candidate);
        return null;
    }

    // RFC 5965 3
    static Complaint Fields(HeaderList fields) => new(ComplaintForm.Arf)
    {
        FeedbackType = Cut(fields.Value("Feedback-Type"))?.ToLowerInvariant() ?? "abuse",
        UserAgent = Cut(fields.Value("User-Agent")),
        OriginalMailFrom = Cut(fields.Value("Original-Mail-From")) is { } from ? Address(from) : null,
        OriginalRecipients = Addresses(fields.All("Original-Rcpt-To").Concat(fields.All("Removal-Recipient")).Select(f => f.RawValue)),
        SourceIp = Ip(fields.Value("Source-IP")),
        // RFC 5965 3.2: Received-Date is the older name
        ArrivalDate = MailDate.TryParse(fields.Value("Arrival-Date") ?? fields.Value("Received-Date") ?? "", out var date) ? date : null,
        OriginalEnvelopeId = Cut(fields.Value("Original-Envelope-Id")),
        ReportedDomains = [.. fields.All("Reported-Domain").Take(MaxRecipients).Select(f => Cut(f.Value)).OfType<string>()],
        ReportingMta = Cut(fields.Value("Reporting-MTA")) is { } mta ? mta[(mta.IndexOf(';') + 1)..].Trim() : null,
        Incidents = int.TryParse(fields.Value("Incidents"), System.Globalization.NumberStyles.None, null, out var incidents) && incidents > 0 ? incidents : 1,
        AuthFailure = Cut(fields.Value("Auth-Failure"))?.ToLowerInvariant(),
    };

    static Complaint Returned(Complaint complaint, HeaderList? header) => header is null ? complaint : complaint with
    {
        MessageId = header.Find("Message-ID") is { } id ? Cut(Mime.MessageId.Parse(id.Raw.Span)) : null,
        FeedbackId = Cut(header.Value("Feedback-ID")),
        ListUnsubscribe = Cut(header.Find("List-Unsubscribe")?.RawValue),
        ReturnPath = header.Find("Return-Path") is { } path ? Address(path.RawValue) : null,
        Subject = Cut(header.Value("Subject")),
        FromDomain = header.Addresses("From").Mailboxes.FirstOrDefault()?.Domain is { Length: > 0 } domain ? Cut(domain) : null,
    };

    static string? Cut(string? text)
    {
        if (text is null) return null;
        text = LineFolding.Squeeze(text);
        return text.Length == 0 ? null : text.Length > MaxText ? text[..MaxText] : text;
    }

    static IReadOnlyList<string> Addresses(IEnumerable<string> texts) =>
        [.. texts.Take(MaxRecipients).Select(Address).OfType<string>().Distinct()];

    // with or without brackets, with or without "rfc822;"; an address whose local part is hidden is kept as it is
    static string? Address(string text)
    {
        var open = text.LastIndexOf('<');
        if (open >= 0) text = text[(open + 1)..].TrimEnd().TrimEnd('>');
        else if (text.IndexOf(';') is >= 0 and var type) text = text[(type + 1)..];
        return Cut(text);
    }

    static IPAddress? Ip(string? text) => IPAddress.TryParse(text?.Trim().Trim('[', ']'), out var ip) ? ip : null;
}
