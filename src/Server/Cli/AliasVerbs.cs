using System.Globalization;

namespace CbaMail.Cli;

/// <summary><c>alias add | list | set | approve | remove</c>.</summary>
static class AliasVerbs
{
    static readonly Option[] Fields =
    [
        new("--comment", "TEXT", "what it is for"),
        new("--expires", "DAY", "its last day, as in 2027-06-30, in the server's zone; \"\" is never"),
        new("--max-messages", "NUMBER", "after so many nobody is there; 0: no matter how many"),
        new("--internal-only", "YES", "yes: who has not signed in here may not write to it"),
        new("--may-send", "YES", "no: its targets do not write in its name"),
    ];

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("alias add", "ADDRESS TARGET...", "send mail for an address to other addresses", [.. Fields, .. Verb.Client], AddAsync, "Targets are added to those that the alias has. For @DOMAIN in place of ADDRESS a name is made that nobody can guess."),
        new("alias list", "", "list the aliases", [new("--domain", "NAME", "only of this domain"), new("--state", "WORD", "only those that are active, pending or over"), .. Verb.Client], ListAsync),
        new("alias set", "ADDRESS", "change what an alias is beside its targets", [.. Fields, .. Verb.Client], async invocation =>
            invocation.Print(await invocation.Server.PatchAsync("aliases/" + Uri.EscapeDataString(invocation.Arguments[0]), Body(invocation)), alias => $"The alias {Readable.Address(alias.Text("address"))} is changed; it is {alias.Text("state")}{(alias.Time("expires") is { Length: > 0 } end ? $", and ends at {end} UTC" : "")}.")),
        new("alias approve", "ADDRESS", "agree to an alias that somebody has made for himself", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.PostAsync($"aliases/{Uri.EscapeDataString(invocation.Arguments[0])}/approve"), alias => $"The alias {Readable.Address(alias.Text("address"))} is active.")),
        new("alias remove", "ADDRESS [TARGET]", "remove an alias, or one of its targets", Verb.Client, RemoveAsync),
    ];

    static JsonBody Body(Invocation invocation)
    {
        var body = new JsonBody().Add("comment", invocation.Value("--comment")).Add("expires", invocation.Value("--expires"));
        if (invocation.Value("--max-messages") is { } most)
            body.Add("maxMessages", int.TryParse(most, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new Refused($"\"{most}\" is no number", 2));
        foreach (var (option, field) in new[] { ("--internal-only", "internalOnly"), ("--may-send", "maySend") })
            if (invocation.Value(option) is { } word) body.Add(field, word switch { "yes" => true, "no" => (bool?)false, _ => throw new Refused($"\"{word}\" is neither yes nor no", 2) });
        return body;
    }

    static async Task<int> AddAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.PostAsync("aliases", Body(invocation).Add("address", invocation.Arguments[0]).Add("targets", invocation.Arguments.Skip(1))),
            alias => $"Mail for {Readable.Address(alias.Text("address"))} goes to {string.Join(", ", alias.Items("targets").Select(target => Readable.Address(target.GetString()!)))}." + Warned.By(alias));

    static async Task<int> ListAsync(Invocation invocation)
    {
        var asked = new[] { "domain", "state" }.Where(name => invocation.Value("--" + name) is not null).Select(name => $"{name}={Uri.EscapeDataString(invocation.Value("--" + name)!)}").ToList();
        return invocation.Print(await invocation.Server.GetAsync("aliases" + (asked.Count > 0 ? "?" + string.Join('&', asked) : "")),
            ["ALIAS", "TARGETS"], alias => [Readable.Address(alias.Text("address")), string.Join(", ", alias.Items("targets").Select(target => Readable.Address(target.GetString()!))) + (alias.Text("state") is "active" or "" ? "" : $" ({alias.Text("state")})")]);
    }

    static async Task<int> RemoveAsync(Invocation invocation)
    {
        var target = invocation.Arguments.Count > 1 ? "?target=" + Uri.EscapeDataString(invocation.Arguments[1]) : "";
        return invocation.Print(await invocation.Server.DeleteAsync("aliases/" + Uri.EscapeDataString(invocation.Arguments[0]) + target),
            alias => target.Length > 0 ? $"The target {invocation.Arguments[1]} of {Readable.Address(alias.Text("address"))} is removed." : $"The alias {Readable.Address(alias.Text("address"))} is removed.");
    }
}
