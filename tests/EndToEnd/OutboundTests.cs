using System.Text;
using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>The real program, its configuration file, and mail that leaves by a smarthost.</summary>
public sealed class OutboundTests : IAsyncDisposable
{
    const string Anna = "anna@example.test";
    readonly ScriptedPeer peer = new() { Extensions = ["PIPELINING", "8BITMIME", "SIZE", "AUTH PLAIN"] };
    TestServer server = null!;

    async Task StartAsync()
    {
        server = await TestServer.StartAsync($"""
            queue:
              connections-per-destination: 3
              retry-after: [1s, 1s]
              routes:
                - domain: "*.sink.test"
                  host: 127.0.0.1
                  port: {peer.Port}
                  user: us
                  password: secret
            """);
        await server.AddAccountsAsync(Anna);
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
        await peer.DisposeAsync();
    }

    async Task<WireClient> SignInAsync()
    {
        var client = await WireClient.SmtpHelloAsync(server.Submissions, tls: true);
        await client.SmtpAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{Anna}\0{TestServer.Password}")), "235");
        return client;
    }

    static async Task SendAsync(WireClient client, string to, string text = "hello")
    {
        await client.SmtpAsync($"MAIL FROM:<{Anna}>", "250");
        await client.SmtpAsync($"RCPT TO:<{to}>", "250");
        await client.SmtpAsync("DATA", "354");
        await client.SmtpAsync($"From: {Anna}\r\nSubject: {text}\r\n\r\n..dot\r\n.", "250");
    }

    async Task<JsonElement[]> QueueAsync() =>
        [.. JsonDocument.Parse((await server.CliAsync("queue", "list", "--json")).Succeeded().Output).RootElement.EnumerateArray()];

    [Fact]
    public async Task Mail_to_another_domain_leaves_by_the_route_of_the_configuration()
    {
        await StartAsync();
        await using var client = await SignInAsync();
        await SendAsync(client, "bob@one.sink.test");
        await Wait.UntilAsync(() => peer.Mails.Count == 1, "the smarthost has it");
        var mail = peer.Mails[0];
        Assert.StartsWith($"<{Anna}>", mail.From);
        Assert.Contains("Subject: hello\n", mail.Data);
        Assert.EndsWith("\n\n..dot\n", mail.Data);
        Assert.DoesNotContain("Return-Path", mail.Data);
        Assert.Contains("AUTH PLAIN " + Convert.ToBase64String("\0us\0secret"u8), peer.Commands);
        await Wait.UntilAsync(async () => (await QueueAsync()).Length == 0, "the queue is empty");
    }

    [Fact]
    public async Task A_refusal_comes_back_to_the_senders_inbox()
    {
        peer.Script = line => line.StartsWith("RCPT", StringComparison.Ordinal) ? "550 5.1.1 no such person" : null;
        await StartAsync();
        await using var client = await SignInAsync();
        await SendAsync(client, "bob@one.sink.test");
        await using var imap = await WireClient.ImapLoginAsync(server.Imap, Anna);
        await Wait.UntilAsync(async () => (await imap.ImapAsync("STATUS INBOX (MESSAGES)"))[0].Contains("MESSAGES 1"), "the bounce is there");
        await imap.ImapAsync("SELECT INBOX", "OK");
        var report = string.Join("\n", await imap.ImapAsync("FETCH 1 (BODYSTRUCTURE BODY[2])"));
        Assert.Contains("\"report\"", report, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Final-Recipient: rfc822; bob@one.sink.test", report);
        Assert.Contains("Diagnostic-Code: smtp; 550 5.1.1 no such person", report);
    }

    [Fact]
    public async Task Killed_at_any_moment_nothing_is_skipped_and_at_most_one_message_a_connection_comes_twice()
    {
        var taken = 0;
        peer.Script = line =>
        {
            if (line == "." && Interlocked.Increment(ref taken) > 12) return ScriptedPeer.Hang; // three connections wait with an unclear message
            return null;
        };
        await StartAsync();
        await using (var client = await SignInAsync())
            for (var i = 0; i < 40; i++) await SendAsync(client, $"student{i}@one.sink.test", $"number {i}");
        await Wait.UntilAsync(() => Volatile.Read(ref taken) >= 15, "all connections hang");
        await server.KillAsync();
        peer.Script = _ => null;
        await server.StartAgainAsync();
        await Wait.UntilAsync(async () => (await QueueAsync()).Length == 0, "the queue is empty");
        var copies = peer.Mails.GroupBy(mail => mail.To[0]).ToDictionary(group => group.Key, group => group.Count());
        Assert.Equal(40, copies.Count);
        Assert.True(copies.Values.Sum() - 40 <= 3, $"{copies.Values.Sum() - 40} messages came twice over 3 connections");
    }

    [Fact]
    public async Task Outside_DNS_is_not_asked_and_the_message_waits_and_can_be_dropped()
    {
        await StartAsync();
        await using var client = await SignInAsync();
        await SendAsync(client, "bob@elsewhere.test");
        await Wait.UntilAsync(async () => (await QueueAsync()) is [var entry] && entry.GetRawText().Contains("could not be looked up"), "it is deferred");
        var id = (await QueueAsync())[0].GetProperty("id").GetRawText().Trim('"');
        (await server.CliAsync("queue", "hold", id)).Succeeded();
        Assert.Contains("held", (await server.CliAsync("queue", "show", id)).Succeeded().Output);
        (await server.CliAsync("queue", "release", id)).Succeeded();
        (await server.CliAsync("queue", "retry", id)).Succeeded();
        (await server.CliAsync("queue", "drop", id)).Succeeded();
        Assert.Empty(await QueueAsync());
        Assert.Equal(1, (await server.CliAsync("queue", "drop", id)).ExitCode);
    }
}
