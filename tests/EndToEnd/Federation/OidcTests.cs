using System.Net;
using System.Text;
using System.Text.Json;
using System.Web;
using CbaMail.Tests.House;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Federation;

/// <summary>Browsers that sign in by an issuer, and mail programs that show its tokens.</summary>
public sealed class OidcTests(IssuerFixture site) : IClassFixture<IssuerFixture>
{
    TestServer Server => site.Server;

    static async Task<JsonElement> MeAsync(HttpClient browser)
    {
        using var answer = await browser.GetAsync("/api/v1/session");
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
    }

    async Task<string> RoleAsync(string login)
    {
        using var browser = site.Browser();
        using var answer = await site.SignInAsync(browser, login);
        Assert.Equal("/", answer.Headers.Location?.ToString());
        return (await MeAsync(browser)).GetProperty("role").GetString()!;
    }

    [Fact]
    public async Task A_browser_comes_back_with_a_session()
    {
        using var browser = site.Browser();
        using var answer = await site.SignInAsync(browser, "anna");
        Assert.Equal((HttpStatusCode.Redirect, "/"), (answer.StatusCode, answer.Headers.Location?.ToString()));
        Assert.Equal(ServerFixture.Anna, (await MeAsync(browser)).GetProperty("address").GetString());
    }

    [Fact]
    public async Task Who_is_new_gets_an_account_in_a_domain_of_ours_and_nowhere_else()
    {
        site.Tell("newcomer", "New.Comer@example.test");
        using var browser = site.Browser();
        using var answer = await site.SignInAsync(browser, "newcomer");
        var me = await MeAsync(browser);
        Assert.Equal(("new.comer@example.test", "The newcomer", "user"), (me.GetProperty("address").GetString(), me.GetProperty("name").GetString(), me.GetProperty("role").GetString()));

        site.Tell("foreigner", "foreigner@elsewhere.test");
        using var other = site.Browser();
        Assert.Equal(HttpStatusCode.Unauthorized, (await site.SignInAsync(other, "foreigner")).StatusCode);
    }

    [Fact]
    public async Task An_address_that_nobody_has_checked_and_a_disabled_account_sign_nobody_in()
    {
        site.Tell("pretender", ServerFixture.Boris, verified: false);
        using (var browser = site.Browser()) Assert.Equal(HttpStatusCode.Unauthorized, (await site.SignInAsync(browser, "pretender")).StatusCode);
        await Server.AddAccountsAsync("gone@example.test");
        (await Server.CliAsync("account", "set", "gone@example.test", "--disable")).Succeeded();
        site.Tell("gone", "gone@example.test");
        using (var browser = site.Browser()) Assert.Equal(HttpStatusCode.Unauthorized, (await site.SignInAsync(browser, "gone")).StatusCode);
    }

    [Fact]
    public async Task Groups_bring_roles_that_end_with_them()
    {
        site.Tell("dean", "dean@example.test", true, "deans", "others");
        Assert.Equal("domain-admin", await RoleAsync("dean"));
        site.Tell("dean", "dean@example.test", true, "deans", "operators");
        Assert.Equal("admin", await RoleAsync("dean"));
        site.Tell("dean", "dean@example.test", true, "others");
        Assert.Equal("user", await RoleAsync("dean"));
        // what was given here is not the issuer's to take
        (await Server.CliAsync("account", "set", "dean@example.test", "--role", "admin")).Succeeded();
        Assert.Equal("admin", await RoleAsync("dean"));
    }

    [Fact]
    public async Task The_answer_of_another_sign_in_is_refused()
    {
        using var browser = site.Browser();
        var back = await IssuerFixture.WalkAsync(browser, "/api/v1/session/oidc", "anna", $"http://127.0.0.1:{Server.Http}/");
        using var other = site.Browser();
        Assert.Equal(HttpStatusCode.Unauthorized, (await other.GetAsync(back)).StatusCode); // it began nothing
        using var begun = await other.GetAsync("/api/v1/session/oidc");
        Assert.Equal(HttpStatusCode.Unauthorized, (await other.GetAsync(back)).StatusCode); // it began another one
        Assert.Equal(HttpStatusCode.Redirect, (await browser.GetAsync(back)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync(back)).StatusCode); // a second time
    }

