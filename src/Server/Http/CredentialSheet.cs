using System.Globalization;
using System.Text;
using CbaMail.Admission;
using CbaMail.Config;
using CbaMail.Directory;

namespace CbaMail.Http;

/// <summary>
/// First passwords on paper: a card for each person, eight to a sheet of A4, with lines to cut along. It is made with the answer that has
/// the passwords and is kept nowhere.
/// </summary>
static class CredentialSheet
{
    const int OnSheet = 8;

    /// <summary>The language that was asked for by <c>?print=</c>, or the caller's.</summary>
    public static string LanguageOf(HttpContext context) => context.Asked("print") is "ru" or "en" ? context.Asked("print")! : Sentences.LanguageOf(context);

    /// <summary>Whether the caller wants the page in place of JSON.</summary>
    public static bool IsWanted(HttpContext context) => context.Request.GetTypedHeaders().Accept is { Count: > 0 } accepted
        && accepted.OrderByDescending(one => one.Quality ?? 1).First().MediaType.Equals("text/html", StringComparison.OrdinalIgnoreCase);

    public static Task AnswerAsync(HttpContext context, IReadOnlyList<FirstCredentials> people, string note = "")
    {
        var language = LanguageOf(context);
        return context.HtmlAsync(Html(context, language, people, note), Style, language);
    }

    /// <param name="note">Stands above the cards, on the screen alone.</param>
    public static string Html(HttpContext context, string language, IReadOnlyList<FirstCredentials> people, string note = "")
    {
        var russian = language == "ru";
        var (settings, directory) = (context.Room<Settings>(), context.Room<UserDirectory>());
        var root = settings.Admission.Root(settings);
        var title = russian ? "Первые пароли" : "First passwords";
        var html = new StringBuilder(2048 + people.Count * 640);
        html.Append(CultureInfo.InvariantCulture, $"<div class=\"screen\"><h1>{title}</h1><p>{(russian ? "Напечатайте страницу сейчас: больше эти пароли никто не увидит. По линиям листы разрезаются на карточки." : "Print this page now: nobody will see these passwords again. Cut the sheets into cards along the lines.")}</p>");
        if (people.Count == 0) html.Append(CultureInfo.InvariantCulture, $"<p>{(russian ? "Новых паролей нет." : "There are no new passwords.")}</p>");
        if (note.Length > 0) html.Append(CultureInfo.InvariantCulture, $"<p>{Page.Escape(note)}</p>");
        html.Append("</div>");
        // once, however many cards show it
        var qr = people.Count == 0 ? "" : QrCode.Svg(root + "/password").Replace("<svg ", "<svg class=\"store\" aria-hidden=\"true\" ", StringComparison.Ordinal).Replace("shape-rendering", "id=\"qr\" shape-rendering", StringComparison.Ordinal);
        html.Append(qr);
        var brands = people.Select(one => one.Address[(one.Address.LastIndexOf('@') + 1)..]).Distinct().ToDictionary(name => name, directory.FindBranded);
        foreach (var domain in brands.Values.OfType<Domain>().Distinct())
            if (Brand.DataOf(directory, domain) is { } data)
                html.Append(CultureInfo.InvariantCulture, $"<svg class=\"store\" aria-hidden=\"true\"><image id=\"logo{domain.Id}\" width=\"120\" height=\"40\" preserveAspectRatio=\"xMaxYMid meet\" href=\"{data}\"/></svg>");
        foreach (var sheet in people.Chunk(OnSheet))
        {
            html.Append("<section>");
            foreach (var one in sheet) Card(html, settings, brands[one.Address[(one.Address.LastIndexOf('@') + 1)..]], root, one, russian);
            html.Append("</section>");
        }
        return Page.Whole(language, $"{title} · {settings.Hostname}", Style, html.ToString());
    }

