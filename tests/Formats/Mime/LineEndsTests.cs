using System.Text;
using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Formats.Mime;

public class LineEndsTests
{
    [Theory]
    [InlineData("", 0)]
    [InlineData("a\r\n", 0)]
    [InlineData("a\r\nb\r\n\r\n", 0)]
    [InlineData("a", 2)]
    [InlineData("a\r", 1)]
    [InlineData("a\n", 1)]
    [InlineData("\n\n", 2)]
    [InlineData("a\n\r\nb\rc\r\r\n", 1)]
    [InlineData("a\r\nb\nc", 3)]
    public void Octets_that_lines_lack(string message, int missing) => Assert.Equal(missing, LineEnds.Missing(Encoding.Latin1.GetBytes(message)));

    [Fact]
    public void Agrees_with_a_slow_reading()
    {
        var random = new Random(7);
        for (var round = 0; round < 20_000; round++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(12)).Select(_ => "\r\n\n.a"[random.Next(5)])]);
            var slow = text.Replace("\r\n", "\n").Replace("\n", "\r\n");
            if (slow.Length > 0 && !slow.EndsWith('\n')) slow += slow.EndsWith('\r') ? "\n" : "\r\n";
            Assert.True(slow.Length - text.Length == LineEnds.Missing(Encoding.Latin1.GetBytes(text)), "seed 7: " + text.Replace("\r", "\\r").Replace("\n", "\\n"));
        }
    }
}
