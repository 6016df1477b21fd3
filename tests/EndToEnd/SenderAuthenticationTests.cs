using System.Text;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Arc;
using CbaMail.MailAuth.Dkim;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>What arriving mail proves of its sender, with DNS over a real socket, and what becomes of it.</summary>
public sealed class SenderAuthenticationTests : IAsyncDisposable
{
    const string Anna = "anna@example.test", Good = "192.0.2.10", Bad = "198.51.100.66";
    static readonly DkimPrivateKey rsa = DkimPrivateKey.Create(DkimAlgorithm.RsaSha256), ed25519 = DkimPrivateKey.Create(DkimAlgorithm.Ed25519Sha256);
    readonly ZonePeer dns = new();
    TestServer server = null!;

    async Task StartAsync(string more = "")
    {
        dns.Text("bank.test", "v=spf1 ip4:192.0.2.0/24 -all").Text("_dmarc.bank.test", "v=DMARC1; p=reject; adkim=s")
            .Text("r._domainkey.bank.test", rsa.Record()).Text("e._domainkey.bank.test", ed25519.Record())
            .Text("shop.test", "v=spf1 ip4:192.0.2.0/24 -all").Text("_dmarc.shop.test", "v=DMARC1; p=quarantine")
            .Text("plain.test", "v=spf1 -all exp=why.plain.test").Text("why.plain.test", "%{i} is not ours")
            .Text("r._domainkey.google.com", rsa.Record()).Text("r._domainkey.sealer.test", rsa.Record());
        server = await TestServer.StartAsync($$"""
            listeners: {smtp: proxy}
            dns: {servers: ["{{dns.Address}}"]}
            {{more}}
            """);
        await server.AddAccountsAsync(Anna);
    }

    async Task<string> SendAsync(string client, string sender, string text, string to = Anna)
    {
        await using var wire = await WireClient.ConnectAsync(server.Smtp);
        await wire.SendAsync($"PROXY TCP4 {client} 198.51.100.25 4000 25\r\n");
        await wire.ReplyAsync();
        await wire.SmtpAsync("EHLO mail.bank.test", "250");
        await wire.SmtpAsync($"MAIL FROM:<{sender}>", "250");
        await wire.SmtpAsync($"RCPT TO:<{to}>", "250");
        await wire.SmtpAsync("DATA", "354");
        await wire.SendAsync(text);
        return await wire.SmtpAsync(".");
    }

    static string Letter(string from, string more = "") => $"{more}From: {from}\r\nTo: {Anna}\r\nSubject: hello\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@bank.test>\r\n\r\nText.\r\n";

