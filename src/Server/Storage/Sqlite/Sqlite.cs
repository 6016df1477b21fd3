using SQLitePCL;

namespace CbaMail.Storage.Sqlite;

/// <summary>SQLite's own error, with its extended result code.</summary>
public sealed class SqliteError(int code, string message) : Exception($"SQLite {code}: {message}")
{
    public int Code => code;
    /// <summary>SQLITE_FULL or SQLITE_IOERR from a full disk.</summary>
    public bool IsDiskFull => (code & 0xff) is raw.SQLITE_FULL;
    /// <summary>SQLite may have undone the whole transaction by itself: full disk, I/O error, no memory, damage.</summary>
    public bool IsFatal => (code & 0xff) is raw.SQLITE_FULL or raw.SQLITE_IOERR or raw.SQLITE_NOMEM or raw.SQLITE_CORRUPT or raw.SQLITE_READONLY;
    /// <summary>The file is not what it was: SQLITE_CORRUPT, SQLITE_NOTADB, or a sector that cannot be read.</summary>
    public bool IsDamage => (code & 0xff) is raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB or raw.SQLITE_IOERR;
    /// <summary>SQLITE_CONSTRAINT: a unique key or a reference stood against it.</summary>
    public bool IsConstraint => (code & 0xff) is raw.SQLITE_CONSTRAINT;
}

/// <summary>
/// One SQLite connection with its kept, prepared statements. Not thread-safe: it belongs to the committer or to one reader at a time.
/// </summary>
public sealed class SqliteConnection : IDisposable
{
    readonly sqlite3 handle;
    readonly Dictionary<string, Statement> kept = [];

    static SqliteConnection() => Batteries_V2.Init();

    const int Patience = 5000; // milliseconds

    /// <summary>SQLite takes 512 bytes, with the names of its log and journal behind them.</summary>
    const int LongestPath = 500;

    /// <summary>Opens the file; creates it unless <paramref name="readOnly"/>.</summary>
    /// <param name="vfs">See <see cref="Disk.SqliteVfs"/>.</param>
    /// <exception cref="PathTooLongException">With a sentence for people.</exception>
    public SqliteConnection(string path, bool readOnly, string? vfs = null)
    {
        if (System.Text.Encoding.UTF8.GetByteCount(path) is > LongestPath and var length)
            throw new PathTooLongException($"the path of its database is {length} bytes long, and SQLite takes {LongestPath} at most; name a directory with a shorter path");
        var flags = readOnly ? raw.SQLITE_OPEN_READONLY : raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE;
        var code = raw.sqlite3_open_v2(path, out handle, flags | raw.SQLITE_OPEN_NOMUTEX, vfs);
        if (code != raw.SQLITE_OK) throw new SqliteError(code, $"{path}: {raw.sqlite3_errmsg(handle).utf8_to_string()}");
        raw.sqlite3_extended_result_codes(handle, 1);
        raw.sqlite3_busy_timeout(handle, Patience);
    }

    public sqlite3 Handle => handle;

    /// <summary>Rows changed by the last statement.</summary>
    public int Changes => raw.sqlite3_changes(handle);

    /// <summary>Rows changed since it was opened.</summary>
    public int TotalChanges => raw.sqlite3_total_changes(handle);

    public long LastInsertId => raw.sqlite3_last_insert_rowid(handle);

    /// <summary>The kept statement for this text, reset and with no values bound. Pass constants: the text is the key.</summary>
    public Statement Prepare(string sql)
    {
        if (kept.TryGetValue(sql, out var statement) && !statement.IsOpen) return statement.Reset();
        var code = raw.sqlite3_prepare_v3(handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out var prepared);
        if (code != raw.SQLITE_OK) throw Error(code);
        if (statement is not null) return new Statement(this, prepared, transient: true); // the kept one is being read: nested use
        return kept[sql] = new Statement(this, prepared, transient: false);
    }

    /// <summary>Runs statements that return nothing, separated by semicolons.</summary>
    public void Execute(string sql)
    {
        var code = raw.sqlite3_exec(handle, sql);
        if (code != raw.SQLITE_OK) throw Error(code);
    }

    /// <summary>Moves the write-ahead log into the database as far as readers allow; waits for nobody and lets nobody wait.</summary>
    public void Checkpoint() => _ = raw.sqlite3_wal_checkpoint_v2(handle, "main", raw.SQLITE_CHECKPOINT_PASSIVE, out _, out _);

    /// <summary>Moves the rest of the write-ahead log into the database and lets it begin again; waits for whoever reads in it.</summary>
    /// <param name="patience">Milliseconds.</param>
    /// <returns>Whether it begins again.</returns>
    public bool BeginLogAgain(int patience)
    {
        raw.sqlite3_busy_timeout(handle, patience);
        var code = raw.sqlite3_wal_checkpoint_v2(handle, "main", raw.SQLITE_CHECKPOINT_RESTART, out _, out _);
        raw.sqlite3_busy_timeout(handle, Patience);
        return code == raw.SQLITE_OK;
    }

    /// <summary>Leaves the log where it is when this connection is the last to close.</summary>
    public void KeepLog()
    {
        const int noCheckpointOnClose = 1006; // SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE
        _ = raw.sqlite3_db_config(handle, noCheckpointOnClose, 1, out _);
    }

    /// <summary>Pages handed to the log since the last call.</summary>
    public int TakePagesWritten()
    {
        _ = raw.sqlite3_db_status(handle, raw.SQLITE_DBSTATUS_CACHE_WRITE, out var pages, out _, 1);
        return pages;
    }

    /// <summary>Undoes the transaction where SQLite has not done so itself.</summary>
    public void TryRollback()
    {
        if (raw.sqlite3_get_autocommit(handle) == 0) _ = raw.sqlite3_exec(handle, "ROLLBACK");
    }

    internal SqliteError Error(int code) => new(code, raw.sqlite3_errmsg(handle).utf8_to_string());

    public void Dispose()
    {
        foreach (var statement in kept.Values) statement.Finish();
        raw.sqlite3_close_v2(handle);
        handle.Dispose();
    }
}
