using CbaMail.Storage;

namespace CbaMail.Backup;

/// <summary>The database file itself: SQLite's own check, the schema, the settings on which durability rests.</summary>
static class DatabaseCheck
{
    public static async Task RunAsync(Inspection inspection)
    {
        var store = inspection.Store;
        List<string> tables;
        long version;
        using (var read = store.Read())
        {
            tables = IntegrityTable.Tables(read.Prepare);
            version = IntegrityTable.Version(read.Prepare);
        }
        if (version != Migrations.Newest) inspection.Report(new Finding("schema", $"the schema is {version}, this release knows {Migrations.Newest}"));
        var (journal, synchronous) = await store.StartCommit(IntegrityTable.Durability, inspection.Cancel);
        if (journal != "wal" || synchronous != 2)
            inspection.Report(new Finding("settings", $"the database runs with journal_mode={journal} and synchronous={synchronous}: what is acknowledged may not be durable; it has to be \"wal\" and 2"));
        var indexes = false;
        foreach (var table in tables) // a table at a time: no snapshot is held for long
        {
            var begun = inspection.Begin();
            List<string> found;
            using (var read = store.Read()) found = IntegrityTable.Check(read.Prepare, table);
            foreach (var text in found)
            {
                if (!IntegrityTable.IsOfIndex(text)) inspection.Report(new Finding("database", $"the database is damaged: {text}. {DatabaseFile.Advice}"));
                else if (indexes) inspection.Report(new Finding("index", $"an index is wrong: {text}"));
                else inspection.Report(new Finding("index", $"an index is wrong: {text}"), "All indexes were made again.", IntegrityTable.MakeIndexesAgain);
                indexes |= IntegrityTable.IsOfIndex(text);
            }
            await inspection.RestAsync(begun);
        }
    }
}
