using System.Text;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>What breaks servers: too long, too many, too slow, half. Each ends in a clear error and a server that goes on.</summary>
public class BadInputTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private readonly TestServer server = fixture.Server;

    private async Task StillServesAsync()
    {
        Assert.True(server.IsRunning, server.Log);
        await Letter.SendAsync(server.Smtp, "stranger@example.org", ServerFixture.Boris, Letter.Text("stranger@example.org", ServerFixture.Boris, "alive"));
        Assert.True(await Letter.CountAsync(server.Imap, ServerFixture.Boris) > 0);
        Assert.DoesNotContain("   at CbaMail.", server.Log);
    }

    [Fact]
    public async Task Smtp_refuses_a_line_that_never_ends()
    {
        await using var client = await WireClient.SmtpHelloAsync(server.Smtp);
        await client.SendAsync("MAIL FROM:<" + new string('a', 5000) + "@example.org>\r\n");
        Assert.StartsWith("5", await client.ReplyAsync());
        await StillServesAsync();
    }

    [Fact]
    public async Task Smtp_bounds_a_line_of_megabytes()
    {
        await using var client = await WireClient.SmtpHelloAsync(server.Smtp);
        var junk = Encoding.ASCII.GetBytes(new string('x', 65536));
        try
        {
            for (var i = 0; i < 200; i++) await client.SendAsync(junk);
            await client.SendAsync("\r\n");
            Assert.StartsWith("5", await client.ReplyAsync());
        }
        catch (IOException)
        {
            // hung up in the middle: as good
        }
        await StillServesAsync();
    }

    [Fact]
    public async Task Smtp_stops_at_too_many_recipients_and_delivers_to_those_it_took()
    {
        await using var client = await WireClient.SmtpHelloAsync(server.Smtp);
        await client.SmtpAsync("MAIL FROM:<stranger@example.org>", "250");
        var refused = 0;
        var batch = new StringBuilder();
        for (var i = 0; i < 2000; i++) batch.Append($"RCPT TO:<anna+{i}@example.test>\r\n");
        var sending = client.SendAsync(batch.ToString());
        for (var i = 0; i < 2000; i++)
            if ((await client.ReplyAsync()).StartsWith("452", StringComparison.Ordinal)) refused++;
        await sending;
        Assert.InRange(refused, 0, 1900);       // RFC 5321 4.5.3.1.8: at least 100 are taken
        await client.SmtpAsync("DATA", "354");
        await client.SendAsync("Subject: many\r\n\r\nx\r\n");
        await client.SmtpAsync(".", "250");
        await StillServesAsync();
    }

    [Theory]
    [InlineData("\n.\n")]
    [InlineData("\n.\r\n")]
    [InlineData("\r\n.\n")]
    [InlineData("\r.\r")]
    [InlineData("\r\n.\r")]
    public async Task Only_crlf_dot_crlf_ends_a_message(string end)
    {
        await using var client = await WireClient.SmtpHelloAsync(server.Smtp);
        await client.SmtpAsync("MAIL FROM:<stranger@example.org>", "250");
        await client.SmtpAsync("RCPT TO:<anna@example.test>", "250");
        await client.SmtpAsync("DATA", "354");
        await client.SendAsync($"Subject: smuggled\r\n\r\nfirst{end}MAIL FROM:<evil@example.org>\r\nRCPT TO:<boris@example.test>\r\nDATA\r\nSubject: second\r\n\r\nx\r\n.\r\n");
        // one message and one reply only, whatever it is; what follows is the NOOP's
        Assert.StartsWith("5", await client.ReplyAsync());      // RFC 5321 2.3.8: bare CR and LF are refused
        if (!await TryNoopAsync(client)) return;
        Assert.DoesNotContain(await Letter.AllAsync(server.Imap, ServerFixture.Boris), m => m.Contains("Subject: second", StringComparison.Ordinal));
    }

    private static async Task<bool> TryNoopAsync(WireClient client)
    {
        try
        {
            return (await client.SmtpAsync("NOOP")).StartsWith("250", StringComparison.Ordinal);
        }
        catch (EndOfStreamException)
        {
            return false;
        }
        catch (IOException)
        {
            return false;
        }
    }

    [Fact]
    public async Task A_header_of_megabytes_is_taken_or_refused_but_never_fatal()
    {
        await using var client = await WireClient.SmtpHelloAsync(server.Smtp);
        await client.SmtpAsync("MAIL FROM:<stranger@example.org>", "250");
        await client.SmtpAsync("RCPT TO:<anna@example.test>", "250");
        await client.SmtpAsync("DATA", "354");
        var line = "X-Long: " + new string('y', 900) + "\r\n";
        await client.SendAsync(string.Concat(Enumerable.Repeat(line, 5000)) + "\r\nbody\r\n.\r\n");
        Assert.Matches("^(250|55[0-9])", await client.ReplyAsync());
        await StillServesAsync();
    }

    [Fact]
    public async Task A_message_above_the_announced_size_is_refused_and_the_session_goes_on()
    {
        await using var client = await WireClient.ConnectAsync(server.Smtp);
        await client.ReplyAsync();
        var hello = await client.SmtpAsync("EHLO client.example.org");
        var size = long.Parse(hello.Split('\n').First(l => l.Contains("SIZE ", StringComparison.Ordinal)).Split(' ')[1], null);
        await client.SmtpAsync($"MAIL FROM:<stranger@example.org> SIZE={size + 1}", "552");
        await client.SmtpAsync($"MAIL FROM:<stranger@example.org> SIZE={size}", "250");
    }

    [Fact]
    public async Task Imap_refuses_an_oversized_literal_before_it_is_sent()
    {
        await using var client = await WireClient.ImapLoginAsync(server.Imap, ServerFixture.Anna);
        await client.SendLineAsync("a1 APPEND INBOX {99999999999}");
        Assert.Matches("^a1 (NO|BAD)", await client.ReadLineAsync());
        await client.SendLineAsync("a2 LOGIN {4000000000}");
        Assert.Matches("^a2 (NO|BAD)|^\\* BYE", await client.ReadLineAsync());
        await StillServesAsync();
    }

    [Fact]
    public async Task Imap_bounds_a_line_before_sign_in()
    {
        await using var client = await WireClient.ConnectAsync(server.Imap);
        await client.ReadLineAsync();
        var junk = Encoding.ASCII.GetBytes(new string('x', 65536));
        try
        {
            for (var i = 0; i < 200; i++) await client.SendAsync(junk);
            await client.SendAsync("\r\n");
            Assert.Matches("BAD|BYE", await client.ReadLineAsync() ?? "BYE");
        }
        catch (IOException)
        {
            // hung up in the middle: as good
        }
        await StillServesAsync();
    }

    [Theory]
    [InlineData("a1 FETCH\r\n")]
    [InlineData("a1\r\n")]
    [InlineData("\r\n")]
    [InlineData("* * *\r\n")]
    [InlineData("a1 LOGIN \"unclosed\r\n")]
    [InlineData("a1 SEARCH ((((((((((((((((((((\r\n")]
    [InlineData("a1 NOOP \0\u0001\r\n")]
    [InlineData("a1 AUTHENTICATE PLAIN !!!!\r\n")]
    [InlineData("a1 STORE 99999999999999999999 FLAGS (\\Seen)\r\n")]
    public async Task Imap_answers_nonsense_with_bad_and_goes_on(string nonsense)
    {
        await using var client = await WireClient.ConnectAsync(server.Imap);
        await client.ReadLineAsync();
        await client.SendAsync(nonsense);
        Assert.Matches("BAD|NO", await client.ReadLineAsync());
        await client.ImapAsync("NOOP", "OK");
    }

    [Fact]
    public async Task Search_nesting_is_bounded()
    {
        await using var client = await WireClient.ImapLoginAsync(server.Imap, ServerFixture.Anna);
        await client.ImapAsync("SELECT INBOX", "OK");
        var deep = "SEARCH " + string.Concat(Enumerable.Repeat("NOT ", 3000)) + "ALL";
        Assert.Matches("^(BAD|NO|OK)", (await client.ImapAsync(deep))[^1]);
        deep = "SEARCH " + new string('(', 3000) + "ALL" + new string(')', 3000);
        Assert.Matches("^(BAD|NO|OK)", (await client.ImapAsync(deep))[^1]);
        await StillServesAsync();
    }

    [Fact]
    public async Task Half_open_and_silent_connections_disturb_nobody()
    {
        var open = new List<WireClient>();
        for (var i = 0; i < 200; i++)
        {
            var client = await WireClient.ConnectAsync(i % 2 == 0 ? server.Smtp : server.Imap);
            open.Add(client);
            if (i % 4 == 0) await client.SendAsync("EH");
        }
        var tls = await WireClient.ConnectAsync(server.Imaps);      // never begins its handshake
        await StillServesAsync();
        foreach (var client in open.Take(100)) client.Reset();
        await StillServesAsync();
        foreach (var client in open.Skip(100).Append(tls)) await client.DisposeAsync();
    }

    [Fact]
    public async Task A_client_that_vanishes_within_data_leaves_nothing_behind()
    {
        var before = await Letter.CountAsync(server.Imap, ServerFixture.Anna);
        for (var i = 0; i < 10; i++)
        {
            var client = await WireClient.SmtpHelloAsync(server.Smtp);
            await client.SmtpAsync("MAIL FROM:<stranger@example.org>", "250");
            await client.SmtpAsync("RCPT TO:<anna@example.test>", "250");
            await client.SmtpAsync("DATA", "354");
            await client.SendAsync("Subject: half\r\n\r\n" + new string('z', 300_000));
            client.Reset();
        }
        await StillServesAsync();
        Assert.Equal(before, await Letter.CountAsync(server.Imap, ServerFixture.Anna));
    }

    [Fact]
    public async Task Garbage_instead_of_tls_is_dropped()
    {
        await using var client = await WireClient.ConnectAsync(server.Submissions);
        await client.SendAsync("EHLO I am not TLS\r\n\r\n");
        _ = await client.ReadLineAsync();
        await StillServesAsync();
    }
}
