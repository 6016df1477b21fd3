using System.Buffers;
using System.Net;
using System.Text;
using CbaMail.Config;
using CbaMail.Delivery;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mime;
using CbaMail.Queue;
using CbaMail.Reports;

namespace CbaMail.Admission;

/// <summary>A letter of the server: paragraphs, and one thing to do.</summary>
/// <param name="Link">What the button leads to, or null.</param>
sealed record Letter(string Language, string Subject, IReadOnlyList<string> Before, string? Button = null, string? Link = null, IReadOnlyList<string>? After = null);

/// <summary>
/// Letters that the server writes to people: from the postmaster of the domain that they are about, so that they are signed with its keys. They
/// go the way of all mail, to somebody here into the mailbox and to others into the queue.
/// </summary>
public sealed class AdmissionPost(LocalDelivery delivery, UserDirectory directory, Settings settings, TimeProvider time)
{
    /// <param name="returns">Who hears when it does not arrive, or null: nobody.</param>
    internal async ValueTask<Refusal?> SendAsync(string domain, MailAddress to, Letter letter, MailAddress? returns, CancellationToken cancel)
    {
        var from = new MailAddress("postmaster", domain);
        IReadOnlyList<Target> targets = [new Target(null, null, to)];
        if (directory.IsLocal(to))
        {
            var found = directory.Resolve(to);
            if (!found.Ok) return found.Refusal;
            targets = found.Value;
        }
        var order = new DeliveryOrder
        {
            ReversePath = returns ?? from,
            Recipients = [new DeliveryRecipient(to, targets, returns is null ? "NEVER" : "FAILURE")],
            Message = Write(from, to, letter),
            SmtpUtf8 = !to.IsAscii,
            Class = MailClass.Transactional,
            Proven = new ProvenSender(from.DomainKey, Signed: true),
            Origin = "admission",
        };
        return (await delivery.DeliverAsync(order, cancel))[0];
    }

    byte[] Write(MailAddress from, MailAddress to, Letter letter)
    {
        var output = new ArrayBufferWriter<byte>(4096);
        var branding = directory.FindBranded(from.Domain)?.Profile.Branding;
        var message = new MessageBuilder
        {
            From = (branding?.Name ?? (letter.Language == "ru" ? "Почта " + Names.Show(from.Domain) : Names.Show(from.Domain) + " mail"), from.ToString()),
            Subject = letter.Subject,
            Date = time.GetUtcNow(),
            MessageId = $"{Guid.NewGuid():N}@{settings.Hostname}",
            Text = Plain(letter),
            Html = Html(letter, branding?.Color ?? "#3558d4"),
        };
        message.To.Add(("", to.ToString()));
        // RFC 3834 5: no one's vacation answers it
        message.Headers.Add(("Auto-Submitted", "auto-generated"));
        message.WriteTo(output);
        return output.WrittenSpan.ToArray();
    }

    static string Plain(Letter letter) => string.Join("\r\n\r\n", [.. letter.Before, .. letter.Link is null ? [] : new[] { $"{letter.Button}:\r\n{letter.Link}" }, .. letter.After ?? []]) + "\r\n";

    static string Html(Letter letter, string color)
    {
        var html = new StringBuilder($"<!doctype html><html lang=\"{letter.Language}\"><body style=\"font:16px/1.5 sans-serif;max-width:36em;margin:0 auto;padding:16px\">");
        foreach (var paragraph in letter.Before) Paragraph(html, paragraph);
        if (letter.Link is { } link)
            html.Append($"<p style=\"margin:24px 0\"><a href=\"{WebUtility.HtmlEncode(link)}\" style=\"display:inline-block;background:{color};color:#fff;text-decoration:none;padding:12px 20px;border-radius:8px\">{WebUtility.HtmlEncode(letter.Button)}</a></p><p style=\"font-size:13px;word-break:break-all\">{WebUtility.HtmlEncode(link)}</p>");
        foreach (var paragraph in letter.After ?? []) Paragraph(html, paragraph);
        return html.Append("</body></html>").ToString();
    }

    static void Paragraph(StringBuilder html, string text) => html.Append("<p>").Append(WebUtility.HtmlEncode(text).Replace("\r\n", "<br>", StringComparison.Ordinal)).Append("</p>");
}
