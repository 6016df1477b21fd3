using CbaMail.Directory;
using CbaMail.Lists;

namespace CbaMail.Http;

/// <summary>/list/TOKEN leaves a list, /list/TOKEN/options says how one gets its mail, /list/confirm/TOKEN confirms, /list/decide/TOKEN is a moderator's. GET shows, POST does (RFC 8058 3.1).</summary>
static class ListPages
{
    /// <returns>Whether the path is one of these.</returns>
    public static async Task<bool> AnswerAsync(HttpContext context)
    {
        if (context.Request.Path.Value is not { } path || !path.StartsWith("/list/", StringComparison.Ordinal)) return false;
        Func<HttpContext, string, IFormCollection?, Task> page = path[6..].Split('/') switch
        {
            [var token] => (c, language, form) => LeaveAsync(c, language, token, form),
            [var token, "options"] => (c, language, form) => OptionsAsync(c, language, token, form),
            ["confirm", var token] => (c, language, form) => ConfirmAsync(c, language, token, form),
            ["decide", var token] => (c, language, form) => DecideAsync(c, language, token, form),
            _ => (c, language, _) => GoneAsync(c, language),
        };
        if (HttpMethods.IsPost(context.Request.Method) && path.IndexOf('/', 6) < 0 && await ReaderPages.IsOneClickAsync(context)) { await OneClickAsync(context, path[6..]); return true; }
        await Forms.RunAsync(context, (c, language) => page(c, language, null), (c, language, form) => page(c, language, form));
        return true;
    }

    // a mail program, which sends either kind of form and shows its own words (RFC 8058 3.1, 3.2)
    static async Task OneClickAsync(HttpContext context, string token)
    {
        var member = context.Room<ListTokens>().MemberOf(token);
        if (member is { } id) await context.Room<ListCommands>().LeaveAsync(id, CancellationToken.None);
        context.Response.StatusCode = member is null ? 404 : 200;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsync(member is null ? "This link is not one of ours\n" : "Unsubscribed\n", context.RequestAborted);
    }

    static Task GoneAsync(HttpContext context, string language) => Forms.MessageAsync(context, language, language == "ru" ? "Ссылка не действует" : "This link is not valid",
        language == "ru" ? "Она уже использована, или её время вышло." : "It has been used already, or its time is over.", 404);

    /// <param name="more">HTML below the form.</param>
    static Task ShowAsync(HttpContext context, MailList list, string language, string title, string sentence, string buttons, string more = "")
    {
        Brand.Is(context, list.Address.Domain);
        return context.PageAsync(language, title, Page.Head(context, language, title, Brand.NameBefore(context, Names.Show(list.Address.Domain)))
            + $"<form method=\"post\" action=\"{Page.Escape(context.Request.Path.Value)}?lang={language}\"><p>{sentence}</p>{buttons}</form>{more}");
    }

    static Task DoneAsync(HttpContext context, MailList list, string language, string title, string sentence)
    {
        Brand.Is(context, list.Address.Domain);
        return Forms.MessageAsync(context, language, title, sentence);
    }

    static async Task LeaveAsync(HttpContext context, string language, string token, IFormCollection? form)
    {
        var (russian, commands) = (language == "ru", context.Room<ListCommands>());
        if (context.Room<ListTokens>().MemberOf(token) is not { } id) { await GoneAsync(context, language); return; }
        if (commands.FindMember(id) is not var (list, member))
        {
            await Forms.MessageAsync(context, language, russian ? "Вы отписаны" : "You have left the list", russian ? "Писем от этого списка больше не будет." : "There will be no more mail from this list.");
            return;
        }
        if (form is null)
        {
            await ShowAsync(context, list, language, russian ? "Отписаться" : "Unsubscribe",
                russian ? $"Отписать <strong>{Page.Escape(member.Address)}</strong> от списка <strong>{Page.Escape(list.Title)}</strong>?" : $"Take <strong>{Page.Escape(member.Address)}</strong> off the list <strong>{Page.Escape(list.Title)}</strong>?",
                Page.Button(russian ? "Отписаться" : "Unsubscribe"), Options(list, member, token, language));
            return;
        }
        await commands.LeaveAsync(id, context.RequestAborted);
        await DoneAsync(context, list, language, russian ? "Вы отписаны" : "You have left the list", russian ? "Писем от этого списка больше не будет." : "There will be no more mail from this list.");
    }

    static string Options(MailList list, ListMember member, string token, string language)
    {
        var russian = language == "ru";
        var choices = string.Concat(ListMember.Modes.Select(mode =>
            $"<div class=\"check\"><input type=\"radio\" name=\"mode\" id=\"{mode}\" value=\"{mode}\"{(mode == member.Mode ? " checked" : "")}><label for=\"{mode}\">{Page.Escape(Capital(ListLetters.Mode(mode, russian)))}</label></div>"));
        var paused = member.Paused is null ? "" : Page.Problem(russian ? "Письма к вам возвращались, поэтому рассылка приостановлена. Сохраните, чтобы получать их снова." : "Letters to you came back, so you get none for now. Save to get them again.");
        return $"<form method=\"post\" action=\"/list/{Page.Escape(token)}/options?lang={language}\">{paused}<fieldset><legend>{(russian ? "Или: как получать письма списка" : "Or: how to get mail of the list")} {Page.Escape(list.Title)}</legend>{choices}</fieldset><button type=\"submit\" class=\"quiet\">{(russian ? "Сохранить" : "Save")}</button></form>"
            + (list.Profile.HasArchive ? $"<p class=\"foot\"><a href=\"{list.ArchiveUrl("")}?lang={language}\">{(russian ? "Архив списка" : "The archive of the list")}</a></p>" : "");
    }

