using System.Text;
using CbaMail.Text;
using Xunit;

namespace CbaMail.Tests.Formats.Text;

public class EncodedWordTests
{
    static string Decode(string raw) => EncodedWord.Decode(Encoding.Latin1.GetBytes(raw));

    // RFC 2047 8, the examples
    [Theory]
    [InlineData("(=?ISO-8859-1?Q?a?=)", "(a)")]
    [InlineData("(=?ISO-8859-1?Q?a?= b)", "(a b)")]
    [InlineData("(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)")]
    [InlineData("(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)")]
    [InlineData("(=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=)", "(ab)")]
    [InlineData("(=?ISO-8859-1?Q?a_b?=)", "(a b)")]
    [InlineData("(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)")]
    [InlineData("=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <keld@dkuug.dk>", "Keld Jørn Simonsen <keld@dkuug.dk>")]
    [InlineData("=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=", "If you can read this you understand the example.")]
    // RFC 2231 5: a language
    [InlineData("=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore")]
    public void Decodes_what_the_RFC_shows(string raw, string text) => Assert.Equal(text, Decode(raw));

    [Theory]
    [InlineData("=?UTF-8?Q?with spaces inside?=", "with spaces inside")]
    [InlineData("=?utf-8?B?0J/RgNC40LLQtdGC?=", "Привет")]
    [InlineData("=?utf8?b?0J/RgNC40LLQtdGC?=", "Привет")]
    [InlineData("=?UTF-8?B?0J/RgNC40LLQtdC?= =?UTF-8?B?gg==?=", "ПривеЂ")]
    [InlineData("=?UTF-8?B?0J/R?=\r\n\t=?UTF-8?B?gNC40LLQtdGC?=", "Привет")]
    [InlineData("=?UTF-8?Q?=D0?= =?UTF-8?Q?=9F?=", "П")]
    [InlineData("=?UTF-8?B?0J8?=", "П")]
    [InlineData("=?windows-1251?Q?=CF=F0=E8=E2=E5=F2?=", "Привет")]
    [InlineData("=?cp1251?Q?=CF=F0=E8=E2=E5=F2?=", "Привет")]
    [InlineData("=?koi8r?B?8NLJ18XU?=", "Привет")]
    [InlineData("=?x-unknown?Q?=D0=9F?=", "П")]
    [InlineData("=?x-unknown?Q?=CF=F0=E8=E2=E5=F2?=", "Привет")]
    [InlineData("\"=?utf-8?B?0J8=?=\" <a@b>", "\"П\" <a@b>")]
    [InlineData("=?utf-8?B?0J8=?==?utf-8?B?0J8=?=", "ПП")]
    [InlineData("a=?utf-8?B?0J8=?=b", "aПb")]
    [InlineData("=?utf-8?Q?=ZZ=4?=", "=ZZ=4")]
    [InlineData("=?utf-8?Q?a=0D=0ABcc:_x?=", "a  Bcc: x")]
    [InlineData("=?utf-8?X?abc?=", "=?utf-8?X?abc?=")]
    [InlineData("=?utf-8?Q?never ends", "=?utf-8?Q?never ends")]
    [InlineData("=?=?utf-8?B?0J8=?=", "=?П")]
    [InlineData("=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", "日本")]
    [InlineData("=?gb2312?B?1tC5+g==?=", "中国")]
    [InlineData("=?ks_c_5601-1987?B?x9GxuQ==?=", "한국")]
    [InlineData("=?unicode-1-1-utf-7?Q?+BB8EQAQ4BDIENQRC-?=", "Привет")]
    [InlineData("", "")]
    [InlineData("??=?=", "??=?=")]
    public void Decodes_what_mailers_send(string raw, string text) => Assert.Equal(text, Decode(raw));

    [Fact]
    public void Raw_8_bit_is_UTF_8_or_guessed()
    {
        Assert.Equal("Привет, =?", EncodedWord.Decode(Encoding.UTF8.GetBytes("Привет, =?")));
        Assert.Equal("Привет всем", Decode("\xCF\xF0\xE8\xE2\xE5\xF2 \xE2\xF1\xE5\xEC"));
        Assert.Equal("Привет всем", Decode("\xF0\xD2\xC9\xD7\xC5\xD4 \xD7\xD3\xC5\xCD"));
        Assert.Equal("Café à la carte", Decode("Caf\xE9 \xE0 la carte"));
        Assert.Equal("Привет П", EncodedWord.Decode(Encoding.UTF8.GetBytes("Привет =?utf-8?B?0J8=?=")));
    }

    [Fact]
    public void Words_are_at_most_75_long_and_hold_whole_characters()
    {
        for (var seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            var text = Mime.RandomText.Line(random, 400);
            var encoded = EncodedWord.Encode(text);
            foreach (var word in encoded.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                Assert.InRange(word.Length, 1, 75);
                Assert.DoesNotContain('\uFFFD', Decode(word));
            }

            Assert.Equal(text, Decode(encoded));
        }
    }

    [Fact]
    public void The_shorter_encoding_is_taken()
    {
        Assert.Equal("=?utf-8?Q?Caf=C3=A9_Paris?=", EncodedWord.Encode("Café Paris"));
        Assert.Equal("=?utf-8?B?0J/RgNC40LLQtdGC?=", EncodedWord.Encode("Привет"));
        Assert.Equal("plain", EncodedWord.EncodeIfNeeded("plain"));
    }

    [Fact]
    public void A_field_of_beginnings_without_end_takes_no_time()
    {
        var raw = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("=?a?q?b", 100_000)));
        var watch = System.Diagnostics.Stopwatch.StartNew();
        EncodedWord.Decode(raw);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 60);
    }
}
