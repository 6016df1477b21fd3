using System.Globalization;
using CbaMail.Config;
using CbaMail.Mailings;
using Microsoft.AspNetCore.Http.Features;

namespace CbaMail.Http;

/// <summary>
/// /u/TOKEN, the page of somebody who gets mailings: what he gets and has got, and the way out. The link of a copy opens it. Programs take him off
/// with one POST (RFC 8058); looking changes nothing, for scanners look at every link.
/// </summary>
static class ReaderPages
{
    const int LargestForm = 32 << 10;

    static readonly int[] Pauses = [7, 30, 90];

    /// <returns>Whether the path is one of these.</returns>
    public static async Task<bool> AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        if (!path.StartsWith(MailingLinks.Path, StringComparison.Ordinal)) return false;
        var token = path[MailingLinks.Path.Length..];
        if (HttpMethods.IsPost(context.Request.Method) && await IsOneClickAsync(context)) await OneClickAsync(context, token);
        else await Forms.RunAsync(context, (c, language) => ShowAsync(c, language, token, null), (c, language, form) => TakeAsync(c, language, token, form));
        return true;
    }

    // ---- by one click

    /// <summary>Whether the body is what RFC 8058 3.1 has programs send, in either of its forms; else it is left to be read again.</summary>
    internal static async Task<bool> IsOneClickAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = LargestForm;
        var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        body.Position = 0;
        context.Request.Body = body;
        try
        {
            var form = await new FormFeature(context.Request, new FormOptions { ValueCountLimit = 200, MultipartBodyLengthLimit = LargestForm }).ReadFormAsync(context.RequestAborted);
            return Forms.Text(form, "List-Unsubscribe") == "One-Click";
        }
        catch (Exception e) when (e is InvalidDataException or IOException or InvalidOperationException) { return false; }
        finally { body.Position = 0; }
    }

    // no cookie, no way to elsewhere, nothing to be filled in: the program shows its own words (RFC 8058 3.2)
    static async Task OneClickAsync(HttpContext context, string token)
    {
        var (status, sentence) = context.Forbidden() ? (403, "Only by HTTPS")
            : context.Reader(token) is not { } reader ? (404, "This link is not one of ours, or what it was of is gone")
            : await context.Room<Consents>().SetAsync(reader, wanted: false, "one-click", CancellationToken.None) ? (200, "Unsubscribed") : (409, "This mail cannot be left: it is mandatory");
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsync(sentence + "\n", context.RequestAborted);
    }

    static bool Forbidden(this HttpContext context) => !context.Request.IsHttps && !context.Room<Settings>().Evaluation;

    static Reader? Reader(this HttpContext context, string token) => context.Room<MailingLinks>().Read(token) is { } ledger ? context.Room<Consents>().Find(ledger) : null;

    // ---- the page

    static Task NothingAsync(HttpContext context, string language) => Forms.MessageAsync(context, language, language == "ru" ? "Рассылки" : "Mailings",
        language == "ru" ? "Эта ссылка не наша, или курс, о котором она была, закончился: писем от него больше не будет." : "This link is not one of ours, or the course that it was of has ended: there will be no more mail of it.", 404);

    static async Task ShowAsync(HttpContext context, string language, string token, string? done)
    {
        if (context.Reader(token) is not { } reader) { await NothingAsync(context, language); return; }
        var press = context.Room<PressRoom>();
        var sheet = context.Room<Consents>().Sheet(reader, mailing => press.ComposerOf(mailing.Id, withFiles: false));
        if (context.Asked("lang") is not ("ru" or "en")) language = sheet.Choice.Language ?? reader.Course.Language;
        var russian = language == "ru";
        Brand.Is(context, reader.Course.Domain);
        var title = russian ? "Ваши рассылки" : "Your mailings";
        var action = $"{MailingLinks.Path}{Page.Escape(token)}?lang={language}";
        var body = Page.Head(context, language, title, reader.Address)
            + (done is null ? "" : $"<div class=\"card\"><p class=\"done\" role=\"status\"><span>{Page.Escape(done)}</span></p></div>")
            + Leaving(sheet, action, russian) + Wishes(sheet, action, russian) + Sent(sheet, russian) + Data(sheet, action, russian);
        await context.PageAsync(language, title, body);
    }

    static string Form(string action, string inner) => $"<form method=\"post\" action=\"{action}\">{inner}</form>";

    static string Deed(string deed, string label, bool quiet = false) => $"<button type=\"submit\" name=\"do\" value=\"{deed}\"{(quiet ? " class=\"quiet\"" : "")}>{Page.Escape(label)}</button>";

    /// <summary>What the link is of: the first thing on the page is the way out of it.</summary>
    static string Leaving(ReaderSheet sheet, string action, bool russian)
    {
        var kind = sheet.Reader.Mailing.Class;
        var what = kind switch
        {
            MailingClass.Course => russian ? $"Письма курса «{sheet.Reader.Course.Name}»" : $"Mail of the course “{sheet.Reader.Course.Name}”",
            MailingClass.Optional => russian ? "Необязательные письма" : "Optional mail",
            MailingClass.Marketing => russian ? "Предложения и реклама" : "Offers",
            _ => "",
        };
        if (what.Length == 0) return "";
        var (sentence, deed, label) = sheet.Wants
            ? (russian ? "Вы их получаете." : "You get it.", "leave", russian ? "Отписаться" : "Unsubscribe")
            : (russian ? "Вы отписались. Обязательные письма (экзамены, безопасность) приходят всё равно." : "You have left it. Mandatory mail (exams, safety) comes all the same.", "return", russian ? "Вернуть" : "Take it back");
        return Form(action, $"<h2>{Page.Escape(what)}</h2><p>{Page.Escape(sentence)}</p>{Deed(deed, label)}");
    }

    static string Check(string name, string value, bool on, string label, string? hint = null) =>
        $"<div class=\"check\"><input type=\"checkbox\" id=\"{name}{value}\" name=\"{name}\" value=\"{value}\"{(on ? " checked" : "")}><label for=\"{name}{value}\">{Page.Escape(label)}{(hint is null ? "" : $"<small>{Page.Escape(hint)}</small>")}</label></div>";

    static string Select(string name, string label, string? hint, IEnumerable<(string Value, string Label)> options, string chosen) =>
        $"<div class=\"field\"><label for=\"{name}\">{Page.Escape(label)}</label><select id=\"{name}\" name=\"{name}\"{(hint is null ? "" : $" aria-describedby=\"{name}-hint\"")}>"
        + string.Concat(options.Select(option => $"<option value=\"{Page.Escape(option.Value)}\"{(option.Value == chosen ? " selected" : "")}>{Page.Escape(option.Label)}</option>"))
        + $"</select>{(hint is null ? "" : $"<p class=\"hint\" id=\"{name}-hint\">{Page.Escape(hint)}</p>")}</div>";

    static string Wishes(ReaderSheet sheet, string action, bool russian)
    {
        var choice = sheet.Choice;
        var paused = choice.PausedUntil is { } until && until > sheet.At ? until : (DateTimeOffset?)null;
        List<(string, string)> pauses = paused is { } end
            ? [("keep", (russian ? "до " : "until ") + end.ToString(russian ? "dd.MM.yyyy" : "yyyy-MM-dd", CultureInfo.InvariantCulture)), ("0", russian ? "не нужен, присылайте" : "no more, send me mail")]
            : [("0", russian ? "нет" : "none"), .. Pauses.Select(days => (days.ToString(CultureInfo.InvariantCulture), days.ToString(CultureInfo.InvariantCulture) + (russian ? " дней" : " days")))];
        return Form(action, $"<h2>{(russian ? "Что присылать" : "What you get")}</h2><fieldset><legend>{(russian ? "Письма" : "Mail")}</legend>"
            + string.Concat(sheet.Courses.Select(course => Check("course", course.Id.ToString(CultureInfo.InvariantCulture), course.Wanted, russian ? $"Курс «{course.Name}»" : $"Course “{course.Name}”")))
            + Check("optional", "1", sheet.Optional, russian ? "Необязательные письма" : "Optional mail", russian ? "Что ещё происходит там, где вы учитесь." : "What else goes on where you learn.")
            + Check("marketing", "1", sheet.Marketing, russian ? "Предложения и реклама" : "Offers", russian ? "Только если вы сами этого хотите." : "Only if you ask for them.")
            + "</fieldset>"
            + Select("pause", russian ? "Перерыв" : "A pause", russian ? "Пока он идёт, приходят только обязательные письма." : "While it lasts, only mandatory mail comes.", pauses, paused is null ? "0" : "keep")
            + Select("language", russian ? "Язык" : "Language", null, [("", russian ? "как у курса" : "that of the course"), ("ru", "Русский"), ("en", "English")], choice.Language ?? "")
            + Select("zone", russian ? "Часовой пояс" : "Time zone", null, [("", russian ? "как у курса" : "that of the course"), .. Zones.Value.Select(zone => (zone, zone.Replace('_', ' ')))], choice.Zone ?? "")
            + Deed("save", russian ? "Сохранить" : "Save"));
    }

    static string Sent(ReaderSheet sheet, bool russian) => sheet.Sent.Count == 0 ? "" : $"<details><summary>{(russian ? "Что вам присылали" : "What was sent to you")}</summary><ul class=\"sent\">"
        + string.Concat(sheet.Sent.Select(mail => string.Create(CultureInfo.InvariantCulture, $"<li>{Page.Escape(mail.Subject)}<small>{mail.At:yyyy-MM-dd} · {Page.Escape(mail.Course)} · {Page.Escape(State(mail.State, russian))}</small></li>"))) + "</ul></details>";

    static string State(LedgerState state, bool russian) => state switch
    {
        LedgerState.Delivered => russian ? "доставлено" : "delivered",
        LedgerState.Bounced => russian ? "не доставлено" : "not delivered",
        _ => russian ? "в пути" : "on its way",
    };

    static string Data(ReaderSheet sheet, string action, bool russian)
    {
        string One(string kind, string label, string asked) => sheet.Asked.Contains(kind) ? $"<p class=\"done\"><span>{Page.Escape(asked)}</span></p>" : Deed(kind, label, quiet: true);
        return Form(action, $"<h2>{(russian ? "Ваши данные" : "Your data")}</h2><p>{(russian ? "О просьбе узнает тот, кто ведёт курс, и ответит вам." : "Whoever runs the course sees the request, and answers you.")}</p>"
            + One("export", russian ? "Попросить копию моих данных" : "Ask for a copy of my data", russian ? "Вы попросили копию." : "You have asked for a copy.")
            + One("erasure", russian ? "Попросить удалить мои данные" : "Ask to have my data erased", russian ? "Вы попросили удалить данные." : "You have asked to have your data erased."));
    }

    static readonly string[] Regions = ["Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/"];
    static readonly Lazy<IReadOnlyList<string>> Zones = new(() => [.. TimeZoneInfo.GetSystemTimeZones().Select(zone => zone.Id).Where(id => id == "UTC" || Regions.Any(region => id.StartsWith(region, StringComparison.Ordinal))).Order(StringComparer.Ordinal)]);

    // ---- what is done there

    static async Task TakeAsync(HttpContext context, string language, string token, IFormCollection form)
    {
        if (context.Reader(token) is not { } reader) { await NothingAsync(context, language); return; }
        var (consents, russian) = (context.Room<Consents>(), language == "ru");
        string? done = null;
        switch (Forms.Text(form, "do"))
        {
            case "leave" when await consents.SetAsync(reader, wanted: false, "page", CancellationToken.None): done = russian ? "Вы отписались." : "You have unsubscribed."; break;
            case "return" when await consents.SetAsync(reader, wanted: true, "page", CancellationToken.None): done = russian ? "Письма снова будут приходить." : "The mail will come again."; break;
            case "export" or "erasure":
                await consents.AskAsync(reader, Forms.Text(form, "do"), CancellationToken.None);
                done = russian ? "Просьба записана." : "Your request is noted.";
                break;
            case "save":
                await consents.WishAsync(reader, Filled(form, context.Room<TimeProvider>().GetUtcNow()), CancellationToken.None);
                done = russian ? "Сохранено." : "Saved.";
                break;
        }
        await ShowAsync(context, language, token, done);
    }

    static ReaderWishes Filled(IFormCollection form, DateTimeOffset now)
    {
        var courses = form["course"].Select(text => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0).ToHashSet();
        var pause = Forms.Text(form, "pause") is "keep" ? (int?)null : int.TryParse(Forms.Text(form, "pause"), NumberStyles.None, CultureInfo.InvariantCulture, out var days) && Pauses.Contains(days) ? days : 0;
        return new(courses, Forms.Text(form, "optional").Length > 0, Forms.Text(form, "marketing").Length > 0, Forms.Text(form, "language") is "ru" or "en" ? Forms.Text(form, "language") : null,
            Zones.Value.Contains(Forms.Text(form, "zone")) ? Forms.Text(form, "zone") : null, pause is { } length ? length == 0 ? null : now.AddDays(length) : null, KeepsPause: pause is null);
    }
}
