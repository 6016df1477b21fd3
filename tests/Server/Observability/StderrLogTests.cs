using System.Text;
using CbaMail.Observability;
using Microsoft.Extensions.Logging;
using Xunit;

namespace CbaMail.Tests.Server.Observability;

public sealed class StderrLogTests
{
    static string[] Lines(MemoryStream output) => Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    [Fact]
    public async Task Every_line_is_there_whole_and_in_order_when_the_log_is_closed()
    {
        var output = new MemoryStream();
        using (var log = new StderrLog(TimeProvider.System, output))
        {
            await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(() =>
            {
                var logger = log.CreateLogger($"A.Room{writer}");
                for (var i = 0; i < 500; i++) logger.Log(LogLevel.Information, default, i, null, (n, _) => $"line {n}");
            })));
        }
        var lines = Lines(output);
        Assert.Equal(2000, lines.Length);
        for (var writer = 0; writer < 4; writer++)
            Assert.Equal(Enumerable.Range(0, 500).Select(i => $"line {i}"), lines.Where(l => l.Contains($" Room{writer}: ", StringComparison.Ordinal)).Select(l => l[(l.IndexOf(": ", StringComparison.Ordinal) + 2)..]));
    }

    [Fact]
    public void What_strangers_say_forges_no_line_and_moves_no_cursor()
    {
        var output = new MemoryStream();
        using (var log = new StderrLog(TimeProvider.System, output))
            log.CreateLogger("Room").Log(LogLevel.Error, default, "x\r\n2026 info forged\u001b[2J\u009b2J\u202e", new InvalidOperationException("why\u009b2J"), (text, _) => text);
        var lines = Lines(output);
        Assert.EndsWith("Room: x??2026 info forged?[2J?2J?", lines[0]);
        Assert.EndsWith("why?2J", lines[1]);
    }

    [Fact]
    public void What_does_not_fit_while_nobody_reads_is_counted()
    {
        var output = new Stopped();
        using (var log = new StderrLog(TimeProvider.System, output))
        {
            var logger = log.CreateLogger("Room");
            logger.Log(LogLevel.Information, default, 0, null, (_, _) => "first");
            output.Entered.Wait(TestContext.Current.CancellationToken);
            for (var i = 0; i < 8192 + 5; i++) logger.Log(LogLevel.Information, default, 0, null, (_, _) => "more");
            output.Gate.Set();
        }
        var lines = Lines(output);
        Assert.Equal(1 + 8192 + 1, lines.Length);
        Assert.Equal("(5 log lines were lost: standard error was not read)", lines[^1]);
    }

    /// <summary>A terminal that somebody has stopped, until the gate opens.</summary>
    sealed class Stopped : MemoryStream
    {
        public ManualResetEventSlim Gate { get; } = new();
        public ManualResetEventSlim Entered { get; } = new();

        public override void Write(byte[] buffer, int offset, int count)
        {
            Entered.Set();
            Gate.Wait();
            base.Write(buffer, offset, count);
        }
    }
}
