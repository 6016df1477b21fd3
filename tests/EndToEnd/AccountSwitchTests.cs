using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using CbaMail.Tests.EndToEnd.Api;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>What an account may do and until when, set by the command line and by the API, and seen at the doors.</summary>
public sealed class AccountSwitchTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    TestServer Server => fixture.Server;

    async Task<string> CliAsync(params string[] verb) => (await Server.CliAsync(verb)).Succeeded().Output;

    async Task<string> ImapAsync(string user, string password = TestServer.Password)
    {
        await using var imap = await WireClient.ConnectAsync(Server.Imap);
        await imap.ImapLineAsync();
        return (await imap.ImapAsync($"LOGIN {user} \"{password}\""))[^1];
    }

    async Task<string> SubmitAsync(string user, string command)
    {
        await using var client = await WireClient.SmtpHelloAsync(Server.Submissions, tls: true);
        var answer = await client.SmtpAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{user}\0{TestServer.Password}")));
        return answer.StartsWith("235", StringComparison.Ordinal) ? await client.SmtpAsync(command) : answer;
    }

    async Task<string> RecipientAsync(string to)
    {
        await using var client = await WireClient.SmtpHelloAsync(Server.Smtp);
        await client.SmtpAsync("MAIL FROM:<x@elsewhere.test>", "250");
        return await client.SmtpAsync($"RCPT TO:<{to}>");
    }

    async Task<HttpResponseMessage> PageAsync(string user)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = new Uri($"http://127.0.0.1:{Server.Http}") };
        return await client.PostAsJsonAsync("/api/v1/session", new { address = user, password = TestServer.Password });
    }

    [Fact]
    public async Task Who_signs_in_from_elsewhere_hears_why_and_is_no_guesser()
    {
        await Server.AddAccountsAsync("lab@nets.test", "free@nets.test");
        await CliAsync("policy", "set", "lab@nets.test", "allowed-networks", "192.0.2.0/24");
        for (var i = 0; i < 12; i++) Assert.Contains("does not sign in from 127.0.0.1", await ImapAsync("lab@nets.test"));
        Assert.Contains("[AUTHENTICATIONFAILED]", await ImapAsync("lab@nets.test", "wrong")); // that says nothing of networks
        using (var page = await PageAsync("lab@nets.test")) Assert.Equal(HttpStatusCode.Forbidden, page.StatusCode);
        Assert.StartsWith("OK", await ImapAsync("free@nets.test"));
        // the domain's word holds for who has none of his own
        await CliAsync("policy", "set", "nets.test", "allowed-networks", "2001:db8::/32");
        Assert.StartsWith("NO", await ImapAsync("free@nets.test"));
        await CliAsync("policy", "set", "free@nets.test", "allowed-networks", "127.0.0.0/8");
        Assert.StartsWith("OK", await ImapAsync("free@nets.test"));
        Assert.Contains("is not an address or a network", (await Server.CliAsync("policy", "set", "nets.test", "allowed-networks", "10.0.0")).Error);
    }

    [Fact]
    public async Task An_account_is_kept_from_browsers_and_its_open_sessions_end_elsewhere()
    {
        await Server.AddAccountsAsync("machine@web.test");
        using (var before = await PageAsync("machine@web.test")) Assert.Equal(HttpStatusCode.Created, before.StatusCode);
        await CliAsync("policy", "set", "machine@web.test", "forbidden-protocols", "web");
        using var after = await PageAsync("machine@web.test");
        Assert.Equal(HttpStatusCode.Forbidden, after.StatusCode);
        Assert.Contains("by a browser", await after.Content.ReadAsStringAsync());
        Assert.StartsWith("OK", await ImapAsync("machine@web.test"));
    }

    [Fact]
    public async Task One_account_only_sends_and_another_only_receives()
    {
        await Server.AddAccountsAsync("noreply@one.test", "box@one.test");
        await CliAsync("alias", "add", "both@one.test", "noreply@one.test", "box@one.test");
        await CliAsync("policy", "set", "noreply@one.test", "send-only", "yes");
        Assert.StartsWith("550 5.2.1", await RecipientAsync("noreply@one.test"));
        Assert.StartsWith("250", await RecipientAsync("both@one.test")); // the other one gets it
        Assert.StartsWith("250", await SubmitAsync("noreply@one.test", "MAIL FROM:<noreply@one.test>"));
        await CliAsync("policy", "set", "box@one.test", "receive-only", "yes");
        Assert.StartsWith("550 5.7.1", await SubmitAsync("box@one.test", "MAIL FROM:<box@one.test>"));
        Assert.StartsWith("250", await RecipientAsync("box@one.test"));
        Assert.Contains("nothing is left to do", (await Server.CliAsync("policy", "set", "box@one.test", "send-only", "yes")).Error);
    }

    [Fact]
    public async Task An_account_ends_at_its_time_after_its_owner_was_told_and_lives_on_when_given_more()
    {
        await Server.AddAccountsAsync("guest@time.test");
        var soon = DateTimeOffset.UtcNow.AddDays(3).ToString("yyyy-MM-ddTHH:mm:ssZ", null);
        await CliAsync("account", "set", "guest@time.test", "--expires", soon, "--expiry-notice", "7", "--language", "ru", "--zone", "Europe/Moscow");
        Assert.Contains("Expires", await CliAsync("account", "show", "guest@time.test"));
        Assert.StartsWith("OK", await ImapAsync("guest@time.test"));
        await CliAsync("account", "set", "guest@time.test", "--expires", "2020-01-01");
        Assert.Contains("[AUTHENTICATIONFAILED]", await ImapAsync("guest@time.test"));
        Assert.StartsWith("250", await RecipientAsync("guest@time.test")); // mail waits for who gets more time
        await CliAsync("account", "set", "guest@time.test", "--expires", "");
        Assert.StartsWith("OK", await ImapAsync("guest@time.test"));
        Assert.Contains("expires is a day", (await Server.CliAsync("account", "set", "guest@time.test", "--expires", "tomorrow")).Error);
    }

    [Fact]
    public async Task Attributes_tags_and_identities_are_kept_with_an_account_and_found()
    {
        await Server.AddAccountsAsync("ivan@noted.test", "olga@noted.test");
        using var control = Server.Control();
        async Task<JsonElement> PatchAsync(object change) => await ApiFixture.AskAsync(control, HttpMethod.Patch, "/api/v1/accounts/ivan@noted.test", change);
        var now = await PatchAsync(new { tags = new[] { "teacher", "2026" }, attributes = new { room = "12", phones = new[] { 1, 2 } } });
        Assert.Equal(2, now.GetProperty("tags").GetArrayLength());
        now = await PatchAsync(new { attributes = new Dictionary<string, object?> { ["room"] = null, ["id"] = 7 } });
        Assert.Equal("""{"phones":[1,2],"id":7}""", now.GetProperty("attributes").GetRawText());
        var found = await ApiFixture.AskAsync(control, HttpMethod.Get, "/api/v1/accounts?domain=noted.test&tag=teacher");
        Assert.Equal("ivan@noted.test", Assert.Single(found.GetProperty("items").EnumerateArray()).GetProperty("address").GetString());
        using var large = await control.PatchAsJsonAsync("/api/v1/accounts/ivan@noted.test", new { attributes = new { a = new string('x', 20_000) } });
        Assert.Equal(HttpStatusCode.BadRequest, large.StatusCode);
        now = await PatchAsync(new { identities = new[] { new { address = "ivan+work@noted.test", name = "Ivan at work" } } });
        Assert.Equal("Ivan at work", now.GetProperty("identities")[0].GetProperty("name").GetString());
        using var foreign = await control.PatchAsJsonAsync("/api/v1/accounts/ivan@noted.test", new { identities = new[] { new { address = "olga@noted.test", name = "" } } });
        Assert.False(foreign.IsSuccessStatusCode);
    }
}
