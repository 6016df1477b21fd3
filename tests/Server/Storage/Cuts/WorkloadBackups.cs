using System.Globalization;
using CbaMail.Backup;
using CbaMail.Storage.Sqlite;

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
        if (disk.Halted is not null) await StartAgainAsync();
        if (!result.Ok && fails)
        {
            mark.Failed = true;
            // it may have come as far as letting older ones go
            foreach (var gone in recording.Snapshots.Where(other => other != mark && other is { Failed: false, RemovedBy: null } && !disk.Exists($"{disk.Repository}/snapshots/{other.Name}/manifest.json")))
                gone.RemovedBy = mark;
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
        var kind = random.Next(6);
        var left = random.Next(kind switch { 2 or 3 => 8, _ => 120 });
        disk.Fault = (what, _) =>
        {
            var hit = kind switch
            {
                0 => what.Deed is Deed.Write or Deed.Create,  // full
                1 or 5 => true,                               // anything; the process is killed
                2 => what.Deed == Deed.Flush,
                3 => what.Deed == Deed.FlushDirectory,
                _ => what.Deed is Deed.Move or Deed.Delete or Deed.RemoveDirectory or Deed.Length,
            };
            if (!what.Path.Contains(below, StringComparison.Ordinal) || !hit || left-- > 0) return null;
            if (kind == 5) disk.Kill();
            else if (kind > 0 && left < -1 - random.Next(2)) left = int.MaxValue; // an error passes, a full disk stays full
            return new IOException(kind == 0 ? "No space left on device" : "Input/output error", kind == 0 ? 28 : 5);
        };
    }

    // the process was killed while nothing of the mail was under way
    async Task StartAgainAsync()
    {
        try
        {
            await store.DisposeAsync();
        }
        catch (Exception error) when (error is IOException or SqliteError)
        {
            disk.Note("ended: " + error.GetType().Name);
        }
        disk.Revive();
        Open();
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
            if (disk.Halted is not null) disk.Revive();
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
