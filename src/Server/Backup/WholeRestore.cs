using System.Buffers;
using System.Security.Cryptography;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Backup;

/// <param name="At">A snapshot's name or the beginning of one; null or "latest" for the newest.</param>
/// <param name="AcceptDamage">Restore what is whole even where checksums differ.</param>
/// <param name="SendQueue">Leave the queue and mailings under way as they were in the snapshot: their mail goes out at the start, again where it has been sent since.</param>
public sealed record RestoreOrder(string Directory, string Data, string? At = null, bool AcceptDamage = false, bool SendQueue = false);

/// <summary>What a restore put into place.</summary>
/// <param name="Held">Recipients in the queue that are held, and mailings that are paused.</param>
/// <param name="Damage">What was damaged in the backup or missing in the snapshot; a sentence each.</param>
/// <param name="KeyMissing">The database holds secrets, and the backup was made without the key file that opens them.</param>
/// <param name="Outside">Files that lay outside of the data directory (settings, certificates), where they are now.</param>
public sealed record RestoreSummary(
    string Snapshot, string Data, long Accounts, long Messages, long Bytes, double Seconds, int Held, int Paused, IReadOnlyList<string> Damage, IReadOnlyList<string> Outside, bool KeyMissing);

/// <summary>A snapshot as a new data directory.</summary>
/// <param name="disk">What backup and data directory lie on; null is the machine's own.</param>
/// <remarks>
/// Everything is made below <c>restoring</c> and flushed; then it is put into place, the database last. While that directory is there and the
/// database is not in its place, no server starts, and another restore begins anew.
/// </remarks>
public sealed class WholeRestore(RestoreOrder order, TimeProvider time, Action<long, long>? progress = null, Disk? disk = null)
{
    readonly Disk disk = disk ?? new RealDisk();
    readonly string data = Path.GetFullPath(order.Data);
    readonly List<string> damage = [];
    long done, total;
    bool moving, begunBefore, isLocked;

    string Working => Path.Combine(data, Store.Restoring);
    string Packs => Path.Combine(data, "packs");

    public async Task<Result<RestoreSummary>> RunAsync(CancellationToken cancel)
    {
        try
        {
            using var repository = Repository.OpenToRead(disk, order.Directory);
            var manifest = repository.Choose(order.At);
            repository.RefuseInside(data);
            Repository.MakeDirectory(disk, data);
            using var held = disk.Lock(data);
            RefuseToOverwrite(manifest);
            try
            {
                return await Task.Run(() => Restore(repository, manifest, cancel), cancel);
            }
            finally
            {
                if (!moving && !begunBefore) RemoveWorking(); // it keeps servers from starting beside what has been put into place
            }
        }
        catch (BackupProblem problem)
        {
            return Refusal.NotPossible.Because(problem.Message);
        }
        catch (InvalidOperationException taken) when (taken.TargetSite?.DeclaringType == typeof(DataLock))
        {
            return Refusal.Conflict.Because($"A server runs on {data}: stop it first, or restore into another directory with --data DIR");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or SqliteError)
        {
            return moving ? Refusal.Unavailable.Because($"The restore into {data} failed while it was put into place: run it again, which begins anew. {error.Message.ReplaceLineEndings(" ")}")
                : error is SqliteError { IsDiskFull: true } || (error is IOException io && Posix.IsFull(io)) ? Refusal.Unavailable.Because($"The disk of {data} is full: nothing was restored")
                : Refusal.Unavailable.Because($"The restore into {data} failed, and nothing was put into place: {error.Message.ReplaceLineEndings(" ")}");
        }
    }

    // what is left of it says that a restore was interrupted, or nothing where the database is in its place
    void RemoveWorking()
    {
        try
        {
            if (disk.DirectoryExists(Working)) disk.DeleteDirectory(Working);
        }
        catch (IOException)
        {
            return; // the first failure is what people are told of
        }
    }

    void RefuseToOverwrite(Manifest manifest)
    {
        var database = Path.Combine(data, Store.DatabaseName);
        if (disk.Exists(database)) throw new BackupProblem($"{data} holds a database already, and a restore overwrites nothing: name a new directory with --data DIR, or move the old one away");
        if (disk.Exists(Path.Combine(Working, Store.DatabaseName)) && disk.DirectoryExists(Packs))
        {
            // a restore that was interrupted between its last moves; no server has run here, for none starts beside it
            disk.DeleteDirectory(Packs);
            disk.FlushDirectory(data); // while "restoring" still tells whose they were
        }
        if (disk.DirectoryExists(Packs) && disk.Files(Packs).Any(file => file.EndsWith(".pack", StringComparison.Ordinal)))
            throw new BackupProblem($"{Packs} holds mail already, and a restore overwrites nothing: name a new directory with --data DIR, or move the old one away");
        foreach (var file in manifest.Files)
        {
            var there = Path.Combine(data, file.Path);
            if (disk.Exists(there) && !IsSame(there, file))
                throw new BackupProblem($"{there} is there already and is not the file of the backup, and a restore overwrites nothing: name a new directory with --data DIR, or move the file away");
        }
        begunBefore = disk.DirectoryExists(Working);
        if (!begunBefore) return;
        foreach (var file in disk.Files(Working)) disk.Delete(file);
        foreach (var below in disk.Directories(Working)) disk.DeleteDirectory(below);
        disk.FlushDirectory(Working); // but not itself: what was put into place is still no data directory
    }

    bool IsSame(string path, FileEntry entry)
    {
        using var file = disk.OpenToRead(path);
        return file is not null && file.Length == entry.Size && PackCopy.HashOf(file, entry.Size) == entry.Sha256;
    }

