using System.Globalization;
using System.Net;
using System.Text;
using CbaMail.Courses;
using CbaMail.Mailings;

namespace CbaMail.Http;

/// <summary>
/// What the public HTTP ports answer until the web client exists: a status page (Russian or English), /healthz, and nothing else.
/// It needs no script and no other file; it names no person, no address and no path.
/// </summary>
public sealed class StatusPage(Health health, PressRoom press)
{
    const int MostMailings = 5;
    const string Policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public Task AnswerAsync(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method)) return context.RefuseAsync(405, "Only GET is possible here");
        return context.Request.Path.Value switch
        {
            "/" or "/status" => PageAsync(context),
            "/healthz" => HealthAsync(context),
            "/robots.txt" => TextAsync(context, 200, "User-agent: *\nDisallow: /\n"),
            "/favicon.ico" => TextAsync(context, 404, ""),
            _ => NothingAsync(context),
        };
    }

    /// <summary>For people a page with ways on, in the browser's language; for programs, which do not ask for HTML, a line.</summary>
    static Task NothingAsync(HttpContext context)
    {
        var language = Http.Page.LanguageOf(context);
        var russian = language == "ru";
        if (!context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase))
            return TextAsync(context, 404, russian ? "Здесь ничего нет; страница состояния: /\n" : "There is nothing here; the status page is at /\n");
        return Forms.MessageAsync(context, language, russian ? "Такой страницы нет" : "There is no such page", russian ? "Проверьте адрес: возможно, ссылка скопирована не целиком или устарела." : "Look at the address again: the link may be cut off, or out of date.", 404,
            $"<p><a href=\"/password?lang={language}\">{(russian ? "Сменить пароль" : "Change your password")}</a> · <a href=\"/reset?lang={language}\">{(russian ? "Забыли пароль?" : "Forgot your password?")}</a> · <a href=\"/\">{(russian ? "Состояние сервера" : "The server's state")}</a></p>");
    }

    static async Task TextAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.ContentLength = Encoding.UTF8.GetByteCount(text);
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.WriteAsync(text);
    }

    async Task HealthAsync(HttpContext context)
    {
        var store = await health.StoreAsync(context.RequestAborted);
        await TextAsync(context, store.Healthy ? 200 : 503, store.Healthy ? "ok\n" : "not healthy\n");
    }

    async Task PageAsync(HttpContext context)
    {
        var report = await health.LookAsync(context.RequestAborted);
        var words = Words.For(context.Request.Headers.AcceptLanguage.ToString());
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.ContentLanguage = words.Language;
        context.Response.Headers.Vary = "Accept-Language";
        var page = Encoding.UTF8.GetBytes(Page(report, LatestMailings(), words));
        context.Response.ContentLength = page.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(page, context.RequestAborted);
    }

    static string Page(HealthReport report, IReadOnlyList<(Course Course, MailingStatus Status)> mailings, Words words)
    {
        var html = new StringBuilder(8192);
        html.Append(CultureInfo.InvariantCulture, $"<!doctype html><html lang=\"{words.Language}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\"><meta http-equiv=\"refresh\" content=\"5\"><title>{Escape(report.Hostname)} · CBA Mail</title><style>{Style}</style></head><body><main>");
        html.Append(CultureInfo.InvariantCulture, $"<header><div class=\"mark\" aria-hidden=\"true\">✉</div><div><h1>CBA Mail</h1><p>{Escape(report.Hostname)} · {words.Version} {Escape(report.Version)}</p></div><span class=\"state {(report.Healthy ? "good" : "bad")}\">{(report.Healthy ? words.Healthy : words.NotHealthy)}</span></header>");
        if (report.Evaluation) html.Append(CultureInfo.InvariantCulture, $"<p class=\"note\">{words.Evaluation}</p>");
        html.Append("<section class=\"tiles\">");
        Tile(html, words.Accounts, report.Accounts.ToString("N0", words.Culture), $"{words.Domains}: {report.Domains.ToString("N0", words.Culture)}");
        Tile(html, words.Queue, report.Queue.Messages.ToString("N0", words.Culture), $"{words.Deferred}: {report.Queue.Deferred.ToString("N0", words.Culture)}");
        Tile(html, words.Memory, words.Size(report.Memory), $"{words.Uptime} {Uptime(report.Uptime, words)}");
        Tile(html, words.Data, words.Size(report.Disk.Data), $"{words.Free} {words.Size(report.Disk.Free)}");
        html.Append("</section>");
        Mailings(html, mailings, words);
        Parts(html, words.Parts, report.Parts.Where(part => !IsDoor(part)), words);
        Parts(html, words.Doors, report.Parts.Where(IsDoor), words);
        html.Append("</main></body></html>");
        return html.ToString();
    }

    /// <summary>The newest, with the ledger's counts.</summary>
    IReadOnlyList<(Course, MailingStatus)> LatestMailings()
    {
        var latest = new List<(Course, MailingStatus)>();
        foreach (var (mailing, course) in press.List().OrderByDescending(row => row.Mailing.Id).Take(MostMailings))
            if (press.Status(mailing.Id) is { Ok: true, Value: { } status }) latest.Add((course, status));
        return latest;
    }

    static bool IsDoor(PartHealth part) => part.Detail.StartsWith(Health.ListensOn, StringComparison.Ordinal);

    static void Parts(StringBuilder html, string title, IEnumerable<PartHealth> parts, Words words)
    {
        html.Append(CultureInfo.InvariantCulture, $"<section><h2>{title}</h2><ul class=\"parts\">");
        foreach (var part in parts)
        {
            var detail = IsDoor(part) ? part.Detail[Health.ListensOn.Length..] : words.Language == "ru" ? part.Russian ?? part.Detail : part.Detail;
            html.Append(CultureInfo.InvariantCulture, $"<li><span class=\"dot {(part.Healthy ? "good" : "bad")}\" role=\"img\" aria-label=\"{(part.Healthy ? words.Healthy : words.NotHealthy)}\"></span><b>{Escape(words.Part(part.Name))}</b><span>{Escape(detail)}</span></li>");
        }
        html.Append("</ul></section>");
    }

    /// <summary>A card a mailing: a bar of what became of the copies, and the figures below it.</summary>
    static void Mailings(StringBuilder html, IReadOnlyList<(Course Course, MailingStatus Status)> mailings, Words words)
    {
        if (mailings.Count == 0) return;
        html.Append(CultureInfo.InvariantCulture, $"<section><h2>{words.Mailings}</h2>");
        foreach (var (course, (mailing, counts)) in mailings)
        {
            (string Kind, int Count)[] parts =
                [("delivered", counts.Delivered), ("way", counts.Rendered + counts.Queued + counts.Deferred), ("bounced", counts.Bounced), ("skipped", counts.Skipped)];
            html.Append(CultureInfo.InvariantCulture, $"<article><header><h3><span>№ {mailing.Id}</span> {Escape(course.Name)}</h3><span class=\"chip {MailingTable.Word(mailing.State)}\">{words.State(mailing.State)}</span></header>");
            html.Append("<div class=\"bar\">");
            foreach (var (kind, count) in parts.Where(part => part.Count > 0)) html.Append(CultureInfo.InvariantCulture, $"<i class=\"{kind}\" style=\"flex:{count}\"></i>");
            html.Append("</div><dl>");
            Figure(html, "", words.Columns[0], counts.Total, words);
            for (var i = 0; i < parts.Length; i++) Figure(html, parts[i].Kind, words.Columns[i + 1], parts[i].Count, words);
            html.Append("</dl></article>");
        }
        html.Append("</section>");
    }

    static void Figure(StringBuilder html, string kind, string name, int count, Words words) =>
        html.Append(CultureInfo.InvariantCulture, $"<div class=\"{kind}\"><dt>{name}</dt><dd>{count.ToString("N0", words.Culture)}</dd></div>");

    static void Tile(StringBuilder html, string name, string value, string below) =>
        html.Append(CultureInfo.InvariantCulture, $"<div class=\"tile\"><h3>{name}</h3><strong>{Escape(value)}</strong><span>{Escape(below)}</span></div>");

    static string Uptime(long seconds, Words words)
    {
        var time = TimeSpan.FromSeconds(seconds);
        return time.Days > 0 ? $"{time.Days} {words.Days} {time:hh\\:mm}" : time.ToString("hh\\:mm\\:ss", CultureInfo.InvariantCulture);
    }

    static string Escape(string text) => WebUtility.HtmlEncode(text);

    const string Style = """
        :root{--bg:#f5f6f8;--card:#fff;--text:#1c2430;--soft:#67707e;--line:#e3e6eb;--good:#1a7f4b;--bad:#c0362c;--tint:#3558d4}
        @media(prefers-color-scheme:dark){:root{--bg:#12151a;--card:#1b2028;--text:#e8ebf0;--soft:#98a2b1;--line:#2b323d;--good:#4fc98a;--bad:#ff7a6e;--tint:#8aa4ff}}
        *{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
        main{max-width:60rem;margin:0 auto;padding:2.5rem 1.25rem}header{display:flex;align-items:center;gap:1rem;margin-bottom:1.5rem;flex-wrap:wrap}
        header>div:nth-child(2){flex:1}.mark{width:3rem;height:3rem;border-radius:.8rem;background:var(--tint);color:var(--card);display:grid;place-items:center;font-size:1.6rem}
        h1{margin:0;font-size:1.5rem;line-height:1.2}header p{margin:0;color:var(--soft)}h2{font-size:1.05rem;margin:2rem 0 .75rem}h3{margin:0;font-size:.85rem;font-weight:500;color:var(--soft)}
        .state{padding:.35rem .9rem;border-radius:2rem;font-weight:600;border:1px solid currentColor}.state.good{color:var(--good)}.state.bad{color:var(--bad)}
        .note{background:var(--card);border-left:4px solid var(--tint);padding:.75rem 1rem;border-radius:.4rem;margin:0 0 1.5rem}
        .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:1rem}.tile,article{background:var(--card);border:1px solid var(--line);border-radius:.8rem;padding:1rem 1.1rem}.tile{display:flex;flex-direction:column}
        .tile strong{font-size:1.6rem;line-height:1.3;white-space:nowrap}.tile span{color:var(--soft);font-size:.9rem}
        article+article{margin-top:1rem}article header{margin:0 0 .8rem;gap:.4rem 1rem;justify-content:space-between}article h3{font-size:1rem;font-weight:600;color:var(--text)}article h3 span{color:var(--soft);font-weight:500}
        .chip{font-size:.85rem;padding:.1rem .7rem;border-radius:1rem;border:1px solid var(--line);color:var(--soft)}.chip.sent{color:var(--good);border-color:currentColor}.chip.sending{color:var(--tint);border-color:currentColor}
        .bar{display:flex;gap:2px;height:.6rem;border-radius:.3rem;overflow:hidden;background:var(--line)}.bar i{min-width:3px}.bar .delivered{background:var(--good)}.bar .way{background:var(--tint)}.bar .bounced{background:var(--bad)}.bar .skipped{background:var(--soft)}
        dl{display:flex;flex-wrap:wrap;gap:.5rem 2rem;margin:.8rem 0 0}dt{color:var(--soft);font-size:.85rem}dd{margin:0;font-weight:600;font-variant-numeric:tabular-nums}dl div[class] dt::before{content:"";display:inline-block;width:.55rem;height:.55rem;border-radius:50%;margin-right:.4rem}
        .delivered dt::before{background:var(--good)}.way dt::before{background:var(--tint)}.bounced dt::before{background:var(--bad)}.skipped dt::before{background:var(--soft)}dl div[class=""] dt::before{display:none}
        .parts{list-style:none;margin:0;padding:0;background:var(--card);border:1px solid var(--line);border-radius:.8rem;overflow:hidden}
        .parts li{display:grid;grid-template-columns:.6rem 10rem 1fr;gap:.1rem .8rem;align-items:baseline;padding:.6rem 1.1rem;border-top:1px solid var(--line)}.parts li:first-child{border-top:0}.parts b{font-weight:600}.parts li span:last-child{color:var(--soft);overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
        .dot{width:.6rem;height:.6rem;border-radius:50%;align-self:center;background:var(--bad)}.dot.good{background:var(--good)}
        @media(max-width:34rem){main{padding:1.25rem 1rem}.tiles{gap:.7rem}.parts li{grid-template-columns:.6rem 1fr}.parts li span:last-child{grid-column:2}dl{gap:.5rem 1.3rem}}
        """;

    /// <summary>The page's words.</summary>
    sealed record Words(
        string Language, CultureInfo Culture, string Version, string Healthy, string NotHealthy, string Evaluation, string Accounts, string Domains,
        string Queue, string Deferred, string Memory, string Uptime, string Days, string Data, string Free, string Parts, string Doors,
        string Mailings, IReadOnlyList<string> Columns, IReadOnlyList<string> States, IReadOnlyList<string> Units, IReadOnlyDictionary<string, string> PartNames)
    {
        static readonly CultureInfo Spaced = WithSeparators("\u00a0", ",");

        static readonly Words English = new("en", CultureInfo.InvariantCulture, "version", "healthy", "not healthy",
            "Evaluation profile: for trying out and for tests, not for real mail.", "Accounts", "Domains", "Waiting messages", "deferred",
            "Memory", "up for", "d", "Data", "free:", "Parts", "Doors",
            "Latest mailings", ["In all", "Delivered", "Under way", "Bounced", "Skipped"], ["draft", "sending", "paused", "sent", "cancelled", "scheduled"],
            ["B", "KB", "MB", "GB", "TB"], new Dictionary<string, string>());

        static readonly Words Russian = new("ru", Spaced, "версия", "всё в порядке", "есть неполадки",
            "Пробный режим: для знакомства и тестов, не для настоящей почты.", "Учётные записи", "домены", "Писем в очереди", "отложено",
            "Память", "работает", "д", "Данные", "свободно:", "Составные части", "Входы",
            "Последние рассылки", ["Всего", "Доставлено", "В пути", "Возвращено", "Пропущено"], ["черновик", "отправляется", "приостановлена", "отправлена", "отменена", "по расписанию"],
            ["Б", "КБ", "МБ", "ГБ", "ТБ"], new Dictionary<string, string>
            {
                ["storage"] = "Хранилище",
                ["queue"] = "Очередь",
                ["disk"] = "Диск",
                ["memory"] = "Память",
                ["certificate"] = "Сертификат",
                ["filters"] = "Фильтры",
                ["directory"] = "Справочник",
                ["public-suffixes"] = "Публичные суффиксы",
                ["secrets"] = "Секреты",
            });

        public string State(MailingState state) => States[(int)state];

        public string Part(string name) => PartNames.TryGetValue(name, out var known) ? known : name switch
        {
            "submission" or "submissions" or "storage" or "queue" or "disk" or "memory" or "certificate" or "filters" or "directory" or "secrets" or "public-suffixes" => char.ToUpperInvariant(name[0]) + name[1..].Replace('-', ' '),
            _ => name.ToUpperInvariant(),
        };

        /// <summary>With a unit behind a space that does not break; K is 1,024 bytes.</summary>
        public string Size(long bytes)
        {
            var (value, unit) = ((double)bytes, 0);
            for (; value >= 1024 && unit < Units.Count - 1; unit++) value /= 1024;
            return value.ToString(unit > 0 && value < 100 ? "0.#" : "0", Culture) + "\u00a0" + Units[unit];
        }

        static CultureInfo WithSeparators(string group, string point)
        {
            var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            (culture.NumberFormat.NumberGroupSeparator, culture.NumberFormat.NumberDecimalSeparator) = (group, point);
            return CultureInfo.ReadOnly(culture);
        }

        /// <summary>Russian where it is preferred to English (RFC 9110 12.5.4).</summary>
        public static Words For(string acceptLanguage)
        {
            var best = (Quality: 0.0, Words: English);
            foreach (var entry in acceptLanguage.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                var parts = entry.Split(';', StringSplitOptions.TrimEntries);
                var quality = 1.0;
                if (parts.Length > 1 && parts[1].StartsWith("q=", StringComparison.OrdinalIgnoreCase)
                    && !double.TryParse(parts[1].AsSpan(2), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out quality)) continue;
                var words = parts[0].Split('-')[0].ToLowerInvariant() switch { "ru" or "be" or "kk" => Russian, "en" => English, _ => null };
                if (words is not null && quality > best.Quality) best = (quality, words);
            }
            return best.Words;
        }
    }
}
