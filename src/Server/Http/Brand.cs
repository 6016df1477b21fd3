using CbaMail.Config;
using CbaMail.Directory;

namespace CbaMail.Http;

/// <summary>How a page shows itself: as the domain wants that it is about, that <c>?domain=</c> names, or that the host belongs to. Whose domain is none of ours sees what all see.</summary>
sealed class Brand
{
    // the grounds that Page.Style sets text on
    static readonly Color light = new(0xf3, 0xf4, 0xf7), dark = new(0x1b, 0x20, 0x28);

    readonly Domain? domain;
    readonly Branding branding;

    Brand(Domain? domain) => (this.domain, branding) = (domain, domain?.Profile.Branding ?? new Branding());

    public static Brand Of(HttpContext context)
    {
        if (context.Features.Get<Brand>() is { } known) return known;
        var found = new Brand(Named(context));
        context.Features.Set(found);
        return found;
    }

    /// <summary>The domain that the request is about, or null.</summary>
    public static Domain? Named(HttpContext context) => context.Room<UserDirectory>().FindBranded(context.Asked("domain") ?? context.Request.Host.Host);

    /// <summary>Says which domain the page is about.</summary>
    public static void Is(HttpContext context, string domain) => context.Features.Set(new Brand(context.Room<UserDirectory>().FindBranded(domain)));

    /// <summary>The name, or the server's.</summary>
    public static string NameFor(HttpContext context) => Of(context).branding.Name ?? context.Room<Settings>().Hostname;

    /// <summary>The name before that of the domain.</summary>
    public static string NameBefore(HttpContext context, string domain) => Of(context).branding.Name is { } name ? $"{name} · {domain}" : domain;

    /// <summary>The mark at the head of a page, in HTML.</summary>
    public static string Mark(HttpContext context) =>
        Of(context).domain is { } domain && DataOf(context.Room<UserDirectory>(), domain) is { } data ? $"<span class=\"mark logo\" aria-hidden=\"true\"><img src=\"{data}\" alt=\"\"></span>" : "<span class=\"mark\" aria-hidden=\"true\">✉</span>";

    /// <summary>The logo as a URL that holds it, so that a page stays one file.</summary>
    public static string? DataOf(UserDirectory directory, Domain domain) => directory.LogoOf(domain) is { } logo ? $"data:{Branding.TypeOf(logo)};base64,{Convert.ToBase64String(logo)}" : null;

    /// <summary>Where help is to be had, in HTML, or "".</summary>
    public static string Foot(HttpContext context, string language) => Of(context).branding is { Support: { } support, SupportLink: { } link } branding
        ? $"<footer class=\"foot\">{(branding.SupportText is null ? language == "ru" ? "Нужна помощь? " : "Need help? " : "")}<a href=\"{Page.Escape(link)}\" rel=\"noopener noreferrer\">{Page.Escape(branding.SupportText ?? support)}</a></footer>"
        : Of(context).branding.SupportText is { } text ? $"<footer class=\"foot\">{Page.Escape(text)}</footer>" : "";

    /// <summary>What is added to the style of a page; by day and by night its colours are readable on the ground there.</summary>
    public static string Style(HttpContext context)
    {
        var branding = Of(context).branding;
        if (!Color.TryParse(branding.Accent ?? branding.Color, out var accent)) return "";
        return $":root{{{Colors(branding, accent, light, default)}}}@media(prefers-color-scheme:dark){{:root{{{Colors(branding, accent, dark, Color.White)}}}}}body{{border-top:.3rem solid var(--accent)}}a{{color:var(--accent)}}";
    }

    static string Colors(Branding branding, Color accent, Color ground, Color towards) =>
        (Color.TryParse(branding.Color, out var color) && color.On(ground, towards) is var tint ? $"--tint:{tint};--focus:{tint}66;" : "") + $"--accent:{accent.On(ground, towards)}";
}
