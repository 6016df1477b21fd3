using CbaMail.Storage.Sqlite;

namespace CbaMail.Backup;

/// <summary>A column as the schema declares it.</summary>
/// <param name="Type">INTEGER, TEXT or BLOB.</param>
/// <param name="MayLack">A row may end before it (older than the column), or have NULL there.</param>
/// <param name="IsRowId">Stands in the cell's rowid; the record has NULL.</param>
readonly record struct SalvageColumn(string Name, string Type, bool MayBeNull, bool MayLack, bool IsRowId);

/// <summary>SQL of the salvage: rows of a damaged database, attached as "damaged" where that can be done, into a fresh one.</summary>
static class SalvageTable
{
    /// <remarks>writable_schema lets SQLite read a file that is shorter than its header says, or whose schema has a wrong line.</remarks>
    public static void Attach(SqliteConnection connection, string damaged) => connection.Execute($"PRAGMA writable_schema = ON; ATTACH '{damaged.Replace("'", "''", StringComparison.Ordinal)}' AS damaged");

    /// <summary>Whether a table or column of the damaged database cannot be found: a page of its schema is damaged.</summary>
    public static bool IsOfSchema(SqliteError error) => error.Code == 1; // SQLITE_ERROR

    public static void Clear(SqliteConnection connection, string table) => connection.Execute($"DELETE FROM main.\"{table}\"");

    /// <summary>Copies all rows at once.</summary>
    /// <remarks>Without the WHERE, SQLite would move whole rows over and stop at a number that stands there twice, whatever it was told to ignore.</remarks>
    /// <exception cref="SqliteError">Some page of it is damaged; nothing was copied.</exception>
    public static long Copy(SqliteConnection connection, string table) =>
        connection.Prepare($"INSERT OR IGNORE INTO main.\"{table}\" SELECT * FROM damaged.\"{table}\" WHERE 1").Run();

    /// <summary>The page where a table's tree begins, or null where the schema does not say.</summary>
    public static int? Root(SqliteConnection connection, string table)
    {
        try { return (int?)connection.Prepare("SELECT rootpage FROM damaged.sqlite_schema WHERE type = 'table' AND name = ?").Bind(1, table).Scalar(); }
        catch (SqliteError error) when (error.IsDamage || IsOfSchema(error)) { return null; }
    }

    /// <summary>Where all trees of the damaged one begin, as far as the schema can be read.</summary>
    public static List<int> Roots(SqliteConnection connection)
    {
        var roots = new List<int>();
        try
        {
            using var row = connection.Prepare("SELECT rootpage FROM damaged.sqlite_schema WHERE rootpage > 0");
            while (row.Step()) roots.Add(row.Int32(0));
        }
        catch (SqliteError error) when (error.IsDamage || IsOfSchema(error))
        {
            return roots; // as far as the damage
        }
        return roots;
    }

    public static bool HasRowId(SqliteConnection connection, string table)
    {
        using var row = connection.Prepare("SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?").Bind(1, table);
        return row.Step() && row.Int64(0) == 0;
    }

    /// <summary>The columns of the fresh table, in the order in which records hold them: keys stand first in every table of ours.</summary>
    public static List<SalvageColumn> Columns(SqliteConnection connection, string table)
    {
        var withRowId = HasRowId(connection, table);
        var columns = new List<SalvageColumn>();
        using var row = connection.Prepare("SELECT name, type, \"notnull\", dflt_value IS NOT NULL, pk FROM pragma_table_info(?) ORDER BY cid").Bind(1, table);
        while (row.Step())
        {
            var isRowId = withRowId && row.Int64(4) == 1 && row.String(1) == "INTEGER";
            columns.Add(new SalvageColumn(row.String(0), row.String(1), row.Int64(2) == 0 && row.Int64(4) == 0, row.Int64(3) == 1, isRowId));
        }
        return columns;
    }

    /// <summary>Puts one row in, unless its key is there already.</summary>
    /// <returns>Whether it was.</returns>
    public static bool Insert(SqliteConnection connection, string table, IReadOnlyList<SalvageColumn> columns, in PageRow row)
    {
        var count = row.Values.Length;
        var names = string.Join(", ", columns.Take(count).Select(column => $"\"{column.Name}\""));
        var statement = connection.Prepare($"INSERT OR IGNORE INTO main.\"{table}\" ({names}) VALUES ({string.Join(", ", Enumerable.Repeat("?", count))})");
        for (var i = 0; i < count; i++)
            _ = (columns[i].IsRowId ? row.RowId : row.Values[i]) switch
            {
                long number => statement.Bind(i + 1, number),
                string text => statement.Bind(i + 1, text),
                byte[] bytes => statement.Bind(i + 1, bytes),
                double number => statement.Bind(i + 1, number),
                _ => statement.Bind(i + 1, (string?)null),
            };
        return statement.Run() > 0;
    }

    /// <summary>Numbers that were given out are not given out again.</summary>
    public static void KeepSequences(SqliteConnection connection, bool attached)
    {
        const long Leap = 100_000; // where it is not known how far the damaged one had come
        connection.Execute("INSERT INTO main.sqlite_sequence (name, seq) SELECT name, 0 FROM main.sqlite_schema WHERE sql LIKE '%AUTOINCREMENT%' AND name NOT IN (SELECT name FROM main.sqlite_sequence)");
        try
        {
            if (attached && connection.Prepare("SELECT count(*) FROM damaged.sqlite_sequence").Scalar() > 0)
            {
                connection.Execute("UPDATE main.sqlite_sequence SET seq = max(seq, coalesce((SELECT d.seq FROM damaged.sqlite_sequence d WHERE d.name = main.sqlite_sequence.name), 0))");
                return;
            }
        }
        catch (SqliteError error) when (error.IsDamage || IsOfSchema(error))
        {
            attached = false;
        }
        connection.Execute($"UPDATE main.sqlite_sequence SET seq = seq + {Leap}");
    }

    public static bool HasVault(SqliteConnection connection) => connection.Prepare("SELECT 1 FROM main.vault").Scalar() == 1;

    /// <summary>The row of the engine made again: every record that is there counts as flushed.</summary>
    public static void MakeVault(SqliteConnection connection, int pack, long position) =>
        connection.Prepare("INSERT INTO main.vault (id, safe_pack, safe_position, uid_validity) SELECT 1, ?, ?, coalesce(max(uid_validity), 0) FROM main.mailbox")
            .Bind(1, pack).Bind(2, position).Run();
}
