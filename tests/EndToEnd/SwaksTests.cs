using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

public class SwaksTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const string Anna = ServerFixture.Anna;
    private const string Boris = ServerFixture.Boris;
    private readonly TestServer server = fixture.Server;

    private Task<Ran> Swaks(int port, params string[] arguments) =>
        new Tool { Folder = server.Folder }.StartAsync("swaks", ["--server", "127.0.0.1", "--port", port.ToString(null as IFormatProvider), "--helo", "client.example.org", "--timeout", "60s", .. arguments]);

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("LOGIN")]
    public async Task Signs_in_under_starttls_and_sends(string mechanism)
    {
        var ran = (await Swaks(server.Submission, "-tls", "--auth", mechanism, "--auth-user", Anna, "--auth-password", ServerFixture.Password,
            "--from", Anna, "--to", Boris, "--header", $"Subject: swaks {mechanism}")).Succeeded();
        Assert.Contains("TLS started with cipher", ran.Output);
        Assert.Contains(await Letter.AllAsync(server.Imap, Boris), m => m.Contains($"Subject: swaks {mechanism}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Sends_over_implicit_tls() =>
        (await Swaks(server.Submissions, "--tls-on-connect", "--auth", "PLAIN", "--auth-user", Anna, "--auth-password", ServerFixture.Password, "--from", Anna, "--to", Boris)).Succeeded();

    [Fact]
    public async Task Pipelines_to_several_recipients()
    {
        (await Swaks(server.Smtp, "--pipeline", "--from", "stranger@example.org", "--to", $"{Anna},{Boris}", "--header", "Subject: piped")).Succeeded();
        foreach (var who in new[] { Anna, Boris })
            Assert.Contains(await Letter.AllAsync(server.Imap, who), m => m.Contains("Subject: piped", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Starttls_works_on_port_25() =>
        (await Swaks(server.Smtp, "-tls", "--from", "stranger@example.org", "--to", Anna)).Succeeded();

    [Fact]
    public async Task Lmtp_answers_for_every_recipient()
    {
        var ran = (await Swaks(server.Lmtp, "--protocol", "LMTP", "--from", "stranger@example.org", "--to", $"{Anna},{Boris}", "--header", "Subject: lmtp")).Succeeded();
        Assert.Contains("LHLO", ran.Output);
        Assert.Contains(await Letter.AllAsync(server.Imap, Boris), m => m.Contains("Subject: lmtp", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_unknown_recipient_is_refused_at_rcpt()
    {
        var ran = await Swaks(server.Smtp, "--from", "stranger@example.org", "--to", "nobody@example.test");
        Assert.Equal(24, ran.ExitCode);                     // swaks: no recipient was accepted
        Assert.Contains("550 5.1.1", ran.Output);
    }

    [Fact]
    public async Task Announces_what_the_issue_names()
    {
        var ran = (await Swaks(server.Submission, "-tls", "--quit-after", "HELO")).Succeeded();
        var tls = ran.Output[ran.Output.IndexOf("TLS started", StringComparison.Ordinal)..];
        foreach (var keyword in new[] { "PIPELINING", "8BITMIME", "SIZE", "SMTPUTF8", "CHUNKING", "BINARYMIME", "DSN", "ENHANCEDSTATUSCODES", "LIMITS", "AUTH PLAIN LOGIN" })
            Assert.Contains(keyword, tls);
        var clear = ran.Output[..ran.Output.IndexOf("TLS started", StringComparison.Ordinal)];
        Assert.Contains("STARTTLS", clear);
        Assert.DoesNotContain("STARTTLS", tls[tls.IndexOf("EHLO", StringComparison.Ordinal)..]);
    }

    [Theory]
    [InlineData("--to", "anna+course@example.test")]
    [InlineData("--to", "ANNA@EXAMPLE.TEST")]
    public async Task Plus_addresses_and_letter_case_lead_to_the_mailbox(string option, string to) =>
        (await Swaks(server.Smtp, "--from", "stranger@example.org", option, to)).Succeeded();
}