    [Fact]
    public async Task The_question_has_all_that_protects_it()
    {
        using var browser = site.Browser();
        using var begun = await browser.GetAsync("/api/v1/session/oidc");
        var asked = HttpUtility.ParseQueryString(begun.Headers.Location!.Query);
        Assert.Equal(("code", "S256", "openid email profile groups"), (asked["response_type"], asked["code_challenge_method"], asked["scope"]));
        Assert.All(new[] { "state", "nonce", "code_challenge" }, name => Assert.Equal(43, asked[name]!.Length));
        var cookie = Assert.Single(begun.Headers.GetValues("Set-Cookie"));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
    }

    // ---- mail programs

    async Task<string> ImapAsync(string mechanism, string token, string user = ServerFixture.Anna)
    {
        var text = mechanism == "XOAUTH2" ? $"user={user}\u0001auth=Bearer {token}\u0001\u0001" : $"n,a={user},\u0001host=localhost\u0001port=143\u0001auth=Bearer {token}\u0001\u0001";
        await using var client = await WireClient.ConnectAsync(Server.Imap);
        await client.ReadLineAsync();
        await client.SendLineAsync($"a AUTHENTICATE {mechanism} {Convert.ToBase64String(Encoding.ASCII.GetBytes(text))}");
        var line = await client.ReadLineAsync() ?? "";
        if (!line.StartsWith("+ ", StringComparison.Ordinal)) return line;
        var explained = Encoding.UTF8.GetString(Convert.FromBase64String(line[2..]));
        await client.SendLineAsync(mechanism == "XOAUTH2" ? "" : "AQ==");
        return explained + " | " + await client.ReadLineAsync();
    }

    [Theory]
    [InlineData("urn:mail")]
    [InlineData("urn:mail:opaque")]
    public async Task A_token_opens_IMAP_POP3_and_submission(string resource)
    {
        var token = await site.TokenAsync("anna", resource);
        foreach (var mechanism in new[] { "OAUTHBEARER", "XOAUTH2" }) Assert.StartsWith("a OK", await ImapAsync(mechanism, token));
        Assert.Contains("AUTHENTICATIONFAILED", await ImapAsync("XOAUTH2", token, ServerFixture.Boris)); // for nobody else
        var ran = await new Tool { Environment = { ["TOKEN"] = token, ["ANNA"] = ServerFixture.Anna, ["BORIS"] = ServerFixture.Boris, ["IMAP"] = $"{Server.Imap}", ["SUBMISSION"] = $"{Server.Submission}", ["POP3"] = $"{Server.Pop3}" } }
            .StartAsync("node", Path.Combine(Repository.Root, "tests/EndToEnd/clients/tokens.mjs"));
        ran.Succeeded();
        ran = await new Tool { Environment = { ["TOKEN"] = token, ["ANNA"] = ServerFixture.Anna, ["IMAP"] = $"{Server.Imap}", ["SUBMISSION"] = $"{Server.Submission}", ["POP3"] = $"{Server.Pop3}" } }
            .StartAsync("python3", Path.Combine(Repository.Root, "tests/EndToEnd/python/tokens.py"));
        ran.Succeeded();
    }

    [Fact]
    public async Task Curl_shows_a_token()
    {
        var token = await site.TokenAsync("anna");
        (await Tool.RunAsync("curl", "-sS", "--url", $"imap://127.0.0.1:{Server.Imap}/", "--user", ServerFixture.Anna, "--oauth2-bearer", token, "--login-options", "AUTH=OAUTHBEARER")).Succeeded();
        (await Tool.RunAsync("curl", "-sS", "--url", $"imap://127.0.0.1:{Server.Imap}/", "--user", ServerFixture.Anna, "--oauth2-bearer", token, "--login-options", "AUTH=XOAUTH2")).Succeeded();
        Assert.Equal(67, (await Tool.RunAsync("curl", "-sS", "--url", $"imap://127.0.0.1:{Server.Imap}/", "--user", ServerFixture.Anna, "--oauth2-bearer", token + "x", "--login-options", "AUTH=OAUTHBEARER")).ExitCode);
    }

