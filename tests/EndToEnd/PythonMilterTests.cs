using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>A milter written with pymilter, so that the other side is Sendmail's own library: every kind of change.</summary>
public sealed class PythonMilterTests
{
    private const string Carol = "carol@example.test";

    [Fact]
    public async Task Every_change_reaches_the_mailbox()
    {
        if ((await Tool.RunAsync("/usr/bin/python3", "-c", "import Milter")).ExitCode != 0) Assert.Skip("python3-milter is not installed");
        await using var milter = await MilterProgram.PythonAsync();
        await using var server = await TestServer.StartAsync($"milters:\n  - name: python\n    address: {milter.Address}\n");
        await server.AddAccountsAsync(ServerFixture.Anna, ServerFixture.Boris, Carol);

        await using (var client = await WireClient.SmtpHelloAsync(server.Smtp))
        {
            foreach (var body in new[] { "plain", "odd" })
            {
                await client.SmtpAsync("MAIL FROM:<stranger@example.org> SIZE=500", "250");
                await client.SmtpAsync($"RCPT TO:<{ServerFixture.Anna}> NOTIFY=NEVER", "250");
                Assert.Equal("550-5.7.1 one 100%\n550 5.7.1 two", (await client.SmtpAsync($"RCPT TO:<{ServerFixture.Boris}>")).ReplaceLineEndings("\n").Trim());
                await client.SmtpAsync("DATA", "354");
                await client.SendAsync($"Subject: x\r\nX-Old: a\r\nX-Gone: b\r\n\r\n{body}\r\n");
                await client.SmtpAsync(".", "250");
            }
            await client.SmtpAsync("MAIL FROM:<stranger@example.org>", "250");
            await client.SmtpAsync("QUIT", "221");
        }

        Assert.Empty(await Letter.AllAsync(server.Imap, ServerFixture.Anna));
        var mail = Assert.Single(await Letter.AllAsync(server.Imap, Carol));
        Assert.Contains("Return-Path: <other@example.org>", mail);
        Assert.Matches("(?s)Received: .*\r\nX-First: at the top\r\nSubject: x\r\nX-Old: new\r\n\tfolded\r\nX-Added: at the end\r\n\r\nPLAIN\r\n", mail);
        Assert.Contains("ODD", Assert.Single(await Letter.AllAsync(server.Imap, Carol, "Junk")));

        string[] told = [];
        await Wait.UntilAsync(async () => (told = await File.ReadAllLinesAsync(Path.Combine(milter.Folder, "told.txt"))).Contains("close"), "the milter has heard of the end");
        Assert.StartsWith("connect [127.0.0.1] 127.0.0.1 smtp ", Array.Find(told, line => line.StartsWith("connect", StringComparison.Ordinal) && told.Contains("hello client.example.org")) ?? told[0], StringComparison.Ordinal);
        Assert.Contains("from <stranger@example.org> SIZE=500", told);
        Assert.Contains("to <anna@example.test> NOTIFY=NEVER local", told);
        Assert.Contains("header X-Old 'a'", told);
        Assert.Contains("eom 7 True", told);
        Assert.Equal(1, told.Count(line => line == "abort"));
    }
}
