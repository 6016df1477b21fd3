using System.Text;
using System.Text.Json;
using CbaMail.Tests.EndToEnd.Api;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>Groups and aliases as people use them: made by the command line and the API, written to by SMTP, read by IMAP.</summary>
public sealed class GroupTests : IAsyncLifetime
{
    const string Anna = "anna@school.test", Boris = "boris@school.test", Vera = "vera@school.test", Team = "team@school.test";
    readonly ScriptedPeer peer = new();
    TestServer server = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync($$"""
            queue:
              retry-after: [1s]
              routes: [{domain: "*", host: 127.0.0.1, port: {{peer.Port}}}]
            """);
        await server.AddAccountsAsync(Anna, Boris, Vera);
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await peer.DisposeAsync();
    }

    async Task<string> CliAsync(params string[] verb) => (await server.CliAsync(verb)).Succeeded().Output;

    async Task<JsonElement> AskAsync(HttpMethod method, string path, object? body = null)
    {
        using var control = server.Control();
        return await ApiFixture.AskAsync(control, method, "/api/v1/" + path, body);
    }

    async Task<WireClient> SignedInAsync(string account)
    {
        var client = await WireClient.SmtpHelloAsync(server.Submissions, tls: true);
        await client.SmtpAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{account}\0{TestServer.Password}")), "235");
        return client;
    }

    async Task<string> SendAsync(string? account, string from, string to, string? author = null)
    {
        await using var client = account is null ? await WireClient.SmtpHelloAsync(server.Smtp) : await SignedInAsync(account);
        var answer = await client.SmtpAsync($"MAIL FROM:<{from}>");
        if (answer[0] == '2') answer = await client.SmtpAsync($"RCPT TO:<{to}>");
        if (answer[0] != '2') return answer;
        await client.SmtpAsync("DATA", "354");
        await client.SendAsync($"From: {author ?? from}\r\nTo: {to}\r\nSubject: to all\r\n\r\nhello\r\n");
        return await client.SmtpAsync(".");
    }

    async Task<string> InboxAsync(string user, string fetch = "FETCH 1:* BODY[]")
    {
        await using var imap = await WireClient.ConnectAsync(server.Imap);
        await imap.ImapLineAsync();
        await imap.ImapAsync($"LOGIN {user} \"{TestServer.Password}\"");
        await imap.ImapAsync("SELECT INBOX");
        return string.Join('\n', await imap.ImapAsync(fetch));
    }

    static int Count(string text, string part) => text.Split(part).Length - 1;

    [Fact]
    public async Task Mail_for_a_group_reaches_each_member_once_and_comes_back_to_its_owners()
    {
        await CliAsync("group", "add", Team, Anna, Boris, "far@elsewhere.test", "--senders", "everyone", "--owners", Vera);
        await CliAsync("group", "add", "all@school.test", Team, Anna, "--senders", "everyone"); // Anna by two ways
        await CliAsync("group", "join", Team, "all@school.test"); // and round in a circle
        Assert.StartsWith("250", await SendAsync(null, "writer@origin.test", "all@school.test"));
        var mail = await InboxAsync(Anna);
        Assert.Equal(1, Count(mail, "Subject: to all"));
        Assert.Contains("X-Original-To: all@school.test", mail);
        Assert.Contains("Return-Path: <all-owner@school.test>", mail);
        Assert.Equal(1, Count(await InboxAsync(Boris), "Subject: to all"));
        await Wait.UntilAsync(() => peer.Mails.Count == 1, "it went out");
        Assert.StartsWith("<team-owner@school.test>", peer.Mails[0].From);
        // what comes back is for the owner
        Assert.StartsWith("250", await SendAsync(null, "", "team-owner@school.test", "mailer@elsewhere.test"));
        Assert.Contains("to all", await InboxAsync(Vera));
        Assert.StartsWith("550 5.7.1", await SendAsync(null, "", Team, "mailer@elsewhere.test")); // and never for all
    }

    [Fact]
    public async Task Who_may_write_to_a_group_is_said_by_it()
    {
        await CliAsync("group", "add", Team, Anna);
        Assert.StartsWith("550 5.7.1", await SendAsync(null, "writer@origin.test", Team)); // its domain, unless something else is said
        Assert.StartsWith("550 5.7.1", await SendAsync(null, Boris, Team)); // a forger
        Assert.StartsWith("250", await SendAsync(Boris, Boris, Team));
        await CliAsync("group", "set", Team, "--senders", "members,@origin.test", "--hidden", "yes");
        Assert.StartsWith("550 5.1.1", await SendAsync(null, "writer@origin.test", Team)); // strangers see nobody there
        await CliAsync("group", "set", Team, "--hidden", "no");
        Assert.StartsWith("250", await SendAsync(null, "writer@origin.test", Team));
        Assert.StartsWith("550 5.7.1", await SendAsync(Boris, Boris, Team));
        Assert.StartsWith("250", await SendAsync(Anna, Anna, Team));
        await CliAsync("group", "set", Team, "--senders", "owners", "--owners", Boris);
        Assert.StartsWith("550 5.7.1", await SendAsync(Anna, Anna, Team));
        Assert.StartsWith("250", await SendAsync(Boris, Boris, Team));
        // who may write in its name
        Assert.StartsWith("250", await SendAsync(Boris, Team, Vera));
        Assert.StartsWith("550 5.7.1", await SendAsync(Anna, Team, Vera));
        await CliAsync("group", "set", Team, "--send-as", "members");
        Assert.StartsWith("250", await SendAsync(Anna, Team, Vera));
        Assert.Contains("is not everyone, domain", (await server.CliAsync("group", "set", Team, "--senders", "some")).Error);
    }

    [Fact]
    public async Task Members_and_the_groups_of_an_account_are_one_thing()
    {
        await CliAsync("account", "set", Anna, "--groups", "team staff");
        await AskAsync(HttpMethod.Post, "groups", new { address = Team, name = "Team" });
        Assert.Contains(Anna, await CliAsync("group", "members", Team));
        await CliAsync("group", "join", Team, Boris);
        Assert.Contains("team", await CliAsync("account", "show", Boris));
        // a right to a mailbox goes by the same word
        await CliAsync("mailbox", "create", Vera, "Plans");
        await CliAsync("mailbox", "share", Vera, "Plans", "$team", "lr");
        Assert.Contains("Plans", await InboxAsync(Boris, "LIST \"\" *"));
        await CliAsync("group", "leave", Team, Boris);
        Assert.DoesNotContain("Plans", await InboxAsync(Boris, "LIST \"\" *"));
        var whole = await AskAsync(HttpMethod.Put, $"groups/{Team}/members", new { addresses = new[] { Boris, Vera, "x@elsewhere.test" } });
        Assert.Equal(3, whole.GetProperty("members").GetInt32());
        Assert.DoesNotContain(Anna, await CliAsync("group", "members", Team));
        Assert.Contains("staff", await CliAsync("account", "show", Anna));
        Assert.Contains("nobody called", (await server.CliAsync("group", "join", Team, "nobody@school.test")).Error);
        Assert.Equal(3, (await AskAsync(HttpMethod.Get, "groups/" + Team)).GetProperty("members").GetInt32());
        // after a start it is as before, and the name is nobody else's
        await server.StopAsync();
        await server.StartAgainAsync();
        Assert.Contains("x@elsewhere.test", await CliAsync("group", "members", Team));
        Assert.Contains("taken", (await server.CliAsync("alias", "add", Team, Anna)).Error);
        await CliAsync("account", "rename", Boris, "boris.new@school.test");
        Assert.Contains("boris.new@school.test", await CliAsync("group", "members", Team));
        await CliAsync("group", "remove", Team);
        Assert.DoesNotContain("team", await CliAsync("account", "show", Vera));
        Assert.StartsWith("550 5.1.1", await SendAsync(null, "writer@origin.test", Team));
        await CliAsync("verify");
    }

    [Fact]
    public async Task Thousands_of_members_are_set_at_once()
    {
        var all = Enumerable.Range(0, 2500).Select(i => $"m{i}@elsewhere.test").ToArray();
        await CliAsync("group", "add", Team, "--senders", "everyone");
        Assert.Equal(2500, (await AskAsync(HttpMethod.Put, $"groups/{Team}/members", new { addresses = all })).GetProperty("members").GetInt32());
        Assert.Equal(2499, (await AskAsync(HttpMethod.Delete, $"groups/{Team}/members/m17@elsewhere.test")).GetProperty("members").GetInt32());
        var first = await AskAsync(HttpMethod.Get, $"groups/{Team}/members?limit=1000");
        Assert.Equal(1000, first.GetProperty("items").GetArrayLength());
        await AskAsync(HttpMethod.Delete, $"groups/{Team}?dry-run=true");
        Assert.Equal(2499, (await AskAsync(HttpMethod.Get, $"groups/{Team}")).GetProperty("members").GetInt32());
    }

    [Fact]
    public async Task An_alias_ends_at_its_day_or_after_its_messages_and_only_some_may_write_to_it()
    {
        await CliAsync("alias", "add", "shop@school.test", Anna, "--max-messages", "2", "--comment", "the shop");
        for (var i = 0; i < 2; i++) Assert.StartsWith("250", await SendAsync(null, "x@origin.test", "shop@school.test"));
        Assert.StartsWith("550 5.1.1", await SendAsync(null, "x@origin.test", "shop@school.test"));
        Assert.Contains("(over)", await CliAsync("alias", "list", "--state", "over"));
        await CliAsync("alias", "set", "shop@school.test", "--max-messages", "3", "--internal-only", "yes");
        Assert.StartsWith("550 5.7.1", await SendAsync(null, "x@origin.test", "shop@school.test"));
        Assert.StartsWith("250", await SendAsync(Boris, Boris, "shop@school.test"));
        await CliAsync("alias", "set", "shop@school.test", "--max-messages", "0", "--internal-only", "no", "--expires", "2020-01-01");
        Assert.StartsWith("550 5.1.1", await SendAsync(null, "x@origin.test", "shop@school.test"));
        await CliAsync("alias", "set", "shop@school.test", "--expires", "");
        Assert.StartsWith("250", await SendAsync(Anna, "shop@school.test", Boris));
        await CliAsync("alias", "set", "shop@school.test", "--may-send", "no");
        Assert.StartsWith("550 5.7.1", await SendAsync(Anna, "shop@school.test", Boris));
    }

    [Fact]
    public async Task People_make_aliases_for_themselves_as_their_domain_lets_them()
    {
        var key = (await AskAsync(HttpMethod.Post, "api-keys", new { name = "test", account = Anna })).GetProperty("key").GetString();
        using var me = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{server.Http}") };
        me.DefaultRequestHeaders.Authorization = new("Bearer", key);
        Task<JsonElement> MeAsync(HttpMethod method, string path, object? body = null) => ApiFixture.AskAsync(me, method, "/api/v1/me/aliases" + path, body);
        await Assert.ThrowsAsync<InvalidOperationException>(() => MeAsync(HttpMethod.Post, "", new { comment = "not yet" }));

        await CliAsync("domain", "set", "school.test", "--own-aliases", "approval", "--max-own-aliases", "3");
        var random = (await MeAsync(HttpMethod.Post, "", new { comment = "a shop", maxMessages = 1 })).GetProperty("address").GetString()!;
        Assert.StartsWith("250", await SendAsync(null, "x@origin.test", random));
        Assert.StartsWith("550", await SendAsync(null, "x@origin.test", random));
        var chosen = await MeAsync(HttpMethod.Post, "", new { name = "anna.k" });
        Assert.Equal("pending", chosen.GetProperty("state").GetString());
        Assert.StartsWith("550 5.1.1", await SendAsync(null, "x@origin.test", "anna.k@school.test"));
        Assert.Contains("anna.k@school.test", await CliAsync("alias", "list", "--state", "pending"));
        await CliAsync("alias", "approve", "anna.k@school.test");
        Assert.StartsWith("250", await SendAsync(null, "x@origin.test", "anna.k@school.test"));
        foreach (var taken in new[] { "postmaster", "boris", "team-owner", "x@other.test" }) await Assert.ThrowsAsync<InvalidOperationException>(() => MeAsync(HttpMethod.Post, "", new { name = taken }));
        await MeAsync(HttpMethod.Post, "", new { });
        var full = await Assert.ThrowsAsync<InvalidOperationException>(() => MeAsync(HttpMethod.Post, "", new { }));
        Assert.Contains("all that you may have", full.Message);
        // only one's own
        await CliAsync("alias", "add", "office@school.test", Anna);
        await Assert.ThrowsAsync<InvalidOperationException>(() => MeAsync(HttpMethod.Delete, "/office@school.test"));
        await MeAsync(HttpMethod.Delete, "/" + random);
        Assert.Equal(2, (await MeAsync(HttpMethod.Get, "")).GetProperty("items").GetArrayLength());
    }
}
