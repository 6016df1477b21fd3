using System.Text;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>The tricks by which strangers have made servers relay for them, from outside, on ports 25 and 587 without sign-in.</summary>
public class OpenRelayTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private readonly TestServer server = fixture.Server;

    public static TheoryData<string, string> Tricks => new()
    {
        { "stranger@example.org", "victim@example.net" },
        { "", "victim@example.net" },
        { "anna@example.test", "victim@example.net" },                      // our own sender, forged
        { "anna@[127.0.0.1]", "victim@example.net" },
        { "stranger@example.org", "victim%example.net@example.test" },      // the %-hack
        { "stranger@example.org", "victim%example.net@[127.0.0.1]" },
        { "stranger@example.org", "victim%example.net" },
        { "stranger@example.org", "victim@example.net@example.test" },
        { "stranger@example.org", "\"victim@example.net\"@example.test" },  // quoted local parts
        { "stranger@example.org", "\"victim@example.net\"" },
        { "stranger@example.org", "\"victim%example.net\"@example.test" },
        { "stranger@example.org", "@example.test:victim@example.net" },     // source routes
        { "stranger@example.org", "@example.net:victim@example.test" },
        { "stranger@example.org", "@example.test,@example.net:victim@example.net" },
        { "stranger@example.org", "example.net!victim" },                   // UUCP
        { "stranger@example.org", "example.net!victim@example.test" },
        { "stranger@example.org", "victim@[203.0.113.7]" },                 // literals
        { "stranger@example.org", "victim@[127.0.0.1]" },
        { "stranger@example.org", "victim@[IPv6:::1]" },
        { "stranger@example.org", "victim@localhost" },
        { "stranger@example.org", "victim@" },                              // empty domains
        { "stranger@example.org", "victim" },
        { "stranger@example.org", "victim@example.test." },
        { "stranger@example.org", "victim@.example.test" },
        { "stranger@example.org", "victim@sub.example.test" },
        { "stranger@example.org", "victim@example.test.example.net" },
        { "stranger@example.org", "anna@example.test@example.net" },
        { "stranger@example.org", "anna@example.test\0@example.net" },
        { "stranger@example.org", "anna@example.test@" },
        { "stranger@example.org", "anna+x@example.net" },
    };

    [Theory]
    [MemberData(nameof(Tricks))]
    public async Task Nobody_relays_through_us(string from, string to)
    {
        await using var client = await WireClient.SmtpHelloAsync(server.Smtp);
        var sender = await client.SmtpAsync($"MAIL FROM:<{from}>");
        if (sender[0] == '2') Assert.Equal('5', (await client.SmtpAsync($"RCPT TO:<{to}>"))[0]);
        Assert.Equal('5', (await client.SmtpAsync("DATA"))[0]);
    }

    [Theory]
    [MemberData(nameof(Tricks))]
    public async Task Nobody_submits_without_signing_in(string from, string to)
    {
        await using var client = await WireClient.SmtpHelloAsync(server.Submission);
        await client.SmtpAsync("STARTTLS", "220");
        await client.StartTlsAsync();
        await client.SmtpAsync("EHLO client.example.org", "250");
        await client.SmtpAsync($"MAIL FROM:<{from}>", "5");
        await client.SmtpAsync($"RCPT TO:<{to}>", "5");
    }

    [Fact]
    public async Task A_local_recipient_does_not_open_the_door_for_a_strange_one()
    {
        await using var client = await WireClient.SmtpHelloAsync(server.Smtp);
        await client.SmtpAsync("MAIL FROM:<stranger@example.org>", "250");
        await client.SmtpAsync("RCPT TO:<anna@example.test>", "250");
        await client.SmtpAsync("RCPT TO:<victim@example.net>", "550");
        await client.SmtpAsync("DATA", "354");
        await client.SendAsync("Subject: one\r\n\r\nx\r\n");
        await client.SmtpAsync(".", "250");
        Assert.Equal("[]", (await server.CliAsync("queue", "list", "--json")).Succeeded().Output.Trim());
    }

    [Fact]
    public async Task Postmaster_is_always_heard()
    {
        (await server.CliAsync("account", "add", "chief@example.test", "--role", "admin", "--generate")).Succeeded();
        await using var client = await WireClient.SmtpHelloAsync(server.Smtp);
        await client.SmtpAsync("MAIL FROM:<>", "250");
        foreach (var to in new[] { "postmaster", "Postmaster", "postmaster@example.test" })     // RFC 5321 4.5.1
            Assert.StartsWith("250", await client.SmtpAsync($"RCPT TO:<{to}>"));
    }

    [Fact]
    public async Task Outside_the_evaluation_profile_nobody_signs_in_in_clear_text()
    {
        await using var real = await TestServer.StartAsync("hostname: mail.example.test", evaluation: false);
        await real.AddAccountsAsync("anna@example.test");
        await using var client = await WireClient.ConnectAsync(real.Submission);
        await client.ReplyAsync();
        Assert.DoesNotContain("AUTH", await client.SmtpAsync("EHLO client.example.org"));
        Assert.StartsWith("5", await client.SmtpAsync("AUTH PLAIN AGFubmFAZXhhbXBsZS50ZXN0AHBhc3Mtd29yZCAx"));
        await using var imap = await WireClient.ConnectAsync(real.Imap);
        await imap.ReadLineAsync();
        Assert.Contains("LOGINDISABLED", string.Join(' ', await imap.ImapAsync("CAPABILITY")));
        Assert.StartsWith("NO", (await imap.ImapAsync($"LOGIN anna@example.test \"{TestServer.Password}\""))[^1]);
        await using var secure = await WireClient.ConnectAsync(real.Imaps, tls: true);
        await secure.ReadLineAsync();
        await secure.ImapAsync($"LOGIN anna@example.test \"{TestServer.Password}\"", "OK");
    }

    [Theory]
    [InlineData(null, "boris@example.test", "250", "550")]     // the profile's default: whatever reverse-path of the own domain
    [InlineData(null, "office@example.test", "250", "250")]
    [InlineData(null, "anna@example.org", "550", "550")]
    [InlineData("smtp: {sender-must-own: yes}", "boris@example.test", "550", "550")]
    [InlineData("smtp: {sender-must-own: yes}", "office@example.test", "550", "550")]
    [InlineData("smtp: {sender-must-own: yes}", "anna@example.org", "550", "550")]
    public async Task Nobody_sends_in_a_name_that_is_not_theirs(string? configuration, string sender, string reply, string end)
    {
        await using var own = await TestServer.StartAsync(configuration);
        await own.AddAccountsAsync("anna@example.test", "boris@example.test");
        await using var client = await WireClient.SmtpHelloAsync(own.Submission);
        await client.SmtpAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0anna@example.test\0{TestServer.Password}")), "235");
        await client.SmtpAsync($"MAIL FROM:<{sender}>", reply);
        await client.SmtpAsync("RSET", "250");
        await client.SmtpAsync("MAIL FROM:<anna@example.test>", "250");
        await client.SmtpAsync("RCPT TO:<boris@example.test>", "250");
        await client.SmtpAsync("DATA", "354");
        await client.SendAsync($"From: {sender}\r\n\r\n");
        await client.SmtpAsync(".", end);
    }

    [Fact]
    public async Task Bytes_sent_before_the_handshake_are_never_run()
    {
        await using var client = await WireClient.SmtpHelloAsync(server.Submission);
        await client.SendAsync("STARTTLS\r\nMAIL FROM:<anna@example.test>\r\n");     // RFC 3207 4.2
        if ((await client.ReplyAsync())[0] == '5') return;      // refusing is as good as throwing away
        try
        {
            await client.StartTlsAsync();
        }
        catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
        {
            return;     // feeding them to the handshake is as good as throwing them away
        }
        await client.SmtpAsync("NOOP", "250");
    }
}
