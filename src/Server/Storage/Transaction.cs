using CbaMail.Storage.Blobs;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Storage;

/// <summary>The committer's transaction: write through it, and ask to be told when all is durable.</summary>
public sealed class WriteTransaction(SqliteConnection connection, Packs packs)
{
    List<Action>? committed;
    List<Action>? ending;

    /// <summary>A room's own state for the length of this transaction; the mailboxes keep their changes here.</summary>
    internal object? Attached { get; set; }

    /// <summary>Where the record will lie if it is the next to be appended.</summary>
    public PackLocation Reserve(PackRecord record) => packs.Reserve(record.Length);

    /// <summary>Puts a record into the pack; it is flushed with this commit.</summary>
    public PackLocation Append(PackRecord record, long id) => packs.Append(record, id);

    /// <summary>
    /// Rows of this transaction tell something of its bodies that must not outlive them (a queue entry, a ledger's "delivered"):
    /// the pack is flushed before the database commits, not at the same time. It costs a lonely commit one flush more.
    /// </summary>
    public void BodiesFirst() => WantsBodiesFirst = true;

    internal bool WantsBodiesFirst { get; private set; }

    /// <summary>Counts a record as dead.</summary>
    public void Drop(PackLocation location) => VaultTable.AddDead(connection, location);

    public uint NextUidValidity(DateTimeOffset now) => VaultTable.NextUidValidity(connection, now);

    /// <summary>The kept statement for this constant text.</summary>
    public Statement Prepare(string sql) => connection.Prepare(sql);

    public long LastInsertId => connection.LastInsertId;

    public int Changes => connection.Changes;

    /// <summary>Runs after the commit is durable, before the caller is told; must be short and must not throw. Not run if the work fails.</summary>
    public void OnCommitted(Action action) => (committed ??= []).Add(action);

    /// <summary>Runs at the end of this work, still inside the transaction.</summary>
    public void OnEnding(Action action) => (ending ??= []).Add(action);

    internal void Ending()
    {
        for (var i = 0; i < ending?.Count; i++) ending[i]();
    }

    internal void Committed(ILogger log)
    {
        if (committed is null) return;
        foreach (var action in committed)
            try
            {
                action();
            }
            catch (Exception error)
            {
                StorageTelemetry.AfterCommit(log, error); // all is durable; who waits for it must hear so
            }
    }
}

/// <summary>A snapshot for reading; give it back by disposing it.</summary>
public sealed class ReadTransaction(SqliteConnection connection, Action<SqliteConnection> giveBack) : IDisposable
{
    /// <summary>The kept statement for this constant text.</summary>
    public Statement Prepare(string sql) => connection.Prepare(sql);

    public void Dispose() => giveBack(connection);
}
