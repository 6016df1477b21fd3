using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace CbaMail.Http;

/// <summary>
/// A page for somebody who need not have an account: one file, no script, nothing from elsewhere, in Russian or English. What stands in it has been
/// escaped by <see cref="Escape"/>. The only styles that a browser takes are those of the page, by their digest.
/// </summary>
static class Page
{
    public static string Escape(string? text) => WebUtility.HtmlEncode(text ?? "");

    /// <summary>The language that pages are shown in: what was chosen by <c>?lang=</c>, or the browser's wish.</summary>
    public static string LanguageOf(HttpContext context) => context.Asked("lang") is "ru" or "en" ? context.Asked("lang")! : Sentences.LanguageOf(context);

    /// <param name="body">HTML.</param>
    /// <param name="more">Styles of this page alone.</param>
    public static Task PageAsync(this HttpContext context, string language, string title, string body, int status = 200, string more = "")
    {
        var style = Style + more + Brand.Style(context);
        return context.HtmlAsync(Whole(language, title, style, $"<main>{body}{Brand.Foot(context, language)}</main>"), style, language, status);
    }

    /// <summary>A whole document with the headers that keep it to itself.</summary>
    public static async Task HtmlAsync(this HttpContext context, string html, string style, string language, int status = 200)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = $"default-src 'none'; style-src '{DigestOf(style)}'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
        headers.XContentTypeOptions = "nosniff";
        // a link that lets somebody in goes nowhere else; "no-referrer" would make the origin of our own forms "null"
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
        headers.Vary = "Accept-Language";
        headers.ContentLanguage = language;
        headers["X-Robots-Tag"] = "noindex";
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/html; charset=utf-8";
        var bytes = Encoding.UTF8.GetBytes(html);
        context.Response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    public static string Whole(string language, string title, string style, string body) =>
        $"<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\"><title>{Escape(title)}</title><style>{style}</style></head><body>{body}</body></html>";

