using System.Text;
using CbaMail.Pop3;
using Xunit;

namespace CbaMail.Tests.Server.Pop3;

public class Pop3LineTests
{
    [Theory]
    [InlineData("STAT", "STAT", "")]
    [InlineData("stat", "STAT", "")]
    [InlineData("RETR 1", "RETR", "1")]
    [InlineData("PASS  two  spaces ", "PASS", " two  spaces ")]
    [InlineData("USER аня", "USER", "аня")]
    [InlineData("", "", "")]
    [InlineData(" STAT", "", "STAT")]
    public void Keyword_and_argument(string line, string verb, string argument)
    {
        var read = Pop3Line.Parse(Encoding.UTF8.GetBytes(line));
        Assert.Equal((verb, argument, null), (read.Verb, read.Argument, read.Problem));
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("007", 7)]
    [InlineData("2147483648", int.MaxValue)]
    [InlineData("99999999999999999999999999", int.MaxValue)]
    public void Numbers(string word, long number) => Assert.Equal((true, number), (Pop3Line.TryNumber(word, out var read), read));

    [Theory, InlineData(""), InlineData("-1"), InlineData("+1"), InlineData("1.0"), InlineData("0x1"), InlineData("١"), InlineData("1 ")]
    public void No_numbers(string word) => Assert.False(Pop3Line.TryNumber(word, out _));

    /// <summary>Oracle: what was taken is the line again.</summary>
    [Fact]
    public void Any_octets_are_a_line_or_a_sentence()
    {
        var random = new Random(3);
        for (var round = 0; round < 50_000; round++)
        {
            var line = new byte[random.Next(24)];
            for (var i = 0; i < line.Length; i++) line[i] = random.Next(3) == 0 ? (byte)random.Next(256) : (byte)" USERPAstat19"[random.Next(13)];
            var read = Pop3Line.Parse(line);
            if (read.Problem is not null || read.Verb == "?") continue;
            var space = Array.IndexOf(line, (byte)' ');
            Assert.Equal(Encoding.UTF8.GetString(line).ToUpperInvariant(), (space < 0 ? read.Verb : read.Verb + " " + read.Argument).ToUpperInvariant());
        }
    }
}
