using System.Text.Json;
using System.Text.RegularExpressions;
using CbaMail.Tests.EndToEnd.Api;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>Messages that somebody has removed by IMAP, by POP3 or with their mailbox, and wants back.</summary>
public sealed partial class UndeleteTests : IAsyncLifetime
{
    const string Anna = "anna@school.test";
    TestServer server = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync();
        await server.AddAccountsAsync(Anna, "boris@school.test");
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    async Task<string> CliAsync(params string[] verb) => (await server.CliAsync(verb)).Succeeded().Output;

    async Task DeliverAsync(params string[] subjects)
    {
        foreach (var subject in subjects) (await server.CliAsync($"From: Writer <writer@origin.test>\nSubject: {subject}\n\nbody of {subject}\n", ["message", "deliver", Anna])).Succeeded();
    }

    async Task<string> ImapAsync(params string[] commands)
    {
        await using var imap = await WireClient.ConnectAsync(server.Imap);
        await imap.ImapLineAsync();
        await imap.ImapAsync($"LOGIN {Anna} \"{TestServer.Password}\"");
        var last = "";
        foreach (var command in commands) last = string.Join('\n', await imap.ImapAsync(command));
        return last;
    }

    Task<string> SubjectsAsync(string mailbox = "INBOX") => ImapAsync($"SELECT \"{mailbox}\"", "FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])");

    [GeneratedRegex(@"^(\d+) ", RegexOptions.Multiline)] private static partial Regex Id();

    [Fact]
    public async Task What_was_expunged_comes_back_with_its_flags_to_where_it_was()
    {
        await DeliverAsync("first", "second", "third");
        await ImapAsync("SELECT INBOX", "STORE 1 +FLAGS (\\Flagged \\Seen work)", "STORE 1:2 +FLAGS (\\Deleted)", "EXPUNGE");
        Assert.DoesNotContain("second", await SubjectsAsync());
        await CliAsync("verify");
        var listed = await CliAsync("mailbox", "expunged", Anna);
        Assert.Contains("Writer <writer@origin.test>", listed);
        Assert.Equal(2, Id().Matches(listed).Count);
        Assert.DoesNotContain("first", await CliAsync("mailbox", "expunged", Anna, "--search", "second"));
        Assert.Contains("1 messages are back", await CliAsync("mailbox", "undelete", Anna, "--search", "first"));
        var now = await SubjectsAsync();
        Assert.Matches(@"UID|\\Flagged.*work|work.*\\Flagged", now);
        Assert.DoesNotContain("\\Deleted", now);
        Assert.Contains("body of first", await ImapAsync("SELECT INBOX", "FETCH 1:* BODY.PEEK[TEXT]"));
        Assert.Contains("1 messages are back", await CliAsync("mailbox", "undelete", Anna, Id().Match(await CliAsync("mailbox", "expunged", Anna)).Groups[1].Value, "--to", "Found/again"));
        Assert.Contains("second", await SubjectsAsync("Found/again"));
        Assert.Contains("0 messages are back", await CliAsync("mailbox", "undelete", Anna, "--all"));
        await CliAsync("verify");
    }

    [Fact]
    public async Task A_removed_mailbox_comes_back_with_its_messages_and_so_does_what_POP3_deleted()
    {
        await ImapAsync("CREATE Work/Old");
        await DeliverAsync("in the folder", "by pop");
        await ImapAsync("SELECT INBOX", "MOVE 1 Work/Old");
        Assert.Empty(Id().Matches(await CliAsync("mailbox", "expunged", Anna))); // what moves is not expunged
        await ImapAsync("DELETE Work/Old");
        await using (var pop = await WireClient.ConnectAsync(server.Pop3))
        {
            await pop.ReadLineAsync();
            foreach (var command in new[] { $"USER {Anna}", $"PASS {TestServer.Password}", "DELE 1", "QUIT" })
            {
                await pop.SendLineAsync(command);
                Assert.StartsWith("+OK", await pop.ReadLineAsync());
            }
        }
        await server.KillAsync(); // it is as durable as the mail was
        await server.StartAgainAsync();
        Assert.Contains("Work/Old", await CliAsync("mailbox", "expunged", Anna));
        Assert.Contains("2 messages are back", await CliAsync("mailbox", "undelete", Anna, "--all"));
        Assert.Contains("in the folder", await SubjectsAsync("Work/Old"));
        Assert.Contains("by pop", await SubjectsAsync());
        await CliAsync("verify");
    }

    [Fact]
    public async Task Everybody_does_it_for_himself_within_his_quota_and_nobody_for_others()
    {
        await DeliverAsync("mine");
        await ImapAsync("SELECT INBOX", "STORE 1 +FLAGS (\\Deleted)", "EXPUNGE");
        using var control = server.Control();
        async Task<HttpClient> AsAsync(string account)
        {
            var key = (await ApiFixture.AskAsync(control, HttpMethod.Post, "/api/v1/api-keys", new { name = "test", account })).GetProperty("key").GetString();
            var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{server.Http}") };
            client.DefaultRequestHeaders.Authorization = new("Bearer", key);
            return client;
        }
        using var anna = await AsAsync(Anna);
        using var boris = await AsAsync("boris@school.test");
        var mine = await ApiFixture.AskAsync(anna, HttpMethod.Get, "/api/v1/me/expunged?search=writer&since=2020-01-01");
        var id = mine.GetProperty("items")[0].GetProperty("id").GetInt64();
        Task<JsonElement> RestoreAsync(HttpClient who, object what) => ApiFixture.AskAsync(who, HttpMethod.Post, "/api/v1/me/expunged/restore", what);
        Assert.Equal(0, (await RestoreAsync(boris, new { ids = new[] { id } })).GetProperty("count").GetInt32());
        await Assert.ThrowsAsync<InvalidOperationException>(() => ApiFixture.AskAsync(boris, HttpMethod.Get, $"/api/v1/accounts/{Anna}/expunged"));
        await CliAsync("account", "set", Anna, "--quota", "10");
        Assert.Contains("over-quota", (await Assert.ThrowsAsync<InvalidOperationException>(() => RestoreAsync(anna, new { ids = new[] { id } }))).Message);
        await CliAsync("account", "set", Anna, "--quota", "0");
        Assert.Equal(1, (await RestoreAsync(anna, new { all = true })).GetProperty("count").GetInt32());
        await ImapAsync("SELECT INBOX", "STORE 1 +FLAGS (\\Deleted)", "EXPUNGE");
        Assert.Equal(1, (await ApiFixture.AskAsync(anna, HttpMethod.Delete, "/api/v1/me/expunged")).GetProperty("count").GetInt32());
        Assert.Equal(0, (await ApiFixture.AskAsync(anna, HttpMethod.Get, "/api/v1/me/expunged")).GetProperty("items").GetArrayLength());
        // what is kept goes with its account
        await DeliverAsync("last");
        await ImapAsync("SELECT INBOX", "STORE 1 +FLAGS (\\Deleted)", "EXPUNGE");
        await CliAsync("account", "remove", Anna, "--now");
        await CliAsync("verify");
    }
}
