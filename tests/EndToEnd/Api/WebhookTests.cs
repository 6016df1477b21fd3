using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Api;

/// <summary>Events as a receiver elsewhere sees them.</summary>
public sealed class WebhookTests
{
    const string Quick = "webhooks:\n  retry-after: [1s]\n";

    static Task<JsonElement> AskAsync(HttpClient client, HttpMethod method, string path, object? body = null) => ApiFixture.AskAsync(client, method, "/api/v1/" + path, body);

    /// <summary>As docs/en/webhooks.md tells receivers to do it.</summary>
    static bool IsGenuine(string secret, (string Body, string? Signature) question)
    {
        var fields = question.Signature!.Split(',').Select(part => part.Split('=', 2)).ToDictionary(part => part[0], part => part[1]);
        return fields["v1"] == Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{fields["t"]}.{question.Body}")));
    }

    [Fact]
    public async Task An_event_is_told_signed_and_again_until_it_is_taken_also_after_a_crash()
    {
        await using var server = await TestServer.StartAsync(Quick);
        await using var peer = new HookPeer();
        var taking = false;
        peer.Answer = _ => (taking ? 204 : 500, "");
        string secret;
        long id;
        using (var control = server.Control())
        {
            var made = await AskAsync(control, HttpMethod.Post, "webhooks", new { url = peer.Url, events = new[] { "domain.*" } });
            (secret, id) = (made.GetProperty("secret").GetString()!, made.GetProperty("id").GetInt64());
            Assert.False((await AskAsync(control, HttpMethod.Get, $"webhooks/{id}")).TryGetProperty("secret", out _));
            await AskAsync(control, HttpMethod.Post, "domains", new { name = "told.test" });
            await AskAsync(control, HttpMethod.Post, "accounts", new { address = "nobody@told.test" });
            await Wait.UntilAsync(() => peer.Questions.Count >= 2, "two attempts");
        }
        await server.KillAsync();
        var before = peer.Questions.Count;
        await server.StartAgainAsync();
        await Wait.UntilAsync(() => peer.Questions.Count > before, "an attempt after the crash");
        taking = true;
        using var again = server.Control();
        await Wait.UntilAsync(async () => Newest(await AskAsync(again, HttpMethod.Get, $"webhooks/{id}/deliveries")).GetProperty("state").GetString() == "delivered", "it is taken");

        Assert.All(peer.Questions, question => Assert.True(IsGenuine(secret, question)));
        var told = Assert.Single(peer.Asked.DistinctBy(asked => asked.GetProperty("id").GetString()));
        Assert.Equal(("domain.created", "told.test"), (told.GetProperty("event").GetString(), told.GetProperty("data").GetProperty("after").GetProperty("name").GetString()));
        var log = Newest(await AskAsync(again, HttpMethod.Get, $"webhooks/{id}/deliveries"));
        var attempts = log.GetProperty("attempts").EnumerateArray().Select(one => one.GetProperty("status").GetInt32()).ToList();
        Assert.Equal((500, 204), (attempts[0], attempts[^1]));
        Assert.Equal(JsonValueKind.Null, (await AskAsync(again, HttpMethod.Get, $"webhooks/{id}")).GetProperty("failing").ValueKind);
    }

    static JsonElement Newest(JsonElement list) => list.GetProperty("items")[0];

    [Fact]
    public async Task The_command_line_makes_tests_and_shows_webhooks()
    {
        await using var server = await TestServer.StartAsync(Quick);
        await using var peer = new HookPeer();
        var made = await server.CliAsync("webhook", "add", peer.Url, "--event", "mailing.finished");
        Assert.Equal(0, made.ExitCode);
        Assert.Equal(0, (await server.CliAsync("webhook", "test", "1")).ExitCode);
        await Wait.UntilAsync(() => peer.Questions.Count == 1, "the test event");
        Assert.True(IsGenuine(made.Output.Trim(), peer.Questions[0]));
        await Wait.UntilAsync(async () => (await server.CliAsync("webhook", "log", "1")).Output.Contains("delivered", StringComparison.Ordinal), "the log");
        var renewed = (await server.CliAsync("webhook", "secret", "1")).Output.Trim();
        Assert.StartsWith("cbaw_", renewed);
        await server.CliAsync("webhook", "test", "1");
        await Wait.UntilAsync(() => peer.Questions.Count == 2, "the second test event");
        Assert.True(IsGenuine(renewed, peer.Questions[1]));
        Assert.Contains("off", (await server.CliAsync("webhook", "set", "1", "--disable")).Output);
        Assert.NotEqual(0, (await server.CliAsync("webhook", "test", "1")).ExitCode);
        Assert.Contains("account.rename", (await server.CliAsync("webhook", "events")).Output);
        await server.CliAsync("webhook", "remove", "1");
        Assert.DoesNotContain(peer.Url, (await server.CliAsync("webhook", "list")).Output);
    }

