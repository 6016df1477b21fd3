using System.Text.Json;
using CbaMail.Tests.EndToEnd.Api;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Directories;

/// <summary>Groups of a slapd that have an address are groups of this server.</summary>
public sealed class LdapGroupTests : IAsyncLifetime
{
    private const string Suffix = SlapdServer.Suffix;
    private DirectorySite site = null!;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync() => await site.DisposeAsync();

    private async Task<SlapdServer> StartAsync(string ldif, string settings = "")
    {
        var slapd = await SlapdServer.StartAsync(ldif);
        site = await DirectorySite.StartAsync(slapd, settings);
        return slapd;
    }

    private static string People(params string[] uids) => string.Concat(uids.Select(uid => SlapdServer.Person(uid)));

    private Task<JsonElement> GroupAsync(string address) => ApiFixture.AskAsync(site.Control, HttpMethod.Get, "/api/v1/groups/" + address);

    private async Task<string> MembersAsync(string address) =>
        string.Join(' ', (await ApiFixture.AskAsync(site.Control, HttpMethod.Get, $"/api/v1/groups/{address}/members")).GetProperty("items").EnumerateArray().Select(one => one.GetProperty("address").GetString()!.Split('@')[0]));

    private async Task<bool> IsThereAsync(string address)
    {
        using var answer = await site.Control.GetAsync("/api/v1/groups/" + address);
        return answer.IsSuccessStatusCode;
    }

    private static string Groups(JsonElement difference) => string.Join(", ", difference.GetProperty("groups").EnumerateObject().Where(one => one.Name is not ("entries" or "losing")).Select(one => $"{one.Value.GetInt32()} {one.Name}"));

    private static string[] Collisions(JsonElement difference) => [.. difference.GetProperty("collisions").EnumerateArray().Select(one => one.GetString()!)];

    /// <summary>What SMTP answers to RCPT for the address, from a stranger.</summary>
    private async Task<string> RecipientAsync(string address)
    {
        await using var client = await WireClient.ConnectAsync(site.Server.Smtp);
        await client.ReadLineAsync();
        foreach (var line in new[] { "HELO client.example", "MAIL FROM:<x@example.org>" })
        {
            await client.SendAsync(line + "\r\n");
            await client.ReadLineAsync();
        }
        await client.SendAsync($"RCPT TO:<{address}>\r\n");
        return await client.ReadLineAsync() ?? "";
    }

