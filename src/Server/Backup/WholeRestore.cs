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
/// <param name="Outside">Files that lay outside of the data directory (settings, certificates), where they are now.</param>
public sealed record RestoreSummary(
    string Snapshot, string Data, long Accounts, long Messages, long Bytes, double Seconds, int Held, int Paused, IReadOnlyList<string> Damage, IReadOnlyList<string> Outside);

/// <summary>A snapshot as a new data directory.</summary>
public sealed class WholeRestore(RestoreOrder order, TimeProvider time, Action<long, long>? progress = null)
{
    readonly string data = Path.GetFullPath(order.Data);
    readonly List<string> damage = [];
    long done, total;

    string Working => Path.Combine(data, Store.Restoring);

    public async Task<Result<RestoreSummary>> RunAsync(CancellationToken cancel)
    {
        try
        {
            using var repository = Repository.OpenToRead(order.Directory);
            var manifest = repository.Choose(order.At);
            repository.RefuseInside(data);
            System.IO.Directory.CreateDirectory(data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            using var held = DataLock.Take(data);
            RefuseToOverwrite();
            try
            {
                return await RestoreAsync(repository, manifest, cancel);
            }
            finally
            {
                // before the last move nothing has been put into place, after it there is nothing left here
                if (System.IO.Directory.Exists(Working)) System.IO.Directory.Delete(Working, recursive: true);
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
            return Refusal.Unavailable.Because(error is IOException io && Posix.IsFull(io)
                ? $"The disk of {data} is full: nothing was restored"
                : $"The restore into {data} failed, and nothing was put into place: {error.Message.ReplaceLineEndings(" ")}");
        }
    }

    void RefuseToOverwrite()
    {
        var database = Path.Combine(data, Store.DatabaseName);
        var packs = Path.Combine(data, "packs");
        if (File.Exists(database)) throw new BackupProblem($"{data} holds a database already, and a restore overwrites nothing: name a new directory with --data DIR, or move the old one away");
        // a restore that was interrupted between its last moves; no server has run here, for none starts beside "restoring"
        if (File.Exists(Path.Combine(Working, Store.DatabaseName)) && System.IO.Directory.Exists(packs)) System.IO.Directory.Delete(packs, recursive: true);
        if (System.IO.Directory.Exists(packs) && System.IO.Directory.EnumerateFiles(packs, "*.pack").Any())
            throw new BackupProblem($"{packs} holds mail already, and a restore overwrites nothing: name a new directory with --data DIR, or move the old one away");
        if (System.IO.Directory.Exists(Working)) System.IO.Directory.Delete(Working, recursive: true);
    }

    async Task<RestoreSummary> RestoreAsync(Repository repository, Manifest manifest, CancellationToken cancel)
    {
        var since = time.GetTimestamp();
        damage.AddRange(manifest.Damage);
        total = manifest.DatabaseSize + manifest.Packs.Sum(pack => pack.Length) + manifest.Files.Sum(file => file.Size);
        var free = new DriveInfo(data).AvailableFreeSpace;
        if (free < total) throw new BackupProblem($"The disk of {data} has {Sizes.Show(free)} free, and the snapshot needs {Sizes.Show(total)}: make room or name a directory on a larger disk");
        System.IO.Directory.CreateDirectory(Path.Combine(Working, "packs"));
        var database = Path.Combine(Working, Store.DatabaseName);
        await CopyAsync(Path.Combine(repository.Snapshot(manifest.Name), Store.DatabaseName), database, manifest.DatabaseSize, manifest.DatabaseSha256, "the database", cancel);
        var (was, paused) = Prepare(database, repository.LastPack(repository.Complete()) + 1);
        foreach (var pack in manifest.Packs)
            await CopyAsync(repository.Pack(pack.Number), Path.Combine(Working, "packs", Repository.PackName(pack.Number)), pack.Length, pack.Sha256, $"pack {pack.Number}", cancel);
        foreach (var file in manifest.Files)
        {
            var to = Path.GetFullPath(Path.Combine(Working, "files", file.Path));
            if (!to.StartsWith(Path.Combine(Working, "files") + "/", StringComparison.Ordinal)) throw new BackupProblem($"The manifest names the file {file.Path}, which would lie outside of the data directory");
            System.IO.Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            await CopyAsync(repository.StoredFile(file.Sha256), to, file.Size, file.Sha256, $"the file {file.Path}", cancel);
            if (File.Exists(to)) File.SetUnixFileMode(to, (UnixFileMode)(file.Mode & 0x1ff));
        }
        MoveIntoPlace();
        return new RestoreSummary(manifest.Name, data, manifest.Accounts, manifest.Messages, total, Math.Round(time.GetElapsedTime(since).TotalSeconds, 3), was, paused, damage,
            [.. manifest.Files.Where(file => file.Outside is not null).Select(file => $"{Path.Combine(data, file.Path)} (was {file.Outside})")]);
    }

    async Task CopyAsync(string from, string to, long length, string sha256, string what, CancellationToken cancel)
    {
        if (!File.Exists(from))
        {
            Damaged($"{what} is missing in the backup ({from})");
            return;
        }
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
        try
        {
            await using var source = new FileStream(from, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            await using var target = new FileStream(to, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = Repository.OwnersFile });
            for (long at = 0; at < length;)
            {
                var count = await source.ReadAsync(buffer.AsMemory(0, (int)Math.Min(1 << 20, length - at)), cancel);
                if (count == 0) break;
                hash.AppendData(buffer, 0, count);
                await target.WriteAsync(buffer.AsMemory(0, count), cancel);
                at += count;
                progress?.Invoke(done += count, total);
            }
            target.Flush(flushToDisk: true);
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
        using var restored = new SqliteConnection(database, readOnly: false);
        if (BackupTable.Schema(restored) > Migrations.Newest) throw new BackupProblem("The snapshot was written by a newer release; install that one and restore with it");
        Migrations.Apply(restored);
        restored.Execute("PRAGMA synchronous=FULL; BEGIN IMMEDIATE");
        BackupTable.Renumber(restored, firstPack);
        var held = order.SendQueue ? (0, 0) : BackupTable.HoldMail(restored);
        restored.Execute("COMMIT");
        return held;
    }

    // the database last: without it nothing of this is a data directory
    void MoveIntoPlace()
    {
        var files = Path.Combine(Working, "files");
        if (System.IO.Directory.Exists(files))
        {
            foreach (var file in System.IO.Directory.EnumerateFiles(files, "*", SearchOption.AllDirectories).ToList())
            {
                var to = Path.Combine(data, Path.GetRelativePath(files, file));
                System.IO.Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                File.Move(file, to, overwrite: false);
                Posix.FlushDirectory(Path.GetDirectoryName(to)!);
            }
        }
        var packs = Path.Combine(data, "packs");
        Posix.FlushDirectory(Path.Combine(Working, "packs"));
        if (System.IO.Directory.Exists(packs)) System.IO.Directory.Delete(packs); // empty, or it would have been refused
        System.IO.Directory.Move(Path.Combine(Working, "packs"), packs);
        Posix.FlushDirectory(data);
        File.Move(Path.Combine(Working, Store.DatabaseName), Path.Combine(data, Store.DatabaseName));
        Posix.FlushDirectory(Working);
        Posix.FlushDirectory(data);
    }
}
