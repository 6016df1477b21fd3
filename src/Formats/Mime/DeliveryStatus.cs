using System.Text;
using CbaMail.Text;

namespace CbaMail.Mime;

/// <summary>What became of a message for one recipient (RFC 3464 2.3).</summary>
/// <param name="FinalRecipient">The address, without the type <c>rfc822;</c>.</param>
/// <param name="Action">failed, delayed, delivered, relayed or expanded (RFC 3464 2.3.3).</param>
/// <param name="Status">Enhanced status code (RFC 3463).</param>
public sealed record RecipientStatus(string FinalRecipient, string Action, string Status)
{
    /// <summary>ORCPT as it was given: <c>rfc822;address</c>, or null.</summary>
    public string? OriginalRecipient { get; init; }
    /// <summary>Host that answered, or null.</summary>
    public string? RemoteMta { get; init; }
    /// <summary>What the reply is of: smtp; "x-" for findings of one's own (RFC 3464 2.3.6).</summary>
    public string DiagnosticType { get; init; } = "smtp";
    /// <summary>Its reply, without the type, or null.</summary>
    public string? DiagnosticCode { get; init; }
    public DateTimeOffset? LastAttempt { get; init; }
    public string? FinalLogId { get; init; }
    /// <summary>Until when delivery goes on being tried; for "delayed".</summary>
    public DateTimeOffset? WillRetryUntil { get; init; }
}

/// <summary>The machine's part of a report on delivery (RFC 3464): message/delivery-status, or its global form (RFC 6533).</summary>
public sealed record DeliveryStatus(string ReportingMta, IReadOnlyList<RecipientStatus> Recipients)
{
    const int MaxRecipients = 5000;

    /// <summary>ENVID of the MAIL command, or null.</summary>
    public string? OriginalEnvelopeId { get; init; }
    public string? ReceivedFromMta { get; init; }
    public DateTimeOffset? ArrivalDate { get; init; }
    /// <summary>By when it was to be delivered (RFC 2852 5), or null.</summary>
    public DateTimeOffset? DeliverByDate { get; init; }
    /// <summary>What was asked of HOLDFOR or HOLDUNTIL: <c>for;3600</c>, <c>until;2026-03-02T09:00:00Z</c> (RFC 4865 5.1.2), or null.</summary>
    public string? FutureReleaseRequest { get; init; }

    /// <summary>Whether an address is not ASCII, so that the global form is needed (RFC 6533 3).</summary>
    public bool IsGlobal => Recipients.Any(recipient => !Ascii.IsValid(recipient.FinalRecipient));

    public bool Equals(DeliveryStatus? other) => other is not null && ReportingMta == other.ReportingMta && OriginalEnvelopeId == other.OriginalEnvelopeId
        && ReceivedFromMta == other.ReceivedFromMta && ArrivalDate == other.ArrivalDate && Recipients.SequenceEqual(other.Recipients);

    public override int GetHashCode() => HashCode.Combine(ReportingMta, Recipients.Count);

    /// <summary>Writes the groups of fields, an empty line between them (RFC 3464 2.1).</summary>
    public void WriteTo(MimeWriter writer)
    {
        var header = writer.Header;
        if (OriginalEnvelopeId is { Length: > 0 }) header.Structured("Original-Envelope-Id", OriginalEnvelopeId);
        header.Structured("Reporting-MTA", "dns; " + ReportingMta);
        if (ReceivedFromMta is { Length: > 0 }) header.Structured("Received-From-MTA", "dns; " + ReceivedFromMta);
        if (ArrivalDate is { } arrival) header.Structured("Arrival-Date", MailDate.Format(arrival));
        if (DeliverByDate is { } by) header.Structured("Deliver-By-Date", MailDate.Format(by));
        if (FutureReleaseRequest is { Length: > 0 } held) header.Structured("Future-Release-Request", held);
        foreach (var recipient in Recipients)
        {
            writer.EndHeader();
            if (recipient.OriginalRecipient is { Length: > 0 } original) header.Structured("Original-Recipient", original);
            // RFC 6533 3: the address type utf-8
            header.Structured("Final-Recipient", (Ascii.IsValid(recipient.FinalRecipient) ? "rfc822; " : "utf-8; ") + recipient.FinalRecipient);
            header.Structured("Action", recipient.Action);
            header.Structured("Status", recipient.Status);
            if (recipient.RemoteMta is { Length: > 0 } remote) header.Structured("Remote-MTA", "dns; " + remote);
            if (recipient.DiagnosticCode is { Length: > 0 } code) header.Structured("Diagnostic-Code", recipient.DiagnosticType + "; " + Plain(code));
            if (recipient.LastAttempt is { } last) header.Structured("Last-Attempt-Date", MailDate.Format(last));
            if (recipient.FinalLogId is { Length: > 0 } log) header.Structured("Final-Log-ID", log);
            if (recipient.WillRetryUntil is { } until) header.Structured("Will-Retry-Until", MailDate.Format(until));
        }
    }

