using System.Text;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>Every port behind a proxy that speaks the PROXY protocol: the client's own address counts, and nobody comes in without a header.</summary>
public class ProxyProtocolTests(ProxyProtocolTests.Behind fixture) : IClassFixture<ProxyProtocolTests.Behind>
{
    public sealed class Behind : ServerFixture
    {
        protected override string Configuration => """
            listeners: {smtp: proxy, submission: proxy, submissions: proxy, lmtp: proxy, imap: proxy, imaps: proxy, pop3: proxy, pop3s: proxy, http: proxy, https: proxy}
            limits:
              connections-per-address: 3
            """;
    }

    private readonly TestServer server = fixture.Server;

    private static string One(string client) => client.Contains(':') ? $"PROXY TCP6 {client} 2001:db8::25 4000 25\r\n" : $"PROXY TCP4 {client} 198.51.100.25 4000 25\r\n";

    // version 2 for 203.0.113.9:4660
    private static readonly byte[] Two = Convert.FromHexString("0d0a0d0a000d0a515549540a" + "2111" + "000c" + "cb007109" + "c6336419" + "1234" + "0019");

    [Theory]
    [InlineData("192.0.2.77", "[192.0.2.77]")]
    [InlineData("2001:db8::77", "[IPv6:2001:db8::77]")]
    public async Task Received_names_the_client(string client, string literal)
    {
        await using var wire = await WireClient.ConnectAsync(server.Smtp);
        await wire.SendAsync(One(client));
        Assert.StartsWith("220", await wire.ReplyAsync());
        await wire.SmtpAsync("EHLO client.example.org", "250");
        await SendAsync(wire, "by version 1 " + client);
        Assert.Contains(literal, await ReceivedAsync("by version 1 " + client));
    }

    [Fact]
    public async Task A_header_of_version_2_may_come_octet_by_octet_and_with_the_first_command_behind_it()
    {
        await using var wire = await WireClient.ConnectAsync(server.Smtp);
        foreach (var octet in Two) await wire.SendAsync(new[] { octet });
        Assert.StartsWith("220", await wire.ReplyAsync());
        await wire.SmtpAsync("EHLO client.example.org", "250");
        await SendAsync(wire, "by version 2");
        Assert.Contains("[203.0.113.9]", await ReceivedAsync("by version 2"));

        await using var hasty = await WireClient.ConnectAsync(server.Smtp);
        await hasty.SendAsync((byte[])[.. Two, .. "QUIT\r\n"u8]);
        Assert.StartsWith("220", await hasty.ReplyAsync());
        Assert.StartsWith("221", await hasty.ReplyAsync());
    }

    [Fact]
    public async Task Local_is_the_proxy_itself()
    {
        await using var wire = await WireClient.ConnectAsync(server.Smtp);
        await wire.SendAsync(Convert.FromHexString("0d0a0d0a000d0a515549540a" + "2000" + "0000"));
        Assert.StartsWith("220", await wire.ReplyAsync());
        await wire.SmtpAsync("EHLO client.example.org", "250");
        await SendAsync(wire, "by the proxy");
        Assert.Contains("[127.0.0.1]", await ReceivedAsync("by the proxy"));
    }

    [Fact]
    public async Task Limits_by_address_count_the_client_not_the_proxy()
    {
        List<WireClient> open = [];
        for (var i = 0; i < 5; i++)
        {
            open.Add(await WireClient.ConnectAsync(server.Smtp));
            await open[i].SendAsync(One("192.0.2.9"));
            Assert.StartsWith(i < 3 ? "220" : "421", await open[i].ReplyAsync());
        }
        open.Add(await WireClient.ConnectAsync(server.Smtp));
        await open[5].SendAsync(One("192.0.2.10"));
        Assert.StartsWith("220", await open[5].ReplyAsync());
        foreach (var wire in open) await wire.DisposeAsync();
    }

    [Theory]
    [InlineData("EHLO client.example.org\r\n")]
    [InlineData("PROXY TCP4 192.0.2.300 198.51.100.25 4000 25\r\n")]
    [InlineData("PROXY TCP4 ")]                                           // and silence
    [InlineData("")]
    public async Task Without_a_header_nobody_is_served(string first)
    {
        int[] ports = [server.Smtp, server.Submission, server.Submissions, server.Lmtp, server.Imap, server.Imaps, server.Pop3, server.Pop3s, server.Http, server.Https];
        await Task.WhenAll(ports.Select(async port =>
        {
            await using var wire = await WireClient.ConnectAsync(port);
            if (first.Length > 0) await wire.SendAsync(first);
            Assert.True(await wire.IsClosedAsync(), $"port {port} answers {first}");
        }));
        await Wait.UntilAsync(() => server.Log.Contains("behind the PROXY protocol", StringComparison.Ordinal), "the log says why");
    }

