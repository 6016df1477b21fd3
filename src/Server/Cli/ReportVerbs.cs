using System.Globalization;
using System.Text;
using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>report list | show | unread | complaints | pending | sent | send</c>.</summary>
static class ReportVerbs
{
    static readonly Option Domain = new("--domain", "DOMAIN", "only this domain and those below it");
    static readonly Option Days = new("--days", "N", "of the last N days (default 30; complaints 90)");

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("report list", "", "list what others report about our domains", [.. Verb.Client, new("--kind", "KIND", "dmarc or tls"), Domain, Days], ListAsync),
        new("report show", "ID|DOMAIN", "show one report, or what all of them say of a domain", [.. Verb.Client, Days, new("--all", null, "count reports that nobody is proven to have sent, too")], ShowAsync,
            "Servers that send in the name of the domain, those that fail first and by name; and how TLS towards it goes."),
        new("report unread", "", "list mail for report addresses that could not be read", Verb.Client, UnreadAsync),
        new("report complaints", "", "list complaints of providers about our mail", [.. Verb.Client, Domain, Days, new("--sums", null, "their number by sender")], ComplaintsAsync),
        new("report pending", "", "show what is counted for reports to others", Verb.Client, PendingAsync),
        new("report sent", "", "list the reports that were sent", [.. Verb.Client, new("--domain", "DOMAIN", "only about this domain")], SentAsync),
        new("report send", "", "send now what is counted, today's as well", [.. Verb.Client, new("--domain", "DOMAIN", "only about this domain"), new("--dry-run", null, "print the reports and send nothing")], SendAsync),
    ];

    static string Query(Invocation invocation)
    {
        if (invocation.Value("--days") is { } days && !int.TryParse(days, NumberStyles.None, CultureInfo.InvariantCulture, out _)) throw new Refused($"--days takes a number of days, not \"{days}\"", 2);
        if (invocation.Value("--kind") is { } kind && kind is not ("dmarc" or "tls")) throw new Refused($"--kind is dmarc or tls, not \"{kind}\"", 2);
        var parts = new List<string>();
        foreach (var name in (string[])["domain", "days", "kind"])
            if (invocation.Value("--" + name) is { } value) parts.Add($"{name}={Uri.EscapeDataString(value)}");
        if (invocation.Has("--all")) parts.Add("all=true");
        return parts.Count > 0 ? "?" + string.Join('&', parts) : "";
    }

    static async Task<int> ListAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.GetAsync("reports" + Query(invocation)), ["ID", "KIND", "DOMAIN", "OF", "UNTIL", "PASSED", "FAILED", "TRUSTED"], report =>
        [
            report.Text("id"), report.Text("kind"), report.Text("domain"), report.Text("organization"), report.Time("last"), report.Text("passed"), report.Text("failed"),
            report.True("trusted") ? "yes" : "no",
        ]);

    static async Task<int> ShowAsync(Invocation invocation)
    {
        var subject = invocation.Arguments[0];
        var path = long.TryParse(subject, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? $"reports/{id}" : $"reports/of/{Uri.EscapeDataString(subject)}{Query(invocation)}";
        return invocation.Print(await invocation.Server.GetAsync(path), Shown);
    }

    static string Shown(JsonElement view)
    {
        var text = new StringBuilder();
        if (view.TryGetProperty("report", out var report) && report.ValueKind == JsonValueKind.Object)
        {
            text.Append(CultureInfo.InvariantCulture, $"Report    {report.Text("reportId")} ({report.Text("kind")})\nAbout     {report.Text("domain")}\nOf        {report.Text("organization")}, {report.Text("email")}\n");
            text.Append(CultureInfo.InvariantCulture, $"From      {report.Time("first")}\nUntil     {report.Time("last")}\n");
            if (report.Text("policy") is { Length: > 0 } policy) text.Append(CultureInfo.InvariantCulture, $"Policy    {policy}\n");
            text.Append(CultureInfo.InvariantCulture, $"Sent by   {(report.Text("author") is { Length: > 0 } author ? author : "nobody is proven to have sent it")}{(report.True("trusted") ? "" : ", not trusted")}\n");
        }
        else text.Append(CultureInfo.InvariantCulture, $"{view.Text("reports")} reports on {view.Text("domain")}\n");
        foreach (var source in view.Items("sources")) Source(text, source);
        foreach (var sessions in view.Items("sessions")) Sessions(text, sessions);
        return text.ToString().TrimEnd();
    }

    static void Source(StringBuilder text, JsonElement source)
    {
        var (messages, passed) = (source.Number("messages"), source.Number("passed"));
        var address = source.Text("address") is { Length: > 0 } known ? known : "others";
        text.Append(CultureInfo.InvariantCulture, $"\n{address}{(source.Text("name") is { Length: > 0 } name ? $" ({name})" : "")} as {source.Text("headerFrom")}: {messages} messages, {(passed == messages ? "all pass" : passed == 0 ? "all FAIL" : $"{messages - passed} FAIL")}");
        text.Append(CultureInfo.InvariantCulture, $"; aligned by DKIM {source.Text("dkimAligned")}, by SPF {source.Text("spfAligned")}");
        if (source.Number("quarantined") is > 0 and var quarantined) text.Append(CultureInfo.InvariantCulture, $"; {quarantined} put aside");
        if (source.Number("rejected") is > 0 and var rejected) text.Append(CultureInfo.InvariantCulture, $"; {rejected} refused");
        if (source.Text("reasons") is { Length: > 0 } reasons) text.Append(CultureInfo.InvariantCulture, $"; {reasons}");
        if (source.Text("results") is { Length: > 0 } results) text.Append(CultureInfo.InvariantCulture, $"\n  {results}");
    }

    static void Sessions(StringBuilder text, JsonElement sessions)
    {
        var result = sessions.Text("result");
        text.Append(CultureInfo.InvariantCulture, $"\nTLS to {sessions.Text("policyDomain")} ({sessions.Text("policy")}): {sessions.Text("sessions")} sessions {(result.Length > 0 ? "FAILED: " + result : "went well")}");
        if (sessions.Text("host") is { Length: > 0 } host) text.Append(CultureInfo.InvariantCulture, $" at {host}");
        if (sessions.Text("reason") is { Length: > 0 } reason) text.Append(CultureInfo.InvariantCulture, $" ({reason})");
    }

    static async Task<int> UnreadAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.GetAsync("reports/unread"), ["ID", "ARRIVED", "FOR", "FROM", "PROBLEM"], letter =>
            [letter.Text("id"), letter.Time("arrived"), letter.Text("recipient"), letter.Text("sender") is { Length: > 0 } sender ? sender : "<>", letter.Text("problem")]);

    static async Task<int> ComplaintsAsync(Invocation invocation)
    {
        if (invocation.Has("--sums"))
            return invocation.Print(await invocation.Server.GetAsync("complaints/sums" + Query(invocation)), ["SENDER", "COMPLAINTS", "TIED", "LAST"], sum =>
                [sum.Text("sender"), sum.Text("complaints"), sum.Text("tied"), sum.Time("last")]);
        return invocation.Print(await invocation.Server.GetAsync("complaints" + Query(invocation)), ["ARRIVED", "TYPE", "OF", "SENDER", "RECIPIENT", "EFFECT"], complaint =>
            [complaint.Time("arrived"), complaint.Text("type"), complaint.Text("author") is { Length: > 0 } author ? author : "unproven", complaint.Text("sender"), complaint.Text("recipient"), complaint.Text("effect")]);
    }

    static async Task<int> PendingAsync(Invocation invocation) => invocation.Print(await invocation.Server.GetAsync("reports/pending"), answer =>
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"DMARC reports {(answer.True("sendsDmarc") ? "are sent" : "are off (reports.send-dmarc)")}, TLS reports {(answer.True("sendsTls") ? "are sent" : "are off (reports.send-tls)")}; from {answer.Text("from")}, next at {answer.Time("next")} UTC");
        foreach (var report in answer.Items("reports")) text.Append(CultureInfo.InvariantCulture, $"\n{report.Text("day")}  {report.Text("kind"),-5}  {report.Text("domain")}: {report.Text("count")} counted");
        foreach (var post in answer.Items("posts")) text.Append(CultureInfo.InvariantCulture, $"\nwaits for {post.Text("url")}, {post.Text("attempts")} attempts, next {post.Time("next")}: {post.Text("reply")}");
        foreach (var returned in answer.Items("returned")) text.Append(CultureInfo.InvariantCulture, $"\n{returned.Text("address")} returned {returned.Text("failures")} reports, last {returned.Time("last")}: {returned.Text("reply")}");
        if (answer.Number("lost") is > 0 and var lost) text.Append(CultureInfo.InvariantCulture, $"\n{lost} messages were left out: there were too many different ones");
        return text.ToString();
    });

    static async Task<int> SentAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.GetAsync("reports/sent" + Query(invocation)), ["AT", "KIND", "ABOUT", "TO", "ID"], report =>
            [report.Time("at"), report.Text("kind"), report.Text("domain"), report.Text("destination"), report.Text("reportId")]);

    static async Task<int> SendAsync(Invocation invocation)
    {
        var body = new JsonBody();
        if (invocation.Value("--domain") is { } domain) body.Add("domain", domain);
        if (invocation.Has("--dry-run")) body.Add("dryRun", true);
        return invocation.Print(await invocation.Server.PostAsync("reports/send", body), answer =>
        {
            var text = new StringBuilder();
            foreach (var report in answer.Items("reports"))
            {
                var destinations = string.Join(", ", report.Items("destinations").Select(destination => destination.GetString()));
                text.Append(CultureInfo.InvariantCulture, $"{report.Text("kind")} report on {report.Text("domain")} of {report.Text("day")}, {report.Text("messages")} counted, to {(destinations.Length > 0 ? destinations : "nobody")}{(report.Text("problem") is { Length: > 0 } problem ? ": " + problem : "")}\n");
                if (report.Text("file") is { Length: > 0 } file) text.Append(file).Append('\n');
            }
            return text.Length > 0 ? text.ToString().TrimEnd() : "There is nothing to report.";
        });
    }
}
