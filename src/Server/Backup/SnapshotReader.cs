using System.Globalization;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using CbaMail.Storage.Blobs;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Backup;

/// <summary>A snapshot opened for reading: its accounts, mailboxes and bodies. Not thread-safe.</summary>
sealed class SnapshotReader : IDisposable
{
    readonly SqliteConnection connection;
    readonly Disk disk;
    readonly string? copy;
    Dictionary<long, MailAddress>? addresses;

    SnapshotReader(SqliteConnection connection, Repository repository, StorageSettings settings, string? copy)
    {
        (this.connection, this.copy, disk) = (connection, copy, repository.Disk);
        Transaction = Read();
        Packs = new Packs(repository.Packs, settings, new ReadOnlyDisk(disk));
        Mail = new MailReader(Transaction, new Bodies(Packs, Read));

        ReadTransaction Read() => new(connection, 0, (_, _) => { }); // nobody writes: it is one snapshot for good
    }

    public ReadTransaction Transaction { get; }
    public Packs Packs { get; }
    public MailReader Mail { get; }

    /// <param name="working">A directory for a copy of the database, which is needed where the snapshot is of an earlier release.</param>
    /// <exception cref="BackupProblem">The database is damaged or of a newer release.</exception>
    public static SnapshotReader Open(Repository repository, Manifest manifest, StorageSettings settings, string working)
    {
        var database = Path.Combine(repository.Snapshot(manifest.Name), Store.DatabaseName);
        using (var file = repository.Disk.OpenToRead(database) ?? throw new BackupProblem($"The database of the snapshot {manifest.Name} is missing"))
            if (file.Length != manifest.DatabaseSize || PackCopy.HashOf(file, manifest.DatabaseSize) != manifest.DatabaseSha256)
                throw new BackupProblem($"The database of the snapshot {manifest.Name} is damaged: {database} does not have the checksum of the manifest; take another snapshot with --at");
        if (manifest.Schema > Migrations.Newest) throw new BackupProblem($"The snapshot {manifest.Name} was written by a newer release; install that one");
        if (manifest.Schema == Migrations.Newest) return new SnapshotReader(new SqliteConnection(database, readOnly: true, repository.Disk.SqliteVfs), repository, settings, null);
        var copy = Path.Combine(working, "restore-" + Guid.NewGuid().ToString("n", CultureInfo.InvariantCulture) + ".db");
        Copy(repository.Disk, database, copy);
        var migrated = new SqliteConnection(copy, readOnly: false, repository.Disk.SqliteVfs);
        try
        {
            Migrations.Apply(migrated);
            return new SnapshotReader(migrated, repository, settings, copy);
        }
        catch
        {
            migrated.Dispose();
            repository.Disk.Delete(copy);
            throw;
        }
    }

    static void Copy(Disk disk, string from, string to)
    {
        using var source = disk.OpenToRead(from);
        using var target = disk.Open(to, create: true);
        var buffer = new byte[256 * 1024];
        long at = 0;
        while (source!.Read(buffer, at) is > 0 and var count)
        {
            target!.Write(buffer.AsSpan(0, count), at);
            at += count;
        }
    }

    /// <summary>The account with its crypt(3) hash.</summary>
    public (Account Account, string Password)? Account(string address)
    {
        if (!Names.TryAddress(address, out var wanted)) return null;
        foreach (var (account, password, _) in DirectoryTable.Accounts(Transaction))
            if (account.Address.Key == wanted.Key) return (account, password);
        return null;
    }

    /// <summary>The address that an account had.</summary>
    public MailAddress? Address(long accountId) => (addresses ??= DirectoryTable.Accounts(Transaction).ToDictionary(row => row.Account.Id, row => row.Account.Address)).GetValueOrDefault(accountId);

    public void Dispose()
    {
        Packs.Dispose();
        connection.Dispose();
        if (copy is not null) disk.Delete(copy);
    }
}