    [Fact]
    public async Task Tls_follows_the_header()
    {
        await using var wire = await WireClient.ConnectAsync(server.Submissions);
        await wire.SendAsync(Two);
        await wire.StartTlsAsync();
        Assert.StartsWith("220", await wire.ReplyAsync());

        await using var mail = await WireClient.ConnectAsync(server.Imaps);
        await mail.SendAsync(One("192.0.2.20"));
        await mail.StartTlsAsync();
        Assert.StartsWith("* OK", await mail.ReadLineAsync());

        await using var pop = await WireClient.ConnectAsync(server.Pop3s);
        await pop.SendAsync(One("192.0.2.23"));
        await pop.StartTlsAsync();
        Assert.StartsWith("+OK", await pop.ReadLineAsync());

        await using var web = await WireClient.ConnectAsync(server.Https);
        await web.SendAsync(One("192.0.2.21"));
        await web.StartTlsAsync();
        await web.SendAsync("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", await web.ReadLineAsync());
    }

    [Fact]
    public async Task Http_and_imap_in_clear_follow_it_too()
    {
        await using var web = await WireClient.ConnectAsync(server.Http);
        await web.SendAsync((byte[])[.. Two, .. "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8]);
        Assert.StartsWith("HTTP/1.1 200", await web.ReadLineAsync());

        await using var mail = await WireClient.ConnectAsync(server.Imap);
        await mail.SendAsync(One("192.0.2.22"));
        Assert.StartsWith("* OK", await mail.ReadLineAsync());
        await mail.ImapAsync($"LOGIN {ServerFixture.Anna} \"{ServerFixture.Password}\"", "NO [PRIVACYREQUIRED]"); // not from loopback any more
    }

    [Fact]
    public async Task Tls_that_ends_at_the_proxy_counts_as_tls()
    {
        await using var mail = await WireClient.ConnectAsync(server.Imap);
        var tls = Convert.FromHexString("20000f" + "0100000000" + "210007" + "544c5376312e33");
        await mail.SendAsync(Convert.FromHexString("0d0a0d0a000d0a515549540a" + "2111" + "001e" + "cb007109" + "c6336419" + "1234" + "0019" + Convert.ToHexString(tls)));
        Assert.StartsWith("* OK", await mail.ReadLineAsync());
        await mail.ImapAsync($"LOGIN {ServerFixture.Anna} \"{ServerFixture.Password}\"", "OK");
    }

    private static async Task SendAsync(WireClient wire, string subject)
    {
        await wire.SmtpAsync("MAIL FROM:<stranger@example.org>", "250");
        await wire.SmtpAsync($"RCPT TO:<{ServerFixture.Boris}>", "250");
        await wire.SmtpAsync("DATA", "354");
        await wire.SmtpAsync(Letter.Text("stranger@example.org", ServerFixture.Boris, subject).TrimEnd() + "\r\n.", "250");
    }

    private async Task<string> ReceivedAsync(string subject)
    {
        await using var mail = await WireClient.ConnectAsync(server.Imap);
        await mail.SendAsync(Convert.FromHexString("0d0a0d0a000d0a515549540a" + "2000" + "0000")); // the proxy itself: loopback
        Assert.StartsWith("* OK", await mail.ReadLineAsync());
        await mail.ImapAsync($"LOGIN {ServerFixture.Boris} \"{ServerFixture.Password}\"", "OK");
        await mail.ImapAsync("SELECT INBOX", "OK");
        var found = (await mail.ImapAsync($"SEARCH SUBJECT \"{subject}\"", "OK"))[0].Split(' ')[^1];
        var lines = await mail.ImapAsync($"FETCH {found} BODY.PEEK[HEADER.FIELDS (RECEIVED)]", "OK");
        var text = new StringBuilder().AppendJoin('\n', lines).ToString();
        await mail.ImapAsync("LOGOUT");
        return text;
    }
}
