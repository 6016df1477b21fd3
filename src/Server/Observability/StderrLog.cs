using System.Globalization;
using System.Text;
using CbaMail.Text;

namespace CbaMail.Observability;

/// <summary>
/// Compact lines on standard error: time, level, room, event, text. A writer of its own drains a bounded queue, so that a terminal
/// that somebody has stopped holds up no session; what does not fit is counted and said. The writer sleeps in a monitor and takes all
/// that waits at once: a collection that spins before it sleeps took 3-6 % of the CPU of a server at work. After it has written it rests a
/// moment: woken for each line it would take the processor from the session that said it. The first line after a silence is written at once.
/// </summary>
public sealed class StderrLog : ILoggerProvider
{
    const int MostWaiting = 8192;
    const int ManyWaiting = 1024;
    const int RestMilliseconds = 10;

    readonly object gate = new(); // a monitor, to wait in
    List<string> waiting = [];
    bool ended;
    bool resting;
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
        // what strangers send must not forge lines, nor speak to the terminal
        line.Append(": ").Append(PlainText.Line(text));
        if (surprise is not null) line.Append('\n').Append(PlainText.Lines(surprise.ToString()));
        line.Append('\n');
        var whole = line.ToString();
        lock (gate)
        {
            if (ended || waiting.Count >= MostWaiting) lost++;
            else
            {
                waiting.Add(whole);
                if (resting ? waiting.Count == ManyWaiting || level >= LogLevel.Error : waiting.Count == 1) Monitor.Pulse(gate);
            }
        }
    }

    void Write()
    {
        var taken = new List<string>();
        while (true)
        {
            long missing;
            lock (gate)
            {
                while (waiting.Count == 0 && !ended) Monitor.Wait(gate);
                if (waiting.Count == 0) return;
                (taken, waiting, missing, lost) = (waiting, taken, lost, 0);
            }
            if (missing > 0) taken.Add($"({missing} log lines were lost: standard error was not read)\n");
            try
            {
                foreach (var piece in taken.Chunk(256)) output.Write(Encoding.UTF8.GetBytes(string.Concat(piece)));
                output.Flush();
            }
            catch (IOException)
            {
                lock (gate) lost += taken.Count; // nobody reads: the server goes on
            }
            taken.Clear();
            lock (gate)
            {
                resting = true;
                if (!ended && waiting.Count < ManyWaiting) Monitor.Wait(gate, RestMilliseconds);
                resting = false;
            }
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            ended = true;
            Monitor.Pulse(gate);
        }
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
