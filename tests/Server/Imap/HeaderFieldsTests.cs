using System.Text;
using CbaMail.Mailboxes;
using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>HEADER.FIELDS out of the row is HEADER.FIELDS out of the message (RFC 9051 6.4.5.1).</summary>
[Collection("imap")]
public sealed class HeaderFieldsTests(ImapFixture imap)
{
    static readonly string[] Names = ["From", "to", "SUBJECT", "Date", "References", "X-Mailer", "Received", "X-Other", "Content-Type", "List-Id", "Subjec", "Subject-", "X-TUID"];

    static string RandomHeader(Random random)
    {
        var header = new StringBuilder();
        for (var i = random.Next(12); i > 0; i--)
        {
            header.Append(Names[random.Next(Names.Length)]).Append(random.Next(20) == 0 ? " :" : ":");
            header.Append(new string('v', random.Next(30) == 0 ? 3000 : random.Next(40)));
            for (var folds = random.Next(4) - 1; folds > 0; folds--) header.Append("\r\n").Append(random.Next(2) == 0 ? " " : "\t").Append(random.Next(5) == 0 ? "" : "more: of it");
            header.Append(random.Next(25) == 0 ? "\n" : "\r\n");
            if (random.Next(25) == 0) header.Append("no field at all\r\n");
        }
        return (random.Next(12) == 0 ? " goes on with nothing\r\n" : "") + header;
    }

    [Fact]
    public async Task The_row_and_the_message_give_the_same_fields()
    {
        var random = new Random(18);
        await using var client = await imap.InboxAsync(0);
        for (var i = 0; i < 60; i++) await client.AppendAsync("INBOX", RandomHeader(random) + random.Next(6) switch { 0 => "\r\n", 1 => "no: header line\r\n\r\nText\r\n", _ => "\r\nText: of it\r\n" });
        await client.OkAsync("NOOP");
        for (var round = 0; round < 12; round++)
        {
            var names = string.Join(' ', Enumerable.Range(0, random.Next(1, 6)).Select(_ => Names[random.Next(Names.Length)]).Where(KeptFields.Has).DefaultIfEmpty("Cc"));
            var part = random.Next(3) == 0 ? $"<{random.Next(50)}.{random.Next(1, 200)}>" : "";
            async Task<string> FieldsAsync(string asked) =>
                string.Join('\n', await client.OkAsync($"FETCH 1:* (BODY.PEEK[HEADER.FIELDS ({asked})]{part})")).Replace($"({asked})", "()", StringComparison.Ordinal);
            var kept = await FieldsAsync(names);
            var read = await FieldsAsync(names + " X-Nobody-Has-It"); // which the row does not know
            Assert.Equal(read, kept);
        }
    }

    [Fact]
    public async Task Searching_a_field_of_the_row_finds_what_its_message_has()
    {
        await using var client = await imap.InboxAsync(0);
        await client.AppendAsync("INBOX", "Subject: =?utf-8?B?0J/RgNC40LLQtdGC?= one\r\nFrom: Ann (the\r\n first) <ann@a.test>\r\nX-Mailer: Rig\r\n\r\nText\r\n");
        await client.AppendAsync("INBOX", "Subject: two\r\n words\r\nX-Priority:\r\nSubject: twice\r\n\r\nText\r\n");
        await client.AppendAsync("INBOX", "Subject: " + new string('x', 3000) + " long\r\nX-Mailer: rig\r\n\r\nText\r\n");
        await client.AppendAsync("INBOX", "Received: by a\r\n\r\nSubject: two words\r\n");
        await client.OkAsync("NOOP");
        async Task FindsAsync(string key, string numbers) => Assert.Equal(("* SEARCH " + numbers).TrimEnd(), (await client.OkAsync("SEARCH " + key))[0]);
        await FindsAsync("SUBJECT \"two words\"", "2");
        await FindsAsync("SUBJECT TWICE", "2");
        await FindsAsync("SUBJECT long", "3");
        await FindsAsync("HEADER X-Mailer RIG", "1 3");
        await FindsAsync("HEADER X-Priority \"\"", "2");
        await FindsAsync("HEADER Subject \"\"", "1 2 3");
        await FindsAsync("FROM \"Ann <ann@a.test>\"", "1"); // RFC 9051 6.4.4: comments are no part of the ENVELOPE
        await FindsAsync("HEADER Received \"by a\"", "4");
        await FindsAsync("NOT SUBJECT o", "4");
        Assert.Equal("* SEARCH 1", (await client.OkAsync("SEARCH CHARSET UTF-8 SUBJECT {12+}\r\nпривет"))[0]);
    }

    [Theory]
    [InlineData("A: b\r\nC: d\r\n\r\n", true)]
    [InlineData("A: b\r\n e\r\n", true)]
    [InlineData("", true)]
    [InlineData("A: b\r\n\r\nC: d\r\n", false)] // more behind the empty line
    [InlineData(" A: b\r\n", false)]
    [InlineData("A: b", false)]
    [InlineData("A : b\r\n", false)]
    [InlineData("From a b c\r\nA: b\r\n", false)]
    [InlineData(": b\r\n", false)]
    public void A_plain_header_is_made_of_whole_fields(string header, bool plain) => Assert.Equal(plain, FieldChoice.IsPlain(Encoding.ASCII.GetBytes(header)));
}
