using CbaMail.Config;

namespace CbaMail.Cli;

/// <summary><c>ban list | add | remove</c>, <c>allow list | add | remove</c>, <c>greylist list | forget</c>.</summary>
static class DoorVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("ban list", "", "list who is not let in", Verb.Client, BansAsync),
        new("ban add", "ADDRESS", "let an address or a network in no more",
            [new("--for", "TIME", "how long, as in 2h or 30d (default: until it is removed)"), new("--reason", "TEXT", "for those who look at the list"), .. Verb.Client], BanAsync,
            "ADDRESS is as in 192.0.2.1, 192.0.2.0/24 or 2001:db8::/48; an address of IPv6 stands for its /64.\nWho is allowed (\"allow list\") is let in all the same. Connections that are open stay so."),
        new("ban remove", "ADDRESS", "let an address or a network in again", Verb.Client, UnbanAsync),
        new("allow list", "", "list the clients that are asked nothing", Verb.Client, AllowedAsync),
        new("allow add", "CLIENT", "never ban, limit, greylist or look up a client", [new("--note", "TEXT", "for those who look at the list"), .. Verb.Client], AllowAsync,
            "CLIENT is an address, a network, or a host name (mail.example.org, *.example.org) that address and name service agree upon."),
        new("allow remove", "CLIENT", "treat a client like all others again", Verb.Client, DisallowAsync),
        new("greylist list", "", "list whom greylisting has told to come again, and who has", Verb.Client, GreylistAsync),
        new("greylist forget", "", "forget all of them: everybody is a stranger again", Verb.Client, ForgetAsync),
    ];

    static async Task<int> BansAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.GetAsync("bans"), ["ADDRESS", "UNTIL", "TIMES", "REASON"],
            ban => [ban.Text("address"), ban.Time("until") is { Length: > 0 } until ? until : "removed", ban.Text("level"), ban.Text("reason")]);

    static async Task<int> BanAsync(Invocation invocation)
    {
        long? seconds = null;
        if (invocation.Value("--for") is { } text)
        {
            if (!Times.TryWithUnit(text, out var time) || time < TimeSpan.FromSeconds(1)) throw new Refused($"\"{text}\" is no time with its unit; write it as in 30m, 2h or 7d", 2);
            seconds = (long)time.TotalSeconds;
        }
        return invocation.Print(await invocation.Server.PostAsync("bans", new JsonBody().Add("address", invocation.Arguments[0]).Add("seconds", seconds).Add("reason", invocation.Value("--reason"))),
            ban => $"{ban.Text("address")} is not let in {(ban.Time("until") is { Length: > 0 } until ? $"until {until} UTC" : "until the ban is removed")}.");
    }

    static async Task<int> UnbanAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.DeleteAsync("bans/" + Uri.EscapeDataString(invocation.Arguments[0])), ban => $"{ban.Text("address")} is let in again.");

    static async Task<int> AllowedAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.GetAsync("allowed"), ["CLIENT", "FROM", "NOTE"], row => [row.Text("client"), row.Text("from"), row.Text("note")]);

    static async Task<int> AllowAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.PostAsync("allowed", new JsonBody().Add("client", invocation.Arguments[0]).Add("note", invocation.Value("--note"))),
            row => $"{row.Text("client")} is asked nothing from now on.");

    static async Task<int> DisallowAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.DeleteAsync("allowed/" + Uri.EscapeDataString(invocation.Arguments[0])), row => $"{row.Text("client")} is a client like all others again.");

    static async Task<int> GreylistAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.GetAsync("greylist"), ["CLIENT", "SENDER", "RECIPIENT", "FIRST", "PASSED"],
            row => [row.Text("client"), row.Text("sender"), row.Text("recipient"), row.Time("first"), row.GetProperty("passed").GetBoolean() ? "yes" : "no"]);

    static async Task<int> ForgetAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.DeleteAsync("greylist"), row => $"{row.Text("forgotten")} forgotten.");
}
