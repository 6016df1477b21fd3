using CbaMail.Mailings;
using CbaMail.Mailings.Approvals;

namespace CbaMail.Http;

/// <summary>/approval/TOKEN, where a second person decides on a mailing. GET shows, POST does.</summary>
static class ApprovalPages
{
    public const string Root = "/approval/";

    /// <returns>Whether the path is one of these.</returns>
    public static async Task<bool> AnswerAsync(HttpContext context)
    {
        if (context.Request.Path.Value is not { } path || !path.StartsWith(Root, StringComparison.Ordinal)) return false;
        await Forms.RunAsync(context, (c, language) => AnswerAsync(c, language, path[Root.Length..], null), (c, language, form) => AnswerAsync(c, language, path[Root.Length..], form));
        return true;
    }

    static async Task AnswerAsync(HttpContext context, string language, string token, IFormCollection? form)
    {
        var (russian, book) = (language == "ru", context.Room<ApprovalBook>());
        if (book.Find(token) is not var (mailing, course, view, _))
        {
            await GoneAsync(context, language);
            return;
        }
        Brand.Is(context, course.Domain);
        var title = russian ? "Рассылка ждёт вашего решения" : "A mailing waits for your decision";
        if (form is null)
        {
            await ShowAsync(context, language, title, mailing, course, view, null);
            return;
        }
        var accept = Forms.Text(form, "decision") == "approve";
        if (!accept && Forms.Text(form, "decision") != "refuse") { await GoneAsync(context, language); return; }
        if (await book.DecideAsync(token, accept, Forms.Text(form, "reason"), context.RequestAborted) is { } refusal)
        {
            if (book.Find(token) is var (again, its, now, _)) await ShowAsync(context, language, title, again, its, now, Sentences.Say(refusal, language));
            else await GoneAsync(context, language);
            return;
        }
        await Forms.MessageAsync(context, language, title, accept ? russian ? "Одобрено. Отправит её автор." : "Approved. Its author sends it." : russian ? "Отклонено." : "Refused.");
    }

    static async Task ShowAsync(HttpContext context, string language, string title, Mailing mailing, Courses.Course course, ApprovalView view, string? error)
    {
        var russian = language == "ru";
        var preview = context.Room<PressRoom>().Preview(mailing.Id, null);
        var text = preview.Ok ? preview.Value.Text.Length > 20_000 ? preview.Value.Text[..20_000] + "…" : preview.Value.Text : preview.Refusal.Sentence;
        string Row(string word, string value) => value.Length == 0 ? "" : $"<dt>{word}</dt><dd>{Page.Escape(value)}</dd>";
        var asker = view.AskedBy is "control" ? russian ? "администратор сервера" : "the server's administrator" : view.AskedBy ?? "";
        var form = $"<form method=\"post\" action=\"{Page.Escape(context.Request.Path.Value)}?lang={language}\">";
        await context.PageAsync(language, title, Page.Head(context, language, title, Brand.NameBefore(context, Directory.Names.Show(course.Domain)))
            + Page.Problem(error)
            + $"{form}<dl>{Row(russian ? "Курс" : "Course", course.Name)}{Row(russian ? "Получателей" : "Readers", view.Readers.ToString(System.Globalization.CultureInfo.InvariantCulture))}"
            + Row(russian ? "Вид" : "Class", ApprovalBook.Kind(mailing.Class, russian)) + Row(russian ? "От" : "From", preview.Ok ? preview.Value.From : mailing.FromAddress) + Row(russian ? "Тема" : "Subject", preview.Ok ? preview.Value.Subject : mailing.Subject)
            + Row(russian ? "Просит" : "Asked by", asker) + Row(russian ? "Пояснение" : "Note", view.Note ?? "") + "</dl>"
            + $"<p class=\"letter\">{Page.Escape(text)}</p><button type=\"submit\" name=\"decision\" value=\"approve\">{(russian ? "Одобрить" : "Approve")}</button></form>"
            // a form of its own: who presses Enter behind the reason refuses
            + $"{form}<label for=\"reason\">{(russian ? "Если отклоняете — почему" : "If you refuse it, why")}</label><input id=\"reason\" name=\"reason\" maxlength=\"1000\" required><p><button type=\"submit\" name=\"decision\" value=\"refuse\" class=\"quiet\">{(russian ? "Отклонить" : "Refuse")}</button></p></form>",
            more: ".letter{white-space:pre-wrap;overflow-wrap:anywhere;border-top:1px solid var(--hair);padding-top:1rem}");
    }

    static Task GoneAsync(HttpContext context, string language) => Forms.MessageAsync(context, language, language == "ru" ? "Ссылка не действует" : "This link is not valid",
        language == "ru" ? "По ней уже решили, или вопрос отозван." : "Somebody has decided on it already, or it was taken back.", 404);
}
