using System.Net;
using CbaMail.Config;
using CbaMail.Envelope;
using Microsoft.AspNetCore.Http.Features;

namespace CbaMail.Http;

/// <summary>
/// What pages with forms have in common: they are shown over TLS, a form is taken from our own page alone, and it is small. GET changes nothing.
/// </summary>
static class Forms
{
    const int LargestForm = 32 << 10;
    static readonly FormOptions small = new() { ValueCountLimit = 200, KeyLengthLimit = 64, ValueLengthLimit = 4096, BufferBodyLengthLimit = LargestForm };

    /// <summary>Shows with GET, does with POST; sees to all that comes before.</summary>
    public static async Task RunAsync(HttpContext context, Func<HttpContext, string, Task> show, Func<HttpContext, string, IFormCollection, Task> take)
    {
        var settings = context.Room<Settings>();
        var language = Page.LanguageOf(context);
        var russian = language == "ru";
        if (!context.Request.IsHttps && !settings.Evaluation)
        {
            // never to the host that the request names
            context.Response.Headers.Location = settings.Admission.Root(settings) + context.Request.Path.ToUriComponent() + (context.Asked("lang") is "ru" or "en" ? "?lang=" + context.Asked("lang") : "");
            context.Response.Headers["Referrer-Policy"] = "same-origin";
            context.Response.Headers.CacheControl = "no-store";
            context.Response.StatusCode = HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method) ? 302 : 403;
            return;
        }
        if (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)) { await show(context, language); return; }
        if (!HttpMethods.IsPost(context.Request.Method)) { await MessageAsync(context, language, russian ? "Так нельзя" : "Not like this", russian ? "Здесь возможны только GET и POST." : "Only GET and POST are possible here.", 405); return; }
        if (!IsOwn(context))
        {
            await MessageAsync(context, language, russian ? "Форма с чужой страницы" : "A form of another page", russian ? "Откройте эту страницу сами и заполните форму на ней." : "Open this page yourself, and fill in the form there.", 403);
            return;
        }
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = LargestForm;
        IFormCollection form;
        try
        {
            if (context.Request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) != true) throw new InvalidDataException();
            form = await new FormFeature(context.Request, small).ReadFormAsync(context.RequestAborted);
        }
        catch (InvalidDataException)
        {
            await MessageAsync(context, language, russian ? "Форма не читается" : "The form cannot be read", russian ? "Откройте страницу ещё раз и заполните форму снова." : "Open the page again, and fill in the form once more.", 400);
            return;
        }
        await take(context, language, form);
    }

    /// <summary>Whether the form stood on a page of ours (Fetch Metadata; where a browser is too old for it, by Origin). Programs send neither.</summary>
    static bool IsOwn(HttpContext context)
    {
        if (context.Request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site) return site is "same-origin" or "none";
        return context.Request.Headers.Origin.ToString() is not { Length: > 0 } origin || (Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Authority.Equals(context.Request.Host.Value, StringComparison.OrdinalIgnoreCase));
    }

    public static IPAddress From(HttpContext context) => ApiCallers.From(context) ?? IPAddress.None;

    public static string Text(IFormCollection form, string name) => form.TryGetValue(name, out var value) ? value.ToString() : "";

    /// <summary>A page with a sentence and nothing to do.</summary>
    /// <param name="more">HTML.</param>
    public static Task MessageAsync(HttpContext context, string language, string title, string sentence, int status = 200, string more = "") =>
        context.PageAsync(language, title, Page.Head(context, language, title, Brand.NameFor(context)) + $"<div class=\"card\"><p{(status < 400 ? " class=\"done\" role=\"status\"" : " role=\"alert\"")}><span>{Page.Escape(sentence)}</span></p>{more}</div>", status);

    public static Task RefusedAsync(HttpContext context, string language, string title, Refusal refusal) => MessageAsync(context, language, title, Sentences.Say(refusal, language) + ".", refusal.HttpStatus);

    /// <summary>Two fields for a new password, and in words what it must be.</summary>
    public static string NewPassword(HttpContext context, bool russian, bool wrong) =>
        Page.Field("password", russian ? "Новый пароль" : "New password", Directory.PasswordPolicy.Words(context.Room<Settings>().SignIn.PasswordLength, russian), "password", "", "required autocomplete=\"new-password\" maxlength=\"200\"", wrong)
        + Page.Field("again", russian ? "Пароль ещё раз" : "The password once more", null, "password", "", "required autocomplete=\"new-password\" maxlength=\"200\"");

    static readonly Refusal Different = Refusal.Invalid.Because("The two passwords differ").At("password");

    /// <summary>The password, where both fields say the same.</summary>
    public static Result<string> PasswordOf(IFormCollection form) => Text(form, "password") == Text(form, "again") ? Text(form, "password") : Different;
}
