using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Directories;

/// <summary>The preset for FreeIPA against a slapd with its tree and the names of its attributes.</summary>
public sealed class FreeIpaTests : IAsyncLifetime
{
    private const string Suffix = SlapdServer.Suffix;
    private SlapdServer slapd = null!;
    private DirectorySite site = null!;

    private static string Container(string name, string below = "") => $"dn: cn={name},{below}{Suffix}\nobjectClass: applicationProcess\ncn: {name}\n\n";

    private static string User(string uid, int number, string more = "") => $"""
        dn: uid={uid},cn=users,cn=accounts,{Suffix}
        objectClass: inetOrgPerson
        objectClass: posixAccount
        objectClass: mailPerson
        objectClass: ipaPerson
        uid: {uid}
        cn: {uid}
        sn: {uid}
        displayName: {uid} of the school
        mail: {uid}@example.test
        uidNumber: {number}
        gidNumber: {number}
        homeDirectory: /home/{uid}
        ipaUniqueID: 5c8e0b6a-0000-11ef-8000-{number:D12}
        userPassword: secret
        {more}


        """.Replace("\n\n\n", "\n\n", StringComparison.Ordinal);

    public async ValueTask InitializeAsync()
    {
        slapd = await SlapdServer.StartAsync(
            Container("accounts") + Container("users", "cn=accounts,")
            + User("anna", 1, $"nsAccountLock: FALSE\nmailAlternateAddress: a.a@example.test\nmemberOf: cn=teachers,cn=groups,cn=accounts,{Suffix}\nmemberOf: cn=editors,cn=roles,cn=accounts,{Suffix}\nmemberOf: ipaUniqueID=77,cn=sudorules,cn=sudo,{Suffix}")
            + User("boris", 2, "nsAccountLock: TRUE") + User("clara", 3, $"memberOf: cn=mail admins,cn=groups,cn=accounts,{Suffix}"),
            """
            attributetype ( 1.3.6.1.4.1.55555.11 NAME 'memberOf' EQUALITY distinguishedNameMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 )
            attributetype ( 1.3.6.1.4.1.55555.12 NAME 'nsAccountLock' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
            attributetype ( 1.3.6.1.4.1.55555.13 NAME 'ipaUniqueID' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
            objectclass ( 1.3.6.1.4.1.55555.14 NAME 'ipaPerson' SUP top AUXILIARY MAY ( memberOf $ nsAccountLock $ ipaUniqueID ) )
            """);
        site = await DirectorySite.StartAsync(slapd, "@preset: freeipa@roles: {mail admins: admin}");
    }

    public async ValueTask DisposeAsync() => await site.DisposeAsync();

    [Fact]
    public async Task Its_people_groups_and_locks_are_understood()
    {
        var difference = await site.SyncAsync();
        Assert.Equal("2 made, 0 changed, 0 disabled, 0 removed, 0 unchanged", DirectorySite.Numbers(difference)); // who is locked gets none
        var anna = await site.AccountAsync("anna@example.test");
        // rights and rules stand in memberOf too; only groups count
        Assert.Equal(("anna of the school", "teachers"), (anna.GetProperty("name").GetString(), anna.GetProperty("groups").GetString()));
        Assert.Equal("admin", (await site.AccountAsync("clara@example.test")).GetProperty("role").GetString());
        Assert.StartsWith("OK", await site.SignInAsync("anna@example.test", "secret"));
        (await site.Server.CliAsync(Letter.Text("x@example.org", "a.a@example.test", "to the alias"), ["message", "deliver", "a.a@example.test"])).Succeeded();

        await slapd.ChangeAsync($"dn: uid=anna,cn=users,cn=accounts,{Suffix}\nchangetype: modify\nreplace: nsAccountLock\nnsAccountLock: TRUE\n-\nreplace: mail\nmail: anna.b@example.test\n\n"
            + $"dn: uid=boris,cn=users,cn=accounts,{Suffix}\nchangetype: modify\nreplace: nsAccountLock\nnsAccountLock: FALSE\n\n");
        Assert.Equal("1 made, 0 changed, 1 disabled, 0 removed, 1 unchanged", DirectorySite.Numbers(await site.SyncAsync()));
        Assert.False((await site.AccountAsync("anna.b@example.test")).GetProperty("enabled").GetBoolean()); // known by ipaUniqueID
        Assert.StartsWith("OK", await site.SignInAsync("boris@example.test", "secret"));
    }
}
