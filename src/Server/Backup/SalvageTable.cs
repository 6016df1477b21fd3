using CbaMail.Storage.Sqlite;

namespace CbaMail.Backup;

/// <summary>SQL of the salvage: rows of a damaged database, attached as "damaged", into a fresh one, in ranges that are as large as the damage allows.</summary>
static class SalvageTable
{
    /// <summary>Tables clustered by two numbers, with the table whose ids the first of them are.</summary>
    public static readonly IReadOnlyDictionary<string, (string First, string Second, string Parent)> Clustered = new Dictionary<string, (string, string, string)>
    {
        ["message"] = ("mailbox_id", "uid", "mailbox"),
        ["expunged"] = ("mailbox_id", "modseq", "mailbox"),
        ["queue_recipient"] = ("message_id", "seq", "queue_message"),
        ["mailing_file"] = ("mailing_id", "place", "mailing"),
    };

    /// <remarks>writable_schema lets SQLite read a file that is shorter than its header says, or whose schema has a wrong line.</remarks>
    public static void Attach(SqliteConnection connection, string damaged) => connection.Execute($"PRAGMA writable_schema = ON; ATTACH '{damaged.Replace("'", "''", StringComparison.Ordinal)}' AS damaged");

    /// <summary>Whether a table or column of the damaged database cannot be found: a page of its schema is damaged.</summary>
    public static bool IsOfSchema(SqliteError error) => error.Code == 1; // SQLITE_ERROR

    /// <summary>Whether the table has a rowid to go by.</summary>
    public static bool HasRowid(SqliteConnection connection, string table)
    {
        using var row = connection.Prepare("SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?").Bind(1, table);
        return row.Step() && row.Int64(0) == 0;
    }

    public static void Clear(SqliteConnection connection, string table) => connection.Execute($"DELETE FROM main.\"{table}\"");

    /// <summary>Copies all rows at once.</summary>
    /// <remarks>Without the WHERE, SQLite would move whole rows over and stop at a number that stands there twice, whatever it was told to ignore.</remarks>
    /// <exception cref="SqliteError">Some page of it is damaged; nothing was copied.</exception>
    public static long Copy(SqliteConnection connection, string table) =>
        connection.Prepare($"INSERT OR IGNORE INTO main.\"{table}\" SELECT * FROM damaged.\"{table}\" WHERE 1").Run();

    /// <summary>Copies the rows whose rowid is within the range, both ends included.</summary>
    public static long Copy(SqliteConnection connection, string table, long from, long to) =>
        connection.Prepare($"INSERT OR IGNORE INTO main.\"{table}\" SELECT * FROM damaged.\"{table}\" NOT INDEXED WHERE rowid BETWEEN ? AND ?").Bind(1, from).Bind(2, to).Run();

    public static long Copy(SqliteConnection connection, string table, long first, long from, long to)
    {
        var (one, two, _) = Clustered[table];
        return connection.Prepare($"INSERT OR IGNORE INTO main.\"{table}\" SELECT * FROM damaged.\"{table}\" WHERE {one} = ? AND {two} BETWEEN ? AND ?")
            .Bind(1, first).Bind(2, from).Bind(3, to).Run();
    }

    /// <summary>The highest rowid of the damaged table; of a number that was given out where that cannot be read.</summary>
    public static long Last(SqliteConnection connection, string table)
    {
        foreach (var sql in (string[])[$"SELECT max(rowid) FROM damaged.\"{table}\"", $"SELECT seq FROM damaged.sqlite_sequence WHERE name = '{table}'"])
            try
            {
                if (connection.Prepare(sql).Scalar() is { } last) return last;
            }
            catch (SqliteError error) when (error.IsDamage)
            {
                continue; // the other may be readable
            }
        return 0;
    }

    /// <summary>The first numbers of a clustered table: those of its parent's rows that were saved, and those met from both ends.</summary>
    public static SortedSet<long> Firsts(SqliteConnection connection, string table)
    {
        var (one, _, parent) = Clustered[table];
        var firsts = new SortedSet<long>();
        using (var row = connection.Prepare($"SELECT id FROM main.\"{parent}\""))
            while (row.Step()) firsts.Add(row.Int64(0));
        foreach (var sql in (string[])[$"SELECT min({one}) FROM damaged.\"{table}\" WHERE {one} > ?", $"SELECT max({one}) FROM damaged.\"{table}\" WHERE {one} < ?"])
            try
            {
                var at = sql.Contains("min(", StringComparison.Ordinal) ? long.MinValue : long.MaxValue;
                while (connection.Prepare(sql).Bind(1, at).Scalar() is { } next) firsts.Add(at = next);
            }
            catch (SqliteError error) when (error.IsDamage)
            {
                continue; // as far as the damage
            }
        return firsts;
    }

    /// <summary>The largest second number for a first one; null where it cannot be read.</summary>
    public static long? LastOf(SqliteConnection connection, string table, long first)
    {
        var (one, two, _) = Clustered[table];
        try { return connection.Prepare($"SELECT coalesce(max({two}), 0) FROM damaged.\"{table}\" WHERE {one} = ?").Bind(1, first).Scalar(); }
        catch (SqliteError error) when (error.IsDamage) { return null; }
    }

    public static long UidNext(SqliteConnection connection, long mailbox) => connection.Prepare("SELECT max(uid_next, modseq) FROM main.mailbox WHERE id = ?").Bind(1, mailbox).Scalar() ?? 0;

    /// <summary>Numbers that were given out are not given out again.</summary>
    public static void KeepSequences(SqliteConnection connection)
    {
        const long Leap = 100_000; // where it is not known how far the damaged one had come
        try { connection.Execute("UPDATE main.sqlite_sequence SET seq = max(seq, coalesce((SELECT d.seq FROM damaged.sqlite_sequence d WHERE d.name = main.sqlite_sequence.name), 0))"); }
        catch (SqliteError error) when (error.IsDamage || IsOfSchema(error)) { connection.Execute($"UPDATE main.sqlite_sequence SET seq = seq + {Leap}"); }
    }

    public static bool HasVault(SqliteConnection connection) => connection.Prepare("SELECT 1 FROM main.vault").Scalar() == 1;

    /// <summary>The row of the engine made again: every record that is there counts as flushed.</summary>
    public static void MakeVault(SqliteConnection connection, int pack, long position) =>
        connection.Prepare("INSERT INTO main.vault (id, safe_pack, safe_position, uid_validity) SELECT 1, ?, ?, coalesce(max(uid_validity), 0) FROM main.mailbox")
            .Bind(1, pack).Bind(2, position).Run();
}
