using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Lists;
using CbaMail.Mime;
using CbaMail.Sasl;

namespace CbaMail.Http;

/// <summary>
/// /archive/LIST/, the archive of a list: threads by month, messages, attachments, search, a feed. Whoever may not read it is asked to sign in, or to have
/// a link sent to his address. Of a message its text alone is shown; strangers see no addresses.
/// </summary>
static partial class ArchivePages
{
    const string Root = "/archive/";

    const string Style = """

        main{max-width:52rem}.bar{display:flex;gap:.6rem;flex-wrap:wrap;margin-bottom:1rem;padding:.8rem}.bar input{flex:1;min-width:9rem;width:auto}.bar button{width:auto}
        .months{display:flex;flex-wrap:wrap;gap:.4rem;margin:0 0 1rem;padding:0;list-style:none}.months a{display:block;padding:.3rem .7rem;border:1px solid var(--line);border-radius:2rem;text-decoration:none;background:var(--card);font-size:.9rem}.months a[aria-current]{background:var(--tint);border-color:var(--tint);color:var(--on)}
        .threads{list-style:none;margin:0;padding:0}.threads>li{padding:.75rem 0;border-top:1px solid var(--hair)}.threads>li:first-child{border-top:0;padding-top:0}.threads>li:last-child{padding-bottom:0}.threads a{overflow-wrap:anywhere}.threads>li>a{font-weight:600;text-decoration:none}.threads>li>a:hover{text-decoration:underline}.threads ol{list-style:none;margin:.35rem 0 0;padding:0 0 0 .9rem;border-left:2px solid var(--hair)}.threads ol li{margin:.2rem 0;font-size:.95rem}
        .threads small,.meta{color:var(--soft);font-size:.875rem}.meta{margin:0 0 1rem}.meta strong{color:var(--text)}article{margin-bottom:1rem}.text{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit;margin:0}.q{color:var(--soft)}
        .files{list-style:none;margin:1.2rem 0 0;padding:1rem 0 0;border-top:1px solid var(--hair)}.files li{margin:.3rem 0;overflow-wrap:anywhere}.here{font-weight:600}.steps{display:flex;justify-content:space-between;gap:1rem;margin:0 0 1rem}.foot a+a{margin-left:1rem}
        """;

    /// <summary>A page of the archive in hand.</summary>
    /// <param name="Inside">A member, who sees addresses.</param>
    /// <param name="Key">Of the signed link, or null.</param>
    sealed record Visit(HttpContext Context, MailList List, string Language, bool Inside, string? Key)
    {
        public bool Russian => Language == "ru";
        public ListArchive Archive => Context.Room<ListArchive>();
        public string Base => Root + Uri.EscapeDataString(List.Address.ToString()) + "/";
        public string Link(string path) => $"{Base}{path}{(path.Contains('?', StringComparison.Ordinal) ? "&amp;" : "?")}lang={Language}";
        public string Of(string russian, string english) => Russian ? russian : english;

        /// <summary>As it may be shown to who looks.</summary>
        public string Show(string text) => Page.Escape(Inside ? text : Addresses().Replace(text, "$1@…"));
    }

    [GeneratedRegex(@"([A-Za-z0-9._%+'-]{1,64})@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}", RegexOptions.NonBacktracking)]
    private static partial Regex Addresses();

    [GeneratedRegex(@"https?://[^\s<>""']{1,1000}", RegexOptions.NonBacktracking)]
    private static partial Regex Links();

    /// <returns>Whether the path is one of these.</returns>
    public static async Task<bool> AnswerAsync(HttpContext context)
    {
        if (context.Request.Path.Value is not { } path || !path.StartsWith(Root, StringComparison.Ordinal)) return false;
        await Forms.RunAsync(context, (c, language) => RunAsync(c, path, language, null), (c, language, form) => RunAsync(c, path, language, form));
        return true;
    }

