using System.Buffers;
using System.Text;
using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Formats.Mime;

public sealed class FooterTests
{
    static readonly Footer footer = new("-- \nЦентр обучения & Co", null);

    static string? Written(string message, Footer? other = null)
    {
        var output = new ArrayBufferWriter<byte>();
        return (other ?? footer).TryWrite(Encoding.UTF8.GetBytes(message.ReplaceLineEndings("\r\n")), output) ? Encoding.UTF8.GetString(output.WrittenSpan) : null;
    }

    static List<string> Texts(string message)
    {
        var bytes = Encoding.UTF8.GetBytes(message);
        return [.. MimeTree.Parse(bytes).Walk().Where(part => part.Type == "text").Select(part => ContentDecoder.Text(bytes, part))];
    }

    [Fact]
    public void Plain_ASCII_becomes_text_that_can_say_it()
    {
        var written = Written("Subject: x\n\nHello\n")!;
        Assert.Equal("Hello\r\n\r\n-- \r\nЦентр обучения & Co\r\n", Assert.Single(Texts(written)));
        Assert.Contains("MIME-Version: 1.0\r\n", written);
        Assert.Contains("Content-Transfer-Encoding: quoted-printable\r\n", written);
        Assert.StartsWith("Subject: x\r\n", written);
    }

    [Theory]
    [InlineData("base64")]
    [InlineData("quoted-printable")]
    [InlineData("8bit")]
    public void The_parts_encoding_stays(string encoding)
    {
        var body = encoding switch { "base64" => Convert.ToBase64String(Encoding.UTF8.GetBytes("Привет\r\n")), "8bit" => "Привет", _ => "=D0=9F" };
        var written = Written($"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8; format=flowed\nContent-Transfer-Encoding: {encoding}\n\n{body}\n")!;
        Assert.Contains($"Content-Transfer-Encoding: {encoding}\r\n", written);
        Assert.Contains("format=flowed", written);
        Assert.EndsWith("Центр обучения & Co\r\n", Assert.Single(Texts(written)));
    }

    [Fact]
    public void A_charset_that_has_the_letters_stays()
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        var message = "Content-Type: text/plain; charset=koi8-r\nContent-Transfer-Encoding: base64\n\n" + Convert.ToBase64String(Encoding.GetEncoding("koi8-r").GetBytes("Привет")) + "\n";
        Assert.Contains("charset=koi8-r", Written(message));
        Assert.Contains("charset=utf-8", Written(message, new Footer("中文", null)));
    }

    [Fact]
    public void Both_alternatives_get_it_and_attachments_do_not()
    {
        var written = Written("""
            Content-Type: multipart/mixed; boundary=m

            --m
            Content-Type: multipart/alternative; boundary=a

            --a
            Content-Type: text/plain

            plain
            --a
            Content-Type: text/html

            <html><body><p>rich</p></body></html>
            --a--
            --m
            Content-Type: text/plain; name=notes.txt
            Content-Disposition: attachment

            notes
            --m--

            """)!;
        var texts = Texts(written);
        Assert.EndsWith("Центр обучения & Co\r\n", texts[0]);
        Assert.Equal("<html><body><p>rich</p><div>-- <br>\r\nЦентр обучения &amp; Co</div>\r\n</body></html>", texts[1].TrimEnd());
        Assert.Equal("notes", texts[2]);
        Assert.EndsWith("--m--\r\n", written);
    }

    [Theory]
    [InlineData("Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\n\n--b\nContent-Type: text/plain\n\nhello\n--b\nContent-Type: application/pgp-signature\n\nx\n--b--\n")]
    [InlineData("Content-Type: application/pkcs7-mime; smime-type=signed-data\n\nMIIB\n")]
    [InlineData("Content-Type: multipart/encrypted; boundary=b\n\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b--\n")]
    [InlineData("Content-Type: application/pdf\n\nx\n")]
    [InlineData("Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\n")]
    [InlineData("Content-Type: text/plain; charset=utf-8\n\nYes.\n> --\n> Центр\n> обучения & Co\n")]
    public void Some_messages_stay_as_they_are(string message) => Assert.Null(Written(message));

    [Fact]
    public void Whatever_comes_nothing_but_the_text_changes()
    {
        var random = new Random(2026);
        string[] pieces = ["Content-Type: text/html\n", "Content-Type: multipart/mixed; boundary=b\n", "Content-Transfer-Encoding: base64\n", "\n", "--b\n", "--b--\n", "text\n", "\0", "é", "Content-Type: text/plain; charset=x\n", "</body>", "=\n"];
        for (var i = 0; i < 3000; i++)
        {
            var message = "X-First: 1\n" + string.Concat(Enumerable.Range(0, random.Next(20)).Select(_ => pieces[random.Next(pieces.Length)]));
            if (Written(message) is { } written) Assert.StartsWith("X-First: 1\r\n", written);
        }
    }
}