    static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    static async Task OptionsAsync(HttpContext context, string language, string token, IFormCollection? form)
    {
        var russian = language == "ru";
        if (context.Room<ListTokens>().MemberOf(token) is not { } id || context.Room<ListCommands>().FindMember(id) is not var (list, member)) { await GoneAsync(context, language); return; }
        if (form is null)
        {
            context.Response.Redirect($"/list/{token}?lang={language}");
            return;
        }
        var mode = Forms.Text(form, "mode");
        if (!ListMember.IsMode(mode)) { await GoneAsync(context, language); return; }
        await context.Room<ListBook>().SetMemberAsync(list, id, mode, context.RequestAborted);
        await context.Room<ListBounces>().ResumeAsync(id, context.RequestAborted);
        await DoneAsync(context, list, language, list.Title, russian ? $"Сохранено: {ListLetters.Mode(mode, true)}." : $"Saved: {ListLetters.Mode(mode, false)}.");
    }

    static async Task ConfirmAsync(HttpContext context, string language, string token, IFormCollection? form)
    {
        var (russian, commands) = (language == "ru", context.Room<ListCommands>());
        if (commands.FindRequest(token) is not var (list, request) || request.Kind == "approve") { await GoneAsync(context, language); return; }
        var joins = request.Kind == "subscribe";
        var mode = request.Kind.StartsWith(ListCommands.SetKind, StringComparison.Ordinal) ? ListLetters.Mode(request.Kind[ListCommands.SetKind.Length..], russian) : null;
        var title = mode is not null ? list.Title : joins ? russian ? "Подписка" : "Subscribe" : russian ? "Отписка" : "Unsubscribe";
        if (form is null)
        {
            var (who, what) = ($"<strong>{Page.Escape(request.Address)}</strong>", $"<strong>{Page.Escape(list.Title)}</strong>");
            await ShowAsync(context, list, language, title, mode is not null ? $"{who}: {Page.Escape(mode)}?" : russian ? joins ? $"Подписать {who} на список {what}?" : $"Отписать {who} от списка {what}?" : joins ? $"Put {who} on the list {what}?" : $"Take {who} off the list {what}?",
                Page.Button(russian ? "Да" : "Yes"));
            return;
        }
        if (!(await commands.ConfirmAsync(token, context.RequestAborted)).Ok) { await GoneAsync(context, language); return; }
        await DoneAsync(context, list, language, title, mode is not null ? russian ? $"Сохранено: {mode}." : $"Saved: {mode}." : joins
            ? list.Profile.Subscription == "approval" ? russian ? "Адрес подтверждён. Теперь решает владелец списка; ответ придёт письмом." : "The address is confirmed. An owner of the list decides now; the answer comes by mail."
                : russian ? "Вы подписаны." : "You are on the list now."
            : russian ? "Вы отписаны." : "You have left the list.");
    }

    static async Task DecideAsync(HttpContext context, string language, string token, IFormCollection? form)
    {
        var (russian, commands) = (language == "ru", context.Room<ListCommands>());
        var found = context.Room<ListPosts>().FindHeld(token) is var (held, one) ? (List: held, Post: one) : default;
        var applicant = found.Post is null && commands.FindRequest(token) is var (asked, request) && request.Kind == "approve" ? (asked, request) : default;
        if ((found.List ?? applicant.asked) is not { } of) { await GoneAsync(context, language); return; }
        var title = russian ? "Решение модератора" : "For you to decide";
        if (form is null)
        {
            var sentence = found.Post is { } post
                ? $"{(russian ? "Письмо в список" : "A post to")} <strong>{Page.Escape(of.Title)}</strong><br>{(russian ? "От" : "From")}: {Page.Escape(post.Author)}<br>{(russian ? "Тема" : "Subject")}: {Page.Escape(post.Subject)}"
                : russian ? $"<strong>{Page.Escape(applicant.request.Address)}</strong> просит подписки на <strong>{Page.Escape(of.Title)}</strong>" : $"<strong>{Page.Escape(applicant.request.Address)}</strong> asks to join <strong>{Page.Escape(of.Title)}</strong>";
            await ShowAsync(context, of, language, title, sentence,
                $"<p><button type=\"submit\" name=\"decision\" value=\"accept\">{(russian ? "Принять" : "Accept")}</button></p><p><button type=\"submit\" name=\"decision\" value=\"reject\">{(russian ? "Отклонить" : "Reject")}</button></p>");
            return;
        }
        var accept = Forms.Text(form, "decision") == "accept";
        if (!accept && Forms.Text(form, "decision") != "reject" || await commands.DecideAsync(of, token, accept, context.RequestAborted) is not null) { await GoneAsync(context, language); return; }
        await DoneAsync(context, of, language, title, accept ? russian ? "Принято." : "Accepted." : russian ? "Отклонено." : "Rejected.");
    }
}
