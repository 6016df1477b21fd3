using CbaMail.Storage.Sqlite;

namespace CbaMail.Storage;

/// <summary>What SQLite itself tells of the database.</summary>
static class IntegrityTable
{
    const int Most = 100;

    /// <summary>The schema's tables, or null where not even that can be read.</summary>
    public static List<string> Tables(Func<string, Statement> prepare)
    {
        using var row = prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name");
        var tables = new List<string>();
        while (row.Step()) tables.Add(row.String(0));
        return tables;
    }

    /// <summary>What SQLite finds wrong with a table and its indexes; with the whole database for null.</summary>
    public static List<string> Check(Func<string, Statement> prepare, string? table)
    {
        var found = new List<string>();
        try
        {
            using var row = prepare(table is null ? $"PRAGMA integrity_check({Most})" : $"PRAGMA integrity_check('{table}')");
            while (row.Step())
                if (row.String(0) is not "ok" and var text) found.Add(text);
        }
        catch (SqliteError error) when (error.IsDamage)
        {
            found.Add(error.Message);
        }
        return found;
    }

    /// <summary>The first thing that SQLite finds wrong with the pages and rows of a database, without its indexes' contents; or null.</summary>
    public static string? Problem(SqliteConnection connection)
    {
        try
        {
            using var row = connection.Prepare("PRAGMA quick_check(1)");
            return row.Step() && row.String(0) is not "ok" and var text ? text : null;
        }
        catch (SqliteError error) when (error.IsDamage)
        {
            return error.Message;
        }
    }

    /// <summary>Whether what the check found can be mended by making the indexes again.</summary>
    public static bool IsOfIndex(string finding) =>
        finding.Contains("missing from index", StringComparison.Ordinal) || finding.Contains("wrong # of entries in index", StringComparison.Ordinal)
        || finding.StartsWith("non-unique entry in index", StringComparison.Ordinal) || finding.Contains("values differ from index", StringComparison.Ordinal);

    public static void MakeIndexesAgain(WriteTransaction write) => write.Prepare("REINDEX").Run();

    /// <summary>The number of the last schema file applied.</summary>
    public static long Version(Func<string, Statement> prepare)
    {
        using var row = prepare("PRAGMA user_version");
        return row.Step() ? row.Int64(0) : 0;
    }

    /// <summary>The writer's settings on which durability rests: "wal" and 2 (FULL).</summary>
    public static (string Journal, long Synchronous) Durability(WriteTransaction write)
    {
        using var journal = write.Prepare("PRAGMA journal_mode");
        journal.Step();
        return (journal.String(0), write.Prepare("PRAGMA synchronous").Scalar() ?? -1);
    }
}
