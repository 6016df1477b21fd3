using CbaMail.Imap;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>RFC 5092 11, as far as RFC 4469 3 has use for it: relative URLs of messages and parts.</summary>
public sealed class ImapUrlTests
{
    [Theory]
    [InlineData("/INBOX/;UID=20", null, "INBOX", 20u, null, "BODY[]")]
    [InlineData("/inbox;uidvalidity=385759045/;uid=20/;section=HEADER", null, "INBOX", 20u, 385759045u, "BODY[HEADER]")]
    [InlineData("/Drafts;UIDVALIDITY=1/;UID=20/;SECTION=1.MIME", null, "Drafts", 20u, 1u, "BODY[1.MIME]")]
    [InlineData("/a/b/c/;UID=1/;SECTION=1.5.9/;PARTIAL=0.1024", null, "a/b/c", 1u, null, "BODY[1.5.9]<0>")]
    [InlineData("/a/;UID=1/;PARTIAL=7", null, "a", 1u, null, "BODY[]<7>")]
    [InlineData("/%D0%AF%20%25/;UID=1", null, "Я %", 1u, null, "BODY[]")]
    [InlineData("/a/;UID=1/;SECTION=HEADER.FIELDS%20(DATE%20FROM)", null, "a", 1u, null, "BODY[HEADER.FIELDS (DATE FROM)]")]
    [InlineData(";UID=5", "Work/Old", "Work/Old", 5u, null, "BODY[]")]
    [InlineData("New/;UID=5", "Work/Old", "Work/New", 5u, null, "BODY[]")]
    [InlineData("New/;UID=5", null, "New", 5u, null, "BODY[]")]
    [InlineData("/a;b=c&d/;UID=4294967295", null, "a;b=c&d", 4294967295u, null, "BODY[]")]
    public void Names_a_part(string text, string? selected, string mailbox, uint uid, uint? validity, string section)
    {
        var url = ImapUrl.Parse(text, selected);
        Assert.NotNull(url);
        Assert.Equal((mailbox, uid, validity, section), (url.Mailbox, url.Uid, url.UidValidity, url.Section.Label));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/INBOX")]
    [InlineData("/INBOX/")]
    [InlineData("/INBOX;UID=5")]
    [InlineData("/;UID=5")]
    [InlineData(";UID=5")] // nothing is selected
    [InlineData("imap://host/INBOX/;UID=5")]
    [InlineData("//host/INBOX/;UID=5")]
    [InlineData("http:INBOX/;UID=5")]
    [InlineData("/INBOX/;UID=0")]
    [InlineData("/INBOX/;UID=-1")]
    [InlineData("/INBOX/;UID=4294967296")]
    [InlineData("/INBOX/;UID=5/;SECTION=")]
    [InlineData("/INBOX/;UID=5/;SECTION=1..2")]
    [InlineData("/INBOX/;UID=5/;SECTION=1]<0.5>")]
    [InlineData("/INBOX/;UID=5/;PARTIAL=0.0")]
    [InlineData("/INBOX/;UID=5/;PARTIAL=x")]
    [InlineData("/INBOX;UIDVALIDITY=0/;UID=5")]
    [InlineData("/INBOX;UIDVALIDITY=x/;UID=5")]
    [InlineData("/INB%OX/;UID=5")]
    [InlineData("/%FF/;UID=5")]
    [InlineData("/INBOX/;UID=5/;URLAUTH=anonymous:internal:00")]
    public void Is_none(string text) => Assert.Null(ImapUrl.Parse(text, null));

    [Fact]
    public void Survives_noise()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        string[] words = ["/", ";UID=", ";SECTION=", ";PARTIAL=", ";UIDVALIDITY=", "%", "%4", "%41", "1", "0.5", "HEADER", "]", "[", "<", " ", "\ud800", "я", "a", "."];
        for (var round = 0; round < 20_000; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => words[random.Next(words.Length)]));
            var url = ImapUrl.Parse(text, random.Next(2) == 0 ? null : "Work/Old");
            Assert.True(url is null || url.Uid > 0 && url.Mailbox.Length > 0, $"seed {seed}: {text}");
        }
    }
}
