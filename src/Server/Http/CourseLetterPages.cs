using CbaMail.Mailings;

namespace CbaMail.Http;

/// <summary>/course-letter/TOKEN, where an approver decides on what a teacher wrote to a run. GET shows, POST does.</summary>
static class CourseLetterPages
{
    const string Root = "/course-letter/";

    /// <returns>Whether the path is one of these.</returns>
    public static async Task<bool> AnswerAsync(HttpContext context)
    {
        if (context.Request.Path.Value is not { } path || !path.StartsWith(Root, StringComparison.Ordinal)) return false;
        await Forms.RunAsync(context, (c, language) => AnswerAsync(c, language, path[Root.Length..], null), (c, language, form) => AnswerAsync(c, language, path[Root.Length..], form));
        return true;
    }

    static async Task AnswerAsync(HttpContext context, string language, string token, IFormCollection? form)
    {
        var (russian, addresses) = (language == "ru", context.Room<CourseAddresses>());
        if (addresses.FindHeld(token) is not var (address, post))
        {
            await GoneAsync(context, language);
            return;
        }
        Brand.Is(context, address.Address.Domain);
        var title = russian ? "Письмо всему потоку" : "A letter to the whole run";
        if (form is null)
        {
            var preview = context.Room<PressRoom>().Preview(post.Mailing, null);
            var text = preview.Ok ? preview.Value.Text.Length > 4000 ? preview.Value.Text[..4000] + "…" : preview.Value.Text : preview.Refusal.Sentence;
            await context.PageAsync(language, title, Page.Head(context, language, title, Brand.NameBefore(context, Directory.Names.Show(address.Address.Domain)))
                + $"<form method=\"post\" action=\"{Page.Escape(context.Request.Path.Value)}?lang={language}\"><dl><dt>{(russian ? "Кому" : "To")}</dt><dd>{Page.Escape(address.Course)}, {Page.Escape(address.Run)}</dd><dt>{(russian ? "От" : "From")}</dt><dd>{Page.Escape(post.Author)}</dd><dt>{(russian ? "Тема" : "Subject")}</dt><dd>{Page.Escape(post.Subject)}</dd></dl>"
                + $"<p class=\"letter\">{Page.Escape(text)}</p><p><button type=\"submit\" name=\"decision\" value=\"accept\">{(russian ? "Отправить всем" : "Send it to everybody")}</button></p><button type=\"submit\" name=\"decision\" value=\"reject\" class=\"quiet\">{(russian ? "Отклонить" : "Reject")}</button></form>",
                more: ".letter{white-space:pre-wrap;overflow-wrap:anywhere;border-top:1px solid var(--hair);padding-top:1rem}");
            return;
        }
        var accept = Forms.Text(form, "decision") == "accept";
        if (!accept && Forms.Text(form, "decision") != "reject" || await addresses.DecideAsync(post.Id, accept, context.RequestAborted) is not null) { await GoneAsync(context, language); return; }
        await Forms.MessageAsync(context, language, title, accept ? russian ? "Принято, письмо уходит." : "Accepted: it goes out." : russian ? "Отклонено, автору сообщено." : "Rejected; its author is told.");
    }

    static Task GoneAsync(HttpContext context, string language) => Forms.MessageAsync(context, language, language == "ru" ? "Ссылка не действует" : "This link is not valid",
        language == "ru" ? "По ней уже решили." : "Somebody has decided on it already.", 404);
}
