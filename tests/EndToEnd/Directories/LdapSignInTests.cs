using System.Net;
using System.Net.Http.Json;
using System.Text;
using CbaMail.Tests.EndToEnd.Api;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Directories;

/// <summary>People of a slapd sign in with the passwords that it keeps.</summary>
public sealed class LdapSignInTests : IAsyncLifetime
{
    private const string Anna = "anna@example.test", Boris = "boris@example.test";
    private SlapdServer slapd = null!;
    private readonly List<IAsyncDisposable> sites = [];

    public async ValueTask InitializeAsync() => slapd = await SlapdServer.StartAsync(
        SlapdServer.Person("anna") + SlapdServer.Person("boris", password: "пароль Бориса") + SlapdServer.Person("*)(uid=*", mail: "star@example.test", cn: "Звезда, (all) \\ \"x\" #1") + $"""
        dn: ou=elsewhere,ou=people,{SlapdServer.Suffix}
        objectClass: referral
        objectClass: extensibleObject
        ou: elsewhere
        ref: ldap://127.0.0.1:1/ou=elsewhere,dc=example

        """);

    public async ValueTask DisposeAsync()
    {
        foreach (var site in sites) await site.DisposeAsync();
        await slapd.DisposeAsync();
    }

    private async Task<DirectorySite> SiteAsync(string settings = "", Func<SlapdServer, string>? servers = null, string? ca = null, bool synced = true)
    {
        var site = await DirectorySite.StartAsync(slapd, settings, servers, ca);
        sites.Add(site);
        if (synced) await site.SyncAsync();
        return site;
    }

    private static Task<Ran> Curl(params string[] arguments) => Tool.RunAsync("curl", ["-sS", "-k", "--max-time", "30", .. arguments]);

    [Fact]
    public async Task By_IMAP_POP3_and_submission_of_other_peoples_programs()
    {
        var server = (await SiteAsync()).Server;
        (await Curl($"imaps://127.0.0.1:{server.Imaps}/INBOX", "--user", $"{Anna}:secret", "-X", "NOOP")).Succeeded();
        (await Curl($"pop3s://127.0.0.1:{server.Pop3s}/", "--user", $"{Boris}:пароль Бориса")).Succeeded();
        (await Tool.RunAsync("python3", "-c", $"import imaplib; c = imaplib.IMAP4('127.0.0.1', {server.Imap}); c.login('{Anna}', 'secret'); print(c.select()[0])")).Succeeded();
        (await new Tool { Input = Letter.Text(Anna, Boris, "by ldap") }.StartAsync("swaks", "--server", "127.0.0.1", "--port", $"{server.Submission}", "--tls", "--auth", "PLAIN", "--auth-user", Anna, "--auth-password", "secret",
            "--from", Anna, "--to", Boris, "--data", "-")).Succeeded();
        Assert.NotEqual(0, (await Curl($"imaps://127.0.0.1:{server.Imaps}/INBOX", "--user", $"{Anna}:wrong", "-X", "NOOP")).ExitCode);
        Assert.NotEqual(0, (await Curl($"pop3s://127.0.0.1:{server.Pop3s}/", "--user", $"{Boris}:secret")).ExitCode);
    }

    [Fact]
    public async Task A_wrong_password_and_an_empty_one_are_wrong_and_a_new_one_counts_at_once()
    {
        var site = await SiteAsync();
        Assert.StartsWith("NO [AUTHENTICATIONFAILED]", await site.SignInAsync(Anna, "wrong"));
        Assert.StartsWith("NO [AUTHENTICATIONFAILED]", await site.SignInAsync(Anna, "")); // RFC 4513 5.1.2: slapd would say yes to nobody
        Assert.StartsWith("OK", await site.SignInAsync(Anna, "secret"));
        Assert.StartsWith("OK", await site.SignInAsync("ANNA@Example.Test", "secret"));
        await slapd.SetAsync("anna", "userPassword", "another");
        Assert.StartsWith("OK", await site.SignInAsync(Anna, "another"));
    }

