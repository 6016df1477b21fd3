using System.Buffers;
using System.Text;
using CbaMail.Envelope;
using Xunit;

namespace CbaMail.Tests.Formats.Envelope;

public class EnvelopeTests
{
    [Theory]
    [InlineData("<a@b.test>", "a@b.test", "")]
    [InlineData(" <a@b.test> SIZE=1", "a@b.test", " SIZE=1")]
    [InlineData("<@x.test,@[192.0.2.1]:a@b.test>", "a@b.test", "")]
    [InlineData("<\"a>b\\\"c\"@b.test> X", "\"a>b\\\"c\"@b.test", " X")]
    [InlineData("<>", null, "")]
    public void A_path_is_read(string text, string? address, string rest)
    {
        Assert.Equal(PathResult.Ok, MailPath.Read(text, out var read, out _, out var left));
        Assert.Equal((address, rest), (read?.ToString(), left.ToString()));
    }

    [Theory]
    [InlineData("a@b.test", PathResult.NoPath)]
    [InlineData("<a@b.test", PathResult.NoPath)]
    [InlineData("<\"a>@b.test", PathResult.NoPath)]
    [InlineData("<@x.test a@b.test>", PathResult.BadAddress)]
    [InlineData("<@:a@b.test>", PathResult.BadAddress)]
    [InlineData("<@x.test,y.test:a@b.test>", PathResult.BadAddress)]
    [InlineData("< a@b.test>", PathResult.BadAddress)]
    public void What_is_no_path_is_told(string text, PathResult expected) => Assert.Equal(expected, MailPath.Read(text, out _, out _, out _));

    [Theory]
    [InlineData("a@ПРИМЕР.рф", "a@xn--e1afmkfd.xn--p1ai")]
    [InlineData("A@Example.TEST.", "a@example.test")]
    [InlineData("и\u0306ван@b.test", "йван@b.test")]
    public void Addresses_have_one_key(string text, string key)
    {
        Assert.True(MailAddress.TryParse(text, out var address));
        Assert.Equal(key, address.Key);
    }

    [Theory]
    [InlineData("a@b.test..")]
    [InlineData("a@[1.2.3]")]
    [InlineData("a@[1.2.3.4")]
    [InlineData("a@[IPv6:1.2.3.4]")]
    [InlineData("a@[IPv6:fe80::1%eth0]")]
    [InlineData("a@[]")]
    public void Domains_are_strict(string text) => Assert.False(MailAddress.TryParse(text, out _));

    [Fact]
    public void Xtext_reads_what_it_writes()
    {
        foreach (var text in new[] { "", "plain", "a+b=c d", "почта@пример.рф", "tab\u00a0x" })
        {
            Assert.Equal(text, Xtext.Decode(Xtext.Encode(text)));
            Assert.Equal(text, Xtext.DecodeUtf8(Xtext.EncodeUtf8(text)));
        }
    }

    [Theory]
    [InlineData("a+2")]
    [InlineData("a+2g")]
    [InlineData("a+2b")]
    [InlineData("a=b")]
    [InlineData("a b")]
    [InlineData("+00")]
    [InlineData("+FF")]
    public void Bad_xtext_is_none(string text) => Assert.Null(Xtext.Decode(text));

    [Theory]
    [InlineData("\\x{D800}")]
    [InlineData("\\x{110000}")]
    [InlineData("\\x{}")]
    [InlineData("\\x{41")]
    [InlineData("\\y")]
    public void Bad_code_points_are_none(string text) => Assert.Null(Xtext.DecodeUtf8(text));

    [Theory]
    [InlineData("2.1.0", "2.1.0")]
    [InlineData("5.7.11 more", "5.7.11")]
    [InlineData("3.1.0", null)]
    [InlineData("5.7", null)]
    [InlineData("5.1000.1", null)]
    [InlineData("5.-1.1", null)]
    public void An_enhanced_status_is_read(string text, string? expected) =>
        Assert.Equal(expected, EnhancedStatus.TryParse(text, out var status) ? status.ToString() : null);

    [Fact]
    public void Every_line_of_a_reply_has_code_and_status()
    {
        var output = new ArrayBufferWriter<byte>();
        new Reply(550, "5.1.1", "one\ntwo\rthree\n" + new string('x', 600)).WriteTo(output);
        Assert.Equal("550-5.1.1 one\r\n550-5.1.1 two?three\r\n550 5.1.1 " + new string('x', 500) + "\r\n", Encoding.ASCII.GetString(output.WrittenSpan));
    }

    [Theory]
    [InlineData("NEVER", "NEVER")]
    [InlineData("success,delay", "SUCCESS,DELAY")]
    [InlineData("NEVER,DELAY", null)]
    [InlineData("DELAY,DELAY", null)]
    [InlineData("", null)]
    public void NOTIFY_is_read(string text, string? expected) => Assert.Equal(expected, DsnOptions.Notify(text));

    [Fact]
    public void No_input_makes_a_parser_throw()
    {
        var random = new Random(7);
        const string Alphabet = "<>@:,.\"\\[]() =+;aé\0x{}";
        for (var i = 0; i < 50_000; i++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(12)).Select(_ => Alphabet[random.Next(Alphabet.Length)])]);
            if (MailPath.Read("<" + text + ">", out var address, out _, out _) == PathResult.Ok && address is not null)
            {
                Assert.True(MailAddress.TryParse(address.ToString(), out var again), text);
                Assert.Equal(address.Key, again.Key);
            }
            EsmtpParameters.Parse(text);
            Xtext.Decode(text);
            Xtext.DecodeUtf8(text);
            DsnOptions.OriginalRecipient(text);
        }
    }
}
