using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Federation;
using CbaMail.Sasl;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/session/oidc: a browser goes to the issuer from here, and comes back with a session.</summary>
static class OidcApi
{
    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/session/oidc", null, About.Asked, "Sign in by the issuer (OpenID Connect): leads a browser there", BeginAsync) { Redirects = true },
        new("GET", "/session/oidc/callback", null, About.Asked, "Where the issuer sends the browser back: sets the cookie of a session and leads to /", EndAsync) { Query = ["state", "code", "error", "iss"], Redirects = true },
    ];

    static string Cookie(HttpContext context) => ApiCallers.Cookie(context) + "-oidc";

    static BrowserSignIn? Way(HttpContext context) => context.RequestServices.GetService<BrowserSignIn>();

    static Refusal? Forbids(HttpContext context) =>
        ControlDoor.Is(context) ? Refusal.NotPossible.Because("Nobody signs in at the control socket: who can open it may do everything")
        : Way(context) is null ? Refusal.NoSuchThing.Because("Signing in by OpenID Connect is not set up here: oidc.issuer is missing in the settings")
        : context.Room<ApiCallers>().Forbids(context);

    static async Task BeginAsync(HttpContext context)
    {
        if (Forbids(context) is { } refusal) { await context.RefuseAsync(refusal); return; }
        var settings = context.Room<Settings>();
        // outside the evaluation profile the name is ours, whatever the browser calls us
        var ours = settings.Evaluation ? $"{context.Request.Scheme}://{context.Request.Host}" : "https://" + settings.Hostname;
        var begun = await Way(context)!.BeginAsync($"{ours}{ApiRoutes.Root}/session/oidc/callback", context.RequestAborted);
        if (!begun.Ok) { await context.RefuseAsync(begun.Refusal); return; }
        Keep(context, begun.Value.Kept);
        context.Response.Redirect(begun.Value.Address);
    }

    static async Task EndAsync(HttpContext context)
    {
        if (Forbids(context) is { } refusal) { await context.RefuseAsync(refusal); return; }
        var from = ApiCallers.From(context) ?? System.Net.IPAddress.None;
        var brought = new BroughtBack(context.Request.Cookies[Cookie(context)], context.Asked("state"), context.Asked("code"), context.Asked("error"), context.Asked("iss"));
        var account = await Way(context)!.EndAsync(brought, from, context.TraceIdentifier, context.RequestAborted);
        Keep(context, "");
        if (!account.Ok) { await context.RefuseAsync(account.Refusal); return; }
        if (context.Room<SignIn>().KeepsOutOfTheWeb(account.Value, from) is { } kept) { await context.RefuseAsync(kept); return; }
        var (secret, _) = (await context.Room<Sessions>().BeginAsync(account.Value, null, from, context.Request.Headers.UserAgent.ToString(), context.RequestAborted))!.Value;
        ApiCallers.SetCookie(context, secret);
        context.Response.Redirect("/");
    }

    // Lax: the browser comes from the issuer's page, and brings a strict one not along
    static void Keep(HttpContext context, string kept) => context.Response.Cookies.Append(Cookie(context), kept, new CookieOptions
    {
        HttpOnly = true,
        Secure = context.Request.IsHttps,
        SameSite = SameSiteMode.Lax,
        Path = "/",
        MaxAge = kept.Length == 0 ? TimeSpan.Zero : BrowserSignIn.Life,
    });
}
