using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace CbaMail.Observability;

/// <summary>
/// Compact lines on standard error: time, level, room, event, text. A writer of its own drains a bounded queue, so that a terminal
/// that somebody has stopped holds up no session; what does not fit is counted and said.
/// </summary>
public sealed class StderrLog : ILoggerProvider
{
    readonly BlockingCollection<string> lines = new(boundedCapacity: 8192);
    readonly Thread writer;
    readonly TimeProvider time;
    readonly Stream output;
    long lost;

    public StderrLog(TimeProvider time, Stream? output = null)
    {
        this.time = time;
        this.output = output ?? Console.OpenStandardError();
        writer = new Thread(Write) { IsBackground = true, Name = "log" };
        writer.Start();
    }

    public ILogger CreateLogger(string categoryName) => new Room(this, categoryName[(categoryName.LastIndexOf('.') + 1)..]);

    void Add(LogLevel level, string room, EventId id, string text, Exception? surprise)
    {
        var line = new StringBuilder(160)
            .Append(time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture)).Append(' ')
            .Append(level switch { LogLevel.Trace => "trace", LogLevel.Debug => "debug", LogLevel.Information => "info ", LogLevel.Warning => "warn ", LogLevel.Error => "error", _ => "fatal" })
            .Append(' ').Append(room);
        if (id.Name is { Length: > 0 }) line.Append(' ').Append(id.Name);
        line.Append(": ").Append(OneLine(text));
        if (surprise is not null) line.Append('\n').Append(surprise.ToString());
        line.Append('\n');
        if (lines.IsAddingCompleted || !lines.TryAdd(line.ToString())) Interlocked.Increment(ref lost);
    }

    // what strangers send must not forge lines
    static string OneLine(string text) => text.AsSpan().ContainsAnyInRange('\0', '\x1f') ? new([.. text.Select(c => c < ' ' ? '?' : c)]) : text;

    void Write()
    {
        foreach (var line in lines.GetConsumingEnumerable())
        {
            try
            {
                output.Write(Encoding.UTF8.GetBytes(line));
                if (lines.Count == 0)
                {
                    if (Interlocked.Exchange(ref lost, 0) is > 0 and var count) output.Write(Encoding.UTF8.GetBytes($"({count} log lines were lost: standard error was not read)\n"));
                    output.Flush();
                }
            }
            catch (IOException)
            {
                Interlocked.Increment(ref lost); // nobody reads: the server goes on
            }
        }
    }

    public void Dispose()
    {
        lines.CompleteAdding();
        writer.Join(TimeSpan.FromSeconds(1));
    }

    sealed class Room(StderrLog log, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log.Add(logLevel, name, eventId, formatter(state, exception), exception);
    }
}
