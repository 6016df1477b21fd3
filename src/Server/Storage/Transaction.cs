using CbaMail.Storage.Sqlite;

namespace CbaMail.Storage;

/// <summary>The committer's transaction: write through it, and ask to be told when all is durable.</summary>
public sealed class WriteTransaction(SqliteConnection connection)
{
    List<Action>? committed;

    /// <summary>The kept statement for this constant text.</summary>
    public Statement Prepare(string sql) => connection.Prepare(sql);

    public long LastInsertId => connection.LastInsertId;

    public int Changes => connection.Changes;

    /// <summary>Runs after the commit is durable, before the caller is told; must be short and must not throw. Not run if the work fails.</summary>
    public void OnCommitted(Action action) => (committed ??= []).Add(action);

    internal void Committed()
    {
        if (committed is not null)
            foreach (var action in committed) action();
    }
}

/// <summary>A snapshot for reading; give it back by disposing it.</summary>
public sealed class ReadTransaction(SqliteConnection connection, Action<SqliteConnection> giveBack) : IDisposable
{
    /// <summary>The kept statement for this constant text.</summary>
    public Statement Prepare(string sql) => connection.Prepare(sql);

    public void Dispose() => giveBack(connection);
}
