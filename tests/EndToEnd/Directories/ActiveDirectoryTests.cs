using CbaMail.Tests.EndToEnd.Api;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Directories;

/// <summary>The preset for Active Directory against a slapd with its schema (Debian's msuser.schema).</summary>
public sealed class ActiveDirectoryTests : IAsyncLifetime
{
    private const string Suffix = SlapdServer.Suffix;
    private SlapdServer slapd = null!;
    private DirectorySite site = null!;

    private static string User(string name, Guid id, int control, string more = "") => $"""
        dn: CN={name},OU=people,{Suffix}
        objectClass: user
        objectClass: securityPrincipal
        cn: {name}
        sn: {name}
        sAMAccountName: {name}
        displayName: {name} of the school
        mail: {name}@example.test
        userPassword: secret
        instanceType: 4
        objectSid:: AQUAAAAAAAU=
        nTSecurityDescriptor: x
        objectCategory: CN=Person,{Suffix}
        objectGUID:: {Convert.ToBase64String(id.ToByteArray())}
        userAccountControl: {control}
        {more}


        """.Replace("\n\n\n", "\n\n", StringComparison.Ordinal);

    private static readonly Guid AnnasId = new("10293847-5647-3829-1029-384756473829");

    public async ValueTask InitializeAsync()
    {
        slapd = await SlapdServer.StartAsync(
            User("anna", AnnasId, 512, $"proxyAddresses: SMTP:anna@example.test\nproxyAddresses: smtp:a.first@example.test\nproxyAddresses: X500:/o=School/cn=anna\nproxyAddresses: smtp:anna@school.onmicrosoft.test\nmemberOf: CN=Teachers\\, all,OU=groups,{Suffix}")
            + User("boris", Guid.NewGuid(), 514) + User("clara", Guid.NewGuid(), 66048, $"memberOf: CN=Mail Admins,OU=groups,{Suffix}"),
            "include /etc/ldap/schema/msuser.schema\nobjectclass ( 1.3.6.1.4.1.55555.4 NAME 'securityPrincipal' SUP top AUXILIARY MAY ( sAMAccountName $ objectSid ) )");
        site = await DirectorySite.StartAsync(slapd, "@preset: active-directory@roles: {Mail Admins: admin}");
    }

    public async ValueTask DisposeAsync() => await site.DisposeAsync();

    [Fact]
    public async Task Its_people_groups_and_aliases_are_understood()
    {
        var difference = await site.SyncAsync();
        Assert.Equal("2 made, 0 changed, 0 disabled, 0 removed, 0 unchanged", DirectorySite.Numbers(difference)); // boris is disabled there
        var anna = await site.AccountAsync("anna@example.test");
        Assert.Equal(("anna of the school", "Teachers-all"), (anna.GetProperty("name").GetString(), anna.GetProperty("groups").GetString()));
        Assert.Equal("admin", (await site.AccountAsync("clara@example.test")).GetProperty("role").GetString());
        Assert.Contains("a.first@example.test", (await site.Server.CliAsync("alias", "list")).Succeeded().Output);
        Assert.StartsWith("OK", await site.SignInAsync("anna@example.test", "secret"));

        // marries, and moves to another unit: the same objectGUID
        await slapd.ChangeAsync($"dn: CN=anna,OU=people,{Suffix}\nchangetype: modify\nreplace: mail\nmail: anna.b@example.test\n\ndn: CN=anna,OU=people,{Suffix}\nchangetype: modrdn\nnewrdn: CN=Anna B\ndeleteoldrdn: 0\nnewsuperior: OU=groups,{Suffix}\n\n");
        Assert.StartsWith("OK", await site.SignInAsync("anna@example.test", "secret"));
        Assert.Equal("renamed", (await site.SyncAsync()).GetProperty("changes")[0].GetProperty("kind").GetString());
        Assert.StartsWith("OK", await site.SignInAsync("anna.b@example.test", "secret"));

        await slapd.ChangeAsync($"dn: CN=clara,OU=people,{Suffix}\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 66050\n\n");
        await site.SyncAsync();
        Assert.False((await site.AccountAsync("clara@example.test")).GetProperty("enabled").GetBoolean());
    }

    [Fact]
    public async Task A_test_says_that_somebody_is_disabled_there()
    {
        var test = await ApiFixture.AskAsync(site.Control, HttpMethod.Post, "/api/v1/directories/school/test", new { user = "boris@example.test" });
        Assert.Contains("disabled", test.GetProperty("steps").EnumerateArray().Last().GetProperty("detail").GetString());
    }
}
