using System.Collections.Concurrent;
using CbaMail.Config;
using CbaMail.Storage.Blobs;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Storage;

/// <param name="Bytes">Of all packs.</param>
/// <param name="Dead">Bytes of removed mail and of failed commits: they come back when packs are collected.</param>
public readonly record struct PackSpace(int Packs, long Bytes, long Dead);

/// <summary>
/// The engine of the vault: one data directory, its lock, the database, the packs and the one committer.
/// Rooms own their tables; they write inside <see cref="CommitAsync{T}"/> and read from <see cref="Read"/>.
/// </summary>
/// <remarks>
/// Rules that a change must keep:
/// nothing is acknowledged before its commit and its pack flush are both done;
/// one at a time writes to the database and to the packs: whoever the committer has let (its thread, or a caller);
/// readers see snapshots (WAL) and never wait for the committer;
/// <c>synchronous=FULL</c> and <c>journal_mode=WAL</c> are what SQLite's durability rests on.
/// </remarks>
public sealed class Store : IAsyncDisposable
{
    /// <summary>The database's file in the data directory.</summary>
    internal const string DatabaseName = "cbamail.db";
    /// <summary>Where a restore works until everything is whole; no server starts while a database lies there, or before there is one in its place.</summary>
    internal const string Restoring = "restoring";

    /// <summary>A whole database that a repair made and has not yet put into place; no server starts while it lies there.</summary>
    internal const string Salvaged = DatabaseName + ".salvaged";

    readonly Disk disk;
    readonly IDisposable directoryLock;
    readonly SqliteConnection writer;
    readonly Committer committer;
    readonly Checkpoints checkpoints;
    readonly StorageSettings settings;
    readonly string database;
    readonly ILogger log;
    readonly ConcurrentBag<SqliteConnection> readers = [];
    readonly ConcurrentDictionary<long, bool> reading = []; // tickets of the snapshots that are open
    long tickets;
    long commits;
    bool disposed;

    /// <summary>Opens the directory, takes its lock, migrates the schema, removes what a crash left and nobody was promised.</summary>
    /// <exception cref="InvalidOperationException">Another server has the directory; the message is a sentence for people.</exception>
    /// <param name="removeUnacknowledged">
    /// Removes the rows whose record is not whole: a crash came between their commit and their flush. The room that owns the rows gives it.
    /// </param>
    /// <param name="disk">What packs and database lie on; null is the machine's own. Disposed with the store.</param>
    public Store(Settings settings, ILogger<Store> log, Action<WriteTransaction, PackGap>? removeUnacknowledged = null, Disk? disk = null)
    {
        this.settings = settings.Storage;
        this.disk = disk ??= new RealDisk();
        Path = System.IO.Path.GetFullPath(settings.Data);
        disk.CreateDirectory(Path);
        directoryLock = disk.Lock(Path);
        Condition = new StoreCondition(disk, Path, this.settings, ProbeAsync, log);
        var bounded = LogBounds(this.settings, Condition);
        database = System.IO.Path.Combine(Path, DatabaseName);
        if (IsHalfRestored(disk, Path))
        {
            directoryLock.Dispose();
            throw new InvalidOperationException($"A restore into {Path} was interrupted: run \"cbamail restore\" again, which begins anew.");
        }
        if (WithoutDatabase(disk, Path) is { } lost)
        {
            directoryLock.Dispose();
            throw new InvalidOperationException(lost);
        }
        var withoutLog = !disk.Exists(database + "-wal"); // an empty one is that of a crash before the first commit
        RenewLog(disk, database + "-wal");
        writer = new SqliteConnection(database, readOnly: false, disk.SqliteVfs);
        writer.Execute($"""
            PRAGMA journal_mode=WAL;
            PRAGMA synchronous=FULL;
            PRAGMA wal_autocheckpoint=0;
            PRAGMA journal_size_limit={bounded.LogKeptBytes};
            PRAGMA cache_size=-{this.settings.WriterCacheKib};
            PRAGMA temp_store=MEMORY;
            """);
        MustBeDurable();
        disk.FlushDirectory(Path); // each time: who made the database may have been stopped before he had flushed its name
        Migrations.Apply(writer);
        Packs = new Packs(System.IO.Path.Combine(Path, "packs"), this.settings, disk) { Log = log };
        Packs.IsFlushedByDatabase = disk.FlushesTogether(System.IO.Path.Combine(Path, "packs"), Path) && disk.IsOrdinary(database);
        var gap = Packs.Recover(VaultTable.Safe(writer), log) with { IsWithoutLog = withoutLog };
        writer.Execute("BEGIN IMMEDIATE");
        var tally = new PackTally();
        try
        {
            removeUnacknowledged?.Invoke(new WriteTransaction(writer, Packs, tally), gap);
        }
        catch (InvalidOperationException)
        {
            writer.TryRollback();
            writer.Dispose(); // and with it the log that it made
            Packs.Dispose();
            directoryLock.Dispose();
            throw;
        }
        tally.Write(writer);
        VaultTable.Agree(writer, gap.End.Pack, Packs.Files.Length);
        VaultTable.SetSafe(writer, gap.End);
        writer.Execute("COMMIT");
        Packs.MayFillAhead = () => Condition.IsAmple;
        checkpoints = new Checkpoints(() => new SqliteConnection(database, readOnly: false, disk.SqliteVfs), bounded);
        committer = new Committer(writer, Packs, disk, this.settings, checkpoints, Condition, log);
        this.log = log;
    }

