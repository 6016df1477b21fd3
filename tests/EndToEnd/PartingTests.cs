using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>How connections end: by the server's stopping, and by clients that vanish in the middle of an answer.</summary>
public sealed class PartingTests
{
    [Fact]
    public async Task Who_is_connected_is_told_of_the_stop_although_a_request_of_HTTP_does_not_end()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddAccountsAsync(ServerFixture.Anna);
        await using var smtp = await WireClient.SmtpHelloAsync(server.Smtp);
        await using var submissions = await WireClient.SmtpHelloAsync(server.Submissions, tls: true);
        await using var imap = await WireClient.ImapLoginAsync(server.Imap, ServerFixture.Anna);
        await imap.ImapAsync("SELECT INBOX", "OK");
        await imap.SendLineAsync("i IDLE");
        Assert.StartsWith("+", await imap.ReadLineAsync(), StringComparison.Ordinal);
        await using var http = await WireClient.ConnectAsync(server.Http);
        await http.SendAsync("POST /api/v1/messages HTTP/1.1\r\nHost: mail.example.test\r\nContent-Length: 1000\r\n\r\n{");
        Assert.StartsWith("HTTP/1.1 ", await http.ReadLineAsync(), StringComparison.Ordinal); // and the rest of the request is waited for

        var stop = server.StopAsync();
        Assert.StartsWith("421 4.3.2 ", await smtp.ReadLineAsync(), StringComparison.Ordinal);
        Assert.StartsWith("421 4.3.2 ", await submissions.ReadLineAsync(), StringComparison.Ordinal);
        Assert.StartsWith("* BYE ", await imap.ReadLineAsync(), StringComparison.Ordinal);
        Assert.Equal(0, await stop);
    }

    /// <summary>Wrong passwords are held back longer each time: the stop comes while they wait.</summary>
    [Fact]
    public async Task Who_is_about_to_sign_in_is_told_of_the_stop_too()
    {
        await using var server = await TestServer.StartAsync("log: debug\nlimits:\n  sign-in-delay: 20s\n");
        await server.AddAccountsAsync(ServerFixture.Anna);
        await using var smtp = await WireClient.SmtpHelloAsync(server.Submission);
        await using var imap = await WireClient.ConnectAsync(server.Imap);
        await imap.ReadLineAsync();
        await smtp.SendLineAsync("AUTH PLAIN " + Convert.ToBase64String("\0anna@example.test\0wrong"u8));
        await imap.SendLineAsync($"a LOGIN {ServerFixture.Anna} wrong");
        await Wait.UntilAsync(() => server.Log.Split("wrong name or password").Length == 3, "both have failed and wait for their answers");
        var stop = server.StopAsync();
        Assert.StartsWith("421 4.3.2 ", await smtp.ReadLineAsync(), StringComparison.Ordinal);
        Assert.StartsWith("* BYE ", await imap.ReadLineAsync(), StringComparison.Ordinal);
        Assert.Equal(0, await stop);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_client_that_vanishes_in_the_middle_of_an_answer_is_no_surprise(bool tls)
    {
        await using var server = await TestServer.StartAsync("log: debug\n");
        await server.AddAccountsAsync(ServerFixture.Anna);
        var text = Letter.Text("sender@example.org", ServerFixture.Anna, "large", string.Concat(Enumerable.Repeat("A line of a large message.\r\n", 400_000)));
        await Letter.SendAsync(server.Smtp, "sender@example.org", ServerFixture.Anna, text);
        await using (var client = await WireClient.ConnectAsync(tls ? server.Imaps : server.Imap, tls))
        {
            await client.ReadLineAsync();
            await client.ImapAsync($"LOGIN {ServerFixture.Anna} \"{ServerFixture.Password}\"", "OK");
            await client.ImapAsync("SELECT INBOX", "OK");
            await client.SendLineAsync("f FETCH 1 BODY[]");
            Assert.Contains("BODY[]", await client.ReadLineAsync(), StringComparison.Ordinal);
            client.Reset();
        }
        await Wait.UntilAsync(() => server.Log.Contains("IMAP ended: the peer went away", StringComparison.Ordinal), "the session has ended");
        Assert.DoesNotContain("FETCH failed", server.Log, StringComparison.Ordinal);
    }
}
