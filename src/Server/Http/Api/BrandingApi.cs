using System.Text.Json;
using System.Text.Json.Nodes;
using CbaMail.Authorization;
using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/branding: how pages show themselves, open to all; /api/v1/domains/{domain}/branding: that of a domain.</summary>
static class BrandingApi
{
    const string UsualName = "CBA Mail", UsualColor = "#3558d4";

    /// <param name="Support">A URL, https or mailto.</param>
    /// <param name="Logo">The path of its picture, which changes with it; null: there is none.</param>
    sealed record ShownBranding(string Name, string Color, string Accent, string? Support, string? SupportText, string? Logo);

    /// <param name="Logo">The path of its picture.</param>
    sealed record BrandingView(string Domain, string? Name, string? Color, string? Accent, string? Support, string? SupportText, string? Logo);

    /// <param name="Name">One line, 100 characters at most.</param>
    /// <param name="Color">#rrggbb, on which white can be read.</param>
    /// <param name="Accent">Likewise, of links and lines.</param>
    /// <param name="Support">A mail address, or a URL with https.</param>
    /// <param name="Logo">PNG, JPEG or WebP of at most 64 KB, in base64.</param>
    sealed record BrandingChange(string? Name = null, string? Color = null, string? Accent = null, string? Support = null, string? SupportText = null, string? Logo = null);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/branding", null, About.Asked, "How pages show themselves to people of the domain that the query names, or that the host belongs to", ShowAsync) { Query = ["domain"], Gives = typeof(ShownBranding) },
        new("GET", "/branding/logo", null, About.Asked, "The picture to it", LogoAsync) { Query = ["domain", "v"], GivesType = "image/*" },
        new("GET", "/domains/{domain}/branding", Permissions.DomainsRead, About.Domain, "The branding of a domain", Requests.WithDomain((context, domain) => context.JsonAsync(View(domain)))) { Gives = typeof(BrandingView) },
        new("PATCH", "/domains/{domain}/branding", Permissions.DomainsWrite, About.Domain, "Change it: null takes a key away (RFC 7396)", PatchAsync) { Takes = typeof(BrandingChange), Gives = typeof(BrandingView), CanRehearse = true },
        new("DELETE", "/domains/{domain}/branding", Permissions.DomainsWrite, About.Domain, "Take it away", RemoveAsync) { Gives = typeof(BrandingView), CanRehearse = true },
    ];

    static BrandingView View(Domain domain)
    {
        var branding = domain.Profile.Branding ?? new Branding();
        return new(domain.Name, branding.Name, branding.Color, branding.Accent, branding.Support, branding.SupportText, LogoPath(domain));
    }

    static string? LogoPath(Domain domain) => domain.Profile.Branding?.Logo is { } version ? $"{ApiRoutes.Root}/branding/logo?domain={Uri.EscapeDataString(domain.Name)}&v={version}" : null;

    static Task ShowAsync(HttpContext context)
    {
        var domain = Brand.Named(context);
        var branding = domain?.Profile.Branding ?? new Branding();
        context.Response.Headers.CacheControl = "public, max-age=60";
        context.Response.Headers.Vary = "Host";
        return context.JsonAsync(new ShownBranding(branding.Name ?? UsualName, branding.Color ?? UsualColor, branding.Accent ?? branding.Color ?? UsualColor, branding.SupportLink, branding.SupportText, domain is null ? null : LogoPath(domain)));
    }

    static async Task LogoAsync(HttpContext context)
    {
        if (Brand.Named(context) is not { } domain || context.Room<UserDirectory>().LogoOf(domain) is not { } logo) { await context.RefuseAsync(404, "There is no logo here"); return; }
        context.Response.ContentType = Branding.TypeOf(logo);
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; sandbox; frame-ancestors 'none'";
        // the path that a branding gives changes with the picture
        context.Response.Headers.CacheControl = context.Asked("v") == domain.Profile.Branding?.Logo ? "public, max-age=31536000, immutable" : "public, max-age=300";
        context.Response.Headers.Vary = "Host";
        await context.Response.Body.WriteAsync(logo, context.RequestAborted);
    }

    /// <summary>RFC 7396: what the body names is set, null takes it away, the rest stays.</summary>
    static async Task PatchAsync(HttpContext context)
    {
        if (await context.ReadAsync<JsonObject>() is not { } patch) return;
        BrandingChange wanted;
        try { wanted = patch.Deserialize<BrandingChange>(Reply.Json)!; }
        catch (JsonException e)
        {
            await context.RefuseAsync(Reply.NotExpected(e, typeof(BrandingChange)));
            return;
        }
        byte[]? logo = null;
        if (wanted.Logo is not null && (logo = Decoded(wanted.Logo)) is null) { await context.RefuseAsync(Refusal.Invalid.Because("logo is base64").At("logo")); return; }
        bool Named(string field) => patch.Any(one => one.Key.Equals(field, StringComparison.OrdinalIgnoreCase));
        await context.ResultAsync(await context.Room<UserDirectory>().SetBrandingAsync(context.Part("domain"), old => new Branding(
            Named("name") ? wanted.Name : old.Name, Named("color") ? wanted.Color : old.Color, Named("accent") ? wanted.Accent : old.Accent,
            Named("support") ? wanted.Support : old.Support, Named("supportText") ? wanted.SupportText : old.SupportText)
        { Logo = Named("logo") ? null : old.Logo }, logo, context.RequestAborted), View);
    }

    static byte[]? Decoded(string text)
    {
        var bytes = new byte[text.Length / 4 * 3 + 3];
        return Convert.TryFromBase64String(text, bytes, out var length) ? bytes[..length] : null;
    }

    static async Task RemoveAsync(HttpContext context) =>
        await context.ResultAsync(await context.Room<UserDirectory>().SetBrandingAsync(context.Part("domain"), _ => new Branding(), null, context.RequestAborted), View);
}
