using System.Text;
using CbaMail.Envelope;
using CbaMail.Text;

namespace CbaMail.Mime;

/// <summary>What a message to a return address is.</summary>
public enum BounceForm
{
    /// <summary>Somebody writes.</summary>
    None,
    /// <summary>multipart/report (RFC 6522) with a delivery status (RFC 3464).</summary>
    Report,
    /// <summary>A notice in words only, as qmail, Exim and others write them.</summary>
    Words,
    /// <summary>A machine answers in somebody's name: away, received (RFC 3834).</summary>
    AutoReply,
}

/// <summary>What is told of one recipient.</summary>
/// <param name="Address">As told, possibly not the one written to; empty where none was told.</param>
/// <param name="Action">failed, delayed, delivered, relayed, expanded.</param>
/// <param name="Reply">The reply of the server, or the words of the notice, in one line.</param>
public sealed record BouncedRecipient(string Address, string Action, string Reply, BounceVerdict Verdict);

/// <summary>What a message tells about another one.</summary>
/// <param name="OriginalMessageId">Without angle brackets, or null.</param>
public sealed record BounceReport(BounceForm Form, IReadOnlyList<BouncedRecipient> Recipients, string? OriginalMessageId)
{
    public static readonly BounceReport None = new(BounceForm.None, [], null);
}

/// <summary>
/// Reads the notices of other servers: reports as RFC 3464 has them, those of Exchange, Gmail, Yandex and Mail.ru that say little in the
/// machine's part and more in the text, and the notices of qmail and Exim that have only words.
/// </summary>
public static class BounceReader
{
    const int MostText = 16 * 1024;
    const int MostRecipients = 1000;

    /// <param name="fromNobody">It came from the null reverse-path, as notices do (RFC 3461 6.1).</param>
    public static BounceReport Read(ReadOnlySpan<byte> message, bool fromNobody)
    {
        var header = HeaderList.Parse(message);
        var root = MimeTree.Parse(message);
        var text = Words(message, root);
        var original = OriginalId(message, root, header, text);
        foreach (var part in root.Walk())
        {
            // RFC 3464 2, RFC 6533 3
            if (part is not { Type: "message", Subtype: "delivery-status" or "global-delivery-status" }) continue;
            if (DeliveryStatus.Parse(ContentDecoder.Bytes(message, part, 1 << 20)) is { } status) return new BounceReport(BounceForm.Report, Told(status, text), original);
        }
        var subject = ReplyClassifier.Plain(header.Value("Subject") ?? "");
        var failed = FailedRecipients(header);
        var daemon = IsDaemon(header);
        var says = BounceSubjects.Any(word => subject.Contains(word, StringComparison.Ordinal));
        var delayed = DelaySubjects.Any(word => subject.Contains(word, StringComparison.Ordinal));
        // RFC 3834 5: whoever answers for somebody says so, but a notice of failure says more
        var automatic = IsAutomatic(header, subject);
        if (failed.Count > 0 || (daemon && (says || delayed)) || (fromNobody && says && !IsAway(subject)) || (daemon && fromNobody && ReplyPatternsFit(text)))
            return new BounceReport(BounceForm.Words, Spoken(text, failed, delayed && !says), original);
        return automatic ? new BounceReport(BounceForm.AutoReply, [], original) : BounceReport.None;
    }

    static readonly string[] BounceSubjects =
    [
        "undeliver", "failure notice", "delivery failure", "delivery status notification", "delivery notification", "mail delivery failed", "mail delivery failure",
        "returned mail", "mail could not be delivered", "message could not be delivered", "could not be delivered", "delivery has failed", "delivery report", "returned to sender",
        "mail system error", "mailbox unavailable", "nondeliverable", "non delivery", "non-delivery", "failure delivery", "delivery error", "mail failure", "unzustellbar", "undelivered",
        "недоставлен", "не доставлено", "не доставлен", "ошибка доставки", "не удалось доставить", "не может быть доставлено", "сообщение о недоставке", "возврат письма",
    ];

    static readonly string[] DelaySubjects = ["delayed", "warning: could not send", "still being retried", "задерж", "отложен"];

