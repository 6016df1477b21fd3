using System.Globalization;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using CbaMail.Storage.Blobs;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Backup;

/// <summary>
/// The database of a stopped server, before anything is opened that would write to it: whether SQLite can read it, and where it cannot, what
/// of it can be saved into a fresh one. The damaged file is kept beside it.
/// </summary>
public static class DatabaseFile
{
    /// <summary>What is to be done about a database that is damaged beyond its indexes.</summary>
    public const string Advice =
        "Stop the server, keep a copy of the data directory, and restore from a backup with \"cbamail restore\"; without one, \"cbamail verify --repair\" on the stopped server saves what can be read.";

    /// <summary>What is wrong beyond indexes, which can be made again; null where it can be worked with.</summary>
    /// <exception cref="InvalidOperationException">It cannot be opened; a sentence for people.</exception>
    public static string? Problem(string data)
    {
        if (Store.WithoutDatabase(new RealDisk(), data) is { } lost) throw new InvalidOperationException(lost);
        try
        {
            using var looking = new Looking(Path.Combine(data, "cbamail.db"));
            using var connection = new SqliteConnection(Path.Combine(data, "cbamail.db"), readOnly: true);
            return IntegrityTable.Check(connection.Prepare, null).Find(text => !IntegrityTable.IsOfIndex(text));
        }
        catch (SqliteError error)
        {
            return error.IsDamage ? error.Message : throw new InvalidOperationException($"The database cannot be opened: {error.Message}", error);
        }
    }

    // SQLite makes an empty log where somebody only looks, and then nobody could tell that there was none
    sealed class Looking(string database) : IDisposable
    {
        readonly bool had = File.Exists(database + "-wal");

        public void Dispose()
        {
            if (had || new FileInfo(database + "-wal") is not { Exists: true, Length: 0 }) return;
            File.Delete(database + "-wal");
            File.Delete(database + "-shm");
        }
    }

    /// <summary>Takes the data directory's lock for as long as the result lives.</summary>
    public static IDisposable Lock(string data) => new RealDisk().Lock(data);

    /// <summary>Puts a database into place that an interrupted repair had ready.</summary>
    public static bool Finish(string data, DateTimeOffset now, Action<string> report)
    {
        if (!File.Exists(Path.Combine(data, Store.Salvaged))) return false;
        PutIntoPlace(data, now, report);
        return true;
    }

    /// <summary>Makes a fresh database of what can be read.</summary>
    /// <param name="report">A sentence each for what was done.</param>
    /// <returns>Null, or why it cannot be done.</returns>
    public static string? Salvage(string data, DateTimeOffset now, Action<string> report)
    {
        var damaged = Path.Combine(data, "cbamail.db");
        var fresh = Path.Combine(data, "cbamail.db.salvage");
        foreach (var old in System.IO.Directory.GetFiles(data, "cbamail.db.salvage*")) File.Delete(old);
        try
        {
            using var connection = new SqliteConnection(fresh, readOnly: false);
            connection.Execute("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY"); // flushed whole at the end
            Migrations.Apply(connection);
            connection.Execute("PRAGMA foreign_keys = OFF"); // what a row refers to may be saved after it, or lost
            var salvage = new Salvage(connection, damaged);
            salvage.Run(report);
            if (salvage.Saved == 0 && salvage.IsPartial) return $"Nothing of the database can be read. {Advice}"; // an empty one would make all mail garbage
            // every record that is there counts as flushed: the log that told more is gone with the damaged file
            var end = End(Path.Combine(data, "packs"));
            if (SalvageTable.HasVault(connection)) VaultTable.SetSafe(connection, end);
            else SalvageTable.MakeVault(connection, end.Pack, end.Position);
        }
        catch (SqliteError error)
        {
            return !error.IsDamage ? $"The fresh database cannot be written: {error.Message}" : $"Nothing of the database can be read ({error.Message}). {Advice}";
        }
        using (var handle = File.OpenHandle(fresh, FileMode.Open, FileAccess.ReadWrite)) Posix.FlushData(handle);
        File.Move(fresh, Path.Combine(data, Store.Salvaged)); // its connection is closed, so its log is in it
        Posix.FlushDirectory(data);
        PutIntoPlace(data, now, report);
        return null;
    }

    // from the first name to the last one a start is refused and a repair goes on here, wherever the power went
    static void PutIntoPlace(string data, DateTimeOffset now, Action<string> report)
    {
        var damaged = Path.Combine(data, Store.DatabaseName);
        var kept = damaged + Store.Damaged + now.UtcDateTime.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        foreach (var suffix in (string[])["-wal", "-shm", ""])
            if (File.Exists(damaged + suffix)) File.Move(damaged + suffix, kept + suffix);
        Posix.FlushDirectory(data);
        File.Move(Path.Combine(data, Store.Salvaged), damaged);
        Posix.FlushDirectory(data);
        report($"A fresh database was made of what could be read; the damaged one is kept as {kept}.");
    }

    /// <summary>
    /// The records whose rows stood in a log that is missing: the server did not stop properly, and its log is gone. Null where it is there or
    /// was moved into the database by a clean stop.
    /// </summary>
    internal static HashSet<PackLocation>? LostLog(string data)
    {
        var database = Path.Combine(data, Store.DatabaseName);
        if (File.Exists(database + "-wal")) return null;
        using var looking = new Looking(database);
        try
        {
            using var disk = new ReadOnlyDisk(new RealDisk());
            using var packs = new Packs(Path.Combine(data, "packs"), new Config.StorageSettings(), disk);
            using var connection = new SqliteConnection(database, readOnly: true);
            var gap = PackRecovery.Walk(packs, VaultTable.Safe(connection), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
            var (content, part) = (ContentTable.Given(connection.Prepare, "content"), ContentTable.Given(connection.Prepare, "object"));
            var lost = gap.Whole.Where(pair => pair.Value.Id > (pair.Value.Kind == RecordKind.Content ? content : part)).Select(pair => pair.Key).ToHashSet();
            return lost.Count > 0 ? lost : null;
        }
        catch (SqliteError)
        {
            return null; // it is damaged beside: that is said elsewhere
        }
    }

    /// <summary>Goes on without the log: numbers that it may have given out are not given out again, and the records stay where they are.</summary>
    internal static void GoOnWithoutLog(string data)
    {
        using var connection = new SqliteConnection(Path.Combine(data, Store.DatabaseName), readOnly: false);
        Migrations.Apply(connection);
        connection.Execute("PRAGMA synchronous=FULL; BEGIN IMMEDIATE");
        BackupTable.Renumber(connection, End(Path.Combine(data, "packs")).Pack + 1);
        connection.Execute("COMMIT");
    }

    // behind the last record that is there
    static (int Pack, long Position) End(string packs)
    {
        var last = new DirectoryInfo(packs).GetFiles("*.pack").MaxBy(file => file.Name, StringComparer.Ordinal);
        if (last is null || !int.TryParse(Path.GetFileNameWithoutExtension(last.Name), NumberStyles.None, CultureInfo.InvariantCulture, out var pack)) return (0, 0);
        using var handle = File.OpenHandle(last.FullName);
        bool Read(long position, Span<byte> bytes) => RandomAccess.Read(handle, bytes, position) == bytes.Length;
        long end = 0;
        foreach (var (position, head) in RecordReader.All(Read, last.Length)) end = position + head.Stored;
        return (pack, end);
    }
}
