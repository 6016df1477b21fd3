using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CbaMail.Cli;

/// <summary><c>account-template list | add | show | set | remove</c>: what new accounts begin with.</summary>
static class AccountTemplateVerbs
{
    static readonly Option[] Fields =
    [
        new("--description", "TEXT", "for people"), new("--quota", "SIZE", "as in 500M or 2G; 0 is none; \"\" leaves it to the domain"), new("--groups", "WORDS", "groups, separated by spaces or commas"),
        new("--valid-days", "DAYS", "the account ends so many days after it was made; 0: it does not"), new("--expiry-notice", "DAYS", "tell its owner so many days before, by mail"),
        new("--tags", "WORDS", "tags, separated by spaces or commas; \"\" is none"), new("--attributes", "JSON", "what other programs note of it; null takes one away"),
        new("--language", "WORD", "in which the server writes to its owner: en or ru"), new("--zone", "NAME", "time zone, as in Europe/Moscow"),
        new("--must-change-password", "YES", "yes: at the first sign-in by a browser a password of one's own is to be taken; or no"),
        new("--policy", "JSON", "that it begins with, as in '{\"forbiddenProtocols\": [\"pop3\"], \"messagesPerDay\": 100}'; {} takes it away"), .. Verb.Client,
    ];

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("account-template list", "", "templates of accounts", [new("--domain", "NAME", "those that are for one domain"), .. Verb.Client], async invocation =>
            invocation.Print(await invocation.Server.GetAsync("account-templates" + (invocation.Value("--domain") is { } domain ? "?domain=" + Uri.EscapeDataString(domain) : "")), ["NAME", "DOMAIN", "QUOTA", "DAYS", "DESCRIPTION"],
                template => [template.Text("name"), template.Text("domain"), template.Text("quota").Length > 0 ? template.Size("quota") : "", template.Text("validDays"), template.Text("description")])),
        new("account-template add", "NAME", "say what new accounts begin with", [new("--domain", "NAME", "for accounts of this domain only"), .. Fields], async invocation =>
            invocation.Print(await invocation.Server.PostAsync("account-templates", Body(invocation).Add("name", invocation.Arguments[0]).Add("domain", invocation.Value("--domain"))), Details),
            "An account is made by it with account add --template NAME; domain set --template NAME names it for all new users of a domain."),
        new("account-template show", "NAME", "show a template", Verb.Client, async invocation => invocation.Print(await invocation.Server.GetAsync(Path(invocation)), Details)),
        new("account-template set", "NAME", "change a template; accounts that were made by it stay as they are", Fields, async invocation =>
            invocation.Print(await invocation.Server.PatchAsync(Path(invocation), Body(invocation)), Details)),
        new("account-template remove", "NAME", "remove a template; accounts that were made by it stay as they are", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.DeleteAsync(Path(invocation)), template => $"The template {template.Text("name")} is removed.")),
    ];

    static string Path(Invocation invocation) => "account-templates/" + Uri.EscapeDataString(invocation.Arguments[0]);

    static JsonBody Body(Invocation invocation)
    {
        var body = new JsonBody().Add("description", invocation.Value("--description")).Add("groups", invocation.Value("--groups")).Add("language", invocation.Value("--language")).Add("zone", invocation.Value("--zone"))
            .Add("quota", invocation.Value("--quota") is "" ? -1 : DomainVerbs.SizeOf(invocation)).Add("validDays", Days(invocation, "--valid-days")).Add("expiryNoticeDays", Days(invocation, "--expiry-notice"));
        if (invocation.Value("--tags") is { } tags) body.Add("tags", tags.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries));
        foreach (var (option, field) in new[] { ("--attributes", "attributes"), ("--policy", "policy") })
            if (invocation.Value(option) is { } text) body.Set(field, ObjectOf(option, text));
        if (invocation.Value("--must-change-password") is { } must)
            body.Add("mustChangePassword", must switch { "yes" => true, "no" => (bool?)false, _ => throw new Refused($"\"{must}\" is neither yes nor no", 2) });
        return body;
    }

    static long? Days(Invocation invocation, string option) => invocation.Value(option) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var days) ? days : throw new Refused($"\"{text}\" is no number of days", 2);

    static JsonNode ObjectOf(string option, string text)
    {
        try { return JsonNode.Parse(text) as JsonObject ?? throw new Refused($"{option} takes a JSON object", 2); }
        catch (JsonException) { throw new Refused($"{option} takes a JSON object", 2); }
    }

    static string Details(JsonElement template) => string.Join('\n', template.EnumerateObject().Where(field => field.Value.ValueKind != JsonValueKind.Null).Select(field => $"{field.Name,-20}{Shown(field.Value)}"));

    static string Shown(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()!
        : value.ValueKind == JsonValueKind.Object ? new JsonObject(value.EnumerateObject().Where(one => one.Value.ValueKind != JsonValueKind.Null).Select(one => KeyValuePair.Create(one.Name, JsonNode.Parse(one.Value.GetRawText())))).ToJsonString()
        : value.GetRawText();
}