    [Fact]
    public async Task Tokens_of_the_wrong_kind_are_refused_with_an_explanation()
    {
        var good = await site.TokenAsync("anna");
        var wrong = new Dictionary<string, string>
        {
            ["for another"] = await site.TokenAsync("anna", "urn:files"),
            ["without the scope"] = await site.TokenAsync("anna", scope: "openid"),
            ["of another issuer"] = await site.TokenAsync("anna", issuer: site.Stranger),
            ["an ID token"] = await site.TokenAsync("anna", kind: "id_token"),
            ["changed"] = good[..^8] + "AAAAAAAA",
            ["unsigned"] = Unsigned(good),
            ["no token"] = "abcdef",
        };
        foreach (var (what, token) in wrong)
        {
            var answer = await ImapAsync("OAUTHBEARER", token);
            Assert.True(answer.Contains("\"status\":\"invalid_token\"", StringComparison.Ordinal) && answer.Contains("| a NO [AUTHENTICATIONFAILED]", StringComparison.Ordinal), $"{what}: {answer}");
            Assert.Contains($"\"scope\":\"mail\",\"openid-configuration\":\"{site.Issuer}/.well-known/openid-configuration\"", answer);
        }
    }

    static string Unsigned(string token)
    {
        var header = System.Buffers.Text.Base64Url.EncodeToString("""{"alg":"none","typ":"at+jwt"}"""u8);
        return $"{header}.{token.Split('.')[1]}.AAAA";
    }

    [Theory]
    [InlineData("XOAUTH2")]
    [InlineData("OAUTHBEARER")]
    public async Task Curl_submits_by_a_token(string mechanism)
    {
        var token = await site.TokenAsync("anna");
        Task<Ran> SubmitAsync(string user) => new Tool { Input = Letter.Text(user, ServerFixture.Boris, "by a token") }.StartAsync("curl", "-sS", "--url", $"smtp://127.0.0.1:{Server.Submission}/client.test",
            "--user", user, "--oauth2-bearer", token, "--login-options", "AUTH=" + mechanism, "--mail-from", user, "--mail-rcpt", ServerFixture.Boris, "--upload-file", "-");
        (await SubmitAsync(ServerFixture.Anna)).Succeeded();
        Assert.Equal(67, (await SubmitAsync(ServerFixture.Boris)).ExitCode);
    }

    [Fact]
    public async Task While_the_issuer_is_away_nobody_is_told_that_his_token_or_sign_in_is_wrong()
    {
        await using var own = new IssuerFixture();
        await own.InitializeAsync();
        var (signed, opaque) = (await own.TokenAsync("anna"), await own.TokenAsync("anna", "urn:mail:opaque"));
        Task<Ran> CurlAsync(string token) => Tool.RunAsync("curl", "-sSv", "--url", $"imap://127.0.0.1:{own.Server.Imap}/", "--user", ServerFixture.Anna, "--oauth2-bearer", token, "--login-options", "AUTH=OAUTHBEARER");
        using var browser = own.Browser();
        var back = await IssuerFixture.WalkAsync(browser, "/api/v1/session/oidc", "anna", $"http://127.0.0.1:{own.Server.Http}/");
        await own.StopIssuerAsync();
        (await CurlAsync(signed)).Succeeded(); // its keys are known
        var ran = await CurlAsync(opaque);
        Assert.NotEqual(0, ran.ExitCode);
        Assert.Contains("[UNAVAILABLE]", ran.Error);
        using (var answer = await browser.GetAsync(back))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.Contains("try again later", await answer.Content.ReadAsStringAsync());
        }
        await own.StartIssuerAsync();
        await Wait.UntilAsync(async () => (await CurlAsync(await own.TokenAsync("anna", "urn:mail:opaque"))).ExitCode == 0, "tokens are asked after again");
        using var again = own.Browser();
        Assert.Equal(HttpStatusCode.Redirect, (await own.SignInAsync(again, "anna")).StatusCode);
    }

    [Fact]
    public async Task A_token_that_is_over_or_revoked_opens_nothing()
    {
        var brief = await site.TokenAsync("anna", "urn:mail:brief");
        await Wait.UntilAsync(async () => (await ImapAsync("OAUTHBEARER", brief)).Contains("invalid_token", StringComparison.Ordinal), "the token is over");
        var opaque = await site.TokenAsync("anna", "urn:mail:opaque");
        Assert.StartsWith("a OK", await ImapAsync("XOAUTH2", opaque));
        await site.RevokeAsync(opaque);
        Assert.Contains("\"status\":\"400\"", await ImapAsync("XOAUTH2", opaque));
    }
}