    [Theory]
    [InlineData("StartTLS", true)]
    [InlineData("ldaps", true)]
    [InlineData("StartTLS", false)]
    [InlineData("ldaps", false)]
    public async Task The_directory_is_asked_under_TLS_with_a_certificate_of_its_authority(string way, bool rightAuthority)
    {
        var site = await SiteAsync("", ldap => way == "ldaps" ? ldap.TlsUrl : ldap.Url, rightAuthority ? null : slapd.StrangersCaFile, synced: false);
        var test = await ApiFixture.AskAsync(site.Control, HttpMethod.Post, "/api/v1/directories/school/test", new { user = Anna, password = "secret" });
        Assert.Equal(rightAuthority, test.GetProperty("ok").GetBoolean());
        if (rightAuthority) Assert.Equal(["connect", "bind", "search", "person", "person", "person", "user", "sign-in"], test.GetProperty("steps").EnumerateArray().Select(step => step.GetProperty("step").GetString()));
        else Assert.Contains("certificate", test.GetProperty("steps")[0].GetProperty("detail").GetString());
        using var sync = await site.Control.PostAsync("/api/v1/directories/school/sync", null);
        Assert.Equal(rightAuthority ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable, sync.StatusCode);
    }

    [Fact]
    public async Task While_the_directory_is_away_nobody_is_told_that_his_password_is_wrong()
    {
        var site = await SiteAsync("@remember: 0");
        Assert.StartsWith("OK", await site.SignInAsync(Anna, "secret"));
        await slapd.StopAsync();
        Assert.StartsWith("NO [UNAVAILABLE]", await site.SignInAsync(Anna, "secret"));
        Assert.StartsWith("NO [UNAVAILABLE]", await site.SignInAsync(Anna, "wrong"));
        await using (var client = await WireClient.SmtpHelloAsync(site.Server.Submission))
            await client.SmtpAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{Anna}\0secret")), "454 4.7.0");
        using (var browser = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{site.Server.Http}") })
        using (var answer = await browser.PostAsJsonAsync("/api/v1/session", new { address = Anna, password = "secret" }))
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        await slapd.StartAgainAsync();
        Assert.StartsWith("OK", await site.SignInAsync(Anna, "secret"));
    }

    [Fact]
    public async Task A_password_that_was_right_lets_in_while_the_directory_is_away_where_the_settings_say_so()
    {
        var site = await SiteAsync("@remember: 0@remember-while-away: 1d");
        Assert.StartsWith("OK", await site.SignInAsync(Anna, "secret"));
        await slapd.StopAsync();
        Assert.StartsWith("OK", await site.SignInAsync(Anna, "secret"));
        Assert.StartsWith("NO [UNAVAILABLE]", await site.SignInAsync(Anna, "wrong"));
        Assert.StartsWith("NO [UNAVAILABLE]", await site.SignInAsync(Boris, "пароль Бориса"));
    }

    [Fact]
    public async Task Another_server_of_the_directory_is_asked_where_one_does_not_answer()
    {
        await using var silent = new SilentPort();
        var site = await SiteAsync("", ldap => $"ldap://127.0.0.1:1, ldap://127.0.0.1:{silent.Port}, ldaps://127.0.0.1:{silent.Port}, {ldap.TlsUrl}");
        Assert.StartsWith("OK", await site.SignInAsync(Anna, "secret"));
        var standing = await site.StandingAsync();
        Assert.Equal("ok", standing.GetProperty("state").GetString());
    }

    /// <summary>Takes connections and never says a word.</summary>
    private sealed class SilentPort : IAsyncDisposable
    {
        private readonly System.Net.Sockets.TcpListener listener = new(IPAddress.Loopback, 0);

        public SilentPort() => listener.Start();

        public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

        public ValueTask DisposeAsync()
        {
            listener.Dispose();
            return ValueTask.CompletedTask;
        }
    }

    [Fact]
    public async Task SCRAM_fails_cleanly_and_the_client_goes_on_to_PLAIN()
    {
        var site = await SiteAsync();
        await using (var client = await WireClient.ConnectAsync(site.Server.Imap))
        {
            await client.ReadLineAsync();
            await client.SendLineAsync("a AUTHENTICATE SCRAM-SHA-256 " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"n,,n={Anna},r=nonce")));
            var first = await client.ReadLineAsync();
            var challenge = Encoding.UTF8.GetString(Convert.FromBase64String(first![2..]));
            await client.SendLineAsync(Convert.ToBase64String(Encoding.UTF8.GetBytes($"c=biws,{challenge.Split(',')[0]},p={Convert.ToBase64String(new byte[32])}")));
            Assert.StartsWith("a NO [AUTHENTICATIONFAILED]", await client.ReadLineAsync());
            // the same connection goes on to PLAIN
            await client.SendLineAsync("b AUTHENTICATE PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{Anna}\0secret")));
            Assert.StartsWith("b OK", await client.ReadLineAsync());
        }
    }

    [Fact]
    public async Task Application_passwords_work_and_own_ones_are_changed_elsewhere()
    {
        var site = await SiteAsync("@remember: 0");
        var made = await ApiFixture.AskAsync(site.Control, HttpMethod.Post, $"/api/v1/accounts/{Anna}/application-passwords", new { name = "phone" });
        await slapd.StopAsync();
        Assert.StartsWith("OK", await site.SignInAsync(Anna, made.GetProperty("password").GetString()!));
        foreach (var change in new object[] { new { password = "a new password" }, new { name = "Another" }, new { groups = "other" } })
        {
            using var refused = await site.Control.PatchAsJsonAsync("/api/v1/accounts/" + Anna, change);
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
            Assert.Contains("directory school", await refused.Content.ReadAsStringAsync());
        }
        using (var renamed = await site.Control.PostAsJsonAsync($"/api/v1/accounts/{Anna}/rename", new { to = "other@example.test" })) Assert.Equal(HttpStatusCode.BadRequest, renamed.StatusCode);
        using (var removed = await site.Control.DeleteAsync("/api/v1/accounts/" + Anna)) Assert.Equal(HttpStatusCode.BadRequest, removed.StatusCode);
        (await site.Server.CliAsync("account", "set", Anna, "--quota", "1G")).Succeeded(); // nobody says it there

        (await site.Server.CliAsync("account", "set", Anna, "--detach")).Succeeded();
        (await site.Server.CliAsync("own password 1\n", ["account", "password", Anna, "--password-stdin"])).Succeeded();
        Assert.StartsWith("OK", await site.SignInAsync(Anna, "own password 1"));
    }

    [Fact]
    public async Task Who_has_forgotten_his_password_is_told_where_it_is_changed()
    {
        var site = await SiteAsync();
        await ApiFixture.AskAsync(site.Control, HttpMethod.Post, "/api/v1/accounts", new { address = "home@example.test", password = TestServer.Password });
        (await site.Server.CliAsync("account", "set", Anna, "--recovery", "home@example.test")).Succeeded();
        using var anybody = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{site.Server.Http}") };
        using (var asked = await anybody.PostAsJsonAsync("/api/v1/password-reset", new { address = Anna })) Assert.Equal(HttpStatusCode.Accepted, asked.StatusCode); // as for everybody
        List<string> letters = [];
        await Wait.UntilAsync(async () => (letters = await Letter.AllAsync(site.Server.Imap, "home@example.test", "INBOX")).Count > 0, "she is told");
        Assert.Contains("is changed elsewhere", Assert.Single(letters));
        Assert.DoesNotContain("/reset/", letters[0]);
    }

    [Fact]
    public async Task Names_that_look_like_filters_are_names()
    {
        var site = await SiteAsync();
        Assert.StartsWith("OK", await site.SignInAsync("star@example.test", "secret"));
        Assert.Equal("Звезда, (all) \\ \"x\" #1", (await site.AccountAsync("star@example.test")).GetProperty("name").GetString());
        // the entry has moved since it was read: it is found again by what never changes
        await slapd.ChangeAsync($"dn: uid=\\2a)(uid=\\2a,ou=people,{SlapdServer.Suffix}\nchangetype: modrdn\nnewrdn: uid=\\2b\\2c(x\ndeleteoldrdn: 1\n\n");
        await slapd.SetAsync("anna", "userPassword", "new");
        Assert.StartsWith("OK", await site.SignInAsync("star@example.test", "secret"));
        Assert.StartsWith("NO", await site.SignInAsync("star@example.test", "secret2"));
    }

    [Fact]
    public async Task Who_is_new_gets_his_account_when_he_signs_in()
    {
        var site = await SiteAsync("@create: sign-in");
        Assert.Null(await site.FindAsync(Anna));
        Assert.StartsWith("NO [AUTHENTICATIONFAILED]", await site.SignInAsync(Anna, "wrong"));
        Assert.StartsWith("NO [AUTHENTICATIONFAILED]", await site.SignInAsync("*@example.test", "secret"));
        Assert.StartsWith("NO [AUTHENTICATIONFAILED]", await site.SignInAsync("nobody@example.test", "secret"));
        Assert.Null(await site.FindAsync(Anna));
        Assert.StartsWith("OK", await site.SignInAsync(Anna, "secret"));
        Assert.Equal("school", (await site.AccountAsync(Anna)).GetProperty("directory").GetString());
        Assert.Equal("0 made, 0 changed, 0 disabled, 0 removed, 1 unchanged", DirectorySite.Numbers(await site.SyncAsync()));
    }
}
