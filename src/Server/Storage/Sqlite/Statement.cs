using SQLitePCL;

namespace CbaMail.Storage.Sqlite;

/// <summary>
/// A prepared statement: bind (1-based), step, read columns (0-based). <c>using</c> it resets it for the next use.
/// </summary>
public sealed class Statement : IDisposable
{
    readonly SqliteConnection connection;
    readonly sqlite3_stmt handle;
    readonly bool transient;

    internal Statement(SqliteConnection connection, sqlite3_stmt handle, bool transient)
    {
        this.connection = connection;
        this.handle = handle;
        this.transient = transient;
    }

    /// <summary>Stepped and not yet reset.</summary>
    public bool IsOpen { get; private set; }

    public Statement Bind(int index, long value) { raw.sqlite3_bind_int64(handle, index, value); return this; }
    public Statement Bind(int index, bool value) => Bind(index, value ? 1L : 0L);
    public Statement Bind(int index, long? value) { if (value is { } v) return Bind(index, v); raw.sqlite3_bind_null(handle, index); return this; }
    public Statement Bind(int index, double value) { raw.sqlite3_bind_double(handle, index, value); return this; }
    public Statement Bind(int index, DateTimeOffset value) => Bind(index, value.ToUnixTimeMilliseconds());
    public Statement Bind(int index, DateTimeOffset? value) => Bind(index, value?.ToUnixTimeMilliseconds());

    public Statement Bind(int index, string? value)
    {
        if (value is null) raw.sqlite3_bind_null(handle, index); else raw.sqlite3_bind_text(handle, index, value);
        return this;
    }

    public Statement BindOrNull(int index, byte[]? value)
    {
        if (value is null) raw.sqlite3_bind_null(handle, index); else raw.sqlite3_bind_blob(handle, index, value.AsSpan());
        return this;
    }

    public Statement Bind(int index, ReadOnlySpan<byte> value) { raw.sqlite3_bind_blob(handle, index, value); return this; }

    /// <summary>True while there is a row.</summary>
    public bool Step()
    {
        IsOpen = true;
        var code = raw.sqlite3_step(handle);
        if (code == raw.SQLITE_ROW) return true;
        if (code == raw.SQLITE_DONE) return false;
        var error = connection.Error(code);
        Reset();
        throw error;
    }

    /// <summary>Runs to the end and resets.</summary>
    /// <returns>Rows changed.</returns>
    public int Run()
    {
        while (Step()) { }
        var changes = connection.Changes;
        Dispose();
        return changes;
    }

    /// <summary>The first column of the first row, or null; resets.</summary>
    public long? Scalar()
    {
        long? value = Step() && !IsNull(0) ? Int64(0) : null;
        Dispose();
        return value;
    }

    public bool IsNull(int column) => raw.sqlite3_column_type(handle, column) == raw.SQLITE_NULL;
    public long Int64(int column) => raw.sqlite3_column_int64(handle, column);
    public int Int32(int column) => raw.sqlite3_column_int(handle, column);
    public bool Bool(int column) => Int64(column) != 0;
    public double Double(int column) => raw.sqlite3_column_double(handle, column);
    public string? Text(int column) => IsNull(column) ? null : raw.sqlite3_column_text(handle, column).utf8_to_string();
    /// <summary>A text column that is declared NOT NULL.</summary>
    public string String(int column) => Text(column) ?? "";
    /// <summary>Valid until the next step.</summary>
    public ReadOnlySpan<byte> Blob(int column) => raw.sqlite3_column_blob(handle, column);
    public DateTimeOffset Time(int column) => DateTimeOffset.FromUnixTimeMilliseconds(Int64(column));
    public DateTimeOffset? TimeOrNull(int column) => IsNull(column) ? null : Time(column);

    internal Statement Reset()
    {
        raw.sqlite3_reset(handle);
        raw.sqlite3_clear_bindings(handle);
        IsOpen = false;
        return this;
    }

    internal void Finish() => handle.Dispose();

    public void Dispose()
    {
        Reset();
        if (transient) Finish();
    }
}
