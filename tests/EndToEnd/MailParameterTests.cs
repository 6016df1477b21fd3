using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>The parameters of MAIL about when a message goes, over sockets: FUTURERELEASE (RFC 4865), DELIVERBY (RFC 2852), MT-PRIORITY (RFC 6710).</summary>
[Trait("Category", "Slow")]
public sealed class MailParameterTests : IAsyncLifetime
{
    TestServer server = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync("""
            smtp:
              future-release: 1d
            """);
        await server.AddAccountsAsync("anna@example.test");
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    async Task<(WireClient Client, string Offered)> OpenAsync(int port)
    {
        var client = await WireClient.ConnectAsync(port);
        await client.ReplyAsync();
        var offered = await client.SmtpAsync(port == server.Lmtp ? "LHLO me.test" : "EHLO me.test");
        if (port == server.Submission) await client.SmtpAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0anna@example.test\0{TestServer.Password}")), "235 ");
        return (client, offered);
    }

    static string In(double seconds) => DateTimeOffset.UtcNow.AddSeconds(seconds).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Each_port_offers_what_it_takes()
    {
        var (submission, offered) = await OpenAsync(server.Submission);
        await using var _ = submission;
        Assert.Contains("DELIVERBY", offered, StringComparison.Ordinal);
        Assert.Contains("MT-PRIORITY MIXER", offered, StringComparison.Ordinal);
        var limits = Regex.Match(offered, @"FUTURERELEASE 86400 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)");
        Assert.True(limits.Success, offered);
        var last = DateTimeOffset.Parse(limits.Groups[1].Value, CultureInfo.InvariantCulture);
        Assert.InRange(last, DateTimeOffset.UtcNow.AddSeconds(86300), DateTimeOffset.UtcNow.AddSeconds(86400));
        // what is offered is taken, and not a second more (RFC 4865 4.2)
        await submission.SmtpAsync($"MAIL FROM:<anna@example.test> HOLDUNTIL={limits.Groups[1].Value}", "250 ");
        await submission.SmtpAsync("RSET", "250 ");
        await submission.SmtpAsync($"MAIL FROM:<anna@example.test> HOLDUNTIL={last.AddSeconds(1):yyyy-MM-dd'T'HH:mm:ss'Z'}", "501 5.5.4");

        var (relay, seen) = await OpenAsync(server.Smtp);
        await using var __ = relay;
        Assert.DoesNotContain("FUTURERELEASE", seen, StringComparison.Ordinal);
        await relay.SmtpAsync("MAIL FROM:<x@y.test> HOLDFOR=60", "555 5.5.4");
        await relay.SmtpAsync("MAIL FROM:<x@y.test> BY=60;R", "250 2.1.0");
        var (lmtp, told) = await OpenAsync(server.Lmtp);
        await using var ___ = lmtp;
        foreach (var word in (string[])["FUTURERELEASE", "DELIVERBY", "MT-PRIORITY"]) Assert.DoesNotContain(word, told, StringComparison.Ordinal);
        foreach (var word in (string[])["HOLDFOR=60", "BY=60;R", "MT-PRIORITY=1"]) await lmtp.SmtpAsync($"MAIL FROM:<x@y.test> {word}", "555 5.5.4");
    }