    // Writes the log that a crash left over itself and flushes it. After a flush that failed the system shows bytes that no later flush brings
    // to the disk (fsync(2), EIO): commits that are built on them would be gone after a power cut, or the half of them.
    static void RenewLog(Disk disk, string path)
    {
        using var log = disk.Open(path, create: false);
        if (log is not { Length: > 0 and var length }) return;
        var piece = new byte[Math.Min(length, 1 << 20)];
        for (long at = 0; at < length && log.Read(piece, at) is > 0 and var count; at += count) log.Write(piece.AsSpan(0, count), at);
        log.Flush();
    }

    // until the database is in its place; its directory may be left when it is
    static bool IsHalfRestored(Disk disk, string path) =>
        disk.Exists(System.IO.Path.Combine(path, Restoring, DatabaseName))
        || (disk.DirectoryExists(System.IO.Path.Combine(path, Restoring)) && !disk.Exists(System.IO.Path.Combine(path, DatabaseName)));

    /// <summary>
    /// Why a directory with mail in it has no database to work with, or null. A new one in its place would make the mail of everybody
    /// unreachable and then collect it as dead; so the file is looked at before SQLite is, which takes an empty one and its log away.
    /// </summary>
    internal static string? WithoutDatabase(Disk disk, string path)
    {
        if (disk.Exists(System.IO.Path.Combine(path, Salvaged)))
            return $"A repair of the database in {path} was interrupted: run \"cbamail verify --repair\" again, which finishes it.";
        using (var file = disk.Open(System.IO.Path.Combine(path, DatabaseName), create: false))
            if (file is { Length: > 0 }) return null;
        var packs = System.IO.Path.Combine(path, "packs");
        disk.CreateDirectory(packs);
        foreach (var name in disk.Files(packs))
        {
            using var pack = name.EndsWith(".pack", StringComparison.Ordinal) ? disk.Open(name, create: false) : null;
            if (pack is { Length: > 0 })
                return $"The directory {path} holds mail, but its database {DatabaseName} is missing or empty. Nothing was changed: put the file back if it was moved (with {DatabaseName}-wal, if there is one), " +
                    "or move the directory away and put a backup in its place with \"cbamail restore\".";
        }
        return null;
    }

    // on a small disk the log must not eat the reserve up
    static StorageSettings LogBounds(StorageSettings settings, StoreCondition condition)
    {
        if (!condition.IsWatched || settings.CheckpointPages <= 0) return settings;
        var most = (int)Math.Clamp(condition.Reserve / 4 / 4096, 32, 1 << 18);
        return settings with
        {
            CheckpointPages = Math.Min(settings.CheckpointPages, most),
            LogPages = Math.Min(settings.LogPages, 2 * most),
            LogKeptBytes = Math.Min(settings.LogKeptBytes, most * 4096),
        };
    }

    /// <summary>Whether new mail can be taken; the doors ask before they do.</summary>
    public StoreCondition Condition { get; }

    Task ProbeAsync() => StartCommit(write =>
    {
        VaultTable.Touch(write);
        return true;
    });

    // SQLite answers a setting that it cannot give with the one that it has
    void MustBeDurable()
    {
        using var mode = writer.Prepare("PRAGMA journal_mode");
        using var flushes = writer.Prepare("PRAGMA synchronous");
        var (journal, synchronous) = (mode.Step() ? mode.Text(0) : null, flushes.Step() ? flushes.Int32(0) : -1);
        if (journal == "wal" && synchronous == 2) return;
        throw new InvalidOperationException(
            $"The database {database} does not take the settings that mail is safe with: journal_mode is {journal} and synchronous {synchronous}, wanted are wal and 2. " +
            "Its directory may lie on a network file system or be writable only in part: put it on a local disk.");
    }

    /// <summary>The data directory.</summary>
    public string Path { get; }

    /// <summary>What it lies on, and what is copied from it.</summary>
    internal Disk Disk => disk;

    /// <summary>
    /// The damaged database that a repair kept, or null. As long as it lies there no record is removed from the packs: its row may be one that
    /// could not be saved.
    /// </summary>
    public string? KeptDamaged() => disk.Files(Path).FirstOrDefault(file => System.IO.Path.GetFileName(file).StartsWith(DatabaseName + Damaged, StringComparison.Ordinal));

    internal const string Damaged = ".damaged-";

    public Packs Packs { get; }

    /// <summary>Commits that were asked for since the start: background work looks whether others are busy.</summary>
    public long Commits => Interlocked.Read(ref commits);

