using System.Globalization;
using System.Text;
using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>mailing create | preview | check | send | pause | resume | cancel | status | ledger | list</c>.</summary>
static class MailingVerbs
{
    const string Templates = """
        Templates are Handlebars: {{firstName}}, {{name}}, {{address}}, {{course.name}} and the columns of the course, {{[exam date]}} with a space;
        {{default group "no group"}}, {{#if seat}}…{{else}}…{{/if}}, {{plural days "день" "дня" "дней"}}. HTML is escaped, {{{raw}}} is not.
        An image that the HTML shows as src="cid:logo.png" is the file of that name: --attach logo.png.
        """;

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("mailing create", "COURSE", "write a mailing to a course; prints its id", [
            new("--from", "ADDRESS", "sender, also \"Name <address>\"; of a domain elsewhere, copies come from the course and answers go to him"),
            new("--to", "AUDIENCE", "an audience, or the name of one (default: everybody who is in the course)"),
            new("--subject", "TEMPLATE", "subject"),
            new("--html", "FILE", "HTML template"),
            new("--mjml", "FILE", "MJML template: the HTML is compiled from it"),
            new("--text", "FILE", "plain text template (default: made of the HTML)"),
            new("--class", "CLASS", "mandatory, course, optional or marketing: whether readers may leave it (default course)"),
            new("--track-opens", null, "put a picture into copies that tells that they were opened"),
            new("--track-clicks", null, "have links of copies lead by this server, which notes that they were followed"),
            new("--attach", "FILE", "attachment, or an image of the HTML", Many: true),
            .. Verb.Client,
        ], CreateAsync, Templates),
        new("mailing preview", "ID", "show one person's copy", [new("--for", "ADDRESS", "whose (default: the first in the course)"), new("--html", null, "print the HTML instead of the text"), .. Verb.Client], PreviewAsync),
        new("mailing test", "ID", "send one person's copy to who is to look at it, marked as a test; it stands in no ledger", [
            new("--to", "ADDRESS", "who looks at it", Many: true),
            new("--as", "ADDRESS", "whose copy (default: the first in the course)"),
            .. Verb.Client,
        ], TestAsync),
        new("mailing check", "ID", "render everybody's copy and name what is wrong, by person and row", [new("--outside", null, "ask the net too: whether links answer, readers' domains take mail, From can be proven"), .. Verb.Client], CheckAsync),
        new("mailing send", "ID", "check, and send to everybody", [
            new("--wait", null, "show the progress until everybody's copy is delivered or tried"),
            new("--skip-invalid", null, "leave out the people whom the check names"),
            new("--canary", "N", "so many go first, and the rest only if few of them fail"),
            new("--seed", "ADDRESS", "whose copies go first", Many: true),
            new("--canary-wait", "MINUTES", "how long after the first (default 30)"),
            new("--canary-most", "PERCENT", "how many of them may be deferred, come back or be complained about (default 5)"),
            new("--at", "TIME", "later, as in 2027-02-01T10:00 by the course's clock, or with an offset from UTC"),
            .. Verb.Client,
        ], SendAsync),
        new("mailing canary", "ID", "how a mailing's first copies did", Verb.Client, async invocation => invocation.Print(await invocation.Server.GetAsync($"mailings/{Id(invocation)}/canary"), one => string.Create(CultureInfo.InvariantCulture,
            $"{one.Text("state")}: {one.Number("bad")} of the first {one.Number("copies")} copies failed, {one.Number("mostPercent")} % may.{(one.Text("state") == "stopped" ? $" Stopped: {one.Text("sentence")}; send the rest with: cbamail mailing resume {invocation.Arguments[0]}" : "")}"))),
        new("mailing pause", "ID", "stop sending for now", Verb.Client, invocation => DeedAsync(invocation, "pause", "is paused; go on with: cbamail mailing resume")),
        new("mailing resume", "ID", "go on sending", Verb.Client, invocation => DeedAsync(invocation, "resume", "is being sent")),
        new("mailing cancel", "ID", "stop sending for good", Verb.Client, invocation => DeedAsync(invocation, "cancel", "is cancelled")),
        new("mailing status", "ID", "how far a mailing is", Verb.Client, StatusAsync),
        new("mailing ledger", "ID", "who got it and who did not, a line a participant", Verb.Client, LedgerAsync),
        new("mailing list", "[COURSE]", "list the mailings", Verb.Client, ListAsync),
    ];

    internal static string Id(Invocation invocation) =>
        long.TryParse(invocation.Arguments[0], NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? id.ToString(CultureInfo.InvariantCulture)
            : throw new Refused($"\"{invocation.Arguments[0]}\" is no id of a mailing; list them with: cbamail mailing list");

    static async Task<int> CreateAsync(Invocation invocation)
    {
        string Need(string option) => invocation.Value(option) ?? throw new Refused($"\"mailing create\" needs {option}", 2);
        var (from, subject) = (Need("--from"), Need("--subject"));
        if (invocation.Value("--html") is null && invocation.Value("--text") is null && invocation.Value("--mjml") is null) throw new Refused("\"mailing create\" needs --html FILE or --mjml FILE, --text FILE, or both", 2);
        var (html, text) = (Template(invocation.Value("--html")), Template(invocation.Value("--text")));
        var files = new List<JsonBody>();
        foreach (var path in invocation.Values("--attach"))
        {
            await using var file = CourseVerbs.Open(path);
            var kept = await invocation.Server.PostAsync("mailing-files", file, "application/octet-stream");
            files.Add(new JsonBody().Add("name", Path.GetFileName(path)).Add("hash", kept.Text("hash")));
        }
        var body = new JsonBody().Add("course", invocation.Arguments[0]).Add("from", from).Add("subject", subject).Add("html", html).Add("text", text).Add("mjml", Template(invocation.Value("--mjml"))).Add("files", files).Add("to", invocation.Value("--to")).Add("class", invocation.Value("--class"))
            .Add("trackOpens", invocation.Has("--track-opens")).Add("trackClicks", invocation.Has("--track-clicks"));
        return invocation.Print(await invocation.Server.PostAsync("mailings", body), mailing => mailing.Text("id"));
    }

    static string? Template(string? path)
    {
        if (path is null) return null;
        using var file = CourseVerbs.Open(path);
        using var reader = new StreamReader(file, new UTF8Encoding(false, throwOnInvalidBytes: true));
        try { return reader.ReadToEnd(); }
        catch (DecoderFallbackException) { throw new Refused($"The file {path} is not UTF-8"); }
    }

    static async Task<int> PreviewAsync(Invocation invocation)
    {
        var path = $"mailings/{Id(invocation)}/preview";
        if (invocation.Value("--for") is { } address) path += "?for=" + Uri.EscapeDataString(address);
        var preview = await invocation.Server.GetAsync(path);
        foreach (var problem in preview.Items("problems")) await invocation.Error.WriteLineAsync($"cbamail: {problem.Text("message")}");
        var to = preview.Text("name") is { Length: > 0 } name ? $"{name} <{preview.Text("address")}>" : preview.Text("address");
        return invocation.Print(preview, shown => invocation.Has("--html")
            ? shown.Text("html")
            : $"From: {shown.Text("from")}\nTo: {to}\nSubject: {shown.Text("subject")}\n\n{shown.Text("text")}");
    }

    static async Task<int> TestAsync(Invocation invocation)
    {
        var to = invocation.Values("--to").ToList();
        if (to.Count == 0) throw new Refused("\"mailing test\" needs --to ADDRESS", 2);
        var sent = await invocation.Server.PostAsync($"mailings/{Id(invocation)}/test", new JsonBody().Add("to", to).Add("as", invocation.Value("--as")));
        return invocation.Print(sent, answer => $"The copy of {answer.Text("as")} is on its way to {string.Join(", ", to)}.");
    }

    static async Task<int> CheckAsync(Invocation invocation)
    {
        var path = $"mailings/{Id(invocation)}/check";
        var report = invocation.Has("--outside") ? await invocation.Server.PostAsync(path) : await invocation.Server.GetAsync(path);
        if (invocation.Json) invocation.Print(report.GetRawText());
        else await WriteReportAsync(report, invocation.Output);
        if (!report.True("good")) throw new Refused(report.Items("faults").Any()
            ? $"Mailing {invocation.Arguments[0]} cannot be sent as it is"
            : $"{report.Number("affected")} of {report.Number("people")} participants have a problem; mend them, or leave them out with: cbamail mailing send {invocation.Arguments[0]} --skip-invalid");
        if (!invocation.Json) invocation.Print($"{report.Number("people")} of {report.Number("people")} copies are ready.");
        return 0;
    }

    static async Task WriteReportAsync(JsonElement report, TextWriter output)
    {
        foreach (var fault in report.Items("faults")) await output.WriteLineAsync("fault: " + fault.GetString());
        foreach (var problem in report.Items("problems"))
        {
            var name = problem.Text("name") is { Length: > 0 } text ? $" ({text})" : "";
            await output.WriteLineAsync($"row {problem.Text("row")}: {problem.Text("address")}{name}: {problem.Text("message")}");
        }
        foreach (var finding in report.Items("findings"))
        {
            var where = finding.Text("line") is { Length: > 0 } line ? $"{finding.Text("part")}, line {line}, column {finding.Text("column")}: " : finding.Text("part") is { Length: > 0 } part ? part + ": " : "";
            await output.WriteLineAsync($"{finding.Text("severity")} ({finding.Text("code")}): {where}{finding.Text("english")}");
        }
        foreach (var note in report.Items("notes")) await output.WriteLineAsync("note: " + note.GetString());
    }

    static async Task<int> SendAsync(Invocation invocation)
    {
        var id = Id(invocation);
        if (invocation.Has("--wait") && invocation.Value("--at") is not null) throw new Refused("\"mailing send\" takes --wait or --at, not both", 2);
        JsonElement started;
        try
        {
            started = await invocation.Server.PostAsync($"mailings/{id}/send", new JsonBody().Add("skipInvalid", invocation.Has("--skip-invalid")).Add("at", invocation.Value("--at")).Add("canary", CanaryOf(invocation)));
        }
        catch (Refused)
        {
            await ExplainAsync(invocation, id);
            throw;
        }
        foreach (var note in started.Items("notes")) await invocation.Error.WriteLineAsync("note: " + note.GetString());
        if (invocation.Value("--at") is not null)
            return invocation.Print(started, answer => string.Create(CultureInfo.InvariantCulture,
                $"Mailing {id} goes out at {answer.Text("at")}, to {answer.Number("sending")} participants as things are now, {answer.Number("skipped")} skipped. Look with: cbamail mailing schedule {id}"));
        if (!invocation.Has("--wait"))
            return invocation.Print(started, answer => string.Create(CultureInfo.InvariantCulture,
                $"Mailing {id} is being sent to {answer.Number("sending")} participants, {answer.Number("skipped")} skipped. Look with: cbamail mailing status {id}"));
        var status = await WaitAsync(invocation, id);
        invocation.Print(status, Summary);
        if (status.Text("state") is "paused" or "cancelled") throw new Refused($"Mailing {id} is {status.Text("state")}");
        return 0;
    }

    static JsonBody? CanaryOf(Invocation invocation)
    {
        int? Number(string option) => invocation.Value(option) is not { } text ? null : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new Refused($"{option} takes a number, not \"{text}\"", 2);
        var seeds = invocation.Values("--seed").ToList();
        if (invocation.Value("--canary") is null && seeds.Count == 0) return null;
        return new JsonBody().Add("first", Number("--canary") ?? 0).Add("waitMinutes", Number("--canary-wait") ?? 30).Add("mostPercent", Number("--canary-most") ?? 5).Add("seeds", seeds);
    }

    /// <summary>Names the people for whose sake a mailing was refused.</summary>
    static async Task ExplainAsync(Invocation invocation, string id)
    {
        JsonElement report;
        try
        {
            if ((await invocation.Server.GetAsync("mailings/" + id)).Text("state") != "draft") return; // a second send is the mistake, not its people
            report = await invocation.Server.GetAsync($"mailings/{id}/check");
        }
        catch (Refused) { return; } // the first sentence says it
        if (!report.True("good")) await WriteReportAsync(report, invocation.Error);
    }

    static async Task<JsonElement> WaitAsync(Invocation invocation, string id)
    {
        using var progress = new ProgressBar(invocation, "copies");
        for (var pause = 20; ; pause = Math.Min(pause * 2, 160))
        {
            var status = await invocation.Server.GetAsync("mailings/" + id);
            var open = status.Number("rendered") + status.Number("queued");
            progress.Show(status.Number("total") - open, status.Number("total"));
            if (status.Text("state") is "paused" or "cancelled" || status.Text("state") is not "sending" && open == 0) return status;
            await Task.Delay(pause);
        }
    }

    static string Summary(JsonElement status) => string.Create(CultureInfo.InvariantCulture,
        $"{status.Text("state")}: {status.Number("total")} in all, {status.Number("delivered")} delivered, {status.Number("queued")} queued, {status.Number("deferred")} deferred, {status.Number("bounced")} bounced, {status.Number("skipped")} skipped, {status.Number("rendered")} to go.");

    static async Task<int> DeedAsync(Invocation invocation, string deed, string sentence)
    {
        var id = Id(invocation);
        return invocation.Print(await invocation.Server.PostAsync($"mailings/{id}/{deed}"), status => deed == "pause" ? $"Mailing {id} {sentence} {id}\n{Summary(status)}" : $"Mailing {id} {sentence}.\n{Summary(status)}");
    }

    static async Task<int> StatusAsync(Invocation invocation) => invocation.Print(await invocation.Server.GetAsync("mailings/" + Id(invocation)), Summary);

    static async Task<int> LedgerAsync(Invocation invocation)
    {
        await foreach (var line in invocation.Server.StreamAsync(HttpMethod.Get, $"mailings/{Id(invocation)}/ledger"))
            invocation.Print(invocation.Json ? line.GetRawText() : $"{line.Text("state"),-9}  {line.Time("at")}  {line.Text("address")}  {line.Text("reply")}".TrimEnd());
        return 0;
    }

    static async Task<int> ListAsync(Invocation invocation)
    {
        var path = invocation.Arguments.Count > 0 ? "mailings?course=" + Uri.EscapeDataString(invocation.Arguments[0]) : "mailings";
        return invocation.Print(await invocation.Server.GetAsync(path), ["ID", "STATE", "CREATED", "COURSE", "SUBJECT"], mailing =>
            [mailing.Text("id"), mailing.Text("state"), mailing.Time("created"), mailing.Text("course"), mailing.Text("subject")]);
    }
}