    static string Signed(string text, string domain, params (string Selector, DkimPrivateKey Key)[] keys)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var signer = new DkimSigner([.. keys.Select(key => new SigningIdentity(domain, key.Selector, key.Key))], new SigningRules());
        return Encoding.UTF8.GetString(signer.Sign(bytes, DateTimeOffset.UtcNow)) + text;
    }

    static string Flat(string message) => message.ReplaceLineEndings("").Replace("\t", " ", StringComparison.Ordinal);

    async Task<string> OnlyAsync(string mailbox = "INBOX") => Flat(Assert.Single(await EndToEnd.Letter.AllAsync(server.Imap, Anna, mailbox)));

    [Fact]
    public async Task Good_mail_is_marked_so_and_forged_marks_are_gone()
    {
        await StartAsync();
        var forged = "Authentication-Results: MAIL.Example.test (x) 1; spf=pass; dmarc=pass header.from=president.test\r\nAuthentication-Results: other.test; spf=pass\r\n";
        Assert.StartsWith("250", await SendAsync(Good, "clerk@bank.test", Signed(Letter("clerk@bank.test", forged), "bank.test", ("r", rsa), ("e", ed25519))));
        var got = await OnlyAsync();
        Assert.Contains("Authentication-Results: mail.example.test; spf=pass smtp.mailfrom=clerk@bank.test; dkim=pass header.d=bank.test header.s=r header.a=rsa-sha256", got);
        Assert.Contains("dkim=pass header.d=bank.test header.s=e header.a=ed25519-sha256", got);
        Assert.Contains("dmarc=pass (p=reject dis=none) header.from=bank.test", got);
        Assert.Equal(2, got.Split("header.b=").Length - 1); // which of the two is meant
        Assert.DoesNotContain("president", got);
        Assert.Contains("Authentication-Results: other.test; spf=pass", got);
    }

    [Fact]
    public async Task Who_only_guesses_names_sets_no_look_ups_going()
    {
        await StartAsync();
        await using var wire = await WireClient.ConnectAsync(server.Smtp);
        await wire.SendAsync($"PROXY TCP4 {Good} 198.51.100.25 4000 25\r\n");
        await wire.ReplyAsync();
        await wire.SmtpAsync("EHLO mail.bank.test", "250");
        for (var i = 0; i < 5; i++)
        {
            await wire.SmtpAsync($"MAIL FROM:<x@guess{i}.bank.test>", "250");
            await wire.SmtpAsync($"RCPT TO:<nobody{i}@example.test>", "550");
            await wire.SmtpAsync("RSET", "250");
        }
        Assert.False(dns.WasAsked(name => name.StartsWith("guess", StringComparison.OrdinalIgnoreCase)));
        await wire.SmtpAsync("MAIL FROM:<x@known.bank.test>", "250");
        await wire.SmtpAsync($"RCPT TO:<{Anna}>", "250");
        await Wait.UntilAsync(() => dns.WasAsked(name => name.StartsWith("known.bank.test", StringComparison.OrdinalIgnoreCase)), "SPF is asked");
    }

    [Fact]
    public async Task Mail_that_its_domain_disowns_is_refused()
    {
        await StartAsync();
        Assert.StartsWith("550 5.7.1 bank.test asks to refuse", await SendAsync(Bad, "clerk@bank.test", Letter("clerk@bank.test")));
        // a strict signature of another domain, and a broken one, prove nothing
        Assert.StartsWith("550 5.7.1", await SendAsync(Bad, "x@sealer.test", Signed(Letter("clerk@bank.test"), "sealer.test", ("r", rsa))));
        Assert.StartsWith("550 5.7.1", await SendAsync(Bad, "clerk@bank.test", Signed(Letter("clerk@bank.test"), "bank.test", ("r", rsa)).Replace("Text.", "Test.", StringComparison.Ordinal)));
        // a signature alone is enough, whoever brings it
        Assert.StartsWith("250", await SendAsync(Bad, "list@elsewhere.test", Signed(Letter("clerk@bank.test"), "bank.test", ("e", ed25519))));
        Assert.Contains("dmarc=pass", await OnlyAsync());
    }

    [Fact]
    public async Task Mail_to_be_quarantined_goes_to_junk_and_a_domain_here_may_say_otherwise()
    {
        await StartAsync();
        Assert.StartsWith("250", await SendAsync(Bad, "x@shop.test", Letter("x@shop.test")));
        Assert.Contains("spf=fail smtp.mailfrom=x@shop.test; dkim=none; dmarc=fail (p=quarantine dis=quarantine) header.from=shop.test", await OnlyAsync("Junk"));
        Assert.Contains("X-Junk-Reason: junk by AuthenticationCheck: shop.test disowns it by DMARC", await OnlyAsync("Junk"));
        Assert.Contains("shop.test disowns it by DMARC", (await server.CliAsync("message", "trace", "x@shop.test")).Succeeded().Output);
        (await server.CliAsync("policy", "set", "example.test", "dmarc", "ignore")).Succeeded();
        Assert.StartsWith("250", await SendAsync(Bad, "clerk@bank.test", Letter("clerk@bank.test")));
        Assert.Contains("dmarc=fail (p=reject dis=none)", await OnlyAsync());
        (await server.CliAsync("policy", "set", "example.test", "dmarc", "junk")).Succeeded();
        Assert.StartsWith("250", await SendAsync(Bad, "clerk@bank.test", Letter("clerk@bank.test")));
        Assert.Equal(2, await EndToEnd.Letter.CountAsync(server.Imap, Anna, "Junk"));
    }

    [Theory]
    [InlineData("google.com", "dmarc=pass", true)]
    [InlineData("google.com", "dmarc=fail", false)]
    [InlineData("sealer.test", "dmarc=pass", false)]
    public async Task A_trusted_seal_spares_forwarded_mail(string sealer, string seen, bool spared)
    {
        await StartAsync();
        var forwarded = Encoding.UTF8.GetBytes($"Authentication-Results: mx.{sealer}; {seen} header.from=bank.test\r\n" + Letter("clerk@bank.test"));
        var set = new ArcSealer("mx." + sealer, new SigningIdentity(sealer, "r", rsa)).Seal(forwarded, new ArcVerdict(AuthResult.None, "", []), DateTimeOffset.UtcNow);
        var reply = await SendAsync(Bad, "x@elsewhere.test", string.Concat(set) + Encoding.UTF8.GetString(forwarded));
        Assert.StartsWith(spared ? "250" : "550 5.7.1", reply);
        if (spared) Assert.Contains("arc=pass header.oldest-pass=0 smtp.remote-ip=198.51.100.66; dmarc=fail (p=reject dis=none arc=google.com)", await OnlyAsync());
    }

    [Fact]
    public async Task What_a_stranger_wrote_below_a_trusted_seal_spares_nothing()
    {
        await StartAsync();
        // he makes a chain of his own that says it had passed, and has it forwarded by one that is trusted, who says what he saw
        var own = Encoding.UTF8.GetBytes("Authentication-Results: mx.sealer.test; dmarc=pass header.from=bank.test\r\n" + Letter("clerk@bank.test"));
        var first = string.Concat(new ArcSealer("mx.sealer.test", new SigningIdentity("sealer.test", "r", rsa)).Seal(own, new ArcVerdict(AuthResult.None, "", []), DateTimeOffset.UtcNow)) + Encoding.UTF8.GetString(own);
        var zone = new Formats.MailAuth.FixedZone().Txt("r._domainkey.sealer.test", rsa.Record());
        var arrived = Encoding.UTF8.GetBytes("Authentication-Results: mx.google.com; dmarc=fail header.from=bank.test\r\n" + first);
        using var message = new SignedMessage(arrived);
        var chain = await new ArcVerifier(new DkimKeys(zone)).VerifyAsync(message, DateTimeOffset.UtcNow, TestContext.Current.CancellationToken);
        Assert.Equal(AuthResult.Pass, chain.Result);
        var second = string.Concat(new ArcSealer("mx.google.com", new SigningIdentity("google.com", "r", rsa)).Seal(arrived, chain, DateTimeOffset.UtcNow)) + Encoding.UTF8.GetString(arrived);
        Assert.StartsWith("550 5.7.1", await SendAsync(Bad, "x@elsewhere.test", second));
    }

    [Fact]
    public async Task What_a_trusted_sealer_says_of_another_author_spares_nobody()
    {
        await StartAsync();
        var forwarded = Encoding.UTF8.GetBytes("Authentication-Results: mx.google.com; dmarc=pass header.from=sealer.test\r\n" + Letter("clerk@bank.test"));
        var set = new ArcSealer("mx.google.com", new SigningIdentity("google.com", "r", rsa)).Seal(forwarded, new ArcVerdict(AuthResult.None, "", []), DateTimeOffset.UtcNow);
        Assert.StartsWith("550 5.7.1", await SendAsync(Bad, "x@elsewhere.test", string.Concat(set) + Encoding.UTF8.GetString(forwarded)));
    }

    [Theory]
    [InlineData("From: x@sealer.test\r\nFrom: y@sealer.test\r\n", "550 5.7.1 The message has several From fields")]
    [InlineData("From: x@sealer.test\r\nno field\r\nFrom: clerk@bank.test\r\n", "550 5.7.1")]
    [InlineData("no field\r\nFrom: clerk@bank.test\r\n", "550 5.7.1 bank.test asks")]
    [InlineData("From: \"clerk@bank.test\" <>\r\n", "550 5.7.1 bank.test asks")]
    [InlineData("From: a@1.test,a@2.test,a@3.test,a@4.test,a@5.test,a@6.test,a@7.test,a@8.test,a@9.test,a@10.test,clerk@bank.test\r\n", "550 5.7.1")]
    public async Task An_author_cannot_be_hidden(string from, string reply)
    {
        await StartAsync();
        Assert.StartsWith(reply, await SendAsync(Bad, "x@sealer.test", $"{from}Subject: hello\r\n\r\nText.\r\n"));
    }

    [Fact]
    public async Task A_header_that_breaks_off_is_ended_where_it_was_read()
    {
        await StartAsync();
        Assert.StartsWith("250", await SendAsync(Good, "x@bank.test", "From: x@bank.test\r\nno field\r\nAuthentication-Results: mail.example.test; dmarc=pass header.from=king.test\r\n\r\nText.\r\n"));
        Assert.Contains("From: x@bank.test\r\n\r\nno field\r\nAuthentication-Results: mail.example.test", Assert.Single(await EndToEnd.Letter.AllAsync(server.Imap, Anna)));
    }

    [Theory]
    [InlineData("authentication: {verify: no}")]
    public async Task Where_nothing_is_judged_nobody_else_judges_in_our_name(string settings)
    {
        await StartAsync(settings);
        Assert.StartsWith("250", await SendAsync(Bad, "x@bank.test", Letter("x@bank.test", "Authentication-Results: mail.example.test; dmarc=pass\r\nAuthentication-Results: other.test; spf=pass\r\n")));
        var got = await OnlyAsync();
        Assert.DoesNotContain("dmarc=pass", got);
        Assert.Contains("Authentication-Results: other.test", got);
    }

    [Theory]
    [InlineData("", "250", "INBOX")]
    [InlineData("authentication: {spf-fail: junk}", "250", "Junk")]
    [InlineData("authentication: {spf-fail: refuse}", "550 5.7.23 198.51.100.66 may not send mail of plain.test (SPF); plain.test explains: 198.51.100.66 is not ours", null)]
    public async Task A_fail_of_SPF_alone_is_taken_as_configured(string settings, string reply, string? mailbox)
    {
        await StartAsync(settings);
        Assert.StartsWith(reply, await SendAsync(Bad, "x@plain.test", Letter("x@plain.test")));
        if (mailbox is not null) Assert.Contains("spf=fail smtp.mailfrom=x@plain.test", await OnlyAsync(mailbox));
    }

    [Fact]
    public async Task Dns_that_does_not_answer_refuses_nothing()
    {
        await StartAsync("authentication: {timeout: 1s}");
        dns.Dispose();
        Assert.StartsWith("250", await SendAsync(Bad, "clerk@bank.test", Letter("clerk@bank.test")));
        Assert.Contains("spf=temperror", await OnlyAsync());
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
        dns.Dispose();
    }
}
