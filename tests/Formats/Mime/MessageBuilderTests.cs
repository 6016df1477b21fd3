using System.Buffers;
using System.Text;
using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Formats.Mime;

public class MessageBuilderTests
{
    static byte[] Write(MessageBuilder builder)
    {
        var output = new ArrayBufferWriter<byte>();
        builder.WriteTo(output);
        return output.WrittenSpan.ToArray();
    }

    static MessageBuilder Simple() => new()
    {
        From = ("Школа «Рассвет»", "school@example.test"),
        Date = new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.FromHours(3)),
        MessageId = "1.2@example.test",
        Subject = "Привет",
        To = { ("Иван Петров", "ivan@example.test") },
    };

    internal static void AssertLegal(byte[] message)
    {
        var text = Encoding.Latin1.GetString(message);
        Assert.EndsWith("\r\n", text);
        Assert.DoesNotContain(text.Replace("\r\n", ""), c => c is '\r' or '\n');
        // RFC 5322 2.1.1
        Assert.DoesNotContain(text.Split("\r\n"), line => line.Length > 998);
        Assert.True(Ascii.IsValid(message));
        // a folded line never is white space alone
        var header = text[..text.IndexOf("\r\n\r\n", StringComparison.Ordinal)];
        Assert.DoesNotContain(header.Split("\r\n"), string.IsNullOrWhiteSpace);
    }

    [Fact]
    public void A_text_is_written_as_people_expect_it()
    {
        var builder = Simple();
        builder.Subject = "Hello";
        builder.From = ("Ann \"A\" Lee", "ann@example.test");
        builder.To[0] = ("", "ivan@example.test");
        builder.Text = "one\ntwo";
        Assert.Equal(
            "Date: Sun, 22 Nov 2026 10:00:00 +0300\r\nFrom: \"Ann \\\"A\\\" Lee\" <ann@example.test>\r\nTo: ivan@example.test\r\nSubject: Hello\r\nMessage-ID: <1.2@example.test>\r\n" +
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\none\r\ntwo\r\n", Encoding.ASCII.GetString(Write(builder)));
    }

    [Fact]
    public void Everything_at_once_reads_back()
    {
        var builder = Simple();
        builder.ReplyTo = ("Ответ", "reply@example.test");
        builder.Subject = "Расписание занятий на ноябрь, которое не помещается в одну строку, and some English at the end  with two spaces";
        builder.Text = "Привет!\nКак дела?\n";
        builder.Html = "<p>Привет!</p>\n<img src=\"cid:logo@x\">" + new string('я', 3000);
        builder.Inline.Add(new MimeFile("logo.png", "image/png", new byte[] { 1, 2, 3 }, "logo@x"));
        builder.Attachments.Add(new MimeFile("Отчёт за очень длинный месяц с очень длинным именем файла, которое не помещается.pdf", "application/pdf", Encoding.UTF8.GetBytes(new string('x', 1000))));
        builder.Attachments.Add(new MimeFile("inner.eml", "message/rfc822", "Subject: inner\r\n\r\nx\r\n"u8.ToArray()));
        builder.Headers.Add(("X-Note", "  leading and trailing  "));
        builder.Headers.Add(("List-Unsubscribe", "<https://example.test/" + new string('u', 300) + ">"));
        builder.Headers.Add(("X-Evil", "a\r\nBcc: evil@example.test"));
        var message = Write(builder);
        AssertLegal(message);
        var root = MimeTree.Parse(message);
        Assert.Equal("multipart/mixed(multipart/alternative(text/plain multipart/related(text/html image/png)) application/pdf message/rfc822(text/plain))", MimeTreeTests.Shape(root));
        var header = HeaderList.Parse(message);
        Assert.Equal(builder.Subject, header.Value("Subject"));
        Assert.Equal("  leading and trailing  ", header.Value("X-Note"));
        Assert.Equal(builder.Headers[1].Value, header.Value("List-Unsubscribe"));
        Assert.Equal("a  Bcc: evil@example.test", header.Value("X-Evil"));
        Assert.Null(header.Find("Bcc"));
        Assert.Equal(new HeaderAddress("Школа «Рассвет»", "school", "example.test"), header.Addresses("From").Mailboxes.Single());
        Assert.Equal(new HeaderAddress("Ответ", "reply", "example.test"), header.Addresses("Reply-To").Mailboxes.Single());
        var leaves = root.Walk().Where(part => part.Children.Count == 0).ToList();
        Assert.Equal("Привет!\r\nКак дела?\r\n", ContentDecoder.Text(message, leaves[0]));
        Assert.Equal(builder.Html.Replace("\n", "\r\n") + "\r\n", ContentDecoder.Text(message, leaves[1]));
        Assert.Equal("<logo@x>", leaves[2].ContentId);
        Assert.Equal([1, 2, 3], ContentDecoder.Bytes(message, leaves[2]));
        Assert.Equal(builder.Attachments[0].FileName, leaves[3].FileName);
        // the fallback for old readers says the same
        Assert.Equal(builder.Attachments[0].FileName, MimePart.Parameter(leaves[3].Parameters, "name"));
        Assert.Equal(builder.Attachments[0].Content.ToArray(), ContentDecoder.Bytes(message, leaves[3]));
    }

    [Fact]
    public void The_same_message_is_the_same_bytes()
    {
        var builder = Simple();
        builder.Html = "<p>x";
        builder.Text = "x";
        Assert.Equal(Write(builder), Write(builder));
    }

    [Fact]
    public void The_base64_of_a_file_is_made_once()
    {
        var file = new MimeFile("a.bin", "application/octet-stream", new byte[100]);
        Assert.True(file.Base64.Equals(file.Base64));
        var other = file with { Content = new byte[5] };
        Assert.Equal("AAAAAAA=\r\n", Encoding.ASCII.GetString(other.Base64.Span));
        Assert.Equal(file, new MimeFile("a.bin", "application/octet-stream", file.Content));
    }

    [Theory]
    [InlineData("plain", "7bit")]
    [InlineData("From the start", "quoted-printable")]
    [InlineData("mostly ASCII with é", "quoted-printable")]
    [InlineData("Почти всё по-русски", "base64")]
    public void The_shortest_legal_encoding_is_taken(string text, string encoding)
    {
        var builder = Simple();
        builder.Text = text;
        var message = Write(builder);
        Assert.Equal(encoding, MimeTree.Parse(message).Encoding);
        Assert.Equal(text + "\r\n", ContentDecoder.Text(message, MimeTree.Parse(message)));
    }

    [Fact]
    public void A_line_that_is_too_long_is_encoded()
    {
        var builder = Simple();
        builder.Text = new string('x', 999);
        var message = Write(builder);
        AssertLegal(message);
        Assert.Equal("quoted-printable", MimeTree.Parse(message).Encoding);
    }

    /// <summary>parse(write(x)) = x for random messages of hostile strings.</summary>
    [Fact]
    public void Random_messages_read_back()
    {
        for (var seed = 0; seed < 150; seed++)
        {
            var random = new Random(seed);
            var builder = new MessageBuilder
            {
                From = (RandomText.Line(random, 30), "a@example.test"),
                Subject = RandomText.Line(random, 300),
                MessageId = seed + "@x",
                Date = DateTimeOffset.UnixEpoch.AddSeconds(random.Next()),
                Text = random.Next(3) == 0 ? null : RandomText.Lines(random, 2000),
                Html = random.Next(2) == 0 ? null : RandomText.Lines(random, 2000),
            };
            builder.Headers.Add(("X-Random", RandomText.Line(random, 2000)));
            for (var i = random.Next(3); i > 0; i--)
            {
                var content = new byte[random.Next(300)];
                random.NextBytes(content);
                builder.Attachments.Add(new MimeFile(RandomText.Line(random, 120), "application/x-y", content));
            }

            var message = Write(builder);
            AssertLegal(message);
            var header = HeaderList.Parse(message);
            Assert.Equal(builder.Subject, header.Value("Subject"));
            Assert.Equal(builder.Headers[0].Value, header.Value("X-Random"));
            Assert.Equal(builder.From.Name.Trim(), header.Addresses("From").Mailboxes.Single().Name);
            var root = MimeTree.Parse(message);
            var leaves = root.Walk().Where(part => part.Children.Count == 0).ToList();
            var texts = leaves.Where(part => part.Disposition is null).Select(part => ContentDecoder.Text(message, part)).ToList();
            var expected = new List<string>();
            if (builder.Text is not null || builder.Html is null) expected.Add(Canonical(builder.Text ?? ""));
            if (builder.Html is not null) expected.Add(Canonical(builder.Html));
            Assert.Equal(expected, texts);
            var files = leaves.Where(part => part.Disposition == "attachment").ToList();
            Assert.Equal(builder.Attachments.Select(file => file.FileName), files.Select(part => part.FileName ?? ""));
            Assert.Equal(builder.Attachments.Select(file => file.Content.ToArray()), files.Select(part => ContentDecoder.Bytes(message, part)));
        }
    }

    static string Canonical(string text)
    {
        text = text.Replace("\r\n", "\n").Replace('\r', '\n').Replace("\n", "\r\n");
        return text.Length == 0 || text.EndsWith("\r\n", StringComparison.Ordinal) ? text : text + "\r\n";
    }
}

/// <summary>Strings that break writers: encoded-word look-alikes, runs of spaces, astral characters, quotes, long words.</summary>
static class RandomText
{
    static readonly string[] Bits =
        ["a", "bc", "hello", " ", "  ", "Привет", "é", "😀", "=?utf-8?Q?x?=", "=?", "?=", "\"", "\\", ",", ";", "<", ">", "@", "(", ")", ":", "=", "_", ".", "From ", "--b", "漢字", "'", "%41", "*", "\u00A0"];

    public static string Line(Random random, int length)
    {
        var text = new StringBuilder();
        for (var left = random.Next(length); left > 0 && text.Length < length; left--)
            text.Append(random.Next(60) == 0 ? new string('x', random.Next(200)) : Bits[random.Next(Bits.Length)]);
        return text.ToString();
    }

    public static string Lines(Random random, int length)
    {
        var text = new StringBuilder();
        while (text.Length < length)
        {
            text.Append(Line(random, random.Next(1, 150)));
            text.Append(random.Next(8) switch { 0 => "\r\n", 1 => " \n", 2 => "\r", 3 => "\t\r\n", _ => "\n" });
            if (random.Next(20) == 0) break;
        }

        return text.ToString();
    }
}
