using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using CbaMail.Config;

namespace CbaMail.Cli;

/// <summary><c>account add | import | export | list | show | set | remove | password</c>.</summary>
static class AccountVerbs
{
    static readonly Option Name = new("--name", "TEXT", "display name");
    static readonly Option Quota = new("--quota", "SIZE", "as in 500M or 2G; 0 is none");
    static readonly Option Role = new("--role", "ROLE", "user, course-manager, domain-admin or admin (the owner)");
    static readonly Option Groups = new("--groups", "WORDS", "groups, separated by spaces or commas");
    static readonly Option Domains = new("--domains", "NAMES", "domains of a domain administrator beside his own; \"\" is none");
    static readonly Option Courses = new("--courses", "IDS", "courses of a course manager; \"\" is none");
    static readonly Option Grant = new("--grant", "NAMES", "permissions beyond those of the role; \"\" is none");
    static readonly Option Withhold = new("--withhold", "NAMES", "permissions of the role that it has not; \"\" is none");
    static readonly Option FromInput = new("--password-stdin", null, "read the password from standard input, up to the line's end");
    static readonly Option Generate = new("--generate", null, "make a password and print it");
    static readonly Option Hash = new("--hash", "HASH", "a hash of another server in place of a password; - reads it from standard input");
    static readonly Option MustChange = new("--must-change-password", "YES", "yes: at the first sign-in by a browser a password of one's own is to be taken; no: not any more");
    static readonly Option Expires = new("--expires", "DAY", "its last day, as in 2027-06-30, in its zone or the server's; \"\" is never");
    static readonly Option Notice = new("--expiry-notice", "DAYS", "tell its owner so many days before, by mail; 0: do not");
    static readonly Option Tags = new("--tags", "WORDS", "tags, separated by spaces or commas; \"\" is none");
    static readonly Option Attributes = new("--attributes", "JSON", "what other programs note of it, as in '{\"room\": \"12\", \"old\": null}'; null takes one away");
    static readonly Option Language = new("--language", "WORD", "in which the server writes to its owner: en or ru");
    static readonly Option Zone = new("--zone", "NAME", "time zone, as in Europe/Moscow");
    static readonly Option[] Noted = [Expires, Notice, Tags, Attributes, Language, Zone];
    static readonly Option Identities = new("--identity", "WHO", "as in \"Anna Petrova <anna@school.test>\": a name and an address that it writes under, once for each; \"\" is none", Many: true);
    static readonly Option Recovery = new("--recovery", "ADDRESS", "an address elsewhere by which its owner gets a new password; \"\" is none");
    static readonly Option OfDomain = new("--domain", "NAME", "only of this domain");

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("account add", "ADDRESS", "add an account", [Name, Quota, Role, Groups, Domains, Courses, Grant, Withhold, FromInput, Generate, Hash, MustChange, Recovery, AccountImport.Print, new("--template", "NAME", "what it begins with where nothing is said; without it the domain's, \"\" is none"), .. Noted, .. Verb.Client], AddAsync,
            "With --generate the password is all that is printed."),
        new("account import", "FILE", "add and change many accounts from CSV or XLSX", [
            new("--dry-run", null, "say what would be added and changed, and do nothing"),
            new("--sheet", "NAME", "of a spreadsheet: name or number (default: the first that is shown)"),
            new("--must-change-password", null, "who is added takes a password of his own first; a column must-change says it row by row"),
            AccountImport.Print, AccountImport.Language, .. Verb.Client], AccountImport.RunAsync, """
            The first line names the columns: address, name, password, hash, generate, quota, groups, aliases, courses, recovery, must-change, template;
            in English or Russian, in any order, only address is required.
            Instead of a password a row may have a hash of another server ({SSHA512}..., $2y$...; docs/en/sign-in.md).
            An empty password is generated and written into a report file, whose path is printed; with --print it stands on the page alone.
            CSV is separated by "," or ";", UTF-8, quoted or not. A bad row is reported by its line, the rest is imported;
            the same file once more changes nothing. Passwords of accounts that are there already stay as they are.
            """),
        new("account export", "", "print all accounts as CSV, without passwords", [OfDomain, .. Verb.Client], ExportAsync),
        new("account list", "", "list the accounts", [OfDomain, .. Verb.Client], ListAsync),
        new("account show", "ADDRESS", "show an account", Verb.Client, ShowAsync),
        new("account set", "ADDRESS", "change an account", [Name, Quota, Role, Groups, Domains, Courses, Grant, Withhold, Hash, MustChange, Recovery, Identities, .. Noted,
            new("--enable", null, "let it sign in again"), new("--disable", null, "keep it from signing in; its mail still arrives"),
            new("--detach", null, "it comes from a directory elsewhere (LDAP) no more: from now on it is an account of this server"), .. Verb.Client], SetAsync),
        new("account remove", "ADDRESS", "remove an account; for a while it can be brought back", [new("--now", null, "it and all its mail are gone at once"), .. Verb.Client], RemoveAsync,
            "How long is accounts.keep-removed (30 days). Its address is free at once, and its mail takes its space until then."),
        new("account removed", "", "list the accounts that can be brought back", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.GetAsync("removed-accounts"), ["ID", "ADDRESS", "REMOVED", "GONE ON", "NAME"],
                account => [account.Text("id"), Readable.Address(account.Text("address")), account.Time("removed"), account.Time("until"), account.Text("name")])),
        new("account undelete", "ID|ADDRESS", "bring a removed account back with all its mail", [new("--as", "ADDRESS", "under another address than it had"), .. Verb.Client], async invocation =>
            invocation.Print(await invocation.Server.PostAsync($"removed-accounts/{await RemovedAsync(invocation)}/restore", new JsonBody().Add("address", invocation.Value("--as"))), Details)),
        new("account purge", "ID|ADDRESS", "remove a removed account for good", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.DeleteAsync("removed-accounts/" + await RemovedAsync(invocation)), _ => $"The account {invocation.Arguments[0]} is gone with all its mail.")),
        new("account rename", "ADDRESS NEW", "give an account another address; its mail and its rights stay", [new("--no-alias", null, "mail for the old address is refused from now on"), .. Verb.Client], async invocation =>
            invocation.Print(await invocation.Server.PostAsync(Path(invocation) + "/rename", new JsonBody().Add("to", invocation.Arguments[1]).Add("alias", !invocation.Has("--no-alias"))), Details)),
        new("account password", "ADDRESS", "set a new password", [FromInput, Generate, MustChange, AccountImport.Print, AccountImport.Language, .. Verb.Client], PasswordAsync),
    ];

    /// <summary>The number of a removed account: what was typed, or of those with that address the one that went last.</summary>
    static async Task<string> RemovedAsync(Invocation invocation)
    {
        var typed = invocation.Arguments[0];
        if (!typed.Contains('@', StringComparison.Ordinal)) return Uri.EscapeDataString(typed);
        var found = (await invocation.Server.GetAsync("removed-accounts")).EnumerateArray().Where(one => string.Equals(one.Text("address"), typed, StringComparison.OrdinalIgnoreCase)).ToList();
        return found.Count > 0 ? found[^1].Text("id") : throw new Refused($"No removed account had the address {typed}; list them with: cbamail account removed");
    }

    static string Path(Invocation invocation) => "accounts/" + Uri.EscapeDataString(invocation.Arguments[0]);

    static async Task<int> AddAsync(Invocation invocation)
    {
        var body = Body(invocation).Add("address", invocation.Arguments[0]).Add("template", invocation.Value("--template"));
        await AddPasswordAsync(invocation, body);
        await using var page = AccountImport.Open(invocation);
        return await CreatedAsync(invocation, await invocation.Server.PostAsync("accounts" + Print(invocation), body), "is added", page);
    }

    static async Task<int> PasswordAsync(Invocation invocation)
    {
        var body = Mandatory(invocation, new JsonBody());
        await AddPasswordAsync(invocation, body);
        await using var page = AccountImport.Open(invocation);
        return await CreatedAsync(invocation, await invocation.Server.PatchAsync(Path(invocation) + Print(invocation), body), "has a new password", page);
    }

    static string Print(Invocation invocation)
    {
        if (invocation.Value(AccountImport.Print.Name) is null) return "";
        return invocation.Has("--generate") ? "?print=" + AccountImport.LanguageOf(invocation) : throw new Refused("Only a password that is made by --generate can be printed", 2);
    }

    static async Task<int> CreatedAsync(Invocation invocation, JsonElement account, string deed, FileStream? page)
    {
        if (page is not null) await AccountImport.WriteAsync(page, account.Text("page"));
        return invocation.Print(account, answer => page is not null ? $"Page to print: {page.Name}" : answer.Text("password") is { Length: > 0 } password ? password : $"The account {Readable.Address(answer.Text("address"))} {deed}.");
    }

    static async Task AddPasswordAsync(Invocation invocation, JsonBody body)
    {
        if (invocation.Value(Hash.Name) is not null && !invocation.Has("--password-stdin") && !invocation.Has("--generate")) { body.Add("passwordHash", await HashAsync(invocation)); return; }
        if (invocation.Has("--password-stdin") == invocation.Has("--generate") || invocation.Value(Hash.Name) is not null)
            throw new Refused("Say where the password comes from: either --password-stdin or --generate", 2);
        if (invocation.Has("--generate")) { body.Add("generate", true); return; }
        var password = await invocation.Input.ReadLineAsync();
        if (string.IsNullOrEmpty(password)) throw new Refused("There is no password on standard input; pipe one in, or use --generate");
        body.Add("password", password);
    }

    static async Task<string?> HashAsync(Invocation invocation) =>
        invocation.Value(Hash.Name) is not "-" ? invocation.Value(Hash.Name) : await invocation.Input.ReadLineAsync() ?? throw new Refused("There is no hash on standard input; pipe one in");

    static JsonBody Body(Invocation invocation)
    {
        var body = Fields(invocation);
        foreach (var (option, field) in new[] { (Domains, "domains"), (Courses, "courses"), (Grant, "granted"), (Withhold, "withheld") })
            if (invocation.Value(option.Name) is { } words) body.Add(field, words.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries));
        body.Add("expires", invocation.Value(Expires.Name)).Add("language", invocation.Value(Language.Name)).Add("zone", invocation.Value(Zone.Name));
        if (invocation.Value(Notice.Name) is { } days)
            body.Add("expiryNoticeDays", int.TryParse(days, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new Refused($"\"{days}\" is no number of days", 2));
        if (invocation.Has(Identities.Name)) body.Add("identities", [.. invocation.Values(Identities.Name).Where(text => text.Length > 0).Select(IdentityOf)]);
        if (invocation.Value(Tags.Name) is { } tags) body.Add("tags", tags.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries));
        if (invocation.Value(Attributes.Name) is { } attributes) body.Set("attributes", ObjectOf(attributes));
        return Mandatory(invocation, body).Add("recovery", invocation.Value(Recovery.Name));
    }

    static JsonBody Mandatory(Invocation invocation, JsonBody body) => invocation.Value(MustChange.Name) is { } must
        ? body.Add("mustChangePassword", must switch { "yes" => true, "no" => (bool?)false, _ => throw new Refused($"\"{must}\" is neither yes nor no", 2) }) : body;

    static JsonBody IdentityOf(string text) => text.LastIndexOf('<') is >= 0 and var at && text.EndsWith('>')
        ? new JsonBody().Add("name", text[..at].Trim().Trim('"')).Add("address", text[(at + 1)..^1]) : new JsonBody().Add("name", "").Add("address", text);

    static JsonNode ObjectOf(string text)
    {
        try { return JsonNode.Parse(text) as JsonObject ?? throw new Refused("--attributes takes a JSON object", 2); }
        catch (JsonException) { throw new Refused("--attributes takes a JSON object", 2); }
    }

    static JsonBody Fields(Invocation invocation) => new JsonBody()
        .Add("name", invocation.Value("--name"))
        .Add("quota", DomainVerbs.SizeOf(invocation))
        .Add("role", invocation.Value("--role"))
        .Add("groups", invocation.Value("--groups"));

    static string Query(Invocation invocation) =>
        invocation.Value("--domain") is { } domain ? "?domain=" + Uri.EscapeDataString(domain) : "";

    static async Task<int> ExportAsync(Invocation invocation)
    {
        if (invocation.Json) invocation.Print((await invocation.Server.GetAsync("accounts" + Query(invocation))).GetRawText());
        else await invocation.Server.CopyAsync("accounts/export" + Query(invocation), invocation.Output);
        return 0;
    }

    static async Task<int> ListAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.GetAsync("accounts" + Query(invocation)), ["ADDRESS", "ROLE", "QUOTA", "ENABLED", "NAME"],
            account => [Readable.Address(account.Text("address")), account.Text("role"), account.Size("quota"), account.Text("enabled"), account.Text("name")]);

    static async Task<int> ShowAsync(Invocation invocation) => invocation.Print(await invocation.Server.GetAsync(Path(invocation)), Details);

    static string Details(JsonElement account) => Account(account) + NotedOf(account) + string.Concat(
        new[] { ("domains", "Domains"), ("courses", "Courses"), ("granted", "Granted"), ("withheld", "Withheld") }
            .Where(field => account.TryGetProperty(field.Item1, out var list) && list.ValueKind == JsonValueKind.Array)
            .Select(field => $"\n{field.Item2,-10} {string.Join(' ', account.GetProperty(field.Item1).EnumerateArray().Select(one => one.GetString()))}"));

    static string NotedOf(JsonElement account) => string.Concat(account.Items("identities").Select(one => $"\nWrites as  {one.Text("name")} <{one.Text("address")}>")) + string.Concat(
        new[] { ("expires", "Expires"), ("tags", "Tags"), ("attributes", "Attributes"), ("language", "Language"), ("zone", "Zone") }
            .Where(field => account.TryGetProperty(field.Item1, out var value) && value.ValueKind != JsonValueKind.Null && value.GetRawText() is not ("[]" or "{}"))
            .Select(field => (field.Item2, Value: account.GetProperty(field.Item1)))
            .Select(field => $"\n{field.Item1,-10} {(field.Value.ValueKind == JsonValueKind.Array ? string.Join(' ', field.Value.EnumerateArray().Select(one => one.GetString())) : field.Item1 == "Expires" ? account.Time("expires") + " UTC" : field.Value.ValueKind == JsonValueKind.String ? field.Value.GetString() : field.Value.GetRawText())}"));

    static string Account(JsonElement account) => $"""
        Address    {Readable.Address(account.Text("address"))}
        Name       {account.Text("name")}
        Role       {account.Text("role")}
        Quota      {account.Size("quota")}
        Used       {Sizes.Show(account.Number("bytes"))} in {account.Text("messages")} messages
        Groups     {account.Text("groups")}
        Enabled    {account.Text("enabled")}
        Password   {(account.Text("directory") is { Length: > 0 } directory ? $"kept by the directory {directory}" : account.True("hasPassword") ? "set" : "none: cannot sign in")}
        Change due {(account.True("mustChangePassword") ? "yes: at the next sign-in a password of one's own is to be taken" : "no")}
        Recovery   {(account.Text("recovery") is { Length: > 0 } elsewhere ? elsewhere : "none")}
        Created    {account.Time("created")}
        """;

    static async Task<int> SetAsync(Invocation invocation)
    {
        if (invocation.Has("--enable") && invocation.Has("--disable")) throw new Refused("Give either --enable or --disable", 2);
        var body = Body(invocation).Add("enabled", invocation.Has("--enable") ? true : invocation.Has("--disable") ? false : null).Add("passwordHash", await HashAsync(invocation)).Add("detach", invocation.Has("--detach") ? true : null);
        return invocation.Print(await invocation.Server.PatchAsync(Path(invocation), body), Details);
    }

    static async Task<int> RemoveAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.DeleteAsync(Path(invocation) + (invocation.Has("--now") ? "?now=true" : "")), account => account.Number("keptDays") == 0
            ? $"The account {Readable.Address(account.Text("address"))} is removed with all its mail."
            : $"The account {Readable.Address(account.Text("address"))} is removed. For {account.Text("keptDays")} days it can be brought back: cbamail account undelete {account.Text("id")}");
}
