using System.Runtime.InteropServices;
using System.Text;
using SQLitePCL;

namespace CbaMail.Storage.Sqlite;

/// <summary>
/// A prepared statement: bind (1-based), step, read columns (0-based). <c>using</c> it resets it for the next use.
/// </summary>
/// <remarks>
/// A list of 10,000 messages reads 100,000 values: what only looks into memory is called straight, without counting who has the handle and without
/// telling the garbage collector that foreign code runs, which together cost ten times what SQLite does.
/// </remarks>
public sealed unsafe partial class Statement : IDisposable
{
    readonly SqliteConnection connection;
    readonly sqlite3_stmt handle;
    readonly bool transient;
    nint native; // 0 when it is finished, which SQLite knows for none: no value, no row, misuse
    bool used;   // since it was reset

    internal Statement(SqliteConnection connection, sqlite3_stmt handle, bool transient)
    {
        this.connection = connection;
        this.handle = handle;
        this.transient = transient;
        native = handle.DangerousGetHandle();
    }

    [LibraryImport("e_sqlite3"), SuppressGCTransition] private static partial int sqlite3_column_type(nint statement, int column);
    [LibraryImport("e_sqlite3"), SuppressGCTransition] private static partial long sqlite3_column_int64(nint statement, int column);
    [LibraryImport("e_sqlite3"), SuppressGCTransition] private static partial double sqlite3_column_double(nint statement, int column);
    [LibraryImport("e_sqlite3"), SuppressGCTransition] private static partial byte* sqlite3_column_text(nint statement, int column);
    [LibraryImport("e_sqlite3"), SuppressGCTransition] private static partial byte* sqlite3_column_blob(nint statement, int column);
    [LibraryImport("e_sqlite3"), SuppressGCTransition] private static partial int sqlite3_column_bytes(nint statement, int column);
    [LibraryImport("e_sqlite3"), SuppressGCTransition] private static partial int sqlite3_bind_int64(nint statement, int index, long value);
    [LibraryImport("e_sqlite3"), SuppressGCTransition] private static partial int sqlite3_bind_double(nint statement, int index, double value);
    [LibraryImport("e_sqlite3"), SuppressGCTransition] private static partial int sqlite3_bind_null(nint statement, int index);
    [LibraryImport("e_sqlite3")] private static partial int sqlite3_step(nint statement);
    [LibraryImport("e_sqlite3")] private static partial int sqlite3_reset(nint statement);
    [LibraryImport("e_sqlite3")] private static partial int sqlite3_clear_bindings(nint statement);

    /// <summary>Stepped and not yet reset.</summary>
    public bool IsOpen { get; private set; }

    public Statement Bind(int index, long value)
    {
        used = true;
        _ = sqlite3_bind_int64(native, index, value);
        return this;
    }

    public Statement Bind(int index, double value)
    {
        used = true;
        _ = sqlite3_bind_double(native, index, value);
        return this;
    }

    public Statement Bind(int index, string? value)
    {
        if (value is null) return BindNull(index);
        used = true;
        raw.sqlite3_bind_text(handle, index, value);
        return this;
    }

    public Statement Bind(int index, ReadOnlySpan<byte> value)
    {
        used = true;
        raw.sqlite3_bind_blob(handle, index, value);
        return this;
    }

    public Statement Bind(int index, bool value) => Bind(index, value ? 1L : 0L);
    public Statement Bind(int index, long? value) => value is { } v ? Bind(index, v) : BindNull(index);
    public Statement Bind(int index, DateTimeOffset value) => Bind(index, value.ToUnixTimeMilliseconds());
    public Statement Bind(int index, DateTimeOffset? value) => Bind(index, value?.ToUnixTimeMilliseconds());
    public Statement BindOrNull(int index, byte[]? value) => value is null ? BindNull(index) : Bind(index, value.AsSpan());

    Statement BindNull(int index)
    {
        used = true;
        _ = sqlite3_bind_null(native, index);
        return this;
    }

    /// <summary>True while there is a row.</summary>
    public bool Step()
    {
        IsOpen = used = true;
        var code = sqlite3_step(native);
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

    public bool IsNull(int column) => sqlite3_column_type(native, column) == raw.SQLITE_NULL;
    public long Int64(int column) => sqlite3_column_int64(native, column);
    public int Int32(int column) => (int)Int64(column);
    public bool Bool(int column) => Int64(column) != 0;
    public double Double(int column) => sqlite3_column_double(native, column);

    public string? Text(int column)
    {
        var text = sqlite3_column_text(native, column);
        return text is null ? null : Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
    }

    /// <summary>A text column that is declared NOT NULL.</summary>
    public string String(int column) => Text(column) ?? "";

    /// <summary>Valid until the next step; empty where there is none.</summary>
    public ReadOnlySpan<byte> Blob(int column)
    {
        var bytes = sqlite3_column_blob(native, column);
        return bytes is null ? default : new(bytes, sqlite3_column_bytes(native, column));
    }

    public DateTimeOffset Time(int column) => DateTimeOffset.FromUnixTimeMilliseconds(Int64(column));
    public DateTimeOffset? TimeOrNull(int column) => IsNull(column) ? null : Time(column);

    internal Statement Reset()
    {
        if (!used) return this;
        _ = sqlite3_reset(native);
        _ = sqlite3_clear_bindings(native);
        IsOpen = used = false;
        return this;
    }

    internal void Finish()
    {
        native = 0;
        handle.Dispose();
    }

    public void Dispose()
    {
        Reset();
        if (transient) Finish();
    }
}