    RestoreSummary Restore(Repository repository, Manifest manifest, CancellationToken cancel)
    {
        var since = time.GetTimestamp();
        damage.AddRange(manifest.Damage);
        total = manifest.DatabaseSize + manifest.Packs.Sum(pack => pack.Length) + manifest.Files.Sum(file => file.Size);
        if (disk.Space(data) is var (free, _) && free < total) throw new BackupProblem($"The disk of {data} has {Sizes.Show(free)} free, and the snapshot needs {Sizes.Show(total)}: make room or name a directory on a larger disk");
        disk.CreateDirectory(Path.Combine(Working, "packs"));
        var database = Path.Combine(Working, Store.DatabaseName);
        Copy(Path.Combine(repository.Snapshot(manifest.Name), Store.DatabaseName), database, manifest.DatabaseSize, manifest.DatabaseSha256, "the database", cancel);
        var (was, paused) = Prepare(database, repository.LastPack(repository.Complete()) + 1);
        foreach (var pack in manifest.Packs)
            Copy(repository.Pack(pack.Number), Path.Combine(Working, "packs", Repository.PackName(pack.Number)), pack.Length, pack.Sha256, $"pack {pack.Number}", cancel);
        foreach (var file in manifest.Files)
        {
            var to = Path.GetFullPath(Path.Combine(Working, "files", file.Path));
            if (!to.StartsWith(Path.Combine(Working, "files") + "/", StringComparison.Ordinal)) throw new BackupProblem($"The manifest names the file {file.Path}, which would lie outside of the data directory");
            disk.CreateDirectory(Path.GetDirectoryName(to)!);
            Copy(repository.StoredFile(file.Sha256), to, file.Size, file.Sha256, $"the file {file.Path}", cancel);
            if (disk.Exists(to)) disk.SetMode(to, (UnixFileMode)(file.Mode & 0x1ff));
        }
        MoveIntoPlace(manifest);
        return new RestoreSummary(manifest.Name, data, manifest.Accounts, manifest.Messages, total, Math.Round(time.GetElapsedTime(since).TotalSeconds, 3), was, paused, damage,
            [.. manifest.Files.Where(file => file.Outside is not null).Select(file => $"{Path.Combine(data, file.Path)} (was {file.Outside})")], isLocked && !disk.Exists(Path.Combine(data, Secrets.FileName)));
    }

    void Copy(string from, string to, long length, string sha256, string what, CancellationToken cancel)
    {
        using var source = disk.OpenToRead(from);
        if (source is null)
        {
            Damaged($"{what} is missing in the backup ({from})");
            return;
        }
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
        try
        {
            using var target = disk.Open(to, create: true)!;
            disk.SetMode(to, Repository.OwnersFile);
            for (long at = 0; at < length;)
            {
                cancel.ThrowIfCancellationRequested();
                var count = source.Read(buffer.AsSpan(0, (int)Math.Min(1 << 20, length - at)), at);
                if (count == 0) break;
                hash.AppendData(buffer, 0, count);
                target.Write(buffer.AsSpan(0, count), at);
                at += count;
                progress?.Invoke(done += count, total);
            }
            target.Flush();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        if (Convert.ToHexStringLower(hash.GetHashAndReset()) != sha256) Damaged($"{what} is damaged in the backup: {from} does not have the checksum of the manifest");
    }

    void Damaged(string sentence)
    {
        if (!order.AcceptDamage)
            throw new BackupProblem($"{char.ToUpperInvariant(sentence[0])}{sentence[1..]}. Nothing was restored; take another copy of the backup or another snapshot, or restore what is whole with --accept-damage and then run \"cbamail verify\"");
        damage.Add($"{char.ToUpperInvariant(sentence[0])}{sentence[1..]}");
    }

    (int Held, int Paused) Prepare(string database, int firstPack)
    {
        using var restored = new SqliteConnection(database, readOnly: false, disk.SqliteVfs);
        if (BackupTable.Schema(restored) > Migrations.Newest) throw new BackupProblem("The snapshot was written by a newer release; install that one and restore with it");
        Migrations.Apply(restored);
        restored.Execute("PRAGMA synchronous=FULL; BEGIN IMMEDIATE");
        BackupTable.Renumber(restored, firstPack);
        isLocked = !SecretTable.IsEmpty(restored);
        var held = order.SendQueue ? (0, 0) : BackupTable.HoldMail(restored);
        restored.Execute("COMMIT");
        return held;
    }

    // the database last: until it is there, nothing of this is a data directory
    void MoveIntoPlace(Manifest manifest)
    {
        disk.FlushDirectory(Path.Combine(Working, "packs"));
        disk.FlushDirectory(Working);
        disk.FlushDirectory(data);
        moving = true;
        var files = Path.Combine(Working, "files");
        var touched = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in manifest.Files.Where(file => disk.Exists(Path.Combine(files, file.Path))))
        {
            var to = Path.Combine(data, file.Path);
            disk.CreateDirectory(Path.GetDirectoryName(to)!);
            if (!disk.Exists(to)) disk.Move(Path.Combine(files, file.Path), to);
            // also where it is the same, from a restore that was interrupted, perhaps before it had flushed the names
            for (var above = Path.GetDirectoryName(to)!; above.Length > data.Length; above = Path.GetDirectoryName(above)!) touched.Add(above);
        }
        foreach (var directory in touched) disk.FlushDirectory(directory);
        disk.CreateDirectory(Packs);
        foreach (var pack in disk.Files(Path.Combine(Working, "packs"))) disk.Move(pack, Path.Combine(Packs, Path.GetFileName(pack)));
        disk.FlushDirectory(Packs);
        disk.Move(Path.Combine(Working, Store.DatabaseName), Path.Combine(data, Store.DatabaseName));
        disk.FlushDirectory(data);
        moving = begunBefore = false;
    }
}
