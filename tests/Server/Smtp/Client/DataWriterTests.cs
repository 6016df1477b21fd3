using System.Buffers;
using System.Text;
using CbaMail.Smtp.Client;
using Xunit;

namespace CbaMail.Tests.Server.Smtp.Client;

public class DataWriterTests
{
    static async Task<string> WriteAsync(string text, Random? cut = null)
    {
        var sent = new StringBuilder();
        using var writer = new DataWriter((bytes, _) => { sent.Append(Encoding.Latin1.GetString(bytes.Span)); return Task.CompletedTask; });
        var bytes = Encoding.Latin1.GetBytes(text);
        for (var at = 0; at < bytes.Length;)
        {
            var count = cut is null ? bytes.Length : Math.Min(bytes.Length - at, cut.Next(1, 5));
            writer.Write(bytes.AsSpan(at, count));
            at += count;
            await writer.FlushAsync();
        }
        await writer.FinishAsync(default);
        return sent.ToString();
    }

    [Theory]
    [InlineData("", ".\r\n")]
    [InlineData("a\r\n", "a\r\n.\r\n")]
    [InlineData("a", "a\r\n.\r\n")]
    [InlineData(".\r\n..\r\n.a\r\nb.\r\n", "..\r\n...\r\n..a\r\nb.\r\n.\r\n")]
    [InlineData("a\nb\rc\r\nd", "a\r\nb\r\nc\r\nd\r\n.\r\n")]
    [InlineData("a\r\r\n", "a\r\n\r\n.\r\n")]
    [InlineData("a\r", "a\r\n.\r\n")]
    [InlineData("a\n.\nb", "a\r\n..\r\nb\r\n.\r\n")] // no smuggled end of message
    [InlineData("a\r.\rb", "a\r\n..\r\nb\r\n.\r\n")]
    [InlineData("\r\n", "\r\n.\r\n")]
    public async Task Dots_are_doubled_and_line_ends_mended(string text, string wire)
    {
        Assert.Equal(wire, await WriteAsync(text));
        Assert.Equal(wire, await WriteAsync(text, new Random(1)));
    }

    [Fact]
    public async Task However_it_is_cut_the_wire_is_the_same_and_reads_back()
    {
        const string Alphabet = "ab.\r\n";
        for (var seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            var text = new string([.. Enumerable.Range(0, random.Next(60)).Select(_ => Alphabet[random.Next(Alphabet.Length)])]);
            var wire = await WriteAsync(text);
            Assert.Equal(wire, await WriteAsync(text, random));
            // read as a server does: lines by CRLF alone, one dot taken off, the first lone dot ends it
            var lines = wire.Split("\r\n");
            var end = Array.IndexOf(lines, ".");
            Assert.Equal(lines.Length - 2, end);
            Assert.DoesNotContain(lines, line => line.Contains('\r') || line.Contains('\n'));
            var read = string.Concat(lines[..end].Select(line => (line.StartsWith('.') ? line[1..] : line) + "\n"));
            var mended = text.Replace("\r\n", "\n").Replace("\r", "\n");
            Assert.Equal(mended.Length == 0 || mended.EndsWith('\n') ? mended : mended + "\n", read);
        }
    }

    [Fact]
    public async Task A_large_content_leaves_as_it_comes()
    {
        var (most, total) = (0, 0L);
        using var writer = new DataWriter((bytes, _) => { most = Math.Max(most, bytes.Length); total += bytes.Length; return Task.CompletedTask; });
        var line = Encoding.ASCII.GetBytes(new string('x', 98) + "\r\n");
        for (var i = 0; i < 100_000; i++)
        {
            writer.Write(line);
            await writer.FlushAsync();
        }
        await writer.FinishAsync(default);
        Assert.Equal(10_000_003, total);
        Assert.True(most < 40_000, $"{most} bytes at once");
    }
}
