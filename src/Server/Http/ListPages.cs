using CbaMail.Directory;
using CbaMail.Lists;

namespace CbaMail.Http;

/// <summary>/list/TOKEN leaves a list, /list/confirm/TOKEN confirms, /list/decide/TOKEN is a moderator's. GET shows, POST does (RFC 8058 3.1).</summary>
static class ListPages
{
    /// <returns>Whether the path is one of these.</returns>
    public static async Task<bool> AnswerAsync(HttpContext context)
    {
        if (context.Request.Path.Value is not { } path || !path.StartsWith("/list/", StringComparison.Ordinal)) return false;
        Func<HttpContext, string, IFormCollection?, Task> page = path[6..].Split('/') switch
        {
            [var token] => (c, language, form) => LeaveAsync(c, language, token, form),
            ["confirm", var token] => (c, language, form) => ConfirmAsync(c, language, token, form),
            ["decide", var token] => (c, language, form) => DecideAsync(c, language, token, form),
            _ => (c, language, _) => GoneAsync(c, language),
        };
        await Forms.RunAsync(context, (c, language) => page(c, language, null), (c, language, form) => page(c, language, form));
        return true;
    }

    static Task GoneAsync(HttpContext context, string language) => Forms.MessageAsync(context, language, language == "ru" ? "Ссылка не действует" : "This link is not valid",
        language == "ru" ? "Она уже использована, или её время вышло." : "It has been used already, or its time is over.", 404);

    static Task ShowAsync(HttpContext context, MailList list, string language, string title, string sentence, string buttons)
    {
        Brand.Is(context, list.Address.Domain);
        return context.PageAsync(language, title, Page.Head(context, language, title, Brand.NameBefore(context, Names.Show(list.Address.Domain)))
            + $"<form method=\"post\" action=\"{Page.Escape(context.Request.Path.Value)}?lang={language}\"><p>{sentence}</p>{buttons}</form>");
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
                Page.Button(russian ? "Отписаться" : "Unsubscribe"));
            return;
        }
        await commands.LeaveAsync(id, context.RequestAborted);
        await DoneAsync(context, list, language, russian ? "Вы отписаны" : "You have left the list", russian ? "Писем от этого списка больше не будет." : "There will be no more mail from this list.");
    }

    static async Task ConfirmAsync(HttpContext context, string language, string token, IFormCollection? form)
    {
        var (russian, commands) = (language == "ru", context.Room<ListCommands>());
        if (commands.FindRequest(token) is not var (list, request) || request.Kind == "approve") { await GoneAsync(context, language); return; }
        var joins = request.Kind == "subscribe";
        var title = joins ? russian ? "Подписка" : "Subscribe" : russian ? "Отписка" : "Unsubscribe";
        if (form is null)
        {
            var (who, what) = ($"<strong>{Page.Escape(request.Address)}</strong>", $"<strong>{Page.Escape(list.Title)}</strong>");
            await ShowAsync(context, list, language, title, russian ? joins ? $"Подписать {who} на список {what}?" : $"Отписать {who} от списка {what}?" : joins ? $"Put {who} on the list {what}?" : $"Take {who} off the list {what}?",
                Page.Button(russian ? "Да" : "Yes"));
            return;
        }
        if (!(await commands.ConfirmAsync(token, context.RequestAborted)).Ok) { await GoneAsync(context, language); return; }
        await DoneAsync(context, list, language, title, joins
            ? list.Profile.Subscription == "approval" ? russian ? "Адрес подтверждён. Теперь решает владелец списка; ответ придёт письмом." : "The address is confirmed. An owner of the list decides now; the answer comes by mail."
                : russian ? "Вы подписаны." : "You are on the list now."
            : russian ? "Вы отписаны." : "You have left the list.");
    }

    static async Task DecideAsync(HttpContext context, string language, string token, IFormCollection? form)
    {
        var (russian, commands) = (language == "ru", context.Room<ListCommands>());
        var found = context.Room<ListBook>().List().Select(list => (List: list, Post: context.Room<ListPosts>().FindHeld(list, token))).FirstOrDefault(pair => pair.Post is not null);
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