    static void Card(StringBuilder html, Settings settings, Domain? domain, string root, FirstCredentials one, bool russian)
    {
        html.Append(CultureInfo.InvariantCulture, $"<article><div class=\"who\"><b>{Page.Escape(one.Name.Length > 0 ? one.Name : one.Address)}</b><span>{Page.Escape(domain?.Profile.Branding?.Name is { } name ? $"{name} · {settings.Admission.Host(settings)}" : settings.Admission.Host(settings))}</span>{(domain?.Profile.Branding?.Logo is null ? "" : $"<svg class=\"logo\" viewBox=\"0 0 120 40\" aria-hidden=\"true\"><use href=\"#logo{domain.Id}\"/></svg>")}</div><div class=\"row\"><dl>");
        html.Append(CultureInfo.InvariantCulture, $"<dt>{(russian ? "Адрес и имя для входа" : "Address, and name to sign in with")}</dt><dd>{Page.Escape(one.Address)}</dd>");
        html.Append(CultureInfo.InvariantCulture, $"<dt>{(russian ? "Пароль" : "Password")}</dt><dd class=\"secret\">{Page.Escape(one.Password)}</dd>");
        html.Append(CultureInfo.InvariantCulture, $"</dl><svg class=\"qr\" role=\"img\" aria-label=\"QR: {Page.Escape(root)}/password\"><use href=\"#qr\"/></svg></div><p>");
        html.Append(one.MustChange
            ? russian ? "Сначала задайте свой пароль, до этого почта не откроется: " : "First take a password of your own, or mail will not open: "
            : russian ? "Сменить пароль: " : "To change the password: ");
        html.Append(CultureInfo.InvariantCulture, $"<em>{Page.Escape(root)}/password</em></p><p class=\"set\">{Page.Escape(MailPrograms.Line(settings))}</p></article>");
    }

    internal const string Style = """
        *{box-sizing:border-box}:root{--bg:#e9ebef;--text:#1c2430}@media screen and (prefers-color-scheme:dark){:root{--bg:#12151a;--text:#e8ebf0}}
        body{margin:0;background:var(--bg);color:var(--text);font:11pt/1.35 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
        .screen{max-width:190mm;margin:1.5rem auto 0;padding:0 1rem}h1{font-size:1.4rem;margin:0}
        section{width:210mm;max-width:100%;min-height:297mm;margin:1.5rem auto;padding:10mm;background:#fff;color:#000;display:grid;grid-template-columns:1fr 1fr;grid-auto-rows:69mm;align-content:start;box-shadow:0 1px 6px #0003}
        article{border:1px dashed #999;margin:-.5px;padding:5.5mm 6mm;display:flex;flex-direction:column;gap:2mm;overflow:hidden;break-inside:avoid}
        .who{position:relative;display:flex;flex-direction:column;border-bottom:1px solid #ddd;padding-bottom:1.5mm}.who b{font-size:12pt;line-height:1.2;overflow-wrap:anywhere;display:-webkit-box;-webkit-line-clamp:2;-webkit-box-orient:vertical;overflow:hidden}.who span{color:#555;font-size:8.5pt}
        .logo{position:absolute;right:0;bottom:1mm;width:24mm;height:8mm}.who:has(.logo){padding-right:26mm}.row{display:flex;gap:3mm;align-items:center;flex:1;min-height:0}dl{flex:1;min-width:0;margin:0}dt{color:#555;font-size:8pt}dd{margin:0 0 1.5mm;font-weight:600;font-size:10.5pt;overflow-wrap:anywhere}
        .secret{font:600 11.5pt/1.3 ui-monospace,"DejaVu Sans Mono","Liberation Mono",Consolas,monospace;letter-spacing:.02em}.qr{width:21mm;height:21mm;flex:none}.store{position:absolute;width:0;height:0}
        article p{margin:0;font-size:8.5pt;color:#333;line-height:1.25}em{font-style:normal;font-weight:600;overflow-wrap:anywhere}article .set{font-size:7.5pt;color:#555;overflow-wrap:anywhere}
        @page{size:A4;margin:0}@media print{body{background:#fff}.screen{display:none}section{margin:0;height:297mm;box-shadow:none;break-after:page}section:last-of-type{break-after:auto}}
        @media screen and (max-width:210mm){section{grid-template-columns:1fr;grid-auto-rows:auto;padding:4mm;min-height:0}article{min-height:62mm}}
        """;
}
