using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>invitation</c>: people who may come; <c>sign-up</c>: people who ask.</summary>
static class AdmissionVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("invitation add", "ADDRESS|DOMAIN", "invite somebody to an address, or to one of his choice in a domain; prints the link, this once", [
            new("--pattern", "PATTERN", "that a picked name must be like, with one *: s-*"),
            new("--uses", "NUMBER", "how many people may come by it (default 1)"),
            new("--for", "TIME", "how long it is good, as in 14d (the default)"),
            new("--name", "TEXT", "of the person, as a proposal"),
            new("--quota", "SIZE", "of the account, as in 2G (default: the domain's)"),
            new("--groups", "WORDS", "groups of the account"),
            new("--course", "ID", "a course that they are enrolled in", Many: true),
            new("--approval", null, "somebody has to say yes before there is an account"),
            new("--send", "ADDRESS", "mail a link there"),
            new("--language", "ru|en", "of the letter"),
            .. Verb.Client], AddAsync, "Whoever has the link may use it. What it leads to and how it looks: docs/en/joining.md"),
        new("invitation list", "", "list invitations, the last made first", [new("--state", "WORD", "open, used, expired or revoked"), .. Verb.Client], async invocation =>
            invocation.Print(await invocation.Server.GetAsync("invitations" + (invocation.Value("--state") is { } state ? "?state=" + Uri.EscapeDataString(state) : "")), ["ID", "STATE", "USED", "EXPIRES", "FOR", "BY"],
                one => [one.Text("id"), one.Text("state"), $"{one.Text("used")}/{one.Text("uses")}", one.Time("expires"), For(one), one.Text("by")])),
        new("invitation show", "ID", "show an invitation, and who has come by it", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.GetAsync(Path(invocation)), one => $"{one.Text("id")}: {For(one)}, {one.Text("state")}, used {one.Text("used")} of {one.Text("uses")}, until {one.Time("expires")}"
                + string.Concat(one.Items("sentTo").Select(to => $"\nsent to {to.GetString()}")) + string.Concat(one.Items("joined").Select(use => $"\n{use.Time("at")}  {use.Text("address")}  from {use.Text("from")}")))),
        new("invitation send", "ID ADDRESS", "mail a link of its own to somebody", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.PostAsync(Path(invocation) + "/send", new JsonBody().Add("to", invocation.Arguments[1])), _ => $"A letter is on its way to {Readable.Address(invocation.Arguments[1])}.")),
        new("invitation remove", "ID", "take an invitation back: none of its links is good any more", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.DeleteAsync(Path(invocation)), _ => $"Invitation {invocation.Arguments[0]} is taken back.")),
        new("sign-up list", "", "list people who wait to be let in", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.GetAsync("sign-ups"), ["ID", "SINCE", "ADDRESS", "RECOVERY", "FROM", "NAME"],
                one => [one.Text("id"), one.Time("at"), Readable.Address(one.Text("address")) + (one.True("taken") ? " (taken)" : ""), Readable.Address(one.Text("recovery")), one.Text("from"), one.Text("name") + (one.Text("askedAgainFor") is { Length: > 0 } again ? $" (asked again for {Readable.Address(again)} at {one.Time("askedAgain")})" : "")])),
        new("sign-up approve", "ID", "let somebody in, and tell him", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.PostAsync(Waiting(invocation) + "/approve"), one => $"The account {Readable.Address(one.Text("address"))} is added.")),
        new("sign-up refuse", "ID", "let somebody not in, and tell him", [new("--reason", "TEXT", "that he is told"), .. Verb.Client], async invocation =>
            invocation.Print(await invocation.Server.PostAsync(Waiting(invocation) + "/refuse", new JsonBody().Add("reason", invocation.Value("--reason"))), _ => "He is told that he is not let in.")),
    ];

    static string Path(Invocation invocation) => "invitations/" + Uri.EscapeDataString(invocation.Arguments[0]);

    static string Waiting(Invocation invocation) => "sign-ups/" + Uri.EscapeDataString(invocation.Arguments[0]);

    static string For(JsonElement one) => one.Text("address") is { Length: > 0 } address ? Readable.Address(address) : $"{(one.Text("pattern") is { Length: > 0 } pattern ? pattern : "*")}@{Readable.Domain(one.Text("domain"))}";

    static async Task<int> AddAsync(Invocation invocation)
    {
        var whom = invocation.Arguments[0];
        long? uses = invocation.Value("--uses") is not { } text ? null : long.TryParse(text, out var number) ? number : throw new Refused($"\"{text}\" is no number", 2);
        var body = new JsonBody().Add(whom.Contains('@', StringComparison.Ordinal) ? "address" : "domain", whom).Add("pattern", invocation.Value("--pattern")).Add("uses", uses).Add("for", invocation.Value("--for"))
            .Add("name", invocation.Value("--name")).Add("quota", DomainVerbs.SizeOf(invocation)).Add("groups", invocation.Value("--groups")).Add("courses", invocation.Values("--course"))
            .Add("approval", invocation.Has("--approval") ? true : null).Add("sendTo", invocation.Value("--send")).Add("language", invocation.Value("--language"));
        var made = await invocation.Server.PostAsync("invitations", body);
        if (!invocation.Json) Warned.Tell(invocation, made, $"It is good until {made.Time("expires")} UTC.");
        return invocation.Print(made, one => one.Text("link"));
    }
}
