using System.Net;
using System.Text;
using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>What has been sent today from an address that warms up, and the pace that servers have taught us, survive kill -9.</summary>
[Trait("Category", "Slow")]
public sealed class WarmUpTests : IAsyncLifetime
{
    readonly ScriptedPeer peer = new(IPAddress.Parse("127.0.0.2"));
    TestServer server = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync($"""
            queue:
              routes: [{"{"}host: 127.0.0.2, port: {peer.Port}{"}"}]
              retry-after: [1s]
            sending:
              warm-up: [4, 4, 4, 4]
              sources: [{"{"}address: 127.0.0.18, warm-up-since: {DateTime.UtcNow.AddDays(-1):yyyy-MM-dd}{"}"}]
            """);
        await server.AddAccountsAsync("anna@example.test");
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await peer.DisposeAsync();
    }

    async Task SendAsync(int number)
    {
        await using var client = await WireClient.SmtpHelloAsync(server.Submission);
        await client.SmtpAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0anna@example.test\0{TestServer.Password}")), "235");
        await client.SmtpAsync("MAIL FROM:<anna@example.test>", "250");
        await client.SmtpAsync($"RCPT TO:<to{number}@elsewhere.test>", "250");
        await client.SmtpAsync("DATA", "354");
        await client.SmtpAsync("From: anna@example.test\r\nSubject: x\r\n\r\n.", "250");
    }

    async Task<JsonElement> JsonAsync(params string[] verb) => JsonDocument.Parse((await server.CliAsync([.. verb, "--json"])).Output).RootElement;

    async Task KillAsync()
    {
        await server.KillAsync();
        await server.StartAgainAsync();
    }

    [Fact]
    public async Task The_share_of_the_day_does_not_begin_again()
    {
        for (var i = 0; i < 3; i++) await SendAsync(i);
        await Wait.UntilAsync(() => peer.Mails.Count == 3, "three are sent");
        await Wait.UntilAsync(async () => (await server.CliAsync("queue", "list", "--json")).Output is var list && !list.Contains("elsewhere.test", StringComparison.Ordinal), "their outcomes are durable");
        await KillAsync();
        for (var i = 3; i < 7; i++) await SendAsync(i);
        await Wait.UntilAsync(async () => (await server.CliAsync("queue", "list", "--json")).Output.Split("while it warms up (4) have been sent").Length == 4, "one goes, three wait");
        await KillAsync();
        (await server.CliAsync("queue", "retry", "--all-matching", "--domain", "elsewhere.test")).Succeeded();
        await SendAsync(8);
        await Wait.UntilAsync(async () => (await server.CliAsync("queue", "list", "--json")).Output.Split("while it warms up (4) have been sent").Length == 5, "the last one waits too");
        Assert.Equal(4, peer.Mails.Count);
        Assert.All(peer.Froms, from => Assert.Equal("127.0.0.18", from.ToString()));
    }

    [Fact]
    public async Task A_pace_that_was_learnt_is_kept()
    {
        peer.Script = line => line.StartsWith("MAIL", StringComparison.Ordinal) ? "450 4.7.28 unusual rate of mail from you" : null;
        await SendAsync(1);
        await Wait.UntilAsync(async () => (await server.CliAsync("queue", "destinations", "--json")).Output.Contains("unusual rate", StringComparison.Ordinal), "the pace is slowed down");
        await Wait.UntilAsync(async () => (await server.CliAsync("queue", "list", "--json")).Output.Contains("unusual rate", StringComparison.Ordinal), "the outcome is durable");
        var before = Assert.Single((await JsonAsync("queue", "destinations")).EnumerateArray().ToList());
        await KillAsync();
        var after = Assert.Single((await JsonAsync("queue", "destinations")).EnumerateArray().ToList());
        foreach (var name in (string[])["name", "connections", "perHour", "reason"]) Assert.Equal(before.GetProperty(name).ToString(), after.GetProperty(name).ToString());
        var rests = after.GetProperty("restsUntil").GetDateTimeOffset();
        Assert.InRange((rests - before.GetProperty("restsUntil").GetDateTimeOffset()).TotalSeconds, -1, 1);
        Assert.True(rests > DateTimeOffset.UtcNow.AddSeconds(5));
    }
}