    static readonly string[] AwaySubjects =
    [
        "out of office", "out of the office", "automatic reply", "autoreply", "auto-reply", "auto reply", "auto:", "autoresponse", "vacation", "away from", "abwesenheit", "automatische antwort",
        "автоответ", "автоматический ответ", "в отпуске", "отсутству", "вне офиса",
    ];

    static bool IsAway(string subject) => AwaySubjects.Any(word => subject.Contains(word, StringComparison.Ordinal));

    static bool IsAutomatic(HeaderList header, string subject) =>
        (header.Value("Auto-Submitted")?.TrimStart() is { Length: > 0 } submitted && !submitted.StartsWith("no", StringComparison.OrdinalIgnoreCase))
        || header.Find("X-Autoreply") is not null || header.Find("X-Autorespond") is not null || header.Find("X-Auto-Response-Suppress") is not null
        || "auto_reply".Equals(header.Value("Precedence")?.Trim(), StringComparison.OrdinalIgnoreCase) || IsAway(subject);

    static bool IsDaemon(HeaderList header)
    {
        foreach (var from in header.Addresses("From").Mailboxes)
        {
            var local = from.LocalPart.ToLowerInvariant();
            if (local is "mailer-daemon" or "postmaster" or "mailerdaemon" or "mail-daemon" or "mdaemon" or "mailer_daemon" or "mailer" || local.StartsWith("bounce", StringComparison.Ordinal)) return true;
            if (from.Name.Contains("Mail Delivery", StringComparison.OrdinalIgnoreCase) || from.Name.Contains("Mailer-Daemon", StringComparison.OrdinalIgnoreCase)) return true;
        }
        return false;
    }

    static bool ReplyPatternsFit(string text) => ReplyClassifier.Classify(Front(text)).Cause != BounceCause.Unknown;

    /// <summary>Exim names those that failed in a field.</summary>
    static List<string> FailedRecipients(HeaderList header) =>
        [.. header.All("X-Failed-Recipients").SelectMany(field => AddressList.Parse(field.Raw.Span).Mailboxes).Select(address => address.Address).Where(address => address.Length > 0).Take(MostRecipients)];

    static List<BouncedRecipient> Told(DeliveryStatus status, string text)
    {
        var told = new List<BouncedRecipient>();
        foreach (var recipient in status.Recipients.Take(MostRecipients))
        {
            var said = LineFolding.Squeeze(recipient.DiagnosticCode ?? "");
            var reply = said.Length == 0 ? recipient.Status : said.Contains(recipient.Status, StringComparison.Ordinal) ? said : $"{recipient.Status} {said}";
            var (code, inner, words) = ReplyClassifier.Codes(said);
            // RFC 3464 2.3.6: the diagnostic is what the server said; the status may be only its class
            var verdict = ReplyClassifier.Classify(code, IsVague(recipient.Status) && inner.Length > 0 ? inner : recipient.Status, said.Length > 0 ? words : "");
            if (verdict.Cause == BounceCause.Unknown && text.Length > 0 && recipient.Action == "failed")
                verdict = ReplyClassifier.Classify(code, recipient.Status, Around(text, recipient.FinalRecipient));
            told.Add(new BouncedRecipient(recipient.FinalRecipient, recipient.Action, reply, verdict));
        }
        return told;
    }

    // RFC 3463 3.1: X.0.0 says only its class
    static bool IsVague(string status) => status.Length == 0 || status.EndsWith(".0.0", StringComparison.Ordinal);

    static List<BouncedRecipient> Spoken(string text, List<string> failed, bool delayed)
    {
        var action = delayed ? "delayed" : "failed";
        text = Front(text);
        var addresses = failed.Count > 0 ? failed : Addresses(text);
        if (addresses.Count == 0) addresses = [""];
        return addresses.ConvertAll(address =>
        {
            var words = LineFolding.Squeeze(Around(text, address));
            var verdict = ReplyClassifier.Classify(words);
            if (verdict.Cause == BounceCause.Unknown) verdict = ReplyClassifier.Classify(text);
            return new BouncedRecipient(address, action, words.Length > 500 ? words[..500] : words, verdict);
        });
    }

