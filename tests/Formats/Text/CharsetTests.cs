using System.Text;
using CbaMail.Text;
using Xunit;

namespace CbaMail.Tests.Formats.Text;

public class CharsetTests
{
    [Theory]
    [InlineData("utf-8", 65001)]
    [InlineData("UTF8", 65001)]
    [InlineData("\"windows-1251\"", 1251)]
    [InlineData("cp1251", 1251)]
    [InlineData("CP-1251", 1251)]
    [InlineData("windows1251", 1251)]
    [InlineData("x-cp1251", 1251)]
    [InlineData("win-1251", 1251)]
    [InlineData("koi8-r", 20866)]
    [InlineData("KOI8R", 20866)]
    [InlineData("koi8-u", 21866)]
    [InlineData("cp866", 866)]
    [InlineData("ibm866", 866)]
    [InlineData("iso-8859-5", 28595)]
    [InlineData("ISO8859-5", 28595)]
    [InlineData("iso_8859-5:1988", 28595)]
    [InlineData("iso-8859-8-i", 38598)]
    [InlineData("iso-8859-15", 28605)]
    [InlineData("iso-8859-1", 1252)]
    [InlineData("gb2312", 54936)]
    [InlineData("GBK", 54936)]
    [InlineData("ks_c_5601-1987", 949)]
    [InlineData("euc-kr", 949)]
    [InlineData("shift_jis", 932)]
    [InlineData("big5", 950)]
    [InlineData("iso-2022-jp", 50220)]
    [InlineData("euc-jp", 51932)]
    [InlineData("macintosh", 10000)]
    [InlineData("x-mac-cyrillic", 10007)]
    [InlineData("tis-620", 874)]
    [InlineData("us-ascii", 20127)]
    [InlineData("utf-16le", 1200)]
    public void Finds_every_name_that_mailers_write(string name, int page) => Assert.Equal(page, Charset.Find(name)?.CodePage);

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("x-unknown")]
    [InlineData("unknown-8bit")]
    [InlineData("default_charset")]
    [InlineData("utf-7")]
    [InlineData("cp99999")]
    [InlineData("../etc/passwd")]
    public void Knows_what_nobody_knows(string? name) => Assert.Null(Charset.Find(name));

    /// <summary>Parts of ISO 8859 that the framework does not have.</summary>
    [Theory]
    [InlineData("iso-8859-10", 0xBD, '―')]
    [InlineData("latin6", 0xA2, 'Ē')]
    [InlineData("ISO_8859-14:1998", 0xA1, 'Ḃ')]
    [InlineData("iso8859-16", 0xA4, '€')]
    [InlineData("iso-8859-16", 0xFF, 'ÿ')]
    public void Knows_every_part_of_iso_8859(string name, int place, char letter)
    {
        Assert.Equal($"a{letter}\u0085", Charset.Decode([0x61, (byte)place, 0x85], name));
        Assert.Equal([0x61, (byte)place, (byte)'?'], Charset.Find(name)!.GetBytes($"a{letter}漢"));
    }

    /// <summary>A character that was cut must not swallow the ASCII behind it.</summary>
    [Theory]
    [InlineData("big5")]
    [InlineData("euc-kr")]
    [InlineData("shift_jis")]
    [InlineData("gb18030")]
    public void What_cannot_be_read_is_one_mark(string name) =>
        Assert.Equal("a\uFFFD b", Charset.Decode([0x61, (byte)(name == "shift_jis" ? 0x88 : 0xB0), 0x20, 0x62], name));

    [Fact]
    public void Unknown_names_are_guessed()
    {
        Assert.Equal("Привет", Charset.Decode(Encoding.UTF8.GetBytes("Привет"), "x-unknown"));
        Assert.Equal("Привет всем", Charset.Decode([0xCF, 0xF0, 0xE8, 0xE2, 0xE5, 0xF2, 0x20, 0xE2, 0xF1, 0xE5, 0xEC], null));
        Assert.Equal("Привет", Charset.Decode(Encoding.UTF8.GetBytes("Привет"), "us-ascii"));
        Assert.Equal("naïve café", Charset.Decode(Encoding.Latin1.GetBytes("naïve café"), "unknown-8bit"));
    }

    [Fact]
    public void A_byte_order_mark_is_not_text()
    {
        Assert.Equal("x", Charset.Decode([0xEF, 0xBB, 0xBF, 0x78], "utf-8"));
        Assert.Equal("x", Charset.Decode([0xFF, 0xFE, 0x78, 0], "utf-16"));
        Assert.Equal("x", Charset.Decode([0xFE, 0xFF, 0, 0x78], "utf-16"));
        Assert.Equal("xy", Charset.Decode([0x78, 0, 0x79, 0], "utf-16"));
    }

    [Fact]
    public void Never_fails_whatever_the_bytes()
    {
        string[] names = ["utf-8", "utf-7", "utf-16", "utf-32", "iso-2022-jp", "iso-2022-kr", "hz-gb-2312", "gb18030", "big5", "euc-jp", "shift_jis", "euc-kr", "cp037", "x", "koi8-r", "iso-8859-8-i", "x-iscii-de", "x-ebcdic-koreanextended"];
        for (var seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            var bytes = new byte[random.Next(40)];
            random.NextBytes(bytes);
            var text = Charset.Decode(bytes, names[seed % names.Length]);
            // lone surrogates could not be stored
            Assert.Equal(text, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)));
        }
    }
}
