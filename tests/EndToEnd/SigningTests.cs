using System.Text;
using System.Text.Json;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Arc;
using CbaMail.MailAuth.Dkim;
using CbaMail.Tests.Formats.MailAuth;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>What leaves is signed in the name of its author's domain; what is passed on is sealed, and only our own mail is signed.</summary>
public sealed class SigningTests : IAsyncDisposable
{
    const string Anna = "anna@example.test";
    readonly ScriptedPeer peer = new();
    readonly ZonePeer dns = new();
    TestServer server = null!;

    async Task StartAsync(string more = "")
    {
        server = await TestServer.StartAsync($$"""
            dns: {servers: ["{{dns.Address}}"]}
            queue:
              routes: [{domain: "*", host: 127.0.0.1, port: {{peer.Port}}}]
            {{more}}
            """);
        await server.AddAccountsAsync(Anna);
    }

    async Task<TextZone> KeysAsync(int count = 2)
    {
        var zone = new TextZone();
        await Wait.UntilAsync(async () =>
        {
            zone.Clear();
            foreach (var key in JsonDocument.Parse((await server.CliAsync("dkim", "list", "example.test", "--json")).Succeeded().Output).RootElement.EnumerateArray())
                if (key.GetProperty("state").GetString() == "active") zone.Add($"{key.GetProperty("selector").GetString()}._domainkey.example.test", key.GetProperty("record").GetString()!);
            return zone.Count == count;
        }, "the keys are made");
        return zone;
    }

    async Task SubmitAsync(string to, string text)
    {
        await using var client = await WireClient.SmtpHelloAsync(server.Submissions, tls: true);
        await client.SmtpAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{Anna}\0{TestServer.Password}")), "235");
        await client.SmtpAsync($"MAIL FROM:<{Anna}>", "250");
        foreach (var one in to.Split(' ')) await client.SmtpAsync($"RCPT TO:<{one}>", "250");
        await client.SmtpAsync("DATA", "354");
        await client.SendAsync(text);
        await client.SmtpAsync(".", "250");
    }

    async Task<byte[]> LeftAsync(int count = 1)
    {
        await Wait.UntilAsync(() => peer.Mails.Count == count, "it has left");
        return Encoding.UTF8.GetBytes(peer.Mails[^1].Data.Replace("\n..", "\n.", StringComparison.Ordinal).Replace("\n", "\r\n", StringComparison.Ordinal)); // the peer keeps its dots doubled
    }

    static async Task<string[]> VerdictsAsync(byte[] message, TextZone zone)
    {
        using var signed = new SignedMessage(message);
        return [.. (await new DkimVerifier(new DkimKeys(zone)).VerifyAsync(signed, DateTimeOffset.UtcNow, default)).Select(v => $"{v.Domain} {v.Signature.AlgorithmName} {v.Result.Word()}{v.Reason}")];
    }

