using CbaMail.Courses;
using CbaMail.Envelope;

namespace CbaMail.Mailings;

/// <summary>What programs are told of a mailing in its header, by its class; and people at its end.</summary>
static class ListFields
{
    public static IEnumerable<(string Name, string Value)> Of(Mailing mailing, Course course, long ledgerId, MailingLinks? links)
    {
        // RFC 2919 3: identifies the course; clients filter and group by it
        yield return ("List-Id", $"<{course.Slug}.{course.Domain}>");
        var rules = ClassRules.Of(mailing.Class);
        if (rules.CanBeLeft && links is not null && Made(mailing) is var made && MailAddress.TryParse(mailing.FromAddress, out var from))
        {
            var page = links.Page(ledgerId, made);
            // RFC 2369 3.2: the first that the program understands. The subject is for the reader's eye, the address says all
            yield return ("List-Unsubscribe", $"<{page}>, <mailto:{links.Address(ledgerId, from.DomainKey, made)}?subject=unsubscribe>");
            // RFC 8058 3.1; both are signed by DKIM (SigningRules.GuardedIfPresent), without which nobody heeds them
            yield return ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
            yield return ("List-Help", $"<{page}>"); // RFC 2369 3.1
        }
        var owner = mailing.Writer is { } who ? who.Address.ToString() : mailing.FromAddress;
        if (System.Text.Ascii.IsValid(owner)) yield return ("List-Owner", $"<mailto:{owner}>"); // RFC 2369 3.5
        yield return ("Feedback-ID", FeedbackId.Of(mailing.Id, course, rules.Word));
        // RFC 5230 4.6: automatic replies stay away from bulk mail, 2,500 notices of absence do not come back to the teacher.
        // No Auto-Submitted (RFC 3834 5): somebody wrote it
        yield return ("Precedence", "bulk");
    }

    // every copy of a mailing is of its day, however often it is made
    static DateTimeOffset Made(Mailing mailing) => mailing.Started ?? mailing.Created;

    /// <summary>The texts with the way out below them, where the class asks for it.</summary>
    public static (string? Html, string Text) WithFooter(Mailing mailing, Course course, long ledgerId, MailingLinks? links, string? html, string text)
    {
        if (links is null || !ClassRules.Of(mailing.Class).Footer) return (html, text);
        var page = links.Page(ledgerId, Made(mailing));
        var (why, what) = course.Language == "ru"
            ? ($"Вы получили это письмо, потому что учитесь: {course.Name}.", "Отписаться или выбрать, что присылать")
            : ($"You get this as somebody who learns here: {course.Name}.", "Unsubscribe, or choose what you get");
        text = $"{text.TrimEnd()}\n\n-- \n{why}\n{what}: {page}\n";
        if (html is null) return (null, text);
        var foot = $"<p style=\"margin-top:2em;font-size:small;color:#5d6675\">{System.Net.WebUtility.HtmlEncode(why)} <a href=\"{page}\">{what}</a></p>";
        var end = html.LastIndexOf("</body>", StringComparison.OrdinalIgnoreCase);
        return (end < 0 ? html + foot : html.Insert(end, foot), text);
    }
}
