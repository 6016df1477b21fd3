using CbaMail.Storage;

namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>Every row of every table that tells something, by table and key.</summary>
sealed class VaultState
{
    // where bodies lie and how far they are flushed may differ
    // and keys are random
    static readonly HashSet<string> hiddenTables = ["vault", "pack", "sqlite_sequence", "sqlite_stat1", "server_key", "bounce_key", "pending_flags"];
    static readonly HashSet<string> hiddenColumns = ["pack", "position", "stored", "envelope", "structure", "hash"];

    public required Dictionary<string, Dictionary<string, string>> Tables { get; init; }

    public Dictionary<string, string> this[string table] => Tables.TryGetValue(table, out var rows) ? rows : [];

    public static VaultState Of(Store store)
    {
        using var read = store.Read();
        return Of(read);
    }

    public static VaultState Of(ReadTransaction read) => new() { Tables = Names(read).ToDictionary(name => name, name => Rows(read, name)) };

    /// <summary>Without columns whose values are not compared.</summary>
    public VaultState Without(params string[] columns)
    {
        var pattern = new System.Text.RegularExpressions.Regex($"(?<=^| )({string.Join('|', columns)})=('[^']*'|[^ ]*)");
        return new VaultState { Tables = Tables.ToDictionary(table => table.Key, table => table.Value.ToDictionary(row => row.Key, row => pattern.Replace(row.Value, "$1"))) };
    }

    static List<string> Names(ReadTransaction read)
    {
        using var row = read.Prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
        var names = new List<string>();
        while (row.Step())
            if (!hiddenTables.Contains(row.String(0))) names.Add(row.String(0));
        return names;
    }

    static Dictionary<string, string> Rows(ReadTransaction read, string table)
    {
        var (keys, columns) = (new List<string>(), new List<string>());
        using (var row = read.Prepare($"SELECT name, pk FROM pragma_table_info('{table}')"))
            while (row.Step())
            {
                if (row.Int64(1) > 0) keys.Add(row.String(0));
                if (!hiddenColumns.Contains(row.String(0))) columns.Add($"'{row.String(0)}='||quote({Told(table, row.String(0))})");
            }
        var key = keys.Count == 0 ? "rowid" : string.Join("||','||", keys.Select(name => name is "name" ? "quote(name)" : name));
        using var all = read.Prepare($"SELECT {key}, {string.Join("||' '||", columns)} FROM {table}");
        var rows = new Dictionary<string, string>();
        while (all.Step()) rows[all.String(0)] = all.String(1);
        return rows;
    }

    // flags that wait to be put into the messages' rows are as good as there
    static string Told(string table, string column) => table != "message" || column is not ("flags" or "keywords" or "modseq") ? column
        : $"(SELECT {column} FROM (SELECT 0 AS place, p.{column} FROM pending_flags p WHERE p.mailbox_id = message.mailbox_id AND message.uid BETWEEN p.first AND p.last UNION ALL SELECT 1, message.{column}) ORDER BY place LIMIT 1)";

    /// <summary>How this differs from another state; empty when it does not.</summary>
    public List<string> Unlike(VaultState other, Func<string, bool>? tables = null)
    {
        var differences = new List<string>();
        foreach (var table in Tables.Keys.Union(other.Tables.Keys).Where(tables ?? (_ => true)).Order(StringComparer.Ordinal))
        {
            foreach (var (key, row) in this[table])
                if (!other[table].TryGetValue(key, out var same)) differences.Add($"+{table} {key}: {Short(row)}");
                else if (same != row) differences.Add($"*{table} {key}: {Short(row)} instead of {Short(same)}");
            foreach (var (key, row) in other[table])
                if (!this[table].ContainsKey(key)) differences.Add($"-{table} {key}: {Short(row)}");
        }
        return differences;
    }

    static string Short(string row) => row.Length > 200 ? row[..200] + "..." : row;

    /// <summary>A number out of a row.</summary>
    public static long Number(string row, string column)
    {
        var from = row.IndexOf(column + "=", StringComparison.Ordinal);
        while (from > 0 && row[from - 1] != ' ') from = row.IndexOf(column + "=", from + 1, StringComparison.Ordinal);
        if (from < 0) throw new InvalidOperationException($"no column {column} in {row}");
        from += column.Length + 1;
        var to = row.IndexOf(' ', from);
        return long.Parse(to < 0 ? row[from..] : row[from..to], System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Which content each message row has, by mailbox and UID.</summary>
    public Dictionary<(long Mailbox, uint Uid), long> Contents() => this["message"].ToDictionary(
        pair => { var parts = pair.Key.Split(','); return (long.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture), uint.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture)); },
        pair => Number(pair.Value, "content_id"));
}