    [Fact]
    public async Task A_group_with_an_address_is_made_and_follows_the_directory()
    {
        var slapd = await StartAsync(People("anna", "boris", "clara") + SlapdServer.Group("All Staff", "mail: staff@example.test\ndisplayName: All of the staff", "anna", "boris", "nobody")
            + SlapdServer.Group("plain", "", "anna") + SlapdServer.Group("far", "mail: far@elsewhere.test", "anna")
            + SlapdServer.Group("heads", "mail: heads@example.test", "clara", $"cn=all staff, ou=groups,{Suffix}"));
        var dry = await site.SyncAsync("?dry-run=true");
        Assert.Equal("0 unchanged, 2 made, 0 changed, 0 closed, 0 removed", Groups(dry));
        Assert.Contains(dry.GetProperty("changes").EnumerateArray(), change => change.GetProperty("address").GetString() == "staff@example.test" && change.GetProperty("what").GetString() == "2 members" && change.GetProperty("group").GetBoolean());
        Assert.False(await IsThereAsync("staff@example.test"));

        var difference = await site.SyncAsync();
        Assert.Equal("0 unchanged, 2 made, 0 changed, 0 closed, 0 removed", Groups(difference));
        Assert.Contains("the group far@elsewhere.test is in no domain that is here and meant", difference.GetProperty("reasons").EnumerateArray().Select(one => one.GetString()));
        var staff = await GroupAsync("staff@example.test");
        Assert.Equal(("All of the staff", "school"), (staff.GetProperty("name").GetString(), staff.GetProperty("directory").GetString()));
        Assert.Equal(("anna boris", "clara staff"), (await MembersAsync("staff@example.test"), await MembersAsync("heads@example.test")));
        Assert.Equal("2 unchanged, 0 made, 0 changed, 0 closed, 0 removed", Groups(await site.SyncAsync()));

        // owners are ours to say, and stay; who is renamed is a member still
        (await site.Server.CliAsync("group", "set", "staff@example.test", "--owners", "clara@example.test", "--senders", "everyone")).Succeeded();
        await slapd.SetGroupAsync("All Staff", "member", $"uid=boris,ou=people,{Suffix}", $"uid=clara,ou=people,{Suffix}");
        await slapd.SetGroupAsync("All Staff", "displayName", "Staff");
        await slapd.SetGroupAsync("All Staff", "mail", "team@example.test");
        await slapd.SetAsync("boris", "mail", "boris.b@example.test");
        Assert.Equal("0 unchanged, 0 made, 2 changed, 0 closed, 0 removed", Groups(await site.SyncAsync("?dry-run=true")));
        await site.SyncAsync();
        var team = await GroupAsync("team@example.test");
        Assert.Equal(("Staff", "clara@example.test", "everyone"), (team.GetProperty("name").GetString(), team.GetProperty("owners")[0].GetString(), team.GetProperty("senders")[0].GetString()));
        Assert.Equal(("boris.b clara", "clara team"), (await MembersAsync("team@example.test"), await MembersAsync("heads@example.test")));
        // the address of before leads to it, and back again
        (await site.Server.CliAsync(Letter.Text("x@example.org", "staff@example.test", "to the old one"), ["message", "deliver", "staff@example.test"])).Succeeded();
        await slapd.SetGroupAsync("All Staff", "mail", "staff@example.test");
        await site.SyncAsync();
        Assert.Equal("boris.b clara", await MembersAsync("staff@example.test"));
        Assert.Equal("2 unchanged, 0 made, 0 changed, 0 closed, 0 removed", Groups(await site.SyncAsync()));
        Assert.Contains("POST /api/v1/groups", (await ApiFixture.AskAsync(site.Control, HttpMethod.Get, "/api/v1/audit")).GetProperty("items").EnumerateArray().Where(row => row.GetProperty("caller").GetString() == "ldap:school").Select(row => row.GetProperty("action").GetString()));

        // over a start
        await site.Server.StopAsync();
        await site.Server.StartAgainAsync();
        Assert.Equal("2 unchanged, 0 made, 0 changed, 0 closed, 0 removed", Groups(await site.SyncAsync()));
    }

    [Fact]
    public async Task Somebody_who_has_the_word_of_a_group_is_no_member_of_it()
    {
        // another group of the directory is called as the address of this one
        await StartAsync(People("anna", "boris") + SlapdServer.Group("teaching", "mail: teachers@example.test", "anna") + SlapdServer.Group("teachers", "", "boris"));
        await site.SyncAsync();
        Assert.Equal("teachers", (await site.AccountAsync("boris@example.test")).GetProperty("groups").GetString());
        Assert.Equal("anna", await MembersAsync("teachers@example.test"));
    }

