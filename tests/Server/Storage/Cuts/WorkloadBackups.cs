using System.Globalization;
using CbaMail.Backup;

namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>A backup: what the vault showed when its snapshot was taken.</summary>
sealed record SnapshotMark(string Name, int Begun, VaultState State)
{
    /// <summary>How much of the log there was when it was said to be complete; never, where it failed.</summary>
    public int Told { get; set; } = int.MaxValue;
    public bool Failed { get; set; }
    /// <summary>The one that let it go.</summary>
    public SnapshotMark? RemovedBy { get; set; }
    /// <summary>Keys and attachments by their path in the data directory.</summary>
    public required Dictionary<string, byte[]> Files { get; init; }
}

/// <summary>A restore of a snapshot into an empty directory.</summary>
sealed record RestoreMark(SnapshotMark Snapshot, int Begun)
{
    public int Told { get; set; } = int.MaxValue;
}

/// <summary>Backups while mail goes on, and their restore.</summary>
sealed partial class Workload
{
    readonly Dictionary<string, byte[]> files = [];

    // what a data directory holds besides: a key that is there for good, and attachments
    void AddFile()
    {
        var bytes = new byte[random.Next(3000)];
        random.NextBytes(bytes);
        var path = files.Count == 0 ? "tls/key" : "mailings/" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes));
        var full = Path.Combine(disk.Data, path);
        disk.CreateDirectory(Path.GetDirectoryName(full)!);
        using (var file = disk.Open(full, create: true)!)
        {
            file.Write(bytes, 0);
            file.Flush();
        }
        disk.FlushDirectory(Path.GetDirectoryName(full)!);
        files[path] = bytes;
    }

    async Task BackUpAsync()
    {
        AddFile();
        time.Advance(TimeSpan.FromSeconds(1));
        var name = time.GetUtcNow().ToString("yyyy-MM-dd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var mark = new SnapshotMark(name, disk.Note("backup", recording.Snapshots.Count), recording.Steps[^1].After!) { Files = new(files) };
        recording.Snapshots.Add(mark);
        var fails = faults && random.Next(2) == 0;
        if (fails) FailSomewhere("/backup");
        var pacing = new Pacing(time);
        var order = new BackupOrder(disk.Repository, random.Next(3) == 0 ? null : 1 + random.Next(2));
        var run = new Backups(store, settings, pacing).RunAsync(order, null, default);
        while (await Task.WhenAny(run, pacing.Resting) != run)
        {
            if (run.IsCompleted) break;
            disk.DuringBackup?.Invoke(store);
            if (!fails)
                for (var count = random.Next(4); count > 0; count--)
                {
                    if (random.Next(2) == 0) await RewriteAsync(100); else await AnyStepAsync(mayRestart: false);
                }
            pacing.GoOn();
        }
        disk.Fault = null;
        var result = await run;
        if (!result.Ok && fails)
        {
            mark.Failed = true;
            disk.Note("not backed up");
            return;
        }
        if (!result.Ok || result.Value.Snapshot != name || result.Value.Damage.Count > 0)
            throw new BackupFailedException($"backup {name}: {(result.Ok ? $"{result.Value.Snapshot} {string.Join(", ", result.Value.Damage)}" : result.Refusal.Sentence)}");
        foreach (var gone in recording.Snapshots.Where(snapshot => result.Value.Removed.Contains(snapshot.Name))) gone.RemovedBy = mark;
        mark.Told = disk.Note("backed up", recording.Snapshots.Count - 1);
    }

    void FailSomewhere(string below)
    {
        var (left, full) = (random.Next(120), random.Next(2) == 0);
        disk.Fault = (what, _) =>
        {
            if (!what.Path.Contains(below, StringComparison.Ordinal) || (full && what.Deed is not (Deed.Write or Deed.Create)) || left-- > 0) return null;
            if (!full && left < -1 - random.Next(2)) left = int.MaxValue;
            return new IOException(full ? "No space left on device" : "Input/output error", full ? 28 : 5);
        };
    }

    async Task RestoreAsync()
    {
        if (recording.Snapshots.LastOrDefault(snapshot => snapshot is { Failed: false, RemovedBy: null }) is not { } mark) return;
        recording.Restore = new RestoreMark(mark, disk.Note("restore"));
        if (faults)
        {
            FailSomewhere("/restored");
            var refused = await RestoreOnceAsync(mark.Name);
            disk.Fault = null;
            disk.Note(refused is null ? "restored after all" : "not restored");
        }
        var said = await RestoreOnceAsync(mark.Name);
        // the last flush had failed: everything is there, and nothing was promised
        if (said is not null && !(faults && said.Contains("holds a database already", StringComparison.Ordinal))) throw new InvalidOperationException($"restore of {mark.Name}: {said}");
        if (said is null) recording.Restore.Told = disk.Note("restored");
        await Open(settings with { Data = disk.Restored }, disk, time).Store.DisposeAsync();
        disk.Note("end");
    }

    async Task<string?> RestoreOnceAsync(string at)
    {
        var result = await new WholeRestore(new RestoreOrder(disk.Repository, disk.Restored, at), time, null, disk).RunAsync(default);
        return result.Ok ? null : result.Refusal.Sentence;
    }
}

/// <summary>A backup failed without any cut, or found damage.</summary>
sealed class BackupFailedException(string message) : Exception(message);
