using CbaMail.Backup;
using CbaMail.Config;
using CbaMail.Storage;

namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>
/// What a power cut has left of backups and of a restore: every snapshot that was said to be complete is, and whatever passes for one is;
/// a restored directory is whole, or no server starts from it and the restore can be run again.
/// </summary>
sealed class SnapshotCheck(Recording recording, int cut, SimulatedDisk disk, TimeProvider time, List<string> faults)
{
    // raised, or held back, by a restore
    static readonly string[] changed = ["uid_next", "recent_uid", "modseq", "forgotten", "held", "state"];

    readonly Settings settings = recording.Settings;

    public async Task RunAsync()
    {
        if (!recording.Snapshots.Exists(snapshot => snapshot.Begun <= cut)) return;
        Snapshots();
        if (recording.Restore is { } restore && restore.Begun <= cut) await RestoredAsync(restore);
    }

    void Snapshots()
    {
        var there = new HashSet<string>();
        if (disk.DirectoryExists(Path.Combine(disk.Repository, "snapshots")))
        {
            using var repository = Repository.OpenToRead(disk, disk.Repository);
            foreach (var manifest in repository.Complete())
            {
                there.Add(manifest.Name);
                if (recording.Snapshots.Find(snapshot => snapshot.Name == manifest.Name) is { } mark) Snapshot(repository, manifest, mark);
                else faults.Add($"snapshot {manifest.Name} was never made");
            }
            faults.AddRange(repository.Unreadable.Select(name => $"the manifest of {name} cannot be read"));
        }
        faults.AddRange(recording.Snapshots.Where(snapshot => snapshot.Told <= cut && !there.Contains(snapshot.Name) && !(snapshot.RemovedBy is { } other && IsOrWas(other)))
            .Select(snapshot => $"snapshot {snapshot.Name} was complete and is gone"));

        // who lets others go is complete before he does
        bool IsOrWas(SnapshotMark other) => there.Contains(other.Name) || (other.RemovedBy is { } next && IsOrWas(next));
    }

    void Snapshot(Repository repository, Manifest manifest, SnapshotMark mark)
    {
        try
        {
            foreach (var (path, bytes) in mark.Files)
            {
                var entry = manifest.Files.FirstOrDefault(file => file.Path == path);
                if (entry is null || !bytes.AsSpan().SequenceEqual(Read(repository.StoredFile(entry.Sha256)))) faults.Add($"snapshot {mark.Name}: {path} is not what it was");
            }
            if (manifest.Files.Count != mark.Files.Count) faults.Add($"snapshot {mark.Name}: {string.Join(", ", manifest.Files.Select(file => file.Path).Except(mark.Files.Keys))} is a file of it");
            using var reader = SnapshotReader.Open(repository, manifest, settings.Storage, disk.Data);
            faults.AddRange(VaultState.Of(reader.Transaction).Unlike(mark.State).Take(3).Select(difference => $"snapshot {mark.Name}: {difference}"));
            foreach (var id in mark.State["content"].Keys)
            {
                var content = reader.Mail.Content(long.Parse(id, System.Globalization.CultureInfo.InvariantCulture));
                var letter = recording.Bodies[content!.ContentId];
                if (!content.Read(0, (int)content.Size).AsSpan().SequenceEqual(CutCheck.Letter(letter))) faults.Add($"snapshot {mark.Name}: content {id} is not letter {letter}");
            }
        }
        catch (Exception error) when (error is IOException or BackupProblem or CbaMail.Storage.Sqlite.SqliteError)
        {
            faults.Add($"snapshot {mark.Name}: {error.Message}");
        }
    }

    byte[]? Read(string path)
    {
        using var file = disk.OpenToRead(path);
        if (file is null) return null;
        var bytes = new byte[file.Length];
        file.Read(bytes, 0);
        return bytes;
    }

    // ---- restored

