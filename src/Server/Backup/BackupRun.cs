using System.Globalization;
using CbaMail.Config;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Backup;

/// <summary>One run: database, packs, files, manifest, in this order; then what is no longer needed goes.</summary>
sealed class BackupRun : IDisposable
{
    /// <summary>Old packs that a run compares again, the longest unchecked first: a backup that nobody reads rots unseen.</summary>
    const long CheckBytes = 512L << 20;

    readonly Store store;
    readonly Settings settings;
    readonly TimeProvider time;
    readonly Repository repository;
    readonly Disk disk;
    readonly BackupOrder order;
    readonly Pace pace;
    readonly Action<long, long>? progress;
    readonly CancellationToken cancel;
    readonly List<Manifest> earlier;
    readonly List<string> damage = [];
    readonly string name;
    readonly Stack<Action> undo = new();
    long copied, compared, files, done, total;

    public BackupRun(Store store, Settings settings, TimeProvider time, Repository repository, BackupOrder order, Action<long, long>? progress, CancellationToken cancel)
    {
        (this.store, this.settings, this.time, this.repository, this.order, this.progress, this.cancel) = (store, settings, time, repository, order, progress, cancel);
        disk = repository.Disk;
        pace = new Pace(time, cancel);
        repository.RemoveUnfinished();
        earlier = repository.Complete();
        damage.AddRange(repository.Unreadable.Select(repository.SentenceOnUnreadable));
        var now = time.GetUtcNow().ToString("yyyy-MM-dd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        name = now;
        for (var i = 2; disk.DirectoryExists(repository.Snapshot(name)); i++) name = $"{now}-{i}";
    }

    string Snapshot => repository.Snapshot(name);
    string Database => Path.Combine(Snapshot, Store.DatabaseName);

    public async Task<BackupSummary> RunAsync()
    {
        var since = time.GetTimestamp();
        var complete = false;
        try
        {
            var manifest = await CopyAsync();
            WriteManifest(manifest);
            complete = true;
            var removed = Remove();
            return new BackupSummary(name, repository.Directory, manifest.Accounts, manifest.Messages, copied, compared, manifest.DatabaseSize, files,
                manifest.Packs.Sum(pack => pack.Length) + manifest.DatabaseSize + manifest.Files.Sum(file => file.Size),
                Math.Round(time.GetElapsedTime(since).TotalSeconds, 3), removed, damage);
        }
        catch (Exception error) when (IsFull(error))
        {
            while (undo.TryPop(out var step)) step();
            throw new BackupProblem($"The disk of {repository.Directory} is full: this run is undone, earlier snapshots are whole. Make room, keep fewer with --keep N, or name a directory on a larger disk");
        }
        finally
        {
            if (!complete && disk.DirectoryExists(Snapshot)) disk.DeleteDirectory(Snapshot);
        }
    }

    // a run of damaged snapshots must not push the last whole ones out
    List<string> Remove()
    {
        try
        {
            var removed = order.Keep is { } keep && damage.Count == 0 ? repository.Prune(keep) : [];
            repository.RemoveUnneeded();
            return removed;
        }
        catch (IOException error)
        {
            throw new BackupProblem($"The snapshot {name} is complete, but what is no longer needed could not be removed from {repository.Directory}; the next backup tries again: {error.Message.ReplaceLineEndings(" ")}");
        }
    }

    static bool IsFull(Exception error) => error is SqliteError { IsDiskFull: true } || (error is IOException io && Posix.IsFull(io));

    async Task<Manifest> CopyAsync()
    {
        var began = time.GetUtcNow();
        using var hold = store.Packs.HoldRemovals(); // what the snapshot names is there until it is copied
        Repository.MakeDirectory(disk, Snapshot);
        CheckSpace(LengthOf(Path.Combine(store.Path, Store.DatabaseName)), "the database");
        await store.CopyDatabaseAsync(Database, async (pages, of) =>
        {
            progress?.Invoke(pages, of * 4L); // how much the packs are is not known yet
            await pace.RestAsync();
        });
        disk.SetMode(Database, Repository.OwnersFile);
        // what readers see may not have been flushed yet: a commit of one's own comes after
        await store.StartCommit(_ => true, cancel);
        var packs = await CopyPacksAsync();
        var others = await new FileCopies(store.Path, settings, repository, pace).RunAsync(order.WithoutKeys);
        files = others.Copied;
        var (size, sha256) = await FinishDatabaseAsync();
        using var snapshot = new SqliteConnection(Database, readOnly: true, disk.SqliteVfs);
        if (IntegrityTable.Problem(snapshot) is { } problem)
            damage.Add($"The database of the data directory is damaged, and so is that of this snapshot ({problem.ReplaceLineEndings(" ")}): run \"cbamail verify\"; earlier snapshots are kept");
        var (accounts, messages, bytes) = BackupTable.Counts(snapshot);
        return new Manifest(Manifest.ThisFormat, name, earlier.Count == 0 ? 1 : earlier[^1].Sequence + 1, Backups.Release, BackupTable.Schema(snapshot),
            settings.Hostname, began, time.GetUtcNow(), accounts, messages, bytes, !order.WithoutKeys, size, sha256, packs, others.Entries, damage);
    }

    // ---- packs

    async Task<List<PackEntry>> CopyPacksAsync()
    {
        var wanted = Wanted();
        var known = earlier.SelectMany(manifest => manifest.Packs).GroupBy(pack => pack.Number)
            .ToDictionary(group => group.Key, group => group.GroupBy(pack => pack.Length).Select(same => same.MaxBy(pack => pack.Checked)!).ToList());
        var again = Again(wanted, known);
        total = wanted.Sum(pack => IsThere(pack, known, again) ? 0 : pack.Length);
        CheckSpace(wanted.Sum(pack => Math.Max(0, pack.Length - LengthOf(repository.Pack(pack.Number)))), "new mail");
        var entries = new List<PackEntry>();
        foreach (var pack in wanted)
        {
            if (IsThere(pack, known, again)) entries.Add(known[pack.Number].Find(entry => entry.Length == pack.Length)!);
            else if (await CopyPackAsync(pack.Number, pack.Length, known.GetValueOrDefault(pack.Number, [])) is { } entry) entries.Add(entry);
        }
        disk.FlushDirectory(repository.Packs);
        return entries;
    }

    /// <summary>The packs of the snapshot: sealed ones whole, the last as far as its rows reach; behind that lies what came since.</summary>
    List<(int Number, long Length)> Wanted()
    {
        using var snapshot = new SqliteConnection(Database, readOnly: true, disk.SqliteVfs);
        var ends = BackupTable.PackEnds(snapshot);
        if (ends.Count == 0) return [];
        var last = ends.Keys.Max();
        // a restored server looks for its end from here on: no gap may lie in between
        for (var number = Math.Max(1, BackupTable.SafePack(snapshot)); number < last; number++) ends.TryAdd(number, 0);
        var wanted = new List<(int, long)>();
        foreach (var (number, end) in ends)
        {
            var length = number == last ? end : Math.Max(end, LengthOf(DataPack(number)));
            if (length > 0) wanted.Add((number, length));
        }
        return wanted;
    }

    string DataPack(int number) => Path.Combine(store.Path, "packs", Repository.PackName(number));

    long LengthOf(string path)
    {
        using var file = disk.OpenToRead(path);
        return file?.Length ?? 0;
    }

    bool IsThere((int Number, long Length) pack, Dictionary<int, List<PackEntry>> known, HashSet<int> again) =>
        !again.Contains(pack.Number) && known.TryGetValue(pack.Number, out var entries) && entries.Exists(entry => entry.Length == pack.Length)
        && LengthOf(repository.Pack(pack.Number)) >= pack.Length;

    HashSet<int> Again(List<(int Number, long Length)> wanted, Dictionary<int, List<PackEntry>> known)
    {
        var again = new HashSet<int>();
        var left = order.CheckAll ? long.MaxValue : CheckBytes;
        foreach (var (entry, length) in wanted.Where(pack => known.ContainsKey(pack.Number)).Select(pack => (known[pack.Number].MaxBy(entry => entry.Checked)!, pack.Length)).OrderBy(pair => pair.Item1.Checked))
        {
            if ((left -= length) < 0) break;
            again.Add(entry.Number);
        }
        return again;
    }

    async Task<PackEntry?> CopyPackAsync(int number, long length, List<PackEntry> known)
    {
        try
        {
            using var copy = new PackCopy(disk, number, DataPack(number), repository.Pack(number), known, pace);
            PackEntry entry;
            try
            {
                entry = await copy.RunAsync(length, time.GetUtcNow(), count => progress?.Invoke(Interlocked.Add(ref done, count), total));
            }
            catch (IOException error) when (Posix.IsFull(error))
            {
                copy.GiveUp();
                throw;
            }
            var (was, file) = (LengthOf(repository.Pack(number)) - copy.Copied, repository.Pack(number));
            if (copy.Copied > 0) undo.Push(() => CutOff(file, was));
            copied += copy.Copied;
            compared += length - copy.Copied;
            if (copy.Damage is { } found) damage.Add(found);
            return entry;
        }
        catch (FileNotFoundException)
        {
            damage.Add($"Pack {number} of the data directory is missing, and the backup has none either: the messages in it are lost; run \"cbamail verify\" to see which");
            return null;
        }
    }

    void CutOff(string path, long length)
    {
        if (length == 0) disk.Delete(path);
        else
        {
            using var file = disk.Open(path, create: false);
            if (file is not null) file.Length = length;
        }
    }

    // ---- the end

    async Task<(long Size, string Sha256)> FinishDatabaseAsync()
    {
        using var file = disk.Open(Database, create: false) ?? throw new IOException($"{Database} is gone");
        file.Flush();
        await pace.RestAsync();
        var size = file.Length;
        var sha256 = PackCopy.HashOf(file, size) ?? throw new IOException($"{Database} cannot be read");
        file.WillNotNeed(0, size);
        return (size, sha256);
    }

    void WriteManifest(Manifest manifest)
    {
        disk.FlushDirectory(repository.Files);
        disk.FlushDirectory(Snapshot);
        disk.FlushDirectory(repository.Snapshots);
        var path = Path.Combine(Snapshot, Manifest.FileName);
        using (var file = disk.Open(path + ".new", create: true)!)
        {
            disk.SetMode(path + ".new", Repository.OwnersFile);
            file.Write(manifest.ToBytes(), 0);
            file.Flush();
        }
        disk.Move(path + ".new", path);
        disk.FlushDirectory(Snapshot);
    }

    void CheckSpace(long needed, string what)
    {
        if (disk.Space(repository.Directory) is var (free, _) && free < needed)
            throw new BackupProblem($"The disk of {repository.Directory} has {Sizes.Show(free)} free, and {what} needs {Sizes.Show(needed)}: make room, keep fewer snapshots with --keep N, or name a directory on a larger disk");
    }

    public void Dispose() => undo.Clear();
}
