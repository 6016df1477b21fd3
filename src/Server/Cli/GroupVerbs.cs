using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>group add | list | show | set | remove | members | join | leave</c>.</summary>
static class GroupVerbs
{
    static readonly Option[] Fields =
    [
        new("--name", "TEXT", "for people"),
        new("--description", "TEXT", "for people"),
        new("--senders", "WORDS", "who may write to it: everyone, domain, members, owners, addresses, @domain; domain unless set"),
        new("--owners", "ADDRESSES", "who gets bounces and mail for NAME-owner@; the administrator unless set"),
        new("--send-as", "WORDS", "who may write in its name: members, owners, addresses; owners unless set"),
        new("--hidden", "YES", "yes: strangers are told that nobody is there"),
    ];

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("group add", "ADDRESS [MEMBER...]", "make a group: an address whose mail goes to its members", [.. Fields, .. Verb.Client], AddAsync,
            "Members are accounts, groups and addresses elsewhere. Accounts of its own domain carry the group's name among their groups, which mailboxes can be shared with too ($name)."),
        new("group list", "", "list the groups", [new("--domain", "NAME", "only of this domain"), new("--member", "ADDRESS", "only those with this member"), .. Verb.Client], ListAsync),
        new("group show", "ADDRESS", "show a group", Verb.Client, async invocation => invocation.Print(await invocation.Server.GetAsync(Path(invocation)), Details)),
        new("group set", "ADDRESS", "change a group", [.. Fields, new("--detach", null, "it comes from a directory elsewhere (LDAP) no more: from now on it is a group of this server"), .. Verb.Client],
            async invocation => invocation.Print(await invocation.Server.PatchAsync(Path(invocation), Body(invocation).Add("detach", invocation.Has("--detach") ? true : null)), Details)),
        new("group remove", "ADDRESS", "remove a group", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.DeleteAsync(Path(invocation)), group => $"The group {Readable.Address(group.Text("address"))} is removed.")),
        new("group members", "ADDRESS", "list the members of a group", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.GetAsync(Path(invocation) + "/members"), ["ADDRESS"], member => [Readable.Address(member.Text("address"))])),
        new("group join", "ADDRESS MEMBER...", "add members to a group; - reads them from standard input, one a line", [new("--whole", null, "who is not named goes"), .. Verb.Client], JoinAsync),
        new("group leave", "ADDRESS MEMBER...", "remove members from a group", Verb.Client, LeaveAsync),
    ];

    static string Path(Invocation invocation) => "groups/" + Uri.EscapeDataString(invocation.Arguments[0]);

    static JsonBody Body(Invocation invocation)
    {
        var body = new JsonBody().Add("name", invocation.Value("--name")).Add("description", invocation.Value("--description"));
        foreach (var (option, field) in new[] { ("--senders", "senders"), ("--owners", "owners"), ("--send-as", "sendAs") })
            if (invocation.Value(option) is { } words) body.Add(field, words.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries));
        if (invocation.Value("--hidden") is { } hidden)
            body.Add("hidden", hidden switch { "yes" => true, "no" => (bool?)false, _ => throw new Refused($"\"{hidden}\" is neither yes nor no", 2) });
        return body;
    }

    static async Task<int> AddAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.PostAsync("groups", Body(invocation).Add("address", invocation.Arguments[0]).Add("members", invocation.Arguments.Skip(1))),
            group => $"The group {Readable.Address(group.Text("address"))} is made, with {group.Text("members")} members.");

    static async Task<int> ListAsync(Invocation invocation)
    {
        var asked = new[] { "domain", "member" }.Where(name => invocation.Value("--" + name) is not null).Select(name => $"{name}={Uri.EscapeDataString(invocation.Value("--" + name)!)}").ToList();
        return invocation.Print(await invocation.Server.GetAsync("groups" + (asked.Count > 0 ? "?" + string.Join('&', asked) : "")), ["ADDRESS", "MEMBERS", "SENDERS", "NAME"],
            group => [Readable.Address(group.Text("address")), group.Text("members"), Words(group, "senders"), group.Text("name")]);
    }

    static async Task<int> JoinAsync(Invocation invocation)
    {
        var members = invocation.Arguments.Skip(1).ToList();
        if (members is ["-"]) members = [.. (await invocation.Input.ReadToEndAsync()).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
        var body = new JsonBody().Add("addresses", members);
        return invocation.Print(invocation.Has("--whole") ? await invocation.Server.PutAsync(Path(invocation) + "/members", body) : await invocation.Server.PostAsync(Path(invocation) + "/members", body), Now);
    }

    static async Task<int> LeaveAsync(Invocation invocation)
    {
        var left = default(JsonElement);
        foreach (var member in invocation.Arguments.Skip(1)) left = await invocation.Server.DeleteAsync($"{Path(invocation)}/members/{Uri.EscapeDataString(member)}");
        return invocation.Print(left, Now);
    }

    static string Now(JsonElement group) => $"The group {Readable.Address(group.Text("address"))} has {group.Text("members")} members.";

    static string Words(JsonElement group, string name) => string.Join(' ', group.Items(name).Select(word => word.GetString()));

    static string Details(JsonElement group) => $"""
        Address      {Readable.Address(group.Text("address"))}
        Name         {group.Text("name")}
        Description  {group.Text("description")}
        Members      {group.Text("members")}
        Senders      {Words(group, "senders")}
        Owners       {Words(group, "owners")}
        Send as      {Words(group, "sendAs")}
        Hidden       {group.Text("hidden")}
        """ + (group.Text("directory") is { Length: > 0 } directory ? $"\nDirectory    {directory}{(group.Text("gone").Length > 0 ? $", gone from there since {group.Time("gone")}: nobody may write to it" : "")}" : "");
}
