using CbaMail.Config;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Storage;

/// <summary>
/// Moves SQLite's write-ahead log into the database beside the writer: on a thread and a connection of its own, passively, so that no commit
/// waits for it. The log begins again from its start when all of it has been moved and nobody reads it. Where commits never pause that moment
/// does not come by itself: then the writer moves the few pages that were written meanwhile, and waits a little for whoever reads.
/// A log that is written over is quicker to flush than one that grows: it keeps <see cref="StorageSettings.LogKeptBytes"/>.
/// </summary>
sealed class Checkpoints : IDisposable
{
    const int ReaderMilliseconds = 5;

    readonly SqliteConnection connection;
    readonly StorageSettings settings;
    readonly object gate = new();
    readonly Thread? thread;
    long pages;         // written to the log since it was last moved
    long logPages;      // since the log began, as far as the writer knows
    volatile bool moved; // nearly all of it
    bool idle;          // nothing was committed since the last look
    bool stopping;

    public Checkpoints(Func<SqliteConnection> open, StorageSettings settings)
    {
        this.settings = settings;
        connection = open();
        connection.Execute("PRAGMA wal_autocheckpoint=0; PRAGMA synchronous=FULL");
        if (settings.CheckpointPages <= 0) return;
        thread = new Thread(Loop) { Name = "checkpoint", IsBackground = true };
        thread.Start();
    }

    /// <summary>After each commit, on the thread that has the writer.</summary>
    public void Committed(SqliteConnection writer)
    {
        if (thread is null) return;
        var written = writer.TakePagesWritten();
        logPages += written;
        if (logPages > settings.LogPages || (logPages > settings.CheckpointPages && moved))
        {
            moved = false;
            // who reads for long is not waited for: a quarter later once more
            logPages = writer.BeginLogAgain(ReaderMilliseconds) ? 0 : settings.LogPages * 3 / 4;
            Interlocked.Exchange(ref pages, 0);
            return;
        }
        Volatile.Write(ref idle, false);
        var now = Interlocked.Add(ref pages, written);
        var before = now - written;
        if (before > 0 && (before >= settings.CheckpointPages || now < settings.CheckpointPages)) return;
        lock (gate) Monitor.Pulse(gate);
    }

    /// <summary>Moves what can be moved, now.</summary>
    public void Run()
    {
        lock (connection) connection.Checkpoint();
    }

    void Loop()
    {
        while (Next())
            lock (connection)
            {
                Interlocked.Exchange(ref pages, 0);
                connection.Checkpoint();
                moved = true;
            }
    }

    // waits until there is enough to move, or little and nobody at work
    bool Next()
    {
        lock (gate)
            while (!stopping)
            {
                if (Interlocked.Read(ref pages) >= settings.CheckpointPages) return true;
                if (Interlocked.Read(ref pages) == 0)
                {
                    Monitor.Wait(gate);
                    continue;
                }
                idle = true;
                Monitor.Wait(gate, settings.CheckpointIdleMilliseconds);
                if (Volatile.Read(ref idle) && !stopping) return true;
            }
        return false;
    }

    public void Dispose()
    {
        lock (gate)
        {
            stopping = true;
            Monitor.Pulse(gate);
        }
        thread?.Join();
        connection.Dispose();
    }
}
