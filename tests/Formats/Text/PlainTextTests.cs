using CbaMail.Text;
using Xunit;

namespace CbaMail.Tests.Formats.Text;

public sealed class PlainTextTests
{
    [Theory]
    [InlineData("Привет, мир \u00e9 \U0001f600", "Привет, мир \u00e9 \U0001f600")]
    [InlineData("a\u001b[2Jb", "a?[2Jb")]                      // clears the screen
    [InlineData("a\u009b2Jb", "a?2Jb")]                        // so does that, in one character
    [InlineData("a\r\nb\tc\0\u007f", "a??b?c??")]
    [InlineData("a\u2028b\u2029c", "a?b?c")]
    [InlineData("exe.\u202etxt\u2066", "exe.?txt?")]           // reads from right to left
    public void What_moves_the_cursor_or_turns_the_text_is_shown_as_a_sign(string text, string shown) => Assert.Equal(shown, PlainText.Line(text));

    [Fact]
    public void Lines_and_tabs_may_stay() => Assert.Equal("a\n\tb??c", PlainText.Lines("a\n\tb\r\u001bc"));

    [Fact]
    public void What_is_plain_is_not_copied()
    {
        const string Text = "plain";
        Assert.Same(Text, PlainText.Line(Text));
    }
}