    /// <summary>What stands behind an address, up to the next paragraph but one: its own reason among those of others.</summary>
    static string Around(string text, string address)
    {
        text = Front(text);
        var at = address.Length == 0 ? -1 : text.IndexOf(address, StringComparison.OrdinalIgnoreCase);
        if (at < 0) return text;
        var rest = text[(at + address.Length)..].TrimStart('>', ':', ' ', ')', '.', ',');
        var end = 0;
        for (var paragraphs = 0; paragraphs < 2 && end >= 0 && end < rest.Length; paragraphs++)
        {
            end = rest.IndexOf("\n\n", end + 1, StringComparison.Ordinal);
            if (end < 0) break;
        }
        var piece = (end < 0 ? rest : rest[..end]).Trim();
        return piece.Length > 0 ? piece : text;
    }

    static readonly string[] Ends =
    [
        "--- below this line", "------ this is a copy", "--- this is a copy", "----- original message", "-----original message", "original message headers", "original message header",
        "--- enclosed", "----- header", "исходное сообщение", "---- исходн", "----- message header", "received: ", "reporting-mta:",
    ];

    /// <summary>The words of the notice, without the message that it returns.</summary>
    static string Front(string text)
    {
        var end = text.Length;
        foreach (var mark in Ends)
            if (text.IndexOf(mark, StringComparison.OrdinalIgnoreCase) is > 0 and var at && at < end) end = at;
        return text[..end];
    }

    static List<string> Addresses(string text)
    {
        var found = new List<string>();
        for (var at = text.IndexOf('@'); at >= 0 && found.Count < MostRecipients; at = text.IndexOf('@', at + 1))
        {
            int begin = at, end = at + 1;
            while (begin > 0 && IsAddressChar(text[begin - 1])) begin--;
            while (end < text.Length && (IsAddressChar(text[end]) || text[end] == '@')) end++;
            var word = text[begin..end].Trim('.', '\'', '-');
            if (!MailAddress.TryParse(word, out var address) || !address.Domain.Contains('.')) continue;
            var local = address.LocalPart.ToLowerInvariant();
            if (local is "postmaster" or "mailer-daemon" or "abuse" or "support" or "hostmaster") continue; // whom to ask
            if (!found.Contains(word, StringComparer.OrdinalIgnoreCase)) found.Add(word);
        }
        return found;
    }

    static bool IsAddressChar(char c) => char.IsLetterOrDigit(c) || "!#$%&'*+-/=?^_{|}~.".Contains(c);

    static string Words(ReadOnlySpan<byte> message, MimePart root)
    {
        foreach (var part in root.Walk())
        {
            if (part.IsMessage) break; // what it returns
            if (part.Type != "text" || part.Subtype is not ("plain" or "html")) continue;
            var text = ContentDecoder.Text(message, part, MostText);
            if (part.Subtype == "html") text = HtmlText.ToPlainText(text, MostText);
            if (text.AsSpan().Trim().Length > 0) return text.ReplaceLineEndings("\n");
        }
        return "";
    }

    static string? OriginalId(ReadOnlySpan<byte> message, MimePart root, HeaderList header, string text)
    {
        foreach (var part in root.Walk())
        {
            if (part is not ({ Type: "message", Subtype: "rfc822" or "global" or "global-headers" } or { Type: "text", Subtype: "rfc822-headers" })) continue;
            // RFC 6522 4: the returned message, or its header
            var inner = ContentDecoder.Bytes(message, part, 1 << 18);
            if (HeaderList.Parse(inner).Find("Message-ID") is { } field && MessageId.Parse(field.Raw.Span) is { } id) return id;
        }
        if (text.IndexOf("\nMessage-ID:", StringComparison.OrdinalIgnoreCase) is > 0 and var at)
        {
            var line = text[(at + 12)..];
            if (MessageId.Parse(Encoding.UTF8.GetBytes(line[..Math.Min(line.Length, 1000)])) is { } id) return id;
        }
        return header.Find("In-Reply-To") is { } reply ? MessageId.Parse(reply.Raw.Span) : null;
    }
}