    /// <summary>What the packs take of the disk, and how much of it nobody needs.</summary>
    public PackSpace PackSpace()
    {
        var newest = Packs.Newest;
        using var read = Read();
        var space = new PackSpace();
        foreach (var pack in VaultTable.All(read))
        {
            var bytes = pack.Pack == newest.Pack ? newest.Bytes : Math.Max(pack.Bytes, pack.Live);
            space = new PackSpace(space.Packs + 1, space.Bytes + bytes, space.Dead + Math.Max(0, bytes - pack.Live));
        }
        return space;
    }

    /// <summary>
    /// Runs <paramref name="work"/> on the committer inside a transaction that it shares with whatever else waits;
    /// completes when the work is durable. If the work throws, its own changes alone are undone and the exception is passed on.
    /// The work must be short, must not block, and sees all earlier commits. Cancelling helps only until it has begun.
    /// </summary>
    /// <param name="besideDeferred">The work does without what earlier ones have deferred (<see cref="WriteTransaction.Defer"/>).</param>
    public ValueTask<T> CommitAsync<T>(Func<WriteTransaction, T> work, CancellationToken cancel = default, bool besideDeferred = false)
    {
        cancel.ThrowIfCancellationRequested();
        Interlocked.Increment(ref commits);
        if (Rehearsal.IsOn) return TryAsync(work, cancel);
        return committer.Commit(new Committer.Work<T>(Accompaniment.With(work), cancel) { IsBesideDeferred = besideDeferred }, mayLead: true);
    }

    // what a work throws undoes its own changes alone
    async ValueTask<T> TryAsync<T>(Func<WriteTransaction, T> work, CancellationToken cancel)
    {
        try
        {
            return await committer.Commit(new Committer.Work<T>(write => throw new Rehearsal.Done<T>(work(write)), cancel), mayLead: false);
        }
        catch (Rehearsal.Done<T> done)
        {
            return done.Outcome;
        }
    }

    /// <summary>The same for who goes on and asks for the outcome later: it never runs on his own thread.</summary>
    public Task<T> StartCommit<T>(Func<WriteTransaction, T> work, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        Interlocked.Increment(ref commits);
        return committer.Commit(new Committer.Work<T>(work, cancel), mayLead: false).AsTask();
    }

    /// <summary>Moves the write-ahead log into the database now, as far as readers allow.</summary>
    public void Checkpoint() => checkpoints.Run();

    /// <summary>A snapshot of the last commit, from a pool. Dispose it soon; never hold it over a write to a connection.</summary>
    public ReadTransaction Read()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (!readers.TryTake(out var reader))
        {
            reader = new SqliteConnection(database, readOnly: true, disk.SqliteVfs);
            reader.Execute($"PRAGMA cache_size=-{settings.ReaderCacheKib}; PRAGMA temp_store=MEMORY");
        }
        var ticket = Interlocked.Increment(ref tickets);
        reading[ticket] = true; // before the snapshot is taken
        try
        {
            reader.Prepare("BEGIN").Run();
        }
        catch
        {
            reading.TryRemove(ticket, out _);
            reader.Dispose();
            throw;
        }
        return new ReadTransaction(reader, ticket, GiveBack);
    }

    /// <summary>Copies the database as of now into a file that is not there yet, beside all other work.</summary>
    /// <param name="step">Told how many pages of how many are done; where the copy rests.</param>
    internal async Task CopyDatabaseAsync(string to, Func<int, int, Task> step)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        using var source = new SqliteConnection(database, readOnly: true, disk.SqliteVfs);
        await DatabaseCopy.RunAsync(source, to, disk.SqliteVfs, step);
    }

    /// <summary>A mark in time: every snapshot that is opened from now on is newer.</summary>
    internal long Ticket => Interlocked.Read(ref tickets);

    /// <summary>Whether every snapshot that is still open was opened after the mark.</summary>
    internal bool NobodyReadsSince(long ticket)
    {
        foreach (var (open, _) in reading)
            if (open <= ticket) return false;
        return true;
    }

    void GiveBack(SqliteConnection reader, long ticket)
    {
        reader.Prepare("COMMIT").Run();
        reading.TryRemove(ticket, out _);
        if (disposed || readers.Count >= settings.PooledReaders) reader.Dispose();
        else readers.Add(reader);
    }

    public ValueTask DisposeAsync()
    {
        if (disposed) return ValueTask.CompletedTask;
        disposed = true;
        Condition.Dispose();
        committer.Stop();
        checkpoints.Dispose();
        try
        {
            writer.Execute("BEGIN IMMEDIATE");
            VaultTable.SetSafe(writer, Packs.End);
            writer.Execute("COMMIT");
        }
        catch (SqliteError error)
        {
            StorageTelemetry.NotClosed(log, error); // as after a crash, which loses nothing
            writer.KeepLog(); // and has its log: without one the next start would take it for lost
        }
        while (readers.TryTake(out var reader)) reader.Dispose();
        Packs.Dispose();
        writer.Dispose();
        directoryLock.Dispose();
        disk.Dispose();
        return ValueTask.CompletedTask;
    }
}