    static async Task RunAsync(HttpContext context, string path, string language, IFormCollection? form)
    {
        var parts = path[Root.Length..].Split('/');
        if (parts.Length < 2 || !Names.TryAddress(parts[0], out var address) || context.Room<ListBook>().Find(address) is not { Profile.HasArchive: true } list)
        {
            await GoneAsync(context, language);
            return;
        }
        Brand.Is(context, list.Address.Domain);
        var (key, member) = Member(context, list);
        var signedIn = SignedIn(context);
        var visit = new Visit(context, list, language, context.Room<ListArchive>().IsInside(list, member, signedIn), key);
        if (parts[1] == "sign-in") { await SignInAsync(visit, form); return; }
        if (!visit.Archive.MayRead(list, member, signedIn)) { await AskAsync(visit, null, 403); return; }
        if (form is not null) { await GoneAsync(context, language); return; }
        // the word is not to stand in addresses that people copy; a feed has nothing else
        if (context.Asked("key") is { } asked && asked == key && parts[1] != "feed.xml")
        {
            Keep(visit, key);
            context.Response.Redirect(visit.Base + path[(Root.Length + parts[0].Length + 1)..] + "?lang=" + language);
            return;
        }
        await (parts[1..] switch
        {
            [""] => MonthAsync(visit, null),
            ["feed.xml"] => FeedAsync(visit),
            ["search"] => SearchAsync(visit),
            ["m", var id] => MessageAsync(visit, id),
            ["m", var id, var number, _] => FileAsync(visit, id, number),
            [var month] => MonthAsync(visit, month),
            _ => GoneAsync(context, language),
        });
    }

    static Task GoneAsync(HttpContext context, string language) => Forms.MessageAsync(context, language, language == "ru" ? "Этого здесь нет" : "This is not here",
        language == "ru" ? "Такого архива или письма нет, или его больше не показывают." : "There is no such archive or message, or it is not shown any more.", 404);

    // ---- who looks

    static string CookieName(HttpContext context) => context.Request.IsHttps ? "__Secure-archive" : "archive";

    static (string? Key, MailAddress? Member) Member(HttpContext context, MailList list)
    {
        foreach (var text in new[] { context.Asked("key"), context.Request.Cookies[CookieName(context)] })
            if (text is { Length: > 0 and < 100 } && context.Room<ListTokens>().ReaderOf(text, context.Room<TimeProvider>().GetUtcNow()) is { } id
                && context.Room<ListCommands>().FindMember(id) is var (of, member) && of.Id == list.Id && MailAddress.TryParse(member.Address, out var address)) return (text, address);
        return default;
    }

    static Account? SignedIn(HttpContext context) => context.Room<ApiCallers>().Find(context) is { Ok: true, Value: { Session: not null, Acting: null, Account: { } account } } ? account : null;

    static void Keep(Visit visit, string key) => visit.Context.Response.Cookies.Append(CookieName(visit.Context), key, new CookieOptions
    {
        HttpOnly = true,
        Secure = visit.Context.Request.IsHttps,
        SameSite = SameSiteMode.Lax,
        Path = visit.Base,
        MaxAge = ListTokens.ReaderLasts,
    });

