using System.Text;
using CbaMail.Config;
using CbaMail.Smtp.Server;
using CbaMail.Storage;
using Xunit;

namespace CbaMail.Tests.Server.Smtp.Server;

/// <summary>The text of DATA, against an oracle that has it whole, with the octets cut anywhere.</summary>
public sealed class DotReaderTests : IDisposable
{
    readonly string data = System.IO.Directory.CreateTempSubdirectory("cbamail-dot-").FullName;
    readonly Spool spool;

    public DotReaderTests() => spool = new Spool(new Settings { Data = data });

    public void Dispose() => System.IO.Directory.Delete(data, recursive: true);

    [Fact]
    public void Agrees_with_the_simple_way_however_it_is_cut()
    {
        var random = new Random(20260101);
        var pieces = new[] { "\r\n", ".", "\r", "\n", "a", "text", "\r\n.", "\r\n..", "\r\n.\r", "\r\n.\n", "\0", "é" };
        for (var round = 0; round < 20_000; round++)
        {
            var made = new StringBuilder();
            for (var n = random.Next(8); n >= 0; n--) made.Append(pieces[random.Next(pieces.Length)]);
            var all = Encoding.Latin1.GetBytes(made + "\r\n.\r\nQUIT\r\n");
            using var sink = new MessageSink(spool.Create(), 1_000_000);
            sink.Begin([]);
            var reader = new DotReader(sink);
            var at = 0;
            while (!reader.Ended && at < all.Length) at += reader.Feed(all.AsSpan(at, Math.Min(all.Length - at, 1 + random.Next(5))));
            var (text, end, bare) = Oracle(Encoding.Latin1.GetString(all));
            Assert.Equal((text, end, bare), (Encoding.Latin1.GetString(sink.Content.Span), at, sink.HasBareLineEnd));
        }
    }

    // RFC 5321 4.5.2 read plainly: split at CRLF, stop at ".", drop a first dot
    static (string Text, int End, bool Bare) Oracle(string all)
    {
        var text = new StringBuilder();
        var at = 0;
        while (true)
        {
            var end = all.IndexOf("\r\n", at, StringComparison.Ordinal);
            var line = all[at..end];
            at = end + 2;
            if (line == ".") break;
            text.Append(line.StartsWith('.') ? line[1..] : line).Append("\r\n");
        }
        var result = text.ToString();
        var rest = result.Replace("\r\n", "", StringComparison.Ordinal);
        return (result, at, rest.Contains('\r', StringComparison.Ordinal) || rest.Contains('\n', StringComparison.Ordinal) || BareBesideLineEnd(result));
    }

    // "\r\r\n": removing CRLF must not hide a CR before it
    static bool BareBesideLineEnd(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\r' && (i + 1 == text.Length || text[i + 1] != '\n')) return true;
            if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) return true;
        }
        return false;
    }

    [Theory]
    [InlineData("a\r\nb\r\n", false)]
    [InlineData("a\r", true)]
    [InlineData("a\n", true)]
    [InlineData("\r\r\n", true)]
    [InlineData("\n\r\n", true)]
    [InlineData("", false)]
    public void Chunks_are_checked_over_their_borders(string text, bool bare)
    {
        using var sink = new MessageSink(spool.Create(), 100);
        sink.Begin([]);
        foreach (var c in text) sink.WriteChecked([(byte)c]);
        sink.End();
        Assert.Equal(bare, sink.HasBareLineEnd);
    }
}
