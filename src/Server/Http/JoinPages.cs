using CbaMail.Admission;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Http;

/// <summary>/join/TOKEN, where an invitation is taken, and /join, where somebody asks to be let in.</summary>
static class JoinPages
{
    /// <returns>Whether the path is one of these.</returns>
    public static async Task<bool> AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        if (path == "/join") await Forms.RunAsync(context, (c, language) => ShowAsync(c, language, null, null, null), (c, language, form) => TakeAsync(c, language, null, form));
        else if (path.StartsWith("/join/", StringComparison.Ordinal) && path[6..] is var token) await Forms.RunAsync(context, (c, language) => ShowAsync(c, language, token, null, null), (c, language, form) => TakeAsync(c, language, token, form));
        else return false;
        return true;
    }

    static string Title(bool russian) => russian ? "Новый почтовый ящик" : "A new mailbox";

    /// <param name="form">As it was filled in, where it has to be corrected.</param>
    static async Task ShowAsync(HttpContext context, string language, string? token, IFormCollection? form, Refusal? refusal)
    {
        var (russian, joining) = (language == "ru", context.Room<Joining>());
        Domain? domain = null;
        Invitation? invitation = null;
        var sentTo = "";
        if (token is not null)
        {
            var found = joining.Look(token, Forms.From(context));
            if (!found.Ok) { await Forms.RefusedAsync(context, language, Title(russian), found.Refusal); return; }
            (invitation, domain, sentTo) = found.Value;
        }
        var open = token is null ? joining.OpenDomains : [];
        if (token is null && open.Count == 0)
        {
            await Forms.MessageAsync(context, language, Title(russian), russian ? "Ящик здесь заводят по приглашению. Попросите о нём администратора или преподавателя." : "Mailboxes here are by invitation. Ask an administrator or your teacher for one.", 404);
            return;
        }
        domain ??= open.FirstOrDefault(one => one.Name == context.Asked("domain")) ?? open[0];
        Brand.Is(context, domain.Name);
        string Was(string name, string otherwise = "") => form is null ? otherwise : Forms.Text(form, name);
        bool Wrong(string name) => refusal?.Field == name;
        var body = Page.Head(context, language, Title(russian), Brand.NameBefore(context, Names.Show(domain.Name)))
            + $"<form method=\"post\" action=\"{(token is null ? "/join" : "/join/" + Page.Escape(token))}?lang={language}\">" + Page.Problem(refusal is null ? null : Sentences.Say(refusal, language))
            + Address(russian, invitation, domain, open, Was, Wrong)
            + Page.Field("name", russian ? "Имя и фамилия" : "Your name", russian ? "Его увидят те, кому вы пишете." : "Those whom you write to will see it.", "text", Was("name", invitation?.Name ?? ""), "required autocomplete=\"name\" maxlength=\"100\"", Wrong("name"))
            + Forms.NewPassword(context, russian, Wrong("password"))
            + Page.Field("recovery", russian ? "Другой ваш адрес" : "Another address of yours",
                invitation?.Approval ?? true ? russian ? "Сюда придёт ответ, а позже — ссылка, если забудется пароль." : "The answer goes there, and later a link if you forget the password."
                : russian ? "Необязательно. Сюда придёт ссылка, если забудется пароль." : "Not required. A link goes there if you forget the password.",
                "email", Was("recovery", sentTo), $"{(invitation?.Approval ?? true ? "required " : "")}autocomplete=\"email\" maxlength=\"254\"", Wrong("recovery"))
            // people do not see it; programs that fill in everything do
            + (token is null ? "<div class=\"trap\" aria-hidden=\"true\"><label for=\"website\">Website</label><input id=\"website\" name=\"website\" tabindex=\"-1\" autocomplete=\"off\"></div>" : "")
            + Page.Button(invitation is { Approval: false } ? russian ? "Завести ящик" : "Take the mailbox" : russian ? "Отправить заявку" : "Ask to be let in") + "</form>"
            + (invitation is { Approval: false } ? "" : $"<p class=\"foot\">{(russian ? "Заявку рассмотрит администратор; ответ придёт на ваш другой адрес." : "An administrator decides; the answer goes to your other address.")}</p>");
        await context.PageAsync(language, Title(russian), body, refusal?.HttpStatus ?? 200);
    }

    static string Address(bool russian, Invitation? invitation, Domain domain, IReadOnlyList<Domain> open, Func<string, string, string> was, Func<string, bool> wrong)
    {
        var label = russian ? "Ваш новый адрес" : "Your new address";
        if (invitation is { Local.Length: > 0 }) return $"<div class=\"field\"><strong>{label}</strong><p class=\"fixed\">{Page.Escape(invitation.Local)}@{Page.Escape(Names.Show(domain.Name))}</p></div>";
        var hint = (russian ? "Латинские буквы и цифры; между ними точки, дефисы, подчёркивания." : "Latin letters and digits; dots, hyphens and underscores between them.")
            + (invitation is { Pattern.Length: > 0 } ? russian ? $" Вид: {invitation.Pattern}, где * — на ваш выбор." : $" It looks like {invitation.Pattern}, where * is of your choice." : "");
        var field = $"<div class=\"field{(wrong("localPart") ? " wrong" : "")}\"><label for=\"localPart\">{label}</label><div class=\"joined\"><input id=\"localPart\" name=\"localPart\" required maxlength=\"40\" autocapitalize=\"none\" autocomplete=\"off\" spellcheck=\"false\" value=\"{Page.Escape(was("localPart", invitation?.Pattern.Replace("*", "", StringComparison.Ordinal) ?? ""))}\" aria-describedby=\"{(wrong("localPart") ? "problem " : "")}localPart-hint\"{(wrong("localPart") ? " aria-invalid=\"true\" autofocus" : "")}><span>@{Page.Escape(Names.Show(domain.Name))}</span></div><p class=\"hint\" id=\"localPart-hint\">{Page.Escape(hint)}</p>";
        if (open.Count > 1)
            field += $"<p class=\"hint\">{(russian ? "Другие домены:" : "Other domains:")} {string.Join(", ", open.Where(one => one != domain).Take(20).Select(one => $"<a href=\"/join?domain={Uri.EscapeDataString(one.Name)}\">{Page.Escape(Names.Show(one.Name))}</a>"))}</p>";
        return field + (invitation is null ? $"<input type=\"hidden\" name=\"domain\" value=\"{Page.Escape(domain.Name)}\">" : "") + "</div>";
    }

    static async Task TakeAsync(HttpContext context, string language, string? token, IFormCollection form)
    {
        var russian = language == "ru";
        if (token is null && Forms.Text(form, "website").Length > 0) { await WaitsAsync(context, russian); return; }
        var password = Forms.PasswordOf(form);
        var applicant = new Applicant(token, token is null ? Forms.Text(form, "domain") : null, Forms.Text(form, "localPart"), Forms.Text(form, "name"), password.Value ?? "", Forms.Text(form, "recovery"), language);
        var joined = password.Ok ? await context.Room<Joining>().JoinAsync(applicant, Forms.From(context), context.RequestAborted) : password.Refusal;
        if (!joined.Ok) { await ShowAsync(context, language, token, form, joined.Refusal); return; }
        if (joined.Value.Account is null) { await WaitsAsync(context, russian); return; }
        Brand.Is(context, joined.Value.Address.Domain);
        await Forms.MessageAsync(context, language, Title(russian), russian ? "Ящик готов. Входите с адресом и паролем, который вы только что выбрали." : "The mailbox is ready. Sign in with the address and the password that you have just chosen.", 200,
            MailPrograms.Html(context.Room<Settings>(), joined.Value.Address.ToString(), russian)
            + (applicant.Recovery.Length > 0 ? $"<p>{(russian ? "Если мы ещё не знаем, что другой адрес ваш, на него ушло письмо со ссылкой: откройте её." : "Where we do not know yet that the other address is yours, a message with a link has gone there: open it.")}</p>" : ""));
    }

    static Task WaitsAsync(HttpContext context, bool russian) => Forms.MessageAsync(context, russian ? "ru" : "en", Title(russian),
        russian ? "Заявка принята. Ответ придёт на другой адрес, который вы указали." : "We have noted it. The answer goes to the other address that you gave.", 200,
        $"<p>{(russian ? "Если с этим адресом заявка уже ждёт, в силе остаётся первая: об этом на него придёт письмо." : "Where an application with that address waits already, the first one counts: a message there says so.")}</p>");
}
