using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>Debian's Rspamd in front of the mailboxes, by the milter protocol.</summary>
public sealed class RspamdTests : IAsyncLifetime
{
    private const string Anna = ServerFixture.Anna;
    private MilterProgram? rspamd;
    private TestServer server = null!;

    public async ValueTask InitializeAsync()
    {
        if (!MilterProgram.IsInstalled("rspamd")) Assert.Skip("rspamd is not installed");
        rspamd = await MilterProgram.RspamdAsync();
        server = await TestServer.StartAsync($"milters:\n  - name: rspamd\n    address: {rspamd.Address}\n");
        await server.AddAccountsAsync(Anna);
    }

    public async ValueTask DisposeAsync()
    {
        if (rspamd is null) return;
        await server.DisposeAsync();
        await rspamd.DisposeAsync();
    }

    // the test patterns of Rspamd, put together here so that no filter stops this file
    private static string Pattern(char what) => what + "JS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";

    private async Task<string> SendAsync(string subject, string body)
    {
        await using var client = await WireClient.SmtpHelloAsync(server.Smtp);
        await client.SmtpAsync("MAIL FROM:<stranger@example.org> BODY=8BITMIME", "250");
        await client.SmtpAsync($"RCPT TO:<{Anna}>", "250");
        await client.SmtpAsync("DATA", "354");
        await client.SendAsync(Letter.Text("stranger@example.org", Anna, subject, body));
        var reply = await client.SmtpAsync(".");
        await client.SmtpAsync("QUIT", "221");
        return reply;
    }

    [Fact]
    public async Task Junk_is_refused_or_put_aside_and_the_rest_is_marked()
    {
        Assert.StartsWith("554 5.7.1 Gtube pattern", await SendAsync("junk", Pattern('X') + "\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("250", await SendAsync("doubtful", Pattern('Y') + "\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("250", await SendAsync("fine", "Здравствуйте, Анна!\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("250", await SendAsync("large", string.Concat(Enumerable.Repeat("0123456789 abcdefghij\r\n", 20_000))), StringComparison.Ordinal);

        var inbox = await Letter.AllAsync(server.Imap, Anna);
        Assert.Equal(2, inbox.Count);
        Assert.Contains(inbox, m => m.Contains("Subject: fine", StringComparison.Ordinal) && m.Contains("X-Spamd-Bar:", StringComparison.Ordinal) && m.Contains("Здравствуйте, Анна!", StringComparison.Ordinal));
        var doubtful = Assert.Single(await Letter.AllAsync(server.Imap, Anna, "Junk"));
        Assert.Contains("X-Spam: Yes", doubtful);
        Assert.Contains("Subject: doubtful", doubtful);
    }

    [Fact]
    public async Task While_it_is_away_senders_are_told_to_come_again()
    {
        await rspamd!.DisposeAsync();
        rspamd = await MilterProgram.RspamdAsync(); // elsewhere: the address of the settings leads nowhere
        await using var client = await WireClient.SmtpHelloAsync(server.Smtp);
        await client.SmtpAsync("MAIL FROM:<stranger@example.org>", "451 4.7.1");
    }
}