    static string DigestOf(string style) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)));

    // ---- parts

    /// <summary>The head of a page, with the way to the other language.</summary>
    public static string Head(HttpContext context, string language, string title, string below) =>
        $"<header>{Brand.Mark(context)}<div><h1>{Escape(title)}</h1><p>{Escape(below)}</p></div><nav><a href=\"?lang={(language == "ru" ? "en" : "ru")}{Domain(context)}\" {(language == "ru" ? "lang=\"en\" hreflang=\"en\">English" : "lang=\"ru\" hreflang=\"ru\">Русский")}</a></nav></header>";

    /// <summary>What the query says of the domain, so that the next page hears it too.</summary>
    public static string Domain(HttpContext context) => context.Asked("domain") is { } domain ? "&amp;domain=" + Uri.EscapeDataString(domain) : "";

    /// <summary>What went wrong; a screen reader begins with it.</summary>
    public static string Problem(string? sentence) => sentence is null ? "" : $"<p class=\"problem\" role=\"alert\" id=\"problem\">{Escape(sentence)}</p>";

    /// <param name="wrong">Whether the problem is about it.</param>
    /// <param name="attributes">HTML.</param>
    public static string Field(string name, string label, string? hint, string type, string value, string attributes, bool wrong = false)
    {
        var described = string.Join(' ', new[] { wrong ? "problem" : null, hint is null ? null : name + "-hint" }.OfType<string>());
        return $"<div class=\"field{(wrong ? " wrong" : "")}\"><label for=\"{name}\">{Escape(label)}</label>"
            + $"<input id=\"{name}\" name=\"{name}\" type=\"{type}\" value=\"{Escape(value)}\" {attributes}{(wrong ? " aria-invalid=\"true\" autofocus" : "")}{(described.Length > 0 ? $" aria-describedby=\"{described}\"" : "")}>"
            + (hint is null ? "" : $"<p class=\"hint\" id=\"{name}-hint\">{Escape(hint)}</p>") + "</div>";
    }

    public static string Button(string label) => $"<button type=\"submit\">{Escape(label)}</button>";

    internal const string Style = """
        :root{--bg:#f3f4f7;--card:#fff;--text:#1c2430;--soft:#5d6675;--line:#c9ced8;--hair:#e3e6eb;--good:#1a7f4b;--bad:#b3261e;--badbg:#fdecea;--tint:#3558d4;--on:#fff;--focus:#3558d455}
        @media(prefers-color-scheme:dark){:root{--bg:#12151a;--card:#1b2028;--text:#e8ebf0;--soft:#a2acbb;--line:#465061;--hair:#2b323d;--good:#4fc98a;--bad:#ff9a90;--badbg:#3a1f1f;--tint:#8aa4ff;--on:#101522;--focus:#8aa4ff66}}
        *{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
        main{max-width:30rem;margin:0 auto;padding:clamp(1rem,6vh,4rem) 1rem 3rem}
        header{display:flex;align-items:center;gap:.9rem;margin-bottom:1.25rem}header div{flex:1;min-width:0}h1{margin:0;font-size:1.35rem;line-height:1.25;overflow-wrap:anywhere}header p{margin:.1rem 0 0;color:var(--soft);overflow-wrap:anywhere}
        .mark{width:2.8rem;height:2.8rem;flex:none;border-radius:.8rem;background:var(--tint);color:var(--on);display:grid;place-items:center;font-size:1.5rem}.logo{width:auto;min-width:2.8rem;max-width:9rem;padding:.3rem;background:#fff;border:1px solid var(--hair)}.logo img{display:block;max-width:100%;max-height:2.1rem}nav{align-self:start}nav a{font-size:.875rem}
        a{color:var(--tint)}form,.card{background:var(--card);border:1px solid var(--hair);border-radius:1rem;padding:1.4rem;box-shadow:0 1px 3px #0000000f}.card p:first-child{margin-top:0}.card p:last-child{margin-bottom:0}
        .field{margin:0 0 1.1rem}label{display:block;font-weight:600;margin-bottom:.3rem}.hint{margin:.3rem 0 0;color:var(--soft);font-size:.875rem}
        input{width:100%;font:inherit;color:inherit;background:var(--bg);border:1px solid var(--line);border-radius:.6rem;padding:.6rem .75rem;min-height:2.9rem}input:focus-visible,button:focus-visible,a:focus-visible,summary:focus-visible{outline:3px solid var(--focus);outline-offset:1px;border-color:var(--tint)}
        .wrong input{border-color:var(--bad)}.joined{display:flex;align-items:stretch}.joined input{border-radius:.6rem 0 0 .6rem;min-width:0;flex:1;width:auto}.joined span{display:flex;flex:none;align-items:center;padding:0 .75rem;border:1px solid var(--line);border-left:0;border-radius:0 .6rem .6rem 0;color:var(--soft);background:var(--bg);max-width:60%;overflow-wrap:anywhere;font-size:.95rem}
        .fixed{margin:0;padding:.6rem 0;font-size:1.1rem;font-weight:600;overflow-wrap:anywhere}
        button{width:100%;font:inherit;font-weight:600;color:var(--on);background:var(--tint);border:0;border-radius:.6rem;padding:.7rem 1rem;min-height:3rem;cursor:pointer}button:hover{filter:brightness(1.08)}
        .problem{margin:0 0 1.1rem;padding:.75rem 1rem;border-radius:.6rem;background:var(--badbg);color:var(--bad);font-weight:500}
        .done{display:flex;gap:.8rem;align-items:baseline}.done::before{content:"✓";color:var(--good);font-weight:700;font-size:1.3rem;line-height:1}
        .check{display:flex;gap:.6rem;align-items:flex-start}.check input{width:1.2rem;height:1.2rem;min-height:0;margin:.2rem 0 0;flex:none;accent-color:var(--tint)}.check label{font-weight:400;margin:0}
        select{width:100%;font:inherit;color:inherit;background:var(--bg);border:1px solid var(--line);border-radius:.6rem;padding:.6rem .75rem;min-height:2.9rem}select:focus-visible{outline:3px solid var(--focus);outline-offset:1px;border-color:var(--tint)}
        main>form,main>.card,main>details{margin-bottom:1rem}h2{font-size:1.05rem;margin:0 0 .8rem}fieldset{border:0;margin:0 0 1.1rem;padding:0}legend{font-weight:600;margin-bottom:.4rem;padding:0}.check+.check{margin-top:.5rem}.check small{display:block;color:var(--soft)}
        .quiet{background:none;color:var(--tint);border:1px solid var(--line)}.quiet+.quiet{margin-top:.6rem}details{background:var(--card);border:1px solid var(--hair);border-radius:1rem;padding:1rem 1.4rem}summary{cursor:pointer;font-weight:600}.sent{list-style:none;margin:.8rem 0 0;padding:0}.sent li{padding:.5rem 0;border-top:1px solid var(--hair);overflow-wrap:anywhere}.sent small{display:block;color:var(--soft)}
        .trap{position:absolute;left:-9999px;width:1px;height:1px;overflow:hidden}.foot{margin:1.2rem .2rem 0;color:var(--soft);font-size:.875rem}dl{margin:0 0 1rem}dt{color:var(--soft);font-size:.875rem}dd{margin:0 0 .5rem;font-weight:600;overflow-wrap:anywhere}
        @media(max-width:24rem){form,.card{padding:1.1rem}.joined{flex-direction:column}.joined input{border-radius:.6rem .6rem 0 0}.joined span{border:1px solid var(--line);border-top:0;border-radius:0 0 .6rem .6rem;max-width:none;padding:.5rem .75rem}}
        """;
}