    [Fact]
    public async Task A_receiver_that_takes_nothing_is_switched_off_with_the_reason_and_on_again_by_hand()
    {
        await using var server = await TestServer.StartAsync("webhooks:\n  retry-after: [200ms]\n  give-up: 2s\n  expire: 1s\n");
        await using var peer = new HookPeer { Answer = _ => (503, "not now") };
        using var control = server.Control();
        var id = (await AskAsync(control, HttpMethod.Post, "webhooks", new { url = peer.Url, events = new[] { "domain.*" } })).GetProperty("id").GetInt64();
        var made = 0;
        await Wait.UntilAsync(async () =>
        {
            await AskAsync(control, HttpMethod.Post, "domains", new { name = $"d{made++}.test" });
            return !(await AskAsync(control, HttpMethod.Get, $"webhooks/{id}")).GetProperty("enabled").GetBoolean();
        }, "it is switched off");
        Assert.Contains("it answered with status 503", (await AskAsync(control, HttpMethod.Get, $"webhooks/{id}")).GetProperty("problem").GetString());
        Assert.Contains("given-up", (await AskAsync(control, HttpMethod.Get, $"webhooks/{id}/deliveries?limit=500")).GetProperty("items").EnumerateArray().Select(one => one.GetProperty("state").GetString()));
        await AskAsync(control, HttpMethod.Post, "domains", new { name = "untold.test" });
        peer.Answer = _ => (204, "");
        await AskAsync(control, HttpMethod.Patch, $"webhooks/{id}", new { enabled = true });
        await AskAsync(control, HttpMethod.Post, "domains", new { name = "told.test" });
        await Wait.UntilAsync(() => peer.Asked.Any(asked => asked.GetProperty("data").ToString().Contains("told.test", StringComparison.Ordinal)), "it is told again");
        Assert.DoesNotContain(peer.Asked, asked => asked.GetProperty("data").ToString().Contains("untold.test", StringComparison.Ordinal)); // while it was off nothing was kept for it
    }

    [Fact]
    public async Task Mail_that_comes_back_and_a_mailing_that_ends_are_told()
    {
        await using var remote = new ScriptedPeer { Script = line => line.StartsWith("RCPT TO:<nobody", StringComparison.OrdinalIgnoreCase) ? "550 5.1.1 no such user" : null };
        await using var server = await TestServer.StartAsync($"{Quick}queue:\n  routes:\n    - domain: '*'\n      host: 127.0.0.1\n      port: {remote.Port}\n");
        await using var peer = new HookPeer();
        var course = await CourseSetup.MakeAsync(server, 3);
        using var control = server.Control();
        await AskAsync(control, HttpMethod.Post, "webhooks", new { url = peer.Url, events = new[] { "message.*", "mailing.*" } });
        await AskAsync(control, HttpMethod.Post, $"courses/{course}/participants", new { address = "somebody@far.test", name = "Somebody", fields = new { group = "x", code = "y" } });
        var swaks = await Tool.RunAsync("swaks", "--server", "127.0.0.1", "--port", $"{server.Submission}", "--tls", "--auth", "PLAIN", "--auth-user", "teacher@course.test", "--auth-password", "secret", "--from", "teacher@course.test", "--to", "nobody@far.test,friend@far.test");
        swaks.Succeeded();
        var mailing = await AskAsync(control, HttpMethod.Post, "mailings", new { course, from = "teacher@course.test", subject = "Hello", text = "Hello {{name}}" });
        await AskAsync(control, HttpMethod.Post, $"mailings/{mailing.GetProperty("id").GetInt64()}/send");
        string[] Told() => [.. peer.Asked.Select(asked => asked.GetProperty("event").GetString()!)];
        await Wait.UntilAsync(() => Told() is var told && told.Contains("message.bounced") && told.Contains("message.delivered") && told.Contains("mailing.finished"), "a bounce, a delivery and the end of the mailing", seconds: 60);
        var bounced = peer.Asked.First(asked => asked.GetProperty("event").GetString() == "message.bounced").GetProperty("data").ToString();
        Assert.Contains("nobody@far.test", bounced);
        Assert.Contains("no such user", bounced);
        var finished = Assert.Single(peer.Asked.Where(asked => asked.GetProperty("event").GetString() == "mailing.finished").DistinctBy(asked => asked.GetProperty("id").GetString())).GetProperty("data");
        Assert.Equal((mailing.GetProperty("id").GetInt64(), 4), (finished.GetProperty("mailing").GetInt64(), finished.GetProperty("total").GetInt32()));
    }

    [Theory]
    [InlineData("http://example.org/", "url")]
    [InlineData("https://10.0.0.1/", "url")]
    [InlineData("https://[fe80::1]/", "url")]
    [InlineData("https://169.254.169.254/latest/", "url")]
    [InlineData("https://user@example.org/", "url")]
    [InlineData("ftp://example.org/", "url")]
    [InlineData("nothing", "url")]
    [InlineData("https://example.org/", "events")]
    public async Task What_cannot_be_a_webhook_is_refused(string url, string field)
    {
        await using var server = await TestServer.StartAsync();
        using var control = server.Control();
        var problem = await Assert.ThrowsAsync<InvalidOperationException>(() => AskAsync(control, HttpMethod.Post, "webhooks", new { url, events = new[] { field == "events" ? "accounts.made" : "*" } }));
        Assert.Contains($"\"field\":\"{field}\"", problem.Message);
    }
}
