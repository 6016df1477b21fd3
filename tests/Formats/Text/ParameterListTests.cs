using System.Text;
using CbaMail.Text;
using Xunit;

namespace CbaMail.Tests.Formats.Text;

public class ParameterListTests
{
    static (string Decoded, string Wire) Parse(string text)
    {
        List<KeyValuePair<string, string>> decoded = [], wire = [];
        ParameterList.Parse(Encoding.Latin1.GetBytes(text), decoded, wire);
        return (string.Join("|", decoded.Select(pair => pair.Key + "=" + pair.Value)), string.Join("|", wire.Select(pair => pair.Key + "=" + pair.Value)));
    }

    [Theory]
    [InlineData("; charset=utf-8", "charset=utf-8", "charset=utf-8")]
    [InlineData("; Charset = \"utf-8\" ; format=flowed;", "charset=utf-8|format=flowed", "charset=utf-8|format=flowed")]
    [InlineData("; charset=us-ascii (Plain text)", "charset=us-ascii", "charset=us-ascii")]
    [InlineData("; charset=utf-8 format=flowed", "charset=utf-8|format=flowed", "charset=utf-8|format=flowed")]
    [InlineData("; a=\"x\"b=\"y\"", "a=x|b=y", "a=x|b=y")]
    [InlineData("; name=\"never ends; x=y", "name=never ends; x=y", "name=never ends; x=y")]
    [InlineData("; name=\"a\\\"b\\\\c\"", "name=a\"b\\c", "name=a\"b\\c")]
    [InlineData("; a=; b=x; c", "a=|b=x", "a=|b=x")]
    [InlineData("; a=1; a=2", "a=1", "a=1")]
    // RFC 2231 3, 4 and 4.1
    [InlineData("; access-type=URL; URL*0=\"ftp://\"; URL*1=\"cs.utk.edu/pub\"", "access-type=URL|url=ftp://cs.utk.edu/pub", "access-type=URL|url=ftp://cs.utk.edu/pub")]
    [InlineData("; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", "title=This is ***fun***", "title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A")]
    [InlineData("; title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\"", "title=This is even more ***fun*** isn't it!", "title*=us-ascii'en'This%20is%20even%20more%20%2A%2A%2Afun%2A%2A%2A%20isn%27t%20it!")]
    // out of order, from 1, with a gap, split characters, no charset, the plain one beside
    [InlineData("; n*1*=%9F; n*0*=utf-8''%D0", "n=П", "n*=utf-8''%D0%9F")]
    [InlineData("; n*1=a; n*2=b", "n=a", "n=a")]
    [InlineData("; n*0=a; n*2=b", "n=a", "n=a")]
    [InlineData("; n*=%D0%9F", "n=П", "n*=utf-8''%D0%9F")]
    [InlineData("; n=\"P\"; n*=utf-8''%D0%9F", "n=П", "n=P|n*=utf-8''%D0%9F")]
    [InlineData("; n*=windows-1251''%CF", "n=П", "n*=windows-1251''%CF")]
    // RFC 2047 where it must not be
    [InlineData("; n=\"=?utf-8?B?0J8=?=\"", "n=П", "n==?utf-8?B?0J8=?=")]
    [InlineData("; n==?utf-8?Q?=D0=9F_x?=", "n=П x", "n==?utf-8?Q?=D0=9F_x?=")]
    // raw 8-bit
    [InlineData("; n=\"\xD0\x9F.txt\"", "n=П.txt", "n*=utf-8''%D0%9F.txt")]
    [InlineData("; n=\"a\r\n b\"", "n=a b", "n=a b")]
    [InlineData("; ;;; =x; \xD0=y", "", "")]
    public void Reads(string text, string decoded, string wire) => Assert.Equal((decoded, wire), Parse(text));

    [Fact]
    public void Written_values_read_back_and_fit_on_lines()
    {
        for (var seed = 0; seed < 2000; seed++)
        {
            var text = Mime.RandomText.Line(new Random(seed), 200);
            var pieces = ParameterList.Format("filename", text).ToList();
            Assert.All(pieces, piece => Assert.InRange(piece.Length, 1, 78));
            Assert.Equal("filename=" + text, Parse(";" + string.Join(";\r\n ", pieces)).Decoded);
        }
    }

    [Fact]
    public void Junk_is_bounded_and_harmless()
    {
        for (var seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            const string Junk = ";=\"\\*'%0() \t\r\nab1\xD0?&";
            var text = string.Concat(Enumerable.Range(0, random.Next(60)).Select(_ => Junk[random.Next(Junk.Length)]));
            List<KeyValuePair<string, string>> decoded = [], wire = [];
            ParameterList.Parse(Encoding.Latin1.GetBytes(text), decoded, wire);
            Assert.All(wire, pair => Assert.True(Ascii.IsValid(pair.Key) && Ascii.IsValid(pair.Value)));
            Assert.Equal(decoded.Count, decoded.Select(pair => pair.Key).Distinct().Count());
        }
    }
}