    async Task RestoredAsync(RestoreMark mark)
    {
        var isTold = mark.Told <= cut;
        var isThere = disk.DirectoryExists(disk.Restored) && (disk.Files(disk.Restored).Count > 0 || disk.Directories(disk.Restored).Count > 0);
        if (isThere && await StartsAsync(mark.Snapshot))
        {
            var refused = await RestoreAsync(mark.Snapshot.Name, disk.Restored);
            if (refused?.Contains("holds a database already", StringComparison.Ordinal) != true) faults.Add($"a restore over a restored directory: {refused ?? "went on"}");
            return;
        }
        if (isTold) faults.Add("a restored directory is none any more");
        if (await RestoreAsync(mark.Snapshot.Name, disk.Restored) is { } problem) faults.Add("restoring again: " + problem);
        else if (!await StartsAsync(mark.Snapshot)) faults.Add("restored again, and no server starts");
    }

    /// <returns>Whether a server starts from it; then everything is there.</returns>
    async Task<bool> StartsAsync(SnapshotMark mark)
    {
        try
        {
            await CompareAsync(disk.Restored, mark.State, recording.Bodies);
            faults.AddRange(mark.Files.Where(file => !file.Value.AsSpan().SequenceEqual(Read(Path.Combine(disk.Restored, file.Key)))).Select(file => $"in restored: {file.Key} is not what it was"));
            return true;
        }
        catch (InvalidOperationException said) when (said.Message.Contains("was interrupted: run \"cbamail restore\" again", StringComparison.Ordinal))
        {
            return false;
        }
    }

    async Task<string?> RestoreAsync(string? at, string data)
    {
        var result = await new WholeRestore(new RestoreOrder(disk.Repository, data, at), time, null, disk).RunAsync(default);
        return result.Ok ? null : result.Refusal.Sentence;
    }

    async Task CompareAsync(string data, VaultState expected, IReadOnlyDictionary<long, int> bodies)
    {
        var (store, mail) = Workload.Open(settings with { Data = data }, disk, time);
        try
        {
            faults.AddRange(VaultState.Of(store).Without(changed).Unlike(expected.Without(changed)).Take(3).Select(difference => $"in {Path.GetFileName(data)}: {difference}"));
            using var reader = mail.Read();
            foreach (var id in expected["content"].Keys)
            {
                var content = reader.Content(long.Parse(id, System.Globalization.CultureInfo.InvariantCulture));
                if (content is null) continue; // told above
                var letter = bodies[content.ContentId];
                if (!content.Read(0, (int)content.Size).AsSpan().SequenceEqual(CutCheck.Letter(letter))) faults.Add($"in {Path.GetFileName(data)}: content {id} is not letter {letter}");
            }
        }
        catch (IOException error)
        {
            faults.Add($"in {Path.GetFileName(data)}: {error.Message}");
        }
        finally
        {
            await store.DisposeAsync();
        }
    }

    // ---- going on

    /// <summary>The next backup goes into the same directory, and can be restored with every message.</summary>
    public async Task BackUpAgainAsync(Store store, IReadOnlyDictionary<long, int> bodies)
    {
        var result = await new Backups(store, settings, time).RunAsync(new BackupOrder(disk.Repository), null, default);
        if (!result.Ok || result.Value.Damage.Count > 0)
        {
            faults.Add($"backing up again: {(result.Ok ? result.Value.Damage[0] : result.Refusal.Sentence)}");
            return;
        }
        var data = disk.Restored + "-again";
        if (await RestoreAsync(result.Value.Snapshot, data) is { } problem) faults.Add("restoring the new backup: " + problem);
        else await CompareAsync(data, VaultState.Of(store), bodies);
        EarlierOnes(result.Value.Snapshot);
        var checkedAll = RepositoryCheck.Run(disk.Repository, finding => faults.Add("verify of the backup: " + finding.Text), null, time, default, disk);
        if (!checkedAll.Ok) faults.Add("verify of the backup: " + checkedAll.Refusal.Sentence);
    }

    // and the earlier ones are what they were
    void EarlierOnes(string newest)
    {
        using var repository = Repository.OpenToRead(disk, disk.Repository);
        foreach (var manifest in repository.Complete())
            if (manifest.Name != newest && recording.Snapshots.Find(snapshot => snapshot.Name == manifest.Name) is { } mark) Snapshot(repository, manifest, mark);
    }
}
