using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using CbaMail.Tests.EndToEnd.Api;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>What becomes of mail for somebody who is away, or is written for by another: vacation, forwarding by oneself, delegation.</summary>
public sealed partial class AbsenceTests : IAsyncLifetime
{
    const string Anna = "anna@school.test", Boris = "boris@school.test";
    readonly ScriptedPeer peer = new();
    TestServer server = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync($$"""
            smtp: {sender-must-own: yes}
            queue:
              retry-after: [1s]
              routes: [{domain: "*", host: 127.0.0.1, port: {{peer.Port}}}]
            """);
        await server.AddAccountsAsync(Anna, Boris);
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await peer.DisposeAsync();
    }

    async Task<string> CliAsync(params string[] verb) => (await server.CliAsync(verb)).Succeeded().Output;

    async Task SendAsync(string from, string to, string header = "", string? author = null)
    {
        await using var client = await WireClient.SmtpHelloAsync(server.Smtp);
        await client.SmtpAsync($"MAIL FROM:<{from}>", "250");
        await client.SmtpAsync($"RCPT TO:<{to}>", "250");
        await client.SmtpAsync("DATA", "354");
        await client.SendAsync($"From: {author ?? from}\r\nTo: {to}\r\nSubject: =?utf-8?b?0JLQvtC/0YDQvtGB?=\r\nMessage-ID: <q{Guid.NewGuid():N}@origin.test>\r\n{header}\r\nhello\r\n");
        await client.SmtpAsync(".", "250");
    }

    async Task<string> SubmitAsync(string account, string from, string header, string to = "far@elsewhere.test")
    {
        await using var client = await WireClient.SmtpHelloAsync(server.Submissions, tls: true);
        await client.SmtpAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{account}\0{TestServer.Password}")), "235");
        await client.SmtpAsync($"MAIL FROM:<{from}>", "250");
        await client.SmtpAsync($"RCPT TO:<{to}>", "250");
        await client.SmtpAsync("DATA", "354");
        await client.SendAsync(header + "Subject: x\r\n\r\nhello\r\n");
        return await client.SmtpAsync(".");
    }

    async Task<int> InboxAsync(string user)
    {
        await using var imap = await WireClient.ConnectAsync(server.Imap);
        await imap.ImapLineAsync();
        await imap.ImapAsync($"LOGIN {user} \"{TestServer.Password}\"");
        var status = string.Join('\n', await imap.ImapAsync("STATUS INBOX (MESSAGES)"));
        return int.Parse(Number().Match(status).Groups[1].Value, null);
    }

    [GeneratedRegex(@"MESSAGES (\d+)")] private static partial Regex Number();

    [GeneratedRegex(@"to it: (\w{12})")] private static partial Regex Code();

    async Task<HttpClient> KeyAsync(string account)
    {
        using var control = server.Control();
        var key = (await ApiFixture.AskAsync(control, HttpMethod.Post, "/api/v1/api-keys", new { name = "test", account })).GetProperty("key").GetString();
        var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{server.Http}") };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    // RFC 3834 2, RFC 5230 4
    [Fact]
    public async Task Who_is_away_answers_people_once_and_robots_lists_and_strangers_to_his_name_never()
    {
        await CliAsync("account", "vacation", Anna, "--on", "--text", "Меня нет.", "--domain-text", "Ask Boris.", "--until", "2099-01-01");
        await SendAsync("noreply@origin.test", Anna);
        await SendAsync("someone-request@origin.test", Anna);
        await SendAsync("list@origin.test", Anna, "List-Id: <news.origin.test>\r\n");
        await SendAsync("bulk@origin.test", Anna, "Precedence: bulk\r\n");
        await SendAsync("robot@origin.test", Anna, "Auto-Submitted: auto-generated\r\n");
        await SendAsync("", Anna, author: "mailer@origin.test");
        await CliAsync("alias", "add", "all@school.test", Anna, Boris);
        await CliAsync("group", "add", "team@school.test", Anna, "--senders", "everyone");
        await SendAsync("lister@origin.test", "team@school.test");
        await SendAsync("writer@origin.test", Anna);
        await SendAsync("writer@origin.test", Anna);
        await SendAsync("other@origin.test", "anna+shop@school.test");
        await Wait.UntilAsync(() => peer.Mails.Count == 2, "both people are answered");
        var answer = peer.Mails.Single(mail => mail.To[0].Contains("writer@", StringComparison.Ordinal));
        Assert.StartsWith("<>", answer.From);
        Assert.Contains("Auto-Submitted: auto-replied", answer.Data);
        Assert.Matches("In-Reply-To: <q[0-9a-f]+@origin.test>", answer.Data);
        Assert.Contains("From: anna", answer.Data.Replace("<", "", StringComparison.Ordinal));
        Assert.Contains(peer.Mails, mail => mail.To[0].Contains("other@", StringComparison.Ordinal));
        // colleagues read another text
        await SubmitAsync(Boris, Boris, $"From: {Boris}\r\nTo: {Anna}\r\n", Anna);
        Assert.Equal(1, await InboxAsync(Boris));
        // it is over when its time is, and hears nobody who has been answered before a new text is written
        await CliAsync("account", "vacation", Anna, "--until", "2020-01-01");
        await SendAsync("late@origin.test", Anna);
        await CliAsync("account", "vacation", Anna, "--until", "", "--text", "Other words");
        await SendAsync("writer@origin.test", Anna);
        await Wait.UntilAsync(() => peer.Mails.Count == 3, "the new words are told");
        Assert.Contains("Other words", peer.Mails[2].Data);
        Assert.DoesNotContain(peer.Mails, mail => mail.To[0].Contains("late@", StringComparison.Ordinal));
        Assert.Contains("Give a text", (await server.CliAsync("account", "vacation", Boris, "--on")).Error);
    }

    [Fact]
    public async Task Made_up_senders_get_so_many_answers_and_no_more()
    {
        await CliAsync("account", "vacation", Anna, "--on", "--text", "Away.");
        for (var i = 0; i < 103; i++) await SendAsync($"made-up-{i}@origin.test", Anna);
        await Wait.UntilAsync(() => peer.Mails.Count == 100, "a hundred are answered");
        Assert.Equal(103, await InboxAsync(Anna));
        Assert.Equal(100, peer.Mails.Count);
    }

    [Fact]
    public async Task People_forward_where_their_domain_lets_them_and_addresses_elsewhere_agree_first()
    {
        using var me = await KeyAsync(Anna);
        Task<JsonElement> MeAsync(HttpMethod method, string path, object? body = null) => ApiFixture.AskAsync(me, method, "/api/v1/me/forwarding" + path, body);
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => MeAsync(HttpMethod.Put, "", new { to = new[] { Boris } }));
        Assert.Contains("does not let you forward", refused.Message);
        await CliAsync("domain", "set", "school.test", "--forward-to", "here,@elsewhere.test");
        await MeAsync(HttpMethod.Put, "", new { to = new[] { Boris } });
        await SendAsync("writer@origin.test", Anna);
        Assert.Equal((1, 1), (await InboxAsync(Anna), await InboxAsync(Boris)));
        await Assert.ThrowsAsync<InvalidOperationException>(() => MeAsync(HttpMethod.Put, "", new { to = new[] { "x@forbidden.test" } }));

        var asked = await MeAsync(HttpMethod.Put, "", new { to = new[] { "far@elsewhere.test" }, keepCopy = false });
        Assert.Equal("far@elsewhere.test", asked.GetProperty("pending")[0].GetString());
        Assert.Equal(0, asked.GetProperty("to").GetArrayLength());
        await Wait.UntilAsync(() => peer.Mails.Count == 1, "the address is asked");
        await SendAsync("writer@origin.test", Anna);
        Assert.Equal(2, await InboxAsync(Anna)); // until somebody gets it elsewhere it stays
        await Assert.ThrowsAsync<InvalidOperationException>(() => MeAsync(HttpMethod.Post, "/confirm", new { address = "far@elsewhere.test", code = "guess" }));
        var text = peer.Mails[0].Data.Replace("\r", "", StringComparison.Ordinal);
        var body = text[(text.IndexOf("\n\n", StringComparison.Ordinal) + 2)..];
        text = text.Contains("base64", StringComparison.OrdinalIgnoreCase) ? Encoding.UTF8.GetString(Convert.FromBase64String(body.Trim('.', '\n'))) : body.Replace("=\n", "", StringComparison.Ordinal);
        Assert.Matches(Code(), text);
        var agreed = await MeAsync(HttpMethod.Post, "/confirm", new { address = "far@elsewhere.test", code = Code().Match(text).Groups[1].Value });
        Assert.Equal("far@elsewhere.test", agreed.GetProperty("to")[0].GetString());
        await MeAsync(HttpMethod.Put, "", new { to = new[] { "far@elsewhere.test" }, keepCopy = false });
        await SendAsync("writer@origin.test", Anna);
        await Wait.UntilAsync(() => peer.Mails.Count == 2, "it goes on");
        Assert.Contains("SRS0=", peer.Mails[1].From);
        Assert.Equal(2, await InboxAsync(Anna));
        Assert.Contains("far@elsewhere.test", await CliAsync("account", "forwarding", Anna));
        await CliAsync("account", "forwarding", Anna, "--off");
        await SendAsync("writer@origin.test", Anna);
        Assert.Equal(3, await InboxAsync(Anna));
    }

    // RFC 5322 3.6.2
    [Fact]
    public async Task A_secretary_writes_for_the_dean_and_says_so()
    {
        Assert.StartsWith("550 5.7.1", await SubmitAsync(Boris, Boris, $"From: {Anna}\r\n"));
        await CliAsync("policy", "set", Boris, "send-on-behalf", Anna);
        Assert.StartsWith("250", await SubmitAsync(Boris, Boris, $"From: {Anna}\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\nMessage-ID: <a@school.test>\r\n"));
        await Wait.UntilAsync(() => peer.Mails.Count == 1, "it went out");
        Assert.Contains($"Sender: {Boris}", peer.Mails[0].Data.Replace("<", "", StringComparison.Ordinal).Replace(">", "", StringComparison.Ordinal));
        Assert.StartsWith("250", await SubmitAsync(Boris, Boris, $"From: {Anna}\r\nSender: {Boris}\r\n"));
        Assert.StartsWith("550 5.7.1", await SubmitAsync(Boris, Boris, $"From: {Anna}\r\nSender: {Anna}\r\n")); // not in her name
        await CliAsync("policy", "set", Boris, "send-as", Anna);
        Assert.StartsWith("250", await SubmitAsync(Boris, Anna, $"From: {Anna}\r\nSender: {Anna}\r\n"));
    }
}
