using System.Text;
using CbaMail.Config;
using CbaMail.Net;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Net;

public class LineReaderTests
{
    static readonly TimeSpan Long = Wait.Patience;
    readonly MemoryTransport transport = new();

    LineReader Reader(int limit = 20) => new(Connection.Over(transport.Server, new ListenerSettings()), limit);

    async Task<List<string>> ReadAll(LineReader reader)
    {
        var seen = new List<string>();
        while (true)
        {
            var status = await reader.ReadAsync(Long);
            seen.Add(status == LineStatus.Line ? Encoding.Latin1.GetString(reader.Line.Span) : "<" + status + ">");
            if (status is LineStatus.Ended or LineStatus.Flood) return seen;
        }
    }

    [Theory]
    [InlineData("a\r\nb\r\n", "a|b|<Ended>")]
    [InlineData("\r\n", "|<Ended>")]
    [InlineData("a\r\nrest", "a|<Ended>")]
    [InlineData("a\rb\r\nc\r\n", "<BareLineEnd>|c|<Ended>")]
    [InlineData("a\nb\r\nc\r\n", "<BareLineEnd>|c|<Ended>")]
    [InlineData("a\n", "<BareLineEnd>|<Ended>")]
    [InlineData("12345678901234567890\r\nc\r\n", "12345678901234567890|c|<Ended>")]
    [InlineData("123456789012345678901\r\nc\r\n", "<TooLong>|c|<Ended>")]
    [InlineData("1234567890123456789012345678901234567890\r\nc\r\n", "<TooLong>|c|<Ended>")]
    public async Task Takes_lines_ended_by_CRLF_alone(string sent, string expected)
    {
        await transport.SendAsync(sent);
        transport.HalfClose();
        Assert.Equal(expected.Split('|'), await ReadAll(Reader()));
    }

    [Theory]
    [InlineData("a\r\nb\r\n", "a|b|<Ended>")]
    [InlineData("123456789012345678901234567890\r\nc\r\n", "<TooLong>|c|<Ended>")]
    [InlineData("12345678901234567890\r\nc\r\n", "12345678901234567890|c|<Ended>")]
    [InlineData("a\rb\r\nc\r\n", "<BareLineEnd>|c|<Ended>")]
    public async Task Does_so_when_the_bytes_come_one_by_one(string sent, string expected)
    {
        var reading = ReadAll(Reader());
        foreach (var c in sent)
        {
            await transport.SendAsync(c.ToString());
            await Task.Yield();
        }
        transport.HalfClose();
        Assert.Equal(expected.Split('|'), await reading);
    }

    [Fact]
    public async Task A_silent_peer_times_out()
    {
        Assert.Equal(LineStatus.TimedOut, await Reader().ReadAsync(TimeSpan.FromMilliseconds(20)));
    }

    [Fact]
    public async Task Stopping_wakes_a_waiting_reader()
    {
        using var stop = new CancellationTokenSource();
        var reader = new LineReader(Connection.Over(transport.Server, new ListenerSettings(), stopping: stop.Token), 20);
        var reading = reader.ReadAsync(Long);
        await stop.CancelAsync();
        Assert.Equal(LineStatus.Stopping, await reading);
    }

    [Fact]
    public async Task A_line_without_end_is_a_flood()
    {
        var reading = ReadAll(Reader());
        for (var i = 0; i < 18; i++) await transport.SendAsync(new string('x', 60_000));
        Assert.Equal("<Flood>", (await reading)[^1]);
    }
}
