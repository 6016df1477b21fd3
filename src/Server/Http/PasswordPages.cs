using CbaMail.Admission;
using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Sasl;

namespace CbaMail.Http;

/// <summary>/password, where somebody changes his password; /reset, where he gets a link for a new one; /recovery, where he shows that an address is his.</summary>
static class PasswordPages
{
    /// <returns>Whether the path is one of these.</returns>
    public static async Task<bool> AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        if (path == "/password") await Forms.RunAsync(context, (c, language) => ChangeFormAsync(c, language, null, null), ChangeAsync);
        else if (path == "/reset") await Forms.RunAsync(context, AskFormAsync, AskAsync);
        else if (path.StartsWith("/reset/", StringComparison.Ordinal) && path[7..] is var reset) await Forms.RunAsync(context, (c, language) => ResetFormAsync(c, language, reset, null), (c, language, form) => ResetAsync(c, language, reset, form));
        else if (path.StartsWith("/recovery/", StringComparison.Ordinal) && path[10..] is var proof) await Forms.RunAsync(context, (c, language) => ConfirmFormAsync(c, language, proof), (c, language, _) => ConfirmAsync(c, language, proof));
        else return false;
        return true;
    }

    static string Host(HttpContext context) => Brand.NameFor(context);

    static string CodeField(bool russian, bool isNeeded, bool wrong) => Page.Field("code", russian ? "Код второго фактора" : "Code of the second factor",
        isNeeded ? russian ? "Из приложения-аутентификатора, или код восстановления." : "Of your authenticator app, or a recovery code."
        : russian ? "Только если он у вас настроен: из приложения или код восстановления." : "Only if you have set one up: of the app, or a recovery code.",
        "text", "", $"{(isNeeded ? "required " : "")}inputmode=\"text\" autocomplete=\"one-time-code\" autocapitalize=\"none\" maxlength=\"40\"", wrong);

    // ---- changing

    static string ChangeTitle(bool russian) => russian ? "Сменить пароль" : "Change the password";

    static Task ChangeFormAsync(HttpContext context, string language, IFormCollection? form, Refusal? refusal)
    {
        var russian = language == "ru";
        return context.PageAsync(language, ChangeTitle(russian), Page.Head(context, language, ChangeTitle(russian), Host(context)) + $"<form method=\"post\" action=\"/password?lang={language}{Page.Domain(context)}\">" + Page.Problem(refusal is null ? null : Sentences.Say(refusal, language))
            + Page.Field("address", russian ? "Почтовый адрес" : "Mail address", null, "email", form is null ? "" : Forms.Text(form, "address"), "required autocomplete=\"username\" maxlength=\"320\"", refusal?.Field == "address")
            + Page.Field("old", russian ? "Нынешний пароль" : "Present password", null, "password", "", "required autocomplete=\"current-password\" maxlength=\"200\"", refusal?.Field == "old")
            + CodeField(russian, refusal == SecondFactors.Needed, refusal?.Field == "code")
            + Forms.NewPassword(context, russian, refusal?.Field is "password" or "new") + Page.Button(ChangeTitle(russian)) + "</form>"
            + $"<p class=\"foot\"><a href=\"/reset?lang={language}{Page.Domain(context)}\">{(russian ? "Не помню пароль" : "I have forgotten the password")}</a></p>", refusal is null ? 200 : refusal.HttpStatus == 401 ? 403 : refusal.HttpStatus);
    }

    static async Task ChangeAsync(HttpContext context, string language, IFormCollection form)
    {
        var russian = language == "ru";
        var (address, old, code) = (Forms.Text(form, "address"), Forms.Text(form, "old"), Forms.Text(form, "code"));
        var password = Forms.PasswordOf(form);
        if (!password.Ok) { await ChangeFormAsync(context, language, form, password.Refusal); return; }
        var (sessions, whose) = (context.Room<Sessions>(), context.FindAccount(address));
        var ends = sessions.EndsOf(whose);
        var signedIn = await context.Room<SignIn>().TryAsync(new WithCode(address, old, code.Length > 0 ? code : null), Forms.From(context), context.TraceIdentifier, context.RequestAborted);
        if (!signedIn.Ok) { await ChangeFormAsync(context, language, form, signedIn.Refusal); return; }
        if (password.Value == old) { await ChangeFormAsync(context, language, form, Refusal.Invalid.Because("This is the password that you have").At("new")); return; }
        if (PasswordPolicy.Check(password.Value, signedIn.Value, context.Room<Settings>().SignIn.PasswordLength) is { } weak) { await ChangeFormAsync(context, language, form, weak); return; }
        var changed = await context.Room<UserDirectory>().SetAccountAsync(signedIn.Value, new(Password: password.Value, Profile: profile => profile with { MustChangePassword = null, MustChangeSince = null }) { StillMay = () => sessions.EndsOf(whose) == ends }, context.RequestAborted);
        if (!changed.Ok) { await ChangeFormAsync(context, language, form, changed.Refusal); return; }
        var log = context.Room<AuditLog>();
        await log.AppendAsync(new(log.Time.GetUtcNow(), changed.Value.Address.ToString(), Forms.From(context).ToString(), "POST /api/v1/me/password", "/password", 200, null, null), CancellationToken.None);
        await Forms.MessageAsync(context, language, ChangeTitle(russian), russian ? "Пароль изменён. Введите новый в своих почтовых программах." : "The password is changed. Enter the new one in your mail programs.");
    }

    // ---- forgotten

    static string ResetTitle(bool russian) => russian ? "Новый пароль" : "A new password";

    static Task AskFormAsync(HttpContext context, string language)
    {
        var russian = language == "ru";
        return context.PageAsync(language, ResetTitle(russian), Page.Head(context, language, ResetTitle(russian), Host(context)) + $"<form method=\"post\" action=\"/reset?lang={language}{Page.Domain(context)}\"><p>{(russian ? "Если у ящика есть подтверждённый резервный адрес, на него придёт ссылка." : "If the mailbox has a confirmed recovery address, a link goes there.")}</p>"
            + Page.Field("address", russian ? "Почтовый адрес" : "Mail address", null, "email", "", "required autocomplete=\"username\" maxlength=\"320\"") + Page.Button(russian ? "Прислать ссылку" : "Send the link") + "</form>"
            + $"<p class=\"foot\">{(russian ? "Без резервного адреса новый пароль даст администратор." : "Without a recovery address an administrator gives you a new password.")}</p>");
    }

    static Task AskAsync(HttpContext context, string language, IFormCollection form)
    {
        var russian = language == "ru";
        return context.Room<PasswordResets>().Ask(Forms.Text(form, "address"), language, Forms.From(context)) is { } refusal ? Forms.RefusedAsync(context, language, ResetTitle(russian), refusal)
            : Forms.MessageAsync(context, language, ResetTitle(russian), russian ? "Если такой ящик есть и у него есть резервный адрес, ссылка уже отправлена туда. Она действует недолго." : "If there is such a mailbox and it has a recovery address, the link is on its way there. It is good for a short while.");
    }

    static async Task ResetFormAsync(HttpContext context, string language, string token, Refusal? refusal)
    {
        var russian = language == "ru";
        var found = context.Room<PasswordResets>().Look(token, Forms.From(context));
        if (!found.Ok) { await Forms.RefusedAsync(context, language, ResetTitle(russian), found.Refusal); return; }
        var (account, needsCode) = found.Value;
        Brand.Is(context, account.Address.Domain);
        await context.PageAsync(language, ResetTitle(russian), Page.Head(context, language, ResetTitle(russian), Brand.NameBefore(context, account.Address.ToString())) + $"<form method=\"post\" action=\"/reset/{Page.Escape(token)}?lang={language}\">" + Page.Problem(refusal is null ? null : Sentences.Say(refusal, language))
            + $"<input type=\"hidden\" name=\"username\" autocomplete=\"username\" value=\"{Page.Escape(account.Address.ToString())}\">" + (needsCode ? CodeField(russian, true, refusal?.Field == "code") : "") + Forms.NewPassword(context, russian, refusal?.Field == "password")
            + $"<div class=\"field check\"><input type=\"checkbox\" id=\"all\" name=\"all\" value=\"yes\"><label for=\"all\">{(russian ? "Отключить и пароли приложений: ящиком мог пользоваться кто-то ещё" : "End application passwords too: somebody else may have used the mailbox")}</label></div>"
            + Page.Button(russian ? "Сохранить пароль" : "Save the password") + "</form>", refusal is null ? 200 : refusal.HttpStatus == 401 ? 403 : refusal.HttpStatus);
    }

    static async Task ResetAsync(HttpContext context, string language, string token, IFormCollection form)
    {
        var russian = language == "ru";
        var password = Forms.PasswordOf(form);
        var used = password.Ok ? await context.Room<PasswordResets>().UseAsync(new(token, password.Value, Forms.Text(form, "code"), Forms.Text(form, "all") == "yes"), language, Forms.From(context), context.RequestAborted) : password.Refusal;
        if (!used.Ok) { await ResetFormAsync(context, language, token, used.Refusal); return; }
        await Forms.MessageAsync(context, language, ResetTitle(russian), russian ? "Пароль сохранён, все сеансы завершены. Введите новый пароль в почтовых программах." : "The password is saved, and all sessions have ended. Enter it in your mail programs.");
    }

    // ---- a recovery address

    static string ConfirmTitle(bool russian) => russian ? "Резервный адрес" : "Recovery address";

    static Task ConfirmFormAsync(HttpContext context, string language, string token)
    {
        var russian = language == "ru";
        var found = context.Room<RecoveryAddresses>().Look(token);
        if (found.Ok) Brand.Is(context, found.Value.Account.Address.Domain);
        return !found.Ok ? Forms.RefusedAsync(context, language, ConfirmTitle(russian), found.Refusal)
            : context.PageAsync(language, ConfirmTitle(russian), Page.Head(context, language, ConfirmTitle(russian), Host(context)) + $"<form method=\"post\" action=\"/recovery/{Page.Escape(token)}?lang={language}\"><dl><dt>{(russian ? "Почтовый ящик" : "Mailbox")}</dt><dd>{Page.Escape(found.Value.Account.Address.ToString())}</dd><dt>{(russian ? "Резервный адрес" : "Recovery address")}</dt><dd>{Page.Escape(found.Value.Address)}</dd></dl>"
                + Page.Button(russian ? "Подтвердить: это мой адрес" : "Confirm: this address is mine") + "</form>");
    }

    static async Task ConfirmAsync(HttpContext context, string language, string token)
    {
        var russian = language == "ru";
        var done = await context.Room<RecoveryAddresses>().ConfirmAsync(token, context.RequestAborted);
        if (!done.Ok) await Forms.RefusedAsync(context, language, ConfirmTitle(russian), done.Refusal);
        else await Forms.MessageAsync(context, language, ConfirmTitle(russian), russian ? "Адрес подтверждён." : "The address is confirmed.");
    }
}