    [Fact]
    public async Task What_the_directory_says_of_a_group_is_not_changed_here_until_it_is_detached()
    {
        await StartAsync(People("anna", "boris") + SlapdServer.Group("staff", "mail: staff@example.test", "anna"));
        await site.SyncAsync();
        Assert.Contains("comes from the directory school", (await site.Server.CliAsync("group", "set", "staff@example.test", "--name", "Another")).Failed(1).Error);
        Assert.Contains("is said by the directory school", (await site.Server.CliAsync("group", "join", "staff@example.test", "boris@example.test")).Failed(1).Error);
        (await site.Server.CliAsync("group", "leave", "staff@example.test", "anna@example.test")).Failed(1);
        Assert.Contains("would be made again", (await site.Server.CliAsync("group", "remove", "staff@example.test")).Failed(1).Error);
        using (var request = new HttpRequestMessage(HttpMethod.Delete, "/api/v1/groups/staff@example.test") { Headers = { { "Accept-Language", "ru" } } })
        using (var answer = await site.Control.SendAsync(request)) Assert.Contains("отсоедините группу", JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.ToString());
        // somebody here who is given the word is no member
        (await site.Server.CliAsync("group", "set", "staff@example.test", "--description", "Ours to say")).Succeeded();
        Assert.Contains("Directory    school", (await site.Server.CliAsync("group", "show", "staff@example.test")).Succeeded().Output);

        (await site.Server.CliAsync("group", "set", "staff@example.test", "--detach", "--name", "Another")).Succeeded();
        (await site.Server.CliAsync("group", "join", "staff@example.test", "boris@example.test")).Succeeded();
        Assert.Equal("anna boris", await MembersAsync("staff@example.test"));
        var difference = await site.SyncAsync();
        Assert.Contains("the group staff@example.test is not made: another group has that address", Collisions(difference));
        // who is of the directory stays a member of a group that is ours
        Assert.Equal("anna boris", await MembersAsync("staff@example.test"));
        (await site.Server.CliAsync("group", "leave", "staff@example.test", "boris@example.test")).Succeeded();
        Assert.Equal("anna", await MembersAsync("staff@example.test"));
    }

    [Fact]
    public async Task Nothing_is_taken_over_from_whoever_has_the_address()
    {
        var slapd = await StartAsync(People("anna", "boris") + SlapdServer.Group("g1", "mail: desk@example.test", "anna") + SlapdServer.Group("g2", "mail: help@example.test", "anna")
            + SlapdServer.Group("g3", "mail: club@example.test", "anna") + SlapdServer.Group("g4", "mail: boris@example.test", "anna") + SlapdServer.Group("g5", "mail: two@example.test", "anna") + SlapdServer.Group("g6", "mail: two@example.test", "boris")
            + SlapdServer.Group("g7", "mail: room@example.test", "boris"), "@adopt: yes");
        await site.Server.AddAccountsAsync("desk@example.test");
        (await site.Server.CliAsync("alias", "add", "help@example.test", "desk@example.test")).Succeeded();
        (await site.Server.CliAsync("alias", "add", "old@example.test", "desk@example.test")).Succeeded();
        (await site.Server.CliAsync("group", "add", "club@example.test", "desk@example.test")).Succeeded();
        var difference = await site.SyncAsync();
        Assert.Equal("0 unchanged, 1 made, 0 changed, 0 closed, 0 removed", Groups(difference));
        foreach (var expected in new[] { "the group desk@example.test is not made: an account has that address", "the group help@example.test is not made: an alias has that address", "the group club@example.test is not made: another group has that address", "the group boris@example.test is not made: an account has that address" })
            Assert.Contains(expected, Collisions(difference));
        Assert.Contains(Collisions(difference), text => text.StartsWith("2 groups have the address two@example.test", StringComparison.Ordinal));
        Assert.Equal("desk", await MembersAsync("club@example.test"));
        // one that is here moves to an address that is taken: it stays where it is
        await slapd.SetGroupAsync("g7", "mail", "old@example.test");
        Assert.Contains("the group room@example.test is old@example.test now, and an alias has that address", Collisions(await site.SyncAsync()));
        Assert.Equal("boris", await MembersAsync("room@example.test"));
    }

