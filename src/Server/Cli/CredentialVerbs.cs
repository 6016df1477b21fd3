namespace CbaMail.Cli;

/// <summary><c>app-password</c>: passwords of single programs; <c>second-factor</c>; <c>account sign-ins</c>.</summary>
static class CredentialVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("app-password add", "ADDRESS NAME", "make a password for one program of somebody, and print it this once", [
            new("--protocol", "NAME", "imap, pop3 or submission; all where none is named", Many: true),
            new("--network", "NETWORK", "from where it may be used", Many: true),
            new("--for", "TIME", "how long it lasts, as in 90d"),
            .. Verb.Client], AddAsync, "The program signs in with the address and this password."),
        new("app-password list", "ADDRESS", "list somebody's application passwords", Verb.Client, ListAsync),
        new("app-password remove", "ADDRESS ID", "end one", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.DeleteAsync(Path(invocation) + "/" + Uri.EscapeDataString(invocation.Arguments[1])), _ => $"The application password {invocation.Arguments[1]} is valid no more.")),
        new("second-factor show", "ADDRESS", "whether somebody has a second factor", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.GetAsync(Account(invocation) + "/second-factor"), one => one.Items("kinds").Any()
                ? $"{(one.Text("since") is { Length: > 0 } ? $"An authenticator app since {one.Time("since")}, " : "")}{Counted.Of(one.Number("passkeys"), "passkey")}, {Counted.Of(one.Number("recoveryCodes"), "recovery code")} left."
                : one.True("required") ? "None, and one is required." : "None.")),
        new("second-factor remove", "ADDRESS", "take it off, for somebody who has lost it", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.DeleteAsync(Account(invocation) + "/second-factor"), one => $"{Readable.Address(one.Text("address"))} has no second factor any more.")),
        new("account sign-ins", "ADDRESS", "who has signed in as somebody, when and from where, and who has tried", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.GetAsync(Account(invocation) + "/sign-ins"), ["LAST", "FROM", "PROTOCOL", "BY", "TIMES", "RESULT"],
                one => [one.Time("last"), one.Text("address"), one.Text("protocol"), one.Text("way"), one.Text("times"), one.True("succeeded") ? "signed in" : "refused"])),
    ];

    static string Account(Invocation invocation) => "accounts/" + Uri.EscapeDataString(invocation.Arguments[0]);

    static string Path(Invocation invocation) => Account(invocation) + "/application-passwords";

    static async Task<int> AddAsync(Invocation invocation)
    {
        var body = new JsonBody().Add("name", invocation.Arguments[1]).Add("protocols", invocation.Values("--protocol")).Add("networks", invocation.Values("--network")).Add("for", invocation.Value("--for"));
        var added = await invocation.Server.PostAsync(Path(invocation), body);
        if (!invocation.Json && added.Text("expires").Length > 0) Warned.Tell(invocation, added, $"It is good until {added.Time("expires")} UTC.");
        return invocation.Print(added, made => made.Text("password"));
    }

    static async Task<int> ListAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.GetAsync(Path(invocation)), ["ID", "FOR", "FROM", "EXPIRES", "USED", "NAME"],
            one => [one.Text("id"), Words("protocols", one, "all"), Words("networks", one, "anywhere"), one.Time("expires"), one.Time("used"), one.Text("name")]);

    static string Words(string name, System.Text.Json.JsonElement one, string none) =>
        one.Items(name).Select(word => word.GetString()).ToList() is { Count: > 0 } words ? string.Join(' ', words) : none;
}
