using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>What FETCH, SEARCH and STATUS say of one message agrees with each other, also where the message is odd.</summary>
[Collection("imap")]
public sealed class MessageViewTests(ImapFixture fixture)
{
    [Theory]
    [InlineData("Content-Type: multipart/mixed; boundary=b\r\n\r\nno delimiter at all\r\n", "1")]
    [InlineData("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--\r\nepilogue\r\n", "1")]
    [InlineData("Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/x; boundary=b\r\n\r\nlost\r\n--a--\r\n", "1.1")]
    [InlineData("Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/x; boundary=b\r\n\r\nlost\r\n", "1.1")]
    [InlineData("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogeA0KDQp4\r\n", "1.1")]
    public async Task A_multipart_without_parts_or_a_message_not_looked_into_has_the_empty_text_that_its_structure_shows(string message, string section)
    {
        await using var client = await fixture.InboxAsync(0);
        await client.AppendAsync("INBOX", message);
        Assert.Contains("(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0)", Assert.Single(await client.OkAsync("FETCH 1 BODY")), StringComparison.Ordinal);
        Assert.Equal([$"* 1 FETCH (BODY[{section}] {{0}}", ")"], await client.OkAsync($"FETCH 1 BODY.PEEK[{section}]"));
        Assert.Equal([$"* 1 FETCH (BODY[{section}.MIME] {{0}}", ")"], await client.OkAsync($"FETCH 1 BODY.PEEK[{section}.MIME]"));
        var beside = section[..^1] + "2";
        Assert.Equal([$"* 1 FETCH (BODY[{beside}] NIL)"], await client.OkAsync($"FETCH 1 BODY.PEEK[{beside}]"));
        Assert.Equal([$"* 1 FETCH (BODY[{section}.1] NIL)"], await client.OkAsync($"FETCH 1 BODY.PEEK[{section}.1]"));
    }

    [Theory]
    [InlineData("hello", true)]
    [InlineData("\"r&d works\"", true)]
    [InlineData("\"<b>lo\"", true)]
    [InlineData("helicopter", false)]
    public async Task SEARCH_finds_in_HTML_what_people_read_and_what_is_written(string needle, bool found)
    {
        await using var client = await fixture.InboxAsync(0);
        await client.AppendAsync("INBOX", "Content-Type: text/html; charset=utf-8\r\n\r\n<p>Hel<b>lo</b>, R&amp;D&nbsp;works</p>\r\n");
        Assert.Equal(found ? "* SEARCH 1" : "* SEARCH", Assert.Single(await client.OkAsync($"SEARCH BODY {needle}"), l => l.StartsWith("* SEARCH", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task STATUS_of_the_selected_mailbox_counts_the_recent_ones_of_the_session()
    {
        var account = await fixture.AccountAsync();
        await using var one = await fixture.SignInAsync(account);
        await one.AppendAsync("INBOX", ImapClient.Message(1));
        await one.OkAsync("EXAMINE INBOX");
        Assert.Contains("* STATUS INBOX (RECENT 1)", await one.OkAsync("STATUS INBOX (RECENT)"));
        await one.OkAsync("SELECT INBOX");
        await one.AppendAsync("INBOX", ImapClient.Message(2));
        Assert.Contains("* STATUS INBOX (RECENT 2)", await one.OkAsync("STATUS INBOX (RECENT)"));
        await using var two = await fixture.SignInAsync(account);
        Assert.Equal(["* STATUS INBOX (RECENT 0)"], await two.OkAsync("STATUS INBOX (RECENT)"));
    }
}
