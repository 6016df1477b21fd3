using System.Globalization;

namespace CbaMail.Cli;

/// <summary><c>mailing responses | totals | resend</c>, <c>course totals</c>.</summary>
static class ResponseVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("mailing responses", "ID", "what its readers did: opened, followed links, answered; programs are told apart", Verb.Client, ResponsesAsync),
        new("mailing totals", "ID", "what became of its copies by hours and by providers", [new("--hours", null, "by hours instead of providers"), .. Verb.Client], invocation => TotalsAsync(invocation, $"mailings/{MailingVerbs.Id(invocation)}/totals")),
        new("course totals", "COURSE", "the same of all mailings of a course", [new("--hours", null, "by hours instead of providers"), .. Verb.Client], invocation => TotalsAsync(invocation, CourseVerbs.Course(invocation) + "/totals")),
        new("mailing resend", "ID", "write a mailing again to some of those whom it went to; prints the new one's id", [
            new("--to", "WHOM", "failed, unopened, unclicked or unreplied"),
            new("--subject", "TEMPLATE", "another subject"),
            new("--send", null, "send it at once"),
            .. Verb.Client,
        ], ResendAsync),
    ];

    static async Task<int> ResponsesAsync(Invocation invocation)
    {
        var found = await invocation.Server.GetAsync($"mailings/{MailingVerbs.Id(invocation)}/responses");
        if (invocation.Json) return invocation.Print(found, _ => "");
        var scanners = found.GetProperty("scanners");
        invocation.Print(string.Create(CultureInfo.InvariantCulture,
            $"{found.Number("delivered")} delivered, {found.Number("opened")} opened, {found.Number("clicked")} clicked, {found.Number("replied")} replied ({found.Number("autoReplied")} by themselves), {found.Number("unsubscribed")} unsubscribed, {found.Number("complained")} complained."));
        invocation.Print(string.Create(CultureInfo.InvariantCulture, $"Programs alone opened {scanners.Number("opened")} and followed links of {scanners.Number("clicked")}."));
        foreach (var link in found.Items("links"))
            invocation.Print(string.Create(CultureInfo.InvariantCulture, $"{link.Number("people"),6} people, {link.Number("times")} times, programs {link.Number("scanners")} times  {link.Text("link")}"));
        return 0;
    }

    static async Task<int> TotalsAsync(Invocation invocation, string path)
    {
        var found = await invocation.Server.GetAsync(path);
        if (invocation.Json) return invocation.Print(found, _ => "");
        var hours = invocation.Has("--hours");
        string[] counts = ["sent", "delivered", "waiting", "bounced", "opened", "clicked", "replied", "complained"];
        invocation.PrintTable([.. found.Items(hours ? "hours" : "providers")], [hours ? "HOUR" : "PROVIDER", .. counts.Select(count => count.ToUpperInvariant())],
            row => [hours ? row.Time("hour") : row.Text("provider"), .. counts.Select(count => row.GetProperty("totals").Text(count))]);
        return 0;
    }

    static async Task<int> ResendAsync(Invocation invocation)
    {
        var to = invocation.Value("--to") ?? throw new Refused("\"mailing resend\" needs --to failed, unopened, unclicked or unreplied", 2);
        var made = await invocation.Server.PostAsync($"mailings/{MailingVerbs.Id(invocation)}/resend", new JsonBody().Add("to", to).Add("subject", invocation.Value("--subject")));
        if (invocation.Has("--send")) await invocation.Server.PostAsync($"mailings/{made.Text("id")}/send");
        return invocation.Print(made, answer => answer.Text("id"));
    }
}
