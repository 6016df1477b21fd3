using System.Globalization;
using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>account vacation | forwarding</c>: what becomes of mail for somebody.</summary>
static class AccountMailVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("account vacation", "ADDRESS", "show or change what is answered while somebody is away",
        [
            new("--on", null, "answer"), new("--off", null, "do not answer any more"), new("--from", "DAY", "as in 2027-07-01; \"\" is at once"), new("--until", "DAY", "its last day, in the zone of the account or the server; \"\" is never"),
            new("--subject", "TEXT", "\"\" is \"Auto:\" and the subject of what is answered"), new("--text", "TEXT", "what is answered; - reads it from standard input"), new("--html", "TEXT", "the same in HTML; \"\" is none"),
            new("--domain-text", "TEXT", "what senders of its own domain read instead; \"\" is the same"), new("--days", "NUMBER", "a sender is answered once in so many days, 7 unless set"), .. Verb.Client,
        ], VacationAsync, "Answered are people who wrote to the account by name; lists, robots and notices are not."),
        new("account forwarding", "ADDRESS [TARGET...]", "show or change where somebody's mail goes on to",
            [new("--no-copy", null, "leave none in the mailbox"), new("--off", null, "end it"), .. Verb.Client], ForwardingAsync),
    ];

    static string Path(Invocation invocation) => "accounts/" + Uri.EscapeDataString(invocation.Arguments[0]);

    static async Task<int> VacationAsync(Invocation invocation)
    {
        if (invocation.Has("--on") && invocation.Has("--off")) throw new Refused("Give either --on or --off", 2);
        var (body, changes) = (new JsonBody(), invocation.Has("--on") || invocation.Has("--off"));
        body.Add("enabled", invocation.Has("--on") ? true : invocation.Has("--off") ? false : null);
        foreach (var (option, field) in new[] { ("--from", "from"), ("--until", "until"), ("--subject", "subject"), ("--html", "html"), ("--domain-text", "domainText"), ("--text", "text") })
        {
            if (invocation.Value(option) is not { } text) continue;
            body.Add(field, option == "--text" && text == "-" ? await invocation.Input.ReadToEndAsync() : text);
            changes = true;
        }
        if (invocation.Value("--days") is { } days)
        {
            body.Add("days", int.TryParse(days, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new Refused($"\"{days}\" is no number of days", 2));
            changes = true;
        }
        return invocation.Print(changes ? await invocation.Server.PatchAsync(Path(invocation) + "/vacation", body) : await invocation.Server.GetAsync(Path(invocation) + "/vacation"), Vacation);
    }

    static string Vacation(JsonElement vacation) => $"""
        Enabled    {vacation.Text("enabled")}{(vacation.True("active") ? ", answers now" : "")}
        From       {vacation.Time("from")}{(vacation.Time("from").Length > 0 ? " UTC" : "")}
        Until      {vacation.Time("until")}{(vacation.Time("until").Length > 0 ? " UTC" : "")}
        Subject    {vacation.Text("subject")}
        Once in    {vacation.Text("days")} days

        {vacation.Text("text")}
        """;

    static async Task<int> ForwardingAsync(Invocation invocation)
    {
        var targets = invocation.Arguments.Skip(1).ToList();
        var changes = targets.Count > 0 || invocation.Has("--off");
        if (targets.Count > 0 && invocation.Has("--off")) throw new Refused("Give either targets or --off", 2);
        var now = changes
            ? await invocation.Server.PutAsync(Path(invocation) + "/forwarding", new JsonBody().Add("to", targets).Add("keepCopy", !invocation.Has("--no-copy")))
            : await invocation.Server.GetAsync(Path(invocation) + "/forwarding");
        return invocation.Print(now, forwarding => forwarding.Items("to").ToList() is { Count: > 0 } to
            ? $"Mail goes on to {string.Join(", ", to.Select(one => Readable.Address(one.GetString()!)))}{(forwarding.True("keepCopy") ? " and stays in the mailbox" : "")}."
            : "Mail is not forwarded.");
    }
}