    [Theory]
    [InlineData("Здравствуйте.\r\n..\r\n.dot\r\n")]
    [InlineData("")]
    public async Task Submitted_mail_has_two_signatures_of_its_domain(string body)
    {
        await StartAsync();
        var zone = await KeysAsync();
        await SubmitAsync("far@elsewhere.test", Letter.Text(Anna, "far@elsewhere.test", "подписано", body.Replace("\r\n.", "\r\n..", StringComparison.Ordinal), "List-Unsubscribe: <https://x.test/>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
        var left = await LeftAsync();
        Assert.Equal(["example.test ed25519-sha256 pass", "example.test rsa-sha256 pass"], (await VerdictsAsync(left, zone)).Order());
        var text = Encoding.UTF8.GetString(left);
        Assert.Contains("list-unsubscribe-post", text[..text.IndexOf("From:", StringComparison.Ordinal)].ReplaceLineEndings("").Replace("\t", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal));
        Assert.StartsWith("DKIM-Signature:", text);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_has_waited_leaves_signed_also_after_a_restart(bool restarted)
    {
        await StartAsync();
        var zone = await KeysAsync();
        (await server.CliAsync("queue", "hold")).Succeeded();
        await SubmitAsync("far@elsewhere.test", Letter.Text(Anna, "far@elsewhere.test", "to wait", "Text.\r\n"));
        if (restarted)
        {
            await server.StopAsync();
            await server.StartAgainAsync();
        }
        (await server.CliAsync("queue", "release")).Succeeded();
        Assert.Equal(["example.test ed25519-sha256 pass", "example.test rsa-sha256 pass"], (await VerdictsAsync(await LeftAsync(), zone)).Order());
    }

    [Fact]
    public async Task A_large_message_and_a_footer_are_covered_too()
    {
        await StartAsync();
        var zone = await KeysAsync();
        (await server.CliAsync("policy", "set", "example.test", "footer-text", "Подвал")).Succeeded();
        await SubmitAsync("far@elsewhere.test", Letter.Text(Anna, "far@elsewhere.test", "large", string.Concat(Enumerable.Repeat("line of some text  \r\n", 40_000))));
        Assert.All(await VerdictsAsync(await LeftAsync(), zone), verdict => Assert.EndsWith(" pass", verdict));
    }

    [Fact]
    public async Task A_strangers_mail_in_our_name_is_passed_on_without_our_signature()
    {
        await StartAsync();
        await KeysAsync();
        (await server.CliAsync("alias", "add", "out@example.test", "far@elsewhere.test")).Succeeded();
        await Letter.SendAsync(server.Smtp, Anna, "out@example.test", Letter.Text(Anna, "out@example.test", "forged"));
        Assert.DoesNotContain("DKIM-Signature", Encoding.UTF8.GetString(await LeftAsync()));
        await Letter.SendAsync(server.Smtp, "", "out@example.test", Letter.Text(Anna, "out@example.test", "forged too"));
        Assert.DoesNotContain("DKIM-Signature", Encoding.UTF8.GetString(await LeftAsync(2)));
    }

    [Fact]
    public async Task Forwarded_mail_is_sealed_by_who_passes_it_on()
    {
        using var theirs = DkimPrivateKey.Create(DkimAlgorithm.Ed25519Sha256);
        dns.Text("s._domainkey.origin.test", theirs.Record()).Text("_dmarc.origin.test", "v=DMARC1; p=reject");
        await StartAsync();
        var zone = await KeysAsync();
        (await server.CliAsync("policy", "set", Anna, "forward", "anna@elsewhere.test")).Succeeded();
        var letter = Letter.Text("writer@origin.test", Anna, "to be passed on");
        var signed = Encoding.UTF8.GetString(new DkimSigner([new SigningIdentity("origin.test", "s", theirs)], new SigningRules()).Sign(Encoding.UTF8.GetBytes(letter), DateTimeOffset.UtcNow)) + letter;
        await Letter.SendAsync(server.Smtp, "writer@origin.test", Anna, signed);
        var left = await LeftAsync();
        zone.Add("s._domainkey.origin.test", theirs.Record());
        using var message = new SignedMessage(left);
        var chain = await new ArcVerifier(new DkimKeys(zone)).VerifyAsync(message, DateTimeOffset.UtcNow, default);
        Assert.Equal((AuthResult.Pass, ""), (chain.Result, chain.Reason));
        var set = Assert.Single(chain.Sets);
        Assert.Equal("example.test", set.Seal.Domain);
        Assert.Contains(set.Results!.Results, result => result is { Method: "dmarc", Result: "pass" });
        Assert.Equal(["origin.test ed25519-sha256 pass"], await VerdictsAsync(left, zone)); // and the author's own signature still holds
    }

    [Fact]
    public async Task A_notice_that_is_passed_on_is_sealed_too()
    {
        await StartAsync();
        var zone = await KeysAsync();
        (await server.CliAsync("policy", "set", Anna, "forward", "anna@elsewhere.test")).Succeeded();
        await Letter.SendAsync(server.Smtp, "", Anna, Letter.Text("postmaster@origin.test", Anna, "undelivered"));
        using var message = new SignedMessage(await LeftAsync());
        var chain = await new ArcVerifier(new DkimKeys(zone)).VerifyAsync(message, DateTimeOffset.UtcNow, default);
        Assert.Equal((AuthResult.Pass, "example.test"), (chain.Result, Assert.Single(chain.Sets).Seal.Domain));
        Assert.Equal("<>", peer.Mails[0].From.Split(' ')[0]);
    }

    [Fact]
    public async Task Signing_can_be_switched_off()
    {
        await StartAsync("dkim: {sign: no}");
        await SubmitAsync("far@elsewhere.test", Letter.Text(Anna, "far@elsewhere.test", "plain"));
        Assert.DoesNotContain("DKIM-Signature", Encoding.UTF8.GetString(await LeftAsync()));
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
        await peer.DisposeAsync();
        dns.Dispose();
    }
}
