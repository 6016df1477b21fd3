using CbaMail.Text;
using Xunit;

namespace CbaMail.Tests.Formats.Text;

/// <summary>RFC 4013 3 (examples), RFC 3454 6 (bidirectional text).</summary>
public class SaslPrepTests
{
    [Theory]
    [InlineData("I\u00ADX", "IX")]       // soft hyphen mapped to nothing
    [InlineData("user", "user")]
    [InlineData("USER", "USER")]         // case preserved
    [InlineData("\u00AA", "a")]          // NFKC
    [InlineData("\u2168", "IX")]
    [InlineData("a\u00A0b\u3000c", "a b c")]
    [InlineData("пароль", "пароль")]
    [InlineData("и\u0306", "й")]
    [InlineData("\u05D0\u05D1", "\u05D0\u05D1")]
    [InlineData("\u06271\u0628", "\u06271\u0628")]
    [InlineData("", "")]
    public void Prepares(string text, string prepared)
    {
        Assert.True(SaslPrep.TryPrepare(text, out var got));
        Assert.Equal(prepared, got);
    }

    [Theory]
    [InlineData("\u0007")]
    [InlineData("a\u007F")]
    [InlineData("\u06271")]              // RFC 3454 6: must end in a sign from right to left
    [InlineData("\u0627a\u0628")]
    [InlineData("\uE000")]
    [InlineData("a\uFFFE")]
    [InlineData("\uFFFD")]
    [InlineData("x\u202E")]
    public void Prohibits(string text) => Assert.False(SaslPrep.TryPrepare(text, out _));

    [Fact]
    public void Half_a_surrogate_pair_is_no_text() => Assert.False(SaslPrep.TryPrepare("a" + (char)0xD800, out _));
}
