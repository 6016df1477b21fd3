using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Backup;

/// <summary>
/// Rows of a damaged database into a fresh one. A table that SQLite can read is copied by it; of one that it cannot, the pages are read one
/// by one: first those that its tree still leads to, then those that no tree leads to any more and whose rows look like this table's.
/// </summary>
sealed class Salvage(SqliteConnection fresh, string damaged)
{
    readonly Dictionary<string, List<SalvageColumn>> columns = [];
    readonly HashSet<int> met = [];
    bool attached;

    /// <summary>Rows saved in all.</summary>
    public long Saved { get; private set; }

    /// <summary>Whether some table could not be copied whole.</summary>
    public bool IsPartial { get; private set; }

    /// <param name="report">A sentence for each table that was not saved whole.</param>
    public void Run(Action<string> report)
    {
        Attach();
        var tables = IntegrityTable.Tables(fresh.Prepare);
        var broken = new List<string>();
        foreach (var table in tables)
        {
            SalvageTable.Clear(fresh, table);
            columns[table] = SalvageTable.Columns(fresh, table);
            if (!TryCopy(table)) broken.Add(table);
        }
        if (broken.Count > 0) ByPages(broken, report);
        SalvageTable.KeepSequences(fresh, attached);
    }

    // a file whose head is lost is no database for SQLite, and its pages can be read all the same
    void Attach()
    {
        try
        {
            SalvageTable.Attach(fresh, damaged);
            attached = true;
        }
        catch (SqliteError error) when (error.IsDamage || SalvageTable.IsOfSchema(error))
        {
            attached = false;
        }
    }

    bool TryCopy(string table)
    {
        if (!attached) return false;
        try
        {
            Saved += SalvageTable.Copy(fresh, table);
            return true;
        }
        catch (SqliteError error) when (error.IsDamage || SalvageTable.IsOfSchema(error))
        {
            return false; // SQLite has undone it
        }
    }

    void ByPages(List<string> broken, Action<string> report)
    {
        IsPartial = true;
        using var pages = new DatabasePages(damaged);
        var rows = new PageRows(pages);
        var saved = broken.ToDictionary(table => table, _ => 0L);
        // all that is asked of the damaged one comes before the transaction, which an error of it would spoil
        var roots = attached ? broken.ToDictionary(table => table, table => SalvageTable.Root(fresh, table)) : [];
        var all = attached ? SalvageTable.Roots(fresh) : [];
        fresh.Execute("BEGIN");
        foreach (var table in broken)
        {
            if (roots.GetValueOrDefault(table) is not { } root) continue;
            foreach (var row in rows.Walk(root, met))
                if (Fits(table, row) && SalvageTable.Insert(fresh, table, columns[table], row)) saved[table]++;
        }
        // what belongs to a tree that is whole does not stray
        foreach (var root in all)
            foreach (var _ in rows.Walk(root, met)) { }
        met.UnionWith(pages.Free());
        for (var number = 1; number <= pages.Count; number++)
        {
            if (met.Contains(number) || pages.Read(number) is not { } page || PageRows.KindOf(number, page) == PageKind.None) continue;
            var stray = rows.Of(number, page).ToList();
            if (stray.Count == 0 || Owner(broken, PageRows.KindOf(number, page), stray) is not { } table) continue;
            foreach (var row in stray)
                if (SalvageTable.Insert(fresh, table, columns[table], row)) saved[table]++;
        }
        fresh.Execute("COMMIT");
        foreach (var (table, count) in saved)
        {
            Saved += count;
            report($"Of the table {table} {count} rows were saved; some lie on pages that cannot be read.");
        }
    }

    /// <summary>The one table whose rows all of these can be.</summary>
    string? Owner(List<string> broken, PageKind kind, List<PageRow> rows)
    {
        string? owner = null;
        foreach (var table in columns.Keys)
        {
            if (SalvageTable.HasRowId(fresh, table) != kind is PageKind.TableLeaf || !rows.TrueForAll(row => Fits(table, row))) continue;
            if (owner is not null) return null; // two look alike (usage, pack): both can be made again
            owner = table;
        }
        return owner is not null && broken.Contains(owner) ? owner : null;
    }

    bool Fits(string table, in PageRow row)
    {
        var wanted = columns[table];
        if (row.Values.Length > wanted.Count || row.Values.Length < 2) return false;
        for (var i = 0; i < wanted.Count; i++)
        {
            if (i >= row.Values.Length)
            {
                if (!wanted[i].MayLack && !wanted[i].MayBeNull) return false; // younger than the row
                continue;
            }
            var fits = row.Values[i] switch
            {
                null => wanted[i].IsRowId || wanted[i].MayBeNull,
                long => !wanted[i].IsRowId && wanted[i].Type == "INTEGER",
                string => wanted[i].Type == "TEXT",
                byte[] => wanted[i].Type == "BLOB",
                _ => false,
            };
            if (!fits) return false;
        }
        return true;
    }
}