    // RFC 3464 2.3.6: text of the other side, one line; hosts that answer in 8-bit text are not worth a global report
    string Plain(string code)
    {
        code = LineFolding.Squeeze(code);
        return IsGlobal || Ascii.IsValid(code) ? code : string.Concat(code.Select(c => c < 0x80 ? c : '?'));
    }

    /// <summary>Reads the content of a message/delivery-status part; null where it has no recipient.</summary>
    public static DeliveryStatus? Parse(ReadOnlySpan<byte> content)
    {
        HeaderList? message = null;
        List<RecipientStatus> recipients = [];
        for (var at = 0; at < content.Length && recipients.Count < MaxRecipients;)
        {
            var group = HeaderList.Parse(content, at);
            at = group.BodyOffset > at ? group.BodyOffset : content.Length;
            if (group.Count == 0) continue;
            if ((group.Find("Final-Recipient") ?? group.Find("Original-Recipient")) is not { } final)
            {
                message ??= group;
                continue;
            }

            // Some systems put all fields into one group
            if (group.Find("Reporting-MTA") is not null) message ??= group;
            recipients.Add(new RecipientStatus(AfterType(final.Value), (group.Value("Action") ?? "failed").Trim().ToLowerInvariant(), FirstWord(group.Value("Status")))
            {
                OriginalRecipient = group.Value("Original-Recipient"),
                RemoteMta = group.Value("Remote-MTA") is { } remote ? AfterType(remote) : null,
                DiagnosticType = group.Value("Diagnostic-Code") is { } typed && typed.IndexOf(';') is > 0 and var semicolon ? typed[..semicolon].Trim().ToLowerInvariant() : "smtp",
                DiagnosticCode = group.Value("Diagnostic-Code") is { } code ? AfterType(code) : null,
                LastAttempt = DateOf(group, "Last-Attempt-Date"),
                FinalLogId = group.Value("Final-Log-ID"),
                WillRetryUntil = DateOf(group, "Will-Retry-Until"),
            });
        }

        return recipients.Count == 0 ? null : new DeliveryStatus(message?.Value("Reporting-MTA") is { } mta ? AfterType(mta) : "", recipients)
        {
            OriginalEnvelopeId = message?.Value("Original-Envelope-Id"),
            ReceivedFromMta = message?.Value("Received-From-MTA") is { } from ? AfterType(from) : null,
            ArrivalDate = message is null ? null : DateOf(message, "Arrival-Date"),
        };
    }

    static DateTimeOffset? DateOf(HeaderList group, string name) => group.Find(name) is { } field && MailDate.TryParse(field.Raw.Span, out var date) ? date : null;

    static string AfterType(string value)
    {
        var semicolon = value.IndexOf(';');
        return (semicolon < 0 ? value : value[(semicolon + 1)..]).Trim();
    }

    // "5.1.1 (bad destination mailbox)": RFC 3464 2.3.4 allows a comment
    static string FirstWord(string? value)
    {
        if (value is null) return "";
        value = value.Trim();
        var end = value.IndexOfAny([' ', '(']);
        return end < 0 ? value : value[..end];
    }
}