    [Fact]
    public async Task A_group_that_is_gone_takes_no_mail_comes_back_and_is_removed_after_its_time()
    {
        var slapd = await StartAsync(People("anna") + SlapdServer.Group("staff", "mail: staff@example.test", "anna") + SlapdServer.Group("other", "mail: other@example.test", "anna"));
        await site.SyncAsync();
        (await site.Server.CliAsync("group", "set", "staff@example.test", "--senders", "everyone")).Succeeded();
        Assert.StartsWith("250", await RecipientAsync("staff@example.test"));
        await slapd.SetGroupAsync("staff", "mail");
        Assert.Equal("1 unchanged, 0 made, 0 changed, 1 closed, 0 removed", Groups(await site.SyncAsync()));
        Assert.StartsWith("550", await RecipientAsync("staff@example.test"));
        Assert.NotEqual(JsonValueKind.Null, (await GroupAsync("staff@example.test")).GetProperty("gone").ValueKind);
        await slapd.SetGroupAsync("staff", "mail", "staff@example.test");
        await site.SyncAsync();
        Assert.StartsWith("250", await RecipientAsync("staff@example.test"));
        await slapd.SetGroupAsync("staff", "mail");
        await site.SyncAsync();
        (await site.Server.CliAsync("group", "remove", "staff@example.test")).Succeeded();
        Assert.False(await IsThereAsync("staff@example.test"));
    }

    [Fact]
    public async Task Groups_are_removed_after_their_time()
    {
        var slapd = await StartAsync(People("anna") + SlapdServer.Group("staff", "mail: staff@example.test", "anna") + SlapdServer.Group("other", "mail: other@example.test", "anna"), "@remove-after: 1s");
        await site.SyncAsync();
        await slapd.SetGroupAsync("staff", "mail");
        await site.SyncAsync();
        await Wait.UntilAsync(async () =>
        {
            await site.SyncAsync();
            return !await IsThereAsync("staff@example.test");
        }, "the group is removed");
    }

    [Fact]
    public async Task The_safety_stop_holds_for_groups_too()
    {
        var slapd = await StartAsync(People("anna", "boris") + string.Concat(Enumerable.Range(1, 8).Select(i => SlapdServer.Group($"g{i}", $"mail: g{i}@example.test", "anna"))));
        await site.SyncAsync();
        for (var i = 1; i <= 3; i++) await slapd.SetGroupAsync($"g{i}", "mail");
        for (var i = 4; i <= 6; i++) await slapd.SetGroupAsync($"g{i}", "member", "uid=nobody,ou=people," + Suffix);
        await slapd.SetAsync("boris", "displayName", "Another");
        var stopped = await site.SyncAsync();
        Assert.True(stopped.GetProperty("stopped").GetBoolean());
        Assert.Equal(("anna", "boris"), (await MembersAsync("g4@example.test"), (await site.AccountAsync("boris@example.test")).GetProperty("name").GetString()));
        Assert.Contains("would close or empty 6 of 8 groups", (await site.Server.CliAsync("status")).Failed(1).Error);
        Assert.Contains("6 groups closed or emptied", (await site.Server.CliAsync("directory", "sync", "school")).Failed(1).Output);
        (await site.Server.CliAsync("directory", "sync", "school", "--force")).Succeeded();
        Assert.Equal("", await MembersAsync("g4@example.test"));
    }

    [Fact]
    public async Task Addresses_elsewhere_are_members_where_the_mapping_says_so()
    {
        var slapd = await StartAsync(People("anna") + SlapdServer.Group("staff", "mail: staff@example.test\nmemberAddress: far@elsewhere.test\nmemberAddress: stranger@example.test", "anna"), "@attributes: {member-address: memberAddress}");
        await site.SyncAsync();
        Assert.Equal("anna far", await MembersAsync("staff@example.test")); // nobody of the other name is here
        await slapd.SetGroupAsync("staff", "memberAddress");
        await site.SyncAsync();
        Assert.Equal("anna", await MembersAsync("staff@example.test"));
    }

    [Fact]
    public async Task Where_the_settings_say_none_a_group_is_none_here()
    {
        await StartAsync(People("anna") + SlapdServer.Group("staff", "mail: staff@example.test", "anna"), "@attributes: {group-address: none}");
        Assert.Equal("0 unchanged, 0 made, 0 changed, 0 closed, 0 removed", Groups(await site.SyncAsync()));
        Assert.False(await IsThereAsync("staff@example.test"));
        Assert.Equal("staff", (await site.AccountAsync("anna@example.test")).GetProperty("groups").GetString());
    }
}