    static Task AskAsync(Visit visit, string? problem, int status)
    {
        var title = visit.Of("Архив для подписчиков", "An archive for members");
        var send = visit.Of("Прислать ссылку", "Send a link");
        return ShowAsync(visit, title, Page.Problem(problem)
            + $"<form method=\"post\" action=\"{visit.Link("sign-in")}\"><h2>{visit.Of("По ссылке", "By a link")}</h2><p>{visit.Of("Ссылка придёт на адрес, на который вы подписаны.", "It comes to the address that is on the list.")}</p>{Page.Field("address", visit.Of("Ваш адрес", "Your address"), null, "email", "", "required autocomplete=\"email\" maxlength=\"320\"")}{Page.Button(send)}</form>"
            + $"<form method=\"post\" action=\"{visit.Link("sign-in")}\"><h2>{visit.Of("По паролю", "By a password")}</h2><p>{visit.Of("Если ваш ящик на этом сервере.", "If your mailbox is on this server.")}</p>{Page.Field("user", visit.Of("Почтовый адрес", "Mail address"), null, "email", "", "required autocomplete=\"username\" maxlength=\"320\"")}{Page.Field("password", visit.Of("Пароль", "Password"), null, "password", "", "required autocomplete=\"current-password\" maxlength=\"200\"")}"
            + $"{Page.Field("code", visit.Of("Код второго фактора", "Code of the second factor"), visit.Of("Только если он у вас настроен.", "Only if you have set one up."), "text", "", "autocomplete=\"one-time-code\" maxlength=\"40\"")}<button type=\"submit\" class=\"quiet\">{visit.Of("Войти", "Sign in")}</button></form>", status, narrow: true);
    }

    static async Task SignInAsync(Visit visit, IFormCollection? form)
    {
        var context = visit.Context;
        if (form is null) { await AskAsync(visit, null, 200); return; }
        if (Forms.Text(form, "user") is { Length: > 0 } user)
        {
            var code = Forms.Text(form, "code");
            var tried = await context.Room<SignIn>().TryAsync(new WithCode(user, Forms.Text(form, "password"), code.Length > 0 ? code : null), Forms.From(context), context.TraceIdentifier, context.RequestAborted);
            if (!tried.Ok) { await AskAsync(visit, Sentences.Say(tried.Refusal, visit.Language), 403); return; }
            if (context.Room<ListBook>().FindMember(visit.List, tried.Value.Address) is not { } member)
            {
                await AskAsync(visit, visit.Of("Этот адрес не подписан на список.", "This address is not on the list."), 403);
                return;
            }
            Keep(visit, context.Room<ListTokens>().OfReader(member.Id, context.Room<TimeProvider>().GetUtcNow()));
            context.Response.Redirect(visit.Base + "?lang=" + visit.Language);
            return;
        }
        if (Names.TryAddress(Forms.Text(form, "address"), out var address)) await context.Room<ListCommands>().SendArchiveLinkAsync(visit.List, address, context.RequestAborted);
        // the same whether he is on the list or not
        await Forms.MessageAsync(context, visit.Language, visit.List.Title, visit.Of("Если этот адрес подписан на список, ссылка уже в пути.", "If this address is on the list, a link is on its way."));
    }

    // ---- pages

    static Task ShowAsync(Visit visit, string title, string body, int status = 200, bool narrow = false) => visit.Context.PageAsync(visit.Language, title,
        Page.Head(visit.Context, visit.Language, title, $"{visit.List.Title} · {Names.Show(visit.List.Address.Domain)}") + body, status, narrow ? "" : Style);

    static string Bar(Visit visit, string wanted) =>
        $"<form class=\"bar\" method=\"get\" action=\"{visit.Base}search\" role=\"search\"><input type=\"hidden\" name=\"lang\" value=\"{visit.Language}\"><input type=\"search\" name=\"q\" value=\"{Page.Escape(wanted)}\" maxlength=\"200\" aria-label=\"{visit.Of("Искать в архиве", "Search the archive")}\" placeholder=\"{visit.Of("Искать в архиве", "Search the archive")}\"><button type=\"submit\">{visit.Of("Найти", "Search")}</button></form>";

    static string Foot(Visit visit) => $"<p class=\"foot\"><a href=\"{visit.Base}feed.xml{(visit.Key is null || visit.List.Profile.Archive == "public" ? "" : "?key=" + Uri.EscapeDataString(visit.Key))}\">{visit.Of("Лента Atom", "Atom feed")}</a>"
        + (visit.Inside ? $"<a href=\"mailto:{Page.Escape(visit.List.Address.ToString())}\">{visit.Of("Написать в список", "Write to the list")}</a>" : visit.List.Profile.Subscription == "closed" ? "" : $"<a href=\"mailto:{Page.Escape(visit.List.For(ListCommand.Subscribe).ToString())}\">{visit.Of("Подписаться", "Subscribe")}</a>") + "</p>";

    static string MonthName(Visit visit, string month) => DateTime.TryParseExact(month, "yyyy-MM", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
        ? $"{(visit.Russian ? RussianMonths : EnglishMonths)[date.Month - 1]} {date.Year}" : month;

    static readonly string[] RussianMonths = ["январь", "февраль", "март", "апрель", "май", "июнь", "июль", "август", "сентябрь", "октябрь", "ноябрь", "декабрь"];
    static readonly string[] EnglishMonths = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

    static string Time(DateTimeOffset time) => $"<time datetime=\"{time:yyyy-MM-ddTHH:mm:ssZ}\">{time.ToString("dd.MM.yyyy HH:mm", CultureInfo.InvariantCulture)} UTC</time>";

    static string Subject(Visit visit, ArchivedPost post) => visit.Show(post.Subject.Length > 0 ? post.Subject : visit.Of("(без темы)", "(no subject)"));

    static Task MonthAsync(Visit visit, string? month)
    {
        var months = visit.Archive.Months(visit.List);
        month ??= months.Count > 0 ? months[0].Month : null;
        if (month is not null && months.All(one => one.Month != month)) return GoneAsync(visit.Context, visit.Language);
        var body = new StringBuilder(Bar(visit, ""));
        if (month is null) body.Append(CultureInfo.InvariantCulture, $"<div class=\"card\"><p>{visit.Of("Здесь пока ничего нет.", "There is nothing here yet.")}</p></div>");
        else
        {
            body.Append("<ul class=\"months\">");
            foreach (var (one, count) in months) body.Append(CultureInfo.InvariantCulture, $"<li><a href=\"{visit.Link(one)}\"{(one == month ? " aria-current=\"page\"" : "")}>{MonthName(visit, one)} · {count}</a></li>");
            body.Append("</ul><div class=\"card\"><ul class=\"threads\">");
            foreach (var thread in visit.Archive.Month(visit.List, month).GroupBy(post => post.Thread).OrderByDescending(thread => thread.Last().Id))
            {
                var first = thread.First();
                body.Append(CultureInfo.InvariantCulture, $"<li><a href=\"{visit.Link("m/" + first.Id)}\">{Subject(visit, first)}</a><br><small>{visit.Show(first.Author)} · {Time(first.Taken)}</small>");
                if (thread.Skip(1).Any()) body.Append("<ol>").Append(Items(visit, thread.Skip(1), null)).Append("</ol>");
                body.Append("</li>");
            }
            body.Append("</ul></div>");
        }
        return ShowAsync(visit, visit.List.Title, body.Append(Foot(visit)).ToString());
    }

    static string Items(Visit visit, IEnumerable<ArchivedPost> posts, long? here) => string.Concat(posts.Select(post =>
        post.Id == here ? $"<li class=\"here\">{visit.Show(post.Author)} <small>{Time(post.Taken)}</small></li>" : $"<li><a href=\"{visit.Link("m/" + post.Id)}\">{visit.Show(post.Author)}</a> <small>{Time(post.Taken)}</small></li>"));

    static Task SearchAsync(Visit visit)
    {
        var wanted = visit.Context.Asked("q") is { } text ? text.Length > 200 ? text[..200] : text : "";
        var found = visit.Archive.Search(visit.List, wanted);
        var body = new StringBuilder(Bar(visit, wanted)).Append("<div class=\"card\">");
        if (found.Count == 0) body.Append("<p>").Append(visit.Of("Ничего не найдено.", "Nothing is found.")).Append("</p>");
        else
        {
            body.Append("<ul class=\"threads\">");
            foreach (var post in found) body.Append(CultureInfo.InvariantCulture, $"<li><a href=\"{visit.Link("m/" + post.Id)}\">{Subject(visit, post)}</a><br><small>{visit.Show(post.Author)} · {Time(post.Taken)}</small></li>");
            body.Append("</ul>");
        }
        return ShowAsync(visit, visit.Of("Поиск", "Search"), body.Append($"</div><p class=\"foot\"><a href=\"{visit.Link("")}\">{visit.Of("Весь архив", "The whole archive")}</a></p>").ToString());
    }

    static Task MessageAsync(Visit visit, string number)
    {
        if (!long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || visit.Archive.Message(visit.List, id) is not var (post, message)) return GoneAsync(visit.Context, visit.Language);
        var tree = MimeTree.Parse(message);
        var thread = visit.Archive.Thread(visit.List, post.Thread).ToList();
        var at = thread.FindIndex(one => one.Id == id);
        var from = HeaderList.Parse(message).Addresses("From").Mailboxes.FirstOrDefault();
        var body = new StringBuilder(Bar(visit, "")).Append("<article class=\"card\">");
        body.Append(CultureInfo.InvariantCulture, $"<p class=\"meta\"><strong>{visit.Show(post.Author)}</strong>{(visit.Inside && from is not null && from.Address != post.Author ? " &lt;" + Page.Escape(from.Address) + "&gt;" : "")}<br>{Time(post.Taken)}</p>");
        body.Append("<div class=\"text\">").Append(Text(visit, DigestText.Readable(message, tree))).Append("</div>");
        var files = Files(tree).ToList();
        if (files.Count > 0)
        {
            body.Append("<ul class=\"files\">");
            for (var i = 0; i < files.Count; i++)
            {
                var name = Name(files[i], i);
                body.Append(CultureInfo.InvariantCulture, $"<li><a href=\"{visit.Base}m/{id}/{i}/{Uri.EscapeDataString(name)}\" download>{Page.Escape(name)}</a> <small class=\"q\">{Math.Max(1, files[i].BodyLength / 1024)} {visit.Of("КиБ", "KiB")}</small></li>");
            }
            body.Append("</ul>");
        }
        body.Append("</article>");
        string Step(int index, string label) => index >= 0 && index < thread.Count ? $"<a href=\"{visit.Link("m/" + thread[index].Id)}\">{label}</a>" : "<span></span>";
        if (thread.Count > 1)
            body.Append($"<div class=\"steps\">{Step(at - 1, visit.Of("← Раньше", "← Earlier"))}{Step(at + 1, visit.Of("Дальше →", "Later →"))}</div><div class=\"card\"><h2>{visit.Of("Обсуждение", "The thread")}</h2><ul class=\"threads\"><li><ol>{Items(visit, thread, id)}</ol></li></ul></div>");
        body.Append($"<p class=\"foot\"><a href=\"{visit.Link(post.Taken.ToString("yyyy-MM", CultureInfo.InvariantCulture))}\">{MonthName(visit, post.Taken.ToString("yyyy-MM", CultureInfo.InvariantCulture))}</a></p>");
        return ShowAsync(visit, visit.Inside ? post.Subject.Length > 0 ? post.Subject : visit.Of("(без темы)", "(no subject)") : Addresses().Replace(post.Subject, "$1@…"), body.ToString());
    }

    /// <summary>Text as HTML: all of it escaped, links that can be followed, what is quoted paler.</summary>
    static string Text(Visit visit, string text)
    {
        var html = new StringBuilder(text.Length + 256);
        foreach (var line in text.ReplaceLineEndings("\n").Trim('\n').Split('\n'))
        {
            var quoted = line.StartsWith('>');
            if (quoted) html.Append("<span class=\"q\">");
            var done = 0;
            foreach (var link in Links().EnumerateMatches(line))
            {
                html.Append(visit.Show(line[done..link.Index]));
                var target = line.Substring(link.Index, link.Length).TrimEnd('.', ',', ')', ';', '!', '?', ']', ':');
                html.Append(CultureInfo.InvariantCulture, $"<a href=\"{Page.Escape(target)}\" rel=\"nofollow noopener noreferrer ugc\">{visit.Show(target)}</a>");
                done = link.Index + target.Length;
            }
            html.Append(visit.Show(line[done..]));
            html.Append(quoted ? "</span>\n" : "\n");
        }
        return html.ToString().TrimEnd('\n');
    }

    static IEnumerable<MimePart> Files(MimePart tree) => tree.Walk().Where(part => !part.IsMultipart && !part.IsMessage && (part.Disposition == "attachment" || part.FileName is not null || part.Type is "image" or "audio" or "video" or "application") && part.Subtype is not ("pgp-signature" or "pkcs7-signature" or "x-pkcs7-signature")).Take(100);

    static string Name(MimePart part, int index)
    {
        var name = new string([.. (part.FileName ?? "").Where(c => !char.IsControl(c) && c is not ('/' or '\\' or '"' or '<' or '>' or ':' or '|' or '?' or '*'))]).Trim(' ', '.');
        return name.Length == 0 ? $"{part.Type}-{index + 1}" : name.Length > 120 ? name[^120..] : name;
    }

    // a file is never shown by us: saved, of no type that a browser would run
    static async Task FileAsync(Visit visit, string number, string place)
    {
        if (!long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || !int.TryParse(place, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            || visit.Archive.Message(visit.List, id) is not var (_, message) || Files(MimeTree.Parse(message)).ElementAtOrDefault(index) is not { } part)
        {
            await GoneAsync(visit.Context, visit.Language);
            return;
        }
        var bytes = ContentDecoder.Bytes(message, part);
        var (response, name) = (visit.Context.Response, Name(part, index));
        response.ContentType = "application/octet-stream";
        response.Headers.ContentDisposition = $"attachment; filename=\"{new string([.. name.Select(c => c is >= ' ' and < '\x7f' and not '%' ? c : '_')])}\"; filename*=UTF-8''{Uri.EscapeDataString(name)}";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        response.Headers.CacheControl = "private, no-store";
        response.Headers["X-Robots-Tag"] = "noindex";
        response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(visit.Context.Request.Method)) await response.Body.WriteAsync(bytes, visit.Context.RequestAborted);
    }

    // Atom: what feed readers understand everywhere
    static async Task FeedAsync(Visit visit)
    {
        var root = visit.Context.Room<Config.Settings>() is var settings ? settings.Admission.Root(settings) : "";
        var posts = visit.Archive.Newest(visit.List, 30);
        var updated = posts.Count > 0 ? posts[0].Taken : visit.List.Created;
        var feed = new StringBuilder("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">");
        feed.Append(CultureInfo.InvariantCulture, $"<title>{Xml(visit, visit.List.Title)}</title><id>{root}{visit.Base}</id><updated>{updated:yyyy-MM-ddTHH:mm:ssZ}</updated><link rel=\"alternate\" type=\"text/html\" href=\"{root}{visit.Base}\"/>");
        foreach (var post in posts)
            feed.Append(CultureInfo.InvariantCulture, $"<entry><title>{Xml(visit, post.Subject.Length > 0 ? post.Subject : "-")}</title><id>{root}{visit.Base}m/{post.Id}</id><updated>{post.Taken:yyyy-MM-ddTHH:mm:ssZ}</updated><author><name>{Xml(visit, post.Author.Length > 0 ? post.Author : "-")}</name></author><link rel=\"alternate\" type=\"text/html\" href=\"{root}{visit.Base}m/{post.Id}\"/></entry>");
        var bytes = Encoding.UTF8.GetBytes(feed.Append("</feed>\n").ToString());
        var response = visit.Context.Response;
        response.ContentType = "application/atom+xml; charset=utf-8";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.CacheControl = "private, no-store";
        response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(visit.Context.Request.Method)) await response.Body.WriteAsync(bytes, visit.Context.RequestAborted);
    }

    static string Xml(Visit visit, string text) => visit.Show(new string([.. text.Where(c => c >= ' ' && c is not ('\ufffe' or '\uffff'))]));
}
