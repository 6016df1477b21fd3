using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using CbaMail.Tests.EndToEnd.Api;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Directories;

/// <summary>What a slapd says of its people is brought to the accounts of this server.</summary>
public sealed class LdapSyncTests : IAsyncLifetime
{
    private const string Suffix = SlapdServer.Suffix;
    private SlapdServer slapd = null!;
    private DirectorySite? site;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (site is not null) await site.DisposeAsync();
        else if (slapd is not null) await slapd.DisposeAsync();
    }

    private async Task<DirectorySite> StartAsync(string ldif, string settings = "")
    {
        slapd = await SlapdServer.StartAsync(ldif);
        return site = await DirectorySite.StartAsync(slapd, settings);
    }

    private static string Group(string name, params string[] uids) => $"""
        dn: cn={name},ou=groups,{Suffix}
        objectClass: groupOfNames
        cn: {name}
        {string.Join('\n', uids.Select(uid => $"member: uid={uid},ou=people,{Suffix}"))}


        """;

    private static string[] Strings(JsonElement one, string list) => [.. one.GetProperty(list).EnumerateArray().Select(item => item.GetString()!)];

    [Fact]
    public async Task People_are_made_changed_renamed_disabled_and_come_back()
    {
        await StartAsync(SlapdServer.Person("anna", more: "displayName: Anna A.\nmailAlternateAddress: a.a@example.test") + SlapdServer.Person("boris", more: "mailQuota: 2G") + SlapdServer.Person("clara") + SlapdServer.Person("far", mail: "far@elsewhere.test")
            + Group("teachers", "anna", "boris") + Group("all staff", "anna"), "@attributes: {quota: mailQuota}");
        Assert.Equal("3 made, 0 changed, 0 disabled, 0 removed, 0 unchanged", DirectorySite.Numbers(await site!.SyncAsync("?dry-run=true")));
        Assert.Null(await site.FindAsync("anna@example.test"));

        Assert.Equal("3 made, 0 changed, 0 disabled, 0 removed, 0 unchanged", DirectorySite.Numbers(await site.SyncAsync()));
        Assert.Equal("0 made, 0 changed, 0 disabled, 0 removed, 3 unchanged", DirectorySite.Numbers(await site.SyncAsync()));
        var anna = await site.AccountAsync("anna@example.test");
        Assert.Equal(("Anna A.", "all-staff teachers", "school"), (anna.GetProperty("name").GetString(), anna.GetProperty("groups").GetString(), anna.GetProperty("directory").GetString()));
        Assert.Equal(2L << 30, (await site.AccountAsync("boris@example.test")).GetProperty("quota").GetInt64());

        // mail stays with whoever marries
        (await site.Server.CliAsync(Letter.Text("x@example.org", "a.a@example.test", "to the alias"), ["message", "deliver", "a.a@example.test"])).Succeeded();
        await slapd.SetAsync("anna", "mail", "anna.b@example.test");
        await slapd.SetAsync("anna", "displayName", "Anna B.");
        await slapd.SetAsync("boris", "shadowExpire", "1");
        await slapd.RemoveAsync("clara");
        await slapd.ChangeAsync($"dn: cn=teachers,ou=groups,{Suffix}\nchangetype: modify\ndelete: member\nmember: uid=anna,ou=people,{Suffix}\n\n");
        var difference = await site.SyncAsync("?dry-run=true");
        Assert.Equal(["anna.b@example.test renamed", "boris@example.test disabled", "clara@example.test disabled"], difference.GetProperty("changes").EnumerateArray().Select(change => $"{change.GetProperty("address").GetString()} {change.GetProperty("kind").GetString()}").Order(StringComparer.Ordinal));
        await site.SyncAsync();
        anna = await site.AccountAsync("anna.b@example.test");
        Assert.Equal(("Anna B.", "all-staff"), (anna.GetProperty("name").GetString(), anna.GetProperty("groups").GetString()));
        Assert.StartsWith("OK", await site.SignInAsync("anna.b@example.test", "secret"));
        await using (var imap = await WireClient.ConnectAsync(site.Server.Imap))
        {
            await imap.ReadLineAsync();
            await imap.ImapAsync("AUTHENTICATE PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes("\0anna.b@example.test\0secret")), "OK");
            Assert.Contains("* 1 EXISTS", await imap.ImapAsync("SELECT INBOX", "OK"));
        }
        // the address of before, and the alias, lead to her
        (await site.Server.CliAsync(Letter.Text("x@example.org", "anna@example.test", "to the old one"), ["message", "deliver", "anna@example.test"])).Succeeded();
        (await site.Server.CliAsync(Letter.Text("x@example.org", "a.a@example.test", "to the alias again"), ["message", "deliver", "a.a@example.test"])).Succeeded();
        Assert.StartsWith("NO [AUTHENTICATIONFAILED]", await site.SignInAsync("boris@example.test", "secret"));
        Assert.False((await site.AccountAsync("clara@example.test")).GetProperty("enabled").GetBoolean());
        (await site.Server.CliAsync("account", "set", "boris@example.test", "--enable")).Failed(1);

        await slapd.SetAsync("boris", "shadowExpire", null);
        Assert.Equal("0 made, 1 changed, 0 disabled, 0 removed, 2 unchanged", DirectorySite.Numbers(await site.SyncAsync()));
        Assert.StartsWith("OK", await site.SignInAsync("boris@example.test", "secret"));
        // one that was disabled here stays so, whatever is said there
        (await site.Server.CliAsync("account", "set", "boris@example.test", "--disable")).Succeeded();
        await site.SyncAsync();
        Assert.False((await site.AccountAsync("boris@example.test")).GetProperty("enabled").GetBoolean());
    }

    [Fact]
    public async Task Every_change_stands_in_the_audit_log_as_the_directorys()
    {
        await StartAsync(SlapdServer.Person("anna") + SlapdServer.Person("boris"));
        await site!.SyncAsync();
        await slapd.SetAsync("anna", "mail", "anna.b@example.test");
        await slapd.RemoveAsync("boris");
        await site.SyncAsync();
        var rows = (await ApiFixture.AskAsync(site.Control, HttpMethod.Get, "/api/v1/audit")).GetProperty("items").EnumerateArray().Where(row => row.GetProperty("caller").GetString() == "ldap:school").Select(row => $"{row.GetProperty("action").GetString()} {row.GetProperty("subject").GetString()}");
        Assert.Equal(["PATCH /api/v1/accounts/{address} /api/v1/accounts/boris@example.test", "POST /api/v1/accounts /api/v1/accounts", "POST /api/v1/accounts /api/v1/accounts", "POST /api/v1/accounts/{address}/rename /api/v1/accounts/anna@example.test"], rows.Order(StringComparer.Ordinal));
        (await site.Server.CliAsync("audit", "verify")).Succeeded();
    }

    [Fact]
    public async Task Groups_bring_roles_that_end_with_them()
    {
        await StartAsync(SlapdServer.Person("anna") + SlapdServer.Person("boris") + Group("Mail Admins", "anna", "boris") + Group("deans", "boris"), "@roles: {Mail Admins: admin, deans: domain-admin}");
        await site!.SyncAsync();
        async Task<string?> RoleAsync(string who) => (await site.AccountAsync(who)).GetProperty("role").GetString();
        Assert.Equal(("admin", "admin"), (await RoleAsync("anna@example.test"), await RoleAsync("boris@example.test")));
        await slapd.ChangeAsync($"dn: cn=Mail Admins,ou=groups,{Suffix}\nchangetype: delete\n\n");
        await site.SyncAsync();
        Assert.Equal(("user", "domain-admin"), (await RoleAsync("anna@example.test"), await RoleAsync("boris@example.test")));
        // what was given here is not the directory's to take
        (await site.Server.CliAsync("account", "set", "anna@example.test", "--role", "admin")).Succeeded();
        await site.SyncAsync();
        Assert.Equal("admin", await RoleAsync("anna@example.test"));
    }

    [Fact]
    public async Task An_address_that_somebody_has_here_is_a_collision_until_it_is_adopted()
    {
        await StartAsync(SlapdServer.Person("anna") + SlapdServer.Person("boris") + SlapdServer.Person("twin", mail: "boris@example.test") + SlapdServer.Person("clara", more: "mailAlternateAddress: desk@example.test"));
        await site!.Server.AddAccountsAsync("anna@example.test", "desk@example.test");
        var difference = await site.SyncAsync();
        Assert.Equal("1 made, 0 changed, 0 disabled, 0 removed, 0 unchanged", DirectorySite.Numbers(difference));
        var collisions = Strings(difference, "collisions");
        Assert.Equal(3, collisions.Length);
        Assert.Contains(collisions, text => text.StartsWith("anna@example.test is an account of this server", StringComparison.Ordinal));
        Assert.Contains(collisions, text => text.StartsWith("2 entries have the address boris@example.test", StringComparison.Ordinal));
        Assert.Contains(collisions, text => text.StartsWith("clara@example.test has the alias desk@example.test", StringComparison.Ordinal));
        Assert.StartsWith("OK", await site.SignInAsync("anna@example.test", ServerFixture.Password)); // and nothing of hers has changed
        await site.Server.StopAsync();
        var file = Path.Combine(site.Server.Folder, "cbamail.yaml");
        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file)).Replace("interval: 0", "interval: 0\n      adopt: yes", StringComparison.Ordinal));
        await site.Server.StartAgainAsync();
        await site.SyncAsync();
        Assert.StartsWith("OK", await site.SignInAsync("anna@example.test", "secret"));
        Assert.StartsWith("NO", await site.SignInAsync("anna@example.test", ServerFixture.Password));
    }

    [Fact]
    public async Task A_sync_that_would_shut_out_many_stops_before_it_has_changed_anything()
    {
        await StartAsync(string.Concat(Enumerable.Range(1, 20).Select(i => SlapdServer.Person($"u{i}"))));
        await site!.SyncAsync();
        for (var i = 1; i <= 6; i++) await slapd.RemoveAsync($"u{i}");
        await slapd.SetAsync("u20", "displayName", "Another");
        var stopped = await site.Server.CliAsync("directory", "sync", "school");
        Assert.Equal(1, stopped.ExitCode);
        Assert.Contains("Stopped: 6 accounts would be disabled. Nothing was changed.", stopped.Output);
        Assert.Equal(("u20", true), ((await site.AccountAsync("u20@example.test")).GetProperty("name").GetString(), (await site.AccountAsync("u1@example.test")).GetProperty("enabled").GetBoolean()));
        Assert.Equal("stopped", (await site.StandingAsync()).GetProperty("state").GetString());
        var status = await site.Server.CliAsync("status");
        Assert.Equal(1, status.ExitCode);
        Assert.Contains("ldap: school: the last sync would disable 6 of 20 accounts", status.Error);
        Assert.Contains("6 disabled", (await site.Server.CliAsync("directory", "sync", "school", "--dry-run")).Succeeded().Output);
        (await site.Server.CliAsync("directory", "sync", "school", "--force")).Succeeded();
        Assert.False((await site.AccountAsync("u1@example.test")).GetProperty("enabled").GetBoolean());
        (await site.Server.CliAsync("status")).Succeeded();
        Assert.Contains("ok", (await site.Server.CliAsync("directory", "list")).Succeeded().Output);
    }

    [Fact]
    public async Task An_empty_answer_disables_nobody()
    {
        await StartAsync(SlapdServer.Person("anna") + SlapdServer.Person("boris"));
        await site!.SyncAsync();
        await slapd.RemoveAsync("anna");
        await slapd.RemoveAsync("boris");
        Assert.True((await site.SyncAsync()).GetProperty("stopped").GetBoolean());
        Assert.True((await site.AccountAsync("anna@example.test")).GetProperty("enabled").GetBoolean());
    }

    [Fact]
    public async Task Who_is_gone_is_removed_after_his_time_and_comes_back_with_his_mail()
    {
        await StartAsync(SlapdServer.Person("anna") + SlapdServer.Person("boris") + SlapdServer.Person("clara"), "@remove-after: 1s");
        await site!.SyncAsync();
        (await site.Server.CliAsync(Letter.Text("x@example.org", "anna@example.test", "kept"), ["message", "deliver", "anna@example.test"])).Succeeded();
        // hidden from us, and not deleted: what never changes of it is the same when it is seen again
        await slapd.ChangeAsync($"dn: ou=away,{Suffix}\nchangetype: add\nobjectClass: organizationalUnit\nou: away\n\n");
        await slapd.SetAsync("anna", "mail", "anna@elsewhere.test");
        await site.SyncAsync();
        Assert.False((await site.AccountAsync("anna@example.test")).GetProperty("enabled").GetBoolean());
        await Wait.UntilAsync(async () =>
        {
            await site.SyncAsync();
            return await site.FindAsync("anna@example.test") is null;
        }, "anna is removed");
        Assert.Contains("anna@example.test", (await site.Server.CliAsync("account", "removed")).Succeeded().Output);
        await slapd.SetAsync("anna", "mail", "anna@example.test");
        await site.SyncAsync();
        Assert.StartsWith("OK", await site.SignInAsync("anna@example.test", "secret"));
        Assert.Contains("Subject: kept", string.Join('\n', await MailAsync("anna@example.test")));
    }

    private async Task<List<string>> MailAsync(string who)
    {
        await using var imap = await WireClient.ConnectAsync(site!.Server.Imap);
        await imap.ReadLineAsync();
        await imap.ImapAsync("AUTHENTICATE PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{who}\0secret")), "OK");
        await imap.ImapAsync("SELECT INBOX", "OK");
        return await imap.ImapAsync("FETCH 1:* BODY[]", "OK");
    }

    [Fact]
    public async Task Thousands_are_read_page_by_page()
    {
        var many = new StringBuilder();
        for (var i = 0; i < 2500; i++) many.Append(CultureInfo.InvariantCulture, $"dn: uid=p{i},ou=people,{Suffix}\nobjectClass: inetOrgPerson\nuid: p{i}\ncn: Person {i}\nsn: {i}\nmail: p{i}@example.test\nuserPassword: secret\n\n");
        await StartAsync(many.ToString());
        Assert.Equal("2500 made, 0 changed, 0 disabled, 0 removed, 0 unchanged", DirectorySite.Numbers(await site!.SyncAsync()));
        Assert.Equal("0 made, 0 changed, 0 disabled, 0 removed, 2500 unchanged", DirectorySite.Numbers(await site.SyncAsync()));
        Assert.StartsWith("OK", await site.SignInAsync("p2499@example.test", "secret"));
    }

    [Fact]
    public async Task A_directory_that_is_away_is_said_and_nothing_changes()
    {
        await StartAsync(SlapdServer.Person("anna"));
        await site!.SyncAsync();
        await slapd.StopAsync();
        using (var answer = await site.Control.PostAsync("/api/v1/directories/school/sync", null)) Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        var standing = await site.StandingAsync();
        Assert.Equal("failing", standing.GetProperty("state").GetString());
        Assert.Contains("cannot be reached", standing.GetProperty("problem").GetString());
        Assert.True((await site.AccountAsync("anna@example.test")).GetProperty("enabled").GetBoolean());
        Assert.Contains("failing", (await site.Server.CliAsync("directory", "show", "school")).Succeeded().Output);
        (await site.Server.CliAsync("directory", "test", "school")).Failed(1);
        await slapd.StartAgainAsync();
        (await site.Server.CliAsync("secret\n", ["directory", "test", "school", "--user", "anna@example.test", "--password-stdin"])).Succeeded();
        await site.SyncAsync();
        Assert.Equal("ok", (await site.StandingAsync()).GetProperty("state").GetString());
    }
}
