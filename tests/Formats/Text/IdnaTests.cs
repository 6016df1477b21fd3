using CbaMail.Text;
using Xunit;

namespace CbaMail.Tests.Formats.Text;

public class IdnaTests
{
    [Theory]
    [InlineData("пример.рф", "xn--e1afmkfd.xn--p1ai")]
    [InlineData("bücher.example", "xn--bcher-kva.example")]
    [InlineData("example.test", "example.test")]
    public void Both_ways(string unicode, string ascii)
    {
        Assert.True(Idna.TryToAscii(unicode, out var written));
        Assert.Equal(ascii, written);
        Assert.Equal(unicode, Idna.ToUnicode(ascii));
    }

    [Fact]
    public void What_cannot_be_converted_stays()
    {
        Assert.False(Idna.TryToAscii("..рф", out _));
        Assert.Equal("xn--\u0001", Idna.ToUnicode("xn--\u0001"));
        Assert.True(Idna.TryToAscii("[192.0.2.1]", out _));
    }
}