    [Fact]
    public async Task The_table_of_values()
    {
        var (client, _) = await OpenAsync(server.Submission);
        await using var __ = client;
        foreach (var (parameters, reply) in (IEnumerable<(string, string)>)
        [
            // RFC 4865 3, 4.2
            ("HOLDFOR=1", "250 2.1.0"), ("HOLDFOR=86400", "250 2.1.0"), ("HOLDFOR=86401", "501 5.5.4"), ("HOLDFOR=0", "501 5.5.4"), ("HOLDFOR=007", "501 5.5.4"), ("HOLDFOR=-1", "501 5.5.4"),
            ("HOLDFOR=1.5", "501 5.5.4"), ("HOLDFOR=", "501 5.5.4"), ("HOLDFOR", "501 5.5.4"), ("HOLDFOR=9999999999", "501 5.5.4"), ("HOLDFOR=+5", "501 5.5.4"), ("holdfor=5", "250 2.1.0"),
            ($"HOLDUNTIL={In(3600)}", "250 2.1.0"), ($"HOLDUNTIL={In(3600)[..^1]}.25Z", "250 2.1.0"), ($"HOLDUNTIL={In(3600).ToLowerInvariant()}", "250 2.1.0"), ($"HOLDUNTIL={In(90_000)}", "501 5.5.4"),
            ($"HOLDUNTIL={In(3600)[..^1]}+03:00", "501 5.5.4"), ($"HOLDUNTIL={In(3600)[..^1]}", "501 5.5.4"), ("HOLDUNTIL=tomorrow", "501 5.5.4"), ("HOLDUNTIL=2026-13-01T00:00:00Z", "501 5.5.4"),
            ("HOLDUNTIL=2026-02-30T00:00:00Z", "501 5.5.4"), ("HOLDUNTIL", "501 5.5.4"),
            ($"HOLDFOR=60 HOLDUNTIL={In(60)}", "501 5.5.4"), ("HOLDFOR=60 HOLDFOR=60", "501 5.5.4"),
            // RFC 4865 5.2.2, in either order
            ("HOLDFOR=60 BY=30;R", "501 5.5.4"), ("BY=30;N HOLDFOR=60", "501 5.5.4"), ("BY=90;R HOLDFOR=60", "250 2.1.0"), ($"HOLDUNTIL={In(3600)} BY=60;N", "501 5.5.4"), ("HOLDFOR=60 BY=-5;N", "501 5.5.4"),
            // RFC 2852 4
            ("BY=120;R", "250 2.1.0"), ("BY=+120;RT", "250 2.1.0"), ("BY=1;r", "250 2.1.0"), ("BY=999999999;N", "250 2.1.0"), ("BY=-999999999;NT", "250 2.1.0"), ("BY=0;N", "250 2.1.0"),
            ("BY=0;R", "501 5.5.4"), ("BY=-1;R", "501 5.5.4"), ("BY=-1;RT", "501 5.5.4"), ("BY=1000000000;N", "501 5.5.4"), ("BY=5", "501 5.5.4"), ("BY=5;", "501 5.5.4"), ("BY=;R", "501 5.5.4"),
            ("BY=5;X", "501 5.5.4"), ("BY=5;TR", "501 5.5.4"), ("BY=5;RN", "501 5.5.4"), ("BY=--5;N", "501 5.5.4"), ("BY", "501 5.5.4"), ("BY=5;R BY=6;R", "501 5.5.4"),
            // RFC 6710 4.1, 7
            ("MT-PRIORITY=0", "250 2.1.0"), ("MT-PRIORITY=9", "250 2.1.0"), ("MT-PRIORITY=-9", "250 2.1.0"), ("mt-priority=3", "250 2.1.0"), ("MT-PRIORITY=10", "501 5.5.2"), ("MT-PRIORITY=-0", "501 5.5.2"),
            ("MT-PRIORITY=+3", "501 5.5.2"), ("MT-PRIORITY=03", "501 5.5.2"), ("MT-PRIORITY=", "501 5.5."), ("MT-PRIORITY", "501 5.5.2"), ("MT-PRIORITY=x", "501 5.5.2"), ("MT-PRIORITY=1 MT-PRIORITY=1", "501 5.5."),
        ])
        {
            var told = await client.SmtpAsync($"MAIL FROM:<anna@example.test> {parameters}");
            Assert.True(told.StartsWith(reply, StringComparison.Ordinal), $"{parameters}: {told}, not {reply}");
            await client.SmtpAsync("RSET", "250 ");
        }
    }

    [Fact]
    public async Task A_stranger_may_step_back_but_not_forward_and_Received_says_what_it_came_to()
    {
        var (client, _) = await OpenAsync(server.Smtp);
        await using var __ = client;
        foreach (var (asked, reply, field) in (IEnumerable<(int, string, string?)>)[(5, "250 2.3.6 0 ", null), (-3, "250 2.1.0", "PRIORITY -3"), (0, "250 2.1.0", null)])
        {
            await client.SmtpAsync($"MAIL FROM:<x{asked}@y.test> MT-PRIORITY={asked}", reply);
            await client.SmtpAsync("RCPT TO:<anna@example.test>", "250 ");
            await client.SmtpAsync("DATA", "354 ");
            await client.SmtpAsync($"From: x{asked}@y.test\r\nSubject: {asked}\r\n\r\n.", "250 ");
        }
        await using var imap = await WireClient.ImapLoginAsync(server.Imap, "anna@example.test");
        await imap.ImapAsync("SELECT INBOX", "OK");
        var seen = string.Join('\n', await imap.ImapAsync("FETCH 1:* (BODY.PEEK[HEADER.FIELDS (Received)])", "OK"));
        Assert.Equal("PRIORITY -3", Assert.Single(Regex.Matches(seen, @"PRIORITY -?\d")).Value);
    }

    [Fact]
    public async Task What_is_to_wait_waits_and_its_time_is_kept_over_a_kill()
    {
        var (client, _) = await OpenAsync(server.Submission);
        await using (client)
        {
            await client.SmtpAsync("MAIL FROM:<anna@example.test> HOLDFOR=3600 BY=7200;NT MT-PRIORITY=4", "250 ");
            await client.SmtpAsync("RCPT TO:<anna@example.test>", "250 ");
            await client.SmtpAsync("DATA", "354 ");
            await client.SmtpAsync("From: anna@example.test\r\nSubject: later\r\n\r\n.", "250 ");
        }
        var before = (await server.CliAsync("queue", "list", "--json")).Output;
        Assert.Contains("scheduled", before, StringComparison.Ordinal);
        await server.KillAsync();
        await server.StartAgainAsync();
        var after = (await server.CliAsync("queue", "list", "--json")).Output;
        Assert.Equal(before, after);
        Assert.Contains("\"priority\": 4", after.Replace("\"priority\":4", "\"priority\": 4", StringComparison.Ordinal), StringComparison.Ordinal);
    }
}
