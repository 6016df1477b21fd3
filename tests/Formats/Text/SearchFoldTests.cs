using CbaMail.Text;
using Xunit;

namespace CbaMail.Tests.Formats.Text;

public sealed class SearchFoldTests
{
    [Theory]
    [InlineData("Hello", "hello")]
    [InlineData("ПРИВЕТ", "привет")]
    [InlineData("Ёлка", "елка")]
    [InlineData("Мой Й", "мой й")]
    [InlineData("и\u0306", "й")]
    [InlineData("Café", "cafe")]
    [InlineData("cafe\u0301", "cafe")]
    [InlineData("STRASSE ſ", "strasse s")]
    [InlineData("ﬁne", "fine")]
    [InlineData("Ｗｉｄｅ", "wide")]
    [InlineData("ΣΊΣΥΦΟΣ ς", "σισυφοσ σ")]
    [InlineData("\U00010400", "\U00010428")]
    [InlineData("", "")]
    public void Texts_are_compared_without_case_marks_and_yo(string text, string folded) => Assert.Equal(folded, SearchFold.Fold(text));

    [Fact]
    public void A_folded_text_stays_as_it_is()
    {
        for (var c = 0; c < 0xffff; c++)
        {
            var once = SearchFold.Fold(((char)c).ToString());
            Assert.Equal(once, SearchFold.Fold(once));
        }
    }

    [Fact]
    public void What_is_equal_without_case_is_equal_folded() // RFC 5051: the form is no stricter
    {
        for (var c = 0; c < 0xd800; c++)
        {
            if (c == 0x345) continue; // a mark whose capital is a letter
            var (one, upper) = (((char)c).ToString(), char.ToUpperInvariant((char)c).ToString());
            Assert.Equal(SearchFold.Fold(one), SearchFold.Fold(upper));
        }
    }
}
