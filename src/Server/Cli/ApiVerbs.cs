using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>api METHOD PATH</c>: anything that the REST API does; <c>key</c>: its keys; <c>audit</c>: who changed what.</summary>
static class ApiVerbs
{
    static readonly string[] Methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("api", "METHOD PATH", "ask the REST API anything", [
            new("--body", "JSON", "the body; - reads it from standard input"),
            new("--type", "TYPE", "the body's media type, where it is not JSON"),
            new("--header", "\"NAME: VALUE\"", "a header of the request", Many: true),
            new("--format", "FORMAT", "json (as it came), table or csv"),
            .. Verb.Client], AskAsync, """
            PATH stands below /api/v1: cbamail api GET accounts?domain=example.org
            What there is: cbamail api GET openapi.json, or docs/en/api.md
            """),
        new("key add", "NAME", "make a key of the API, and print it this once", [
            new("--account", "ADDRESS", "whom it acts for; otherwise the server itself"),
            new("--permission", "NAME", "what it may do, of what its owner may; all where none is named", Many: true),
            new("--network", "NETWORK", "from where it may be used", Many: true),
            new("--for", "TIME", "how long it lasts, as in 90d"),
            .. Verb.Client], AddKeyAsync, "Permissions are listed in docs/en/permissions.md."),
        new("key list", "", "list the keys of the API", Verb.Client, ListKeysAsync),
        new("key remove", "ID", "end a key", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.DeleteAsync("api-keys/" + Uri.EscapeDataString(invocation.Arguments[0])), _ => $"The key {invocation.Arguments[0]} is valid no more.")),
        new("audit list", "", "who changed what, newest first", [
            new("--text", "WORD", "only what names this: an account, a path"),
            new("--since", "TIME", "an age such as 2h, or a time"), new("--until", "TIME", "likewise"), new("--limit", "NUMBER", "at most so many; 100 where nothing is said"),
            .. Verb.Client], ListAuditAsync),
        new("audit verify", "", "see whether the log is what was written", Verb.Client, VerifyAuditAsync,
            "Prints the digest of the last entry. Kept elsewhere, it shows later that nothing was taken off the end."),
        new("audit export", "", "print all of it, oldest first, a JSON line each", Verb.Client, async invocation =>
        {
            await invocation.Server.CopyAsync("audit/export", invocation.Output);
            return 0;
        }),
    ];

    static async Task<int> AskAsync(Invocation invocation)
    {
        var method = invocation.Arguments[0].ToUpperInvariant();
        if (!Methods.Contains(method)) throw new Refused($"\"{invocation.Arguments[0]}\" is no method; they are {string.Join(", ", Methods)}", 2);
        var format = invocation.Value("--format") ?? "json";
        if (format is not ("json" or "table" or "csv")) throw new Refused($"\"{format}\" is no format; they are json, table and csv", 2);
        var path = invocation.Arguments[1].TrimStart('/');
        if (path.StartsWith("api/v1/", StringComparison.Ordinal)) path = path["api/v1/".Length..];
        using var body = Body(invocation);
        using var response = await invocation.Server.AskAsync(new HttpMethod(method), path, body, [.. invocation.Values("--header").Select(Header)]);
        if (format == "json")
        {
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
            while (await reader.ReadLineAsync() is { } line) invocation.Print(line);
            return 0;
        }
        var text = await response.Content.ReadAsStringAsync();
        JsonElement answer;
        try { answer = JsonDocument.Parse(text).RootElement; }
        catch (JsonException) { throw new Refused("The answer is no single JSON value; print it as it came, with --format json"); }
        if (format == "csv") { invocation.PrintCsv(answer); return 0; }
        var rows = Invocation.RowsOf(answer);
        var names = Invocation.NamesOf(rows);
        invocation.PrintTable(rows, [.. names.Select(name => name.ToUpperInvariant())], row => [.. names.Select(name => Invocation.FieldOf(row, name))]);
        return 0;
    }

    static StringContent? Body(Invocation invocation)
    {
        if (invocation.Value("--body") is not { } text) return null;
        if (text == "-") text = invocation.Input.ReadToEnd();
        return new StringContent(text, Encoding.UTF8) { Headers = { ContentType = MediaTypeHeaderValue.Parse(invocation.Value("--type") ?? "application/json") } };
    }

    static (string, string) Header(string text) =>
        text.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon ? (text[..colon].Trim(), text[(colon + 1)..].Trim()) : throw new Refused($"\"{text}\" is no header; write it as in \"If-Match: ...\"", 2);

    static async Task<int> AddKeyAsync(Invocation invocation)
    {
        var body = new JsonBody().Add("name", invocation.Arguments[0]).Add("account", invocation.Value("--account")).Add("permissions", invocation.Values("--permission"))
            .Add("networks", invocation.Values("--network")).Add("for", invocation.Value("--for"));
        var made = await invocation.Server.PostAsync("api-keys", body);
        if (!invocation.Json && (made.Text("expires") + Warned.By(made)).Length > 0) Warned.Tell(invocation, made, made.Text("expires").Length > 0 ? $"It is good until {made.Time("expires")} UTC." : "It has no end.");
        return invocation.Print(made, key => key.Text("key"));
    }

    static async Task<int> ListKeysAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.GetAsync("api-keys"), ["ID", "ACTS FOR", "EXPIRES", "USED", "NAME"],
            key => [key.Text("id"), key.Text("account") is { Length: > 0 } account ? Readable.Address(account) : "the server", key.Time("expires"), key.Time("used"), key.Text("name")]);

    static async Task<int> ListAuditAsync(Invocation invocation)
    {
        var query = new List<string> { "limit=" + Uri.EscapeDataString(invocation.Value("--limit") ?? "100") };
        foreach (var name in new[] { "text", "since", "until" })
            if (invocation.Value("--" + name) is { } value) query.Add($"{name}={Uri.EscapeDataString(value)}");
        return invocation.Print(await invocation.Server.GetAsync("audit?" + string.Join('&', query)), ["AT", "WHO", "FROM", "WHAT"],
            row => [row.Time("at"), row.Text("caller"), row.Text("address"), $"{row.Text("action").Split(' ')[0]} {row.Text("subject")}"]);
    }

    static async Task<int> VerifyAuditAsync(Invocation invocation)
    {
        var proof = await invocation.Server.GetAsync("audit/verify");
        var broken = proof.Text("brokenAt");
        invocation.Print(proof, one => broken.Length > 0 ? $"Entry {broken} is not what was written: the log was tampered with." : $"All {one.Text("rows")} entries are as they were written. Head: {one.Text("head")}");
        return broken.Length > 0 ? 1 : 0;
    }
}
