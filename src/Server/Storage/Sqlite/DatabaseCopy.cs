using SQLitePCL;

namespace CbaMail.Storage.Sqlite;

/// <summary>
/// A consistent copy of a database that is being written to: SQLite's backup interface on a connection of its own whose read transaction
/// stays open, so that the copy is one snapshot however long it takes and no commit waits for it.
/// </summary>
static class DatabaseCopy
{
    const int Pages = 256; // a step; between steps others get on

    /// <param name="source">A connection of the copy's own, with no transaction.</param>
    /// <param name="vfs">See <see cref="Disk.SqliteVfs"/>.</param>
    /// <param name="step">Told how many pages of how many are done; where the copy rests.</param>
    /// <exception cref="SqliteError">No space, or the disk fails.</exception>
    public static async Task RunAsync(SqliteConnection source, string to, string? vfs, Func<int, int, Task> step)
    {
        using (var target = new SqliteConnection(to, readOnly: false, vfs))
        {
            // nothing to roll back to: what a crash leaves is thrown away whole
            target.Execute("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF");
            source.Execute("BEGIN");
            try
            {
                Pin(source);
                using var copy = raw.sqlite3_backup_init(target.Handle, "main", source.Handle, "main");
                if (copy.IsInvalid) throw target.Error(raw.sqlite3_errcode(target.Handle));
                while (true)
                {
                    var code = raw.sqlite3_backup_step(copy, Pages);
                    var pages = raw.sqlite3_backup_pagecount(copy);
                    if (code is raw.SQLITE_OK or raw.SQLITE_DONE) await step(pages - raw.sqlite3_backup_remaining(copy), pages);
                    if (code == raw.SQLITE_DONE) break;
                    if (code != raw.SQLITE_OK) throw new SqliteError(code, "the database could not be copied to " + to);
                }
            }
            finally
            {
                source.TryRollback();
            }
        }
        // without a log it can be opened where nothing may be written
        using var plain = new SqliteConnection(to, readOnly: false, vfs);
        plain.Execute("PRAGMA journal_mode=DELETE");
    }

    // the snapshot is taken by the first read, not by BEGIN
    static void Pin(SqliteConnection source) => source.Prepare("PRAGMA schema_version").Scalar();
}
