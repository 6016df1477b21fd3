using System.Globalization;

namespace CbaMail.Cli;

/// <summary><c>mailbox expunged | undelete | forget</c>: messages that can be brought back.</summary>
static class ExpungedVerbs
{
    static readonly Option[] Filter =
    [
        new("--mailbox", "NAME", "only those that were in it"),
        new("--search", "TEXT", "only those with it in subject or sender"),
        new("--since", "DAY", "only those expunged on this day or later, as in 2027-06-30"),
        new("--before", "DAY", "only those expunged before it"),
    ];

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("mailbox expunged", "ADDRESS", "list the messages of an account that can be brought back", [.. Filter, .. Verb.Client], async invocation =>
            invocation.Print(await invocation.Server.GetAsync(Path(invocation) + Query(invocation)), ["ID", "EXPUNGED", "MAILBOX", "FROM", "SUBJECT"],
                one => [one.Text("id"), one.Time("expunged"), one.Text("mailbox"), one.Text("from"), one.Text("subject")]), "How long they can be is accounts.keep-expunged (14 days)."),
        new("mailbox undelete", "ADDRESS [ID...]", "bring expunged messages back to where they were", [.. Filter, new("--all", null, "all that there are"), new("--to", "NAME", "into this mailbox, which is made where it is missing"), .. Verb.Client], UndeleteAsync),
        new("mailbox forget", "ADDRESS", "let expunged messages go for good", [.. Filter, new("--all", null, "all that there are"), .. Verb.Client], async invocation =>
        {
            if (Query(invocation).Length == 0 && !invocation.Has("--all")) throw new Refused("Say which by --mailbox, --search, --since or --before, or --all", 2);
            return invocation.Print(await invocation.Server.DeleteAsync(Path(invocation) + Query(invocation)), done => $"{done.Text("count")} messages are gone.");
        }),
    ];

    static string Path(Invocation invocation) => $"accounts/{Uri.EscapeDataString(invocation.Arguments[0])}/expunged";

    static IEnumerable<(string Name, string Value)> Asked(Invocation invocation) =>
        Filter.Where(option => invocation.Value(option.Name) is not null).Select(option => (option.Name[2..], invocation.Value(option.Name)!));

    static string Query(Invocation invocation) => string.Join('&', Asked(invocation).Select(one => $"{one.Name}={Uri.EscapeDataString(one.Value)}")) is { Length: > 0 } query ? "?" + query : "";

    static async Task<int> UndeleteAsync(Invocation invocation)
    {
        var body = new JsonBody().Add("to", invocation.Value("--to")).Add("all", invocation.Has("--all") ? true : null);
        foreach (var (name, value) in Asked(invocation)) body.Add(name, value);
        var ids = invocation.Arguments.Skip(1).Select(id => long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new Refused($"\"{id}\" is no number of mailbox expunged", 2)).ToList();
        if (ids.Count > 0) body.Set("ids", new System.Text.Json.Nodes.JsonArray([.. ids.Select(id => System.Text.Json.Nodes.JsonValue.Create(id))]));
        var answer = await invocation.Server.PostAsync(Path(invocation) + "/restore", body);
        if (ids.Count > 0 && answer.Text("count") == "0") throw new Refused("There is no such message to bring back; list them with: cbamail mailbox expunged");
        return invocation.Print(answer, done => $"{done.Text("count")} messages are back.");
    }
}
