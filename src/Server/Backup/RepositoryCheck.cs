using System.Globalization;
using System.Security.Cryptography;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Backup;

/// <summary>The last line of a look through a backup.</summary>
public sealed record BackupCheckSummary(string Kind, long Problems, int Snapshots, int Packs, int Files, long Bytes, double Seconds)
{
    public string Text => string.Create(CultureInfo.InvariantCulture,
        $"{Snapshots} snapshots, {Packs} packs, {Files} other files read ({Config.Sizes.Show(Bytes)}), {Seconds:0.0} s.\n{(Problems == 0 ? "The backup is whole." : Problems == 1 ? "1 problem." : $"{Problems} problems.")}");
}

/// <summary><c>verify BACKUP</c>: reads a whole backup and compares it with the checksums of its snapshots. It needs no server and writes nothing.</summary>
public sealed class RepositoryCheck
{
    const int Piece = 1 << 20;

    readonly Repository repository;
    readonly Action<Finding> report;
    readonly Action<long, long>? progress;
    readonly CancellationToken cancel;
    readonly byte[] buffer = new byte[Piece];
    List<Manifest> all = [];
    long problems, read, total;

    RepositoryCheck(Repository repository, Action<Finding> report, Action<long, long>? progress, CancellationToken cancel) =>
        (this.repository, this.report, this.progress, this.cancel) = (repository, report, progress, cancel);

    /// <param name="report">Gets each finding as it is made.</param>
    /// <param name="progress">Bytes read, and how many there are.</param>
    /// <param name="disk">What it lies on; null is the machine's own.</param>
    public static Result<BackupCheckSummary> Run(string directory, Action<Finding> report, Action<long, long>? progress, TimeProvider time, CancellationToken cancel, Disk? disk = null)
    {
        try
        {
            using var repository = Repository.OpenToRead(disk ?? new RealDisk(), directory);
            return new RepositoryCheck(repository, report, progress, cancel).Run(time);
        }
        catch (BackupProblem problem)
        {
            return Refusal.NotPossible.Because(problem.Message);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Refusal.Unavailable.Because($"The backup {directory} cannot be read: {error.Message.ReplaceLineEndings(" ")}");
        }
    }

    BackupCheckSummary Run(TimeProvider time)
    {
        var since = time.GetTimestamp();
        all = repository.Complete();
        foreach (var name in repository.Unreadable) Problem(repository.SentenceOnUnreadable(name), null);
        if (all.Count == 0 && repository.Unreadable.Count == 0) report(new Finding("note", $"{repository.Directory} holds no complete snapshot"));
        var packs = all.SelectMany(manifest => manifest.Packs).GroupBy(pack => pack.Number).OrderBy(group => group.Key).ToList();
        var files = all.SelectMany(manifest => manifest.Files).DistinctBy(file => file.Sha256).ToList();
        total = all.Sum(manifest => manifest.DatabaseSize) + packs.Sum(pack => pack.Max(entry => entry.Length)) + files.Sum(file => file.Size);
        foreach (var manifest in all) Database(manifest);
        foreach (var pack in packs) Pack(pack.Key, [.. pack.DistinctBy(entry => (entry.Length, entry.Sha256)).OrderBy(entry => entry.Length)]);
        foreach (var file in files) Other(file);
        return new BackupCheckSummary("summary", problems, all.Count, packs.Count, files.Count, read, Math.Round(time.GetElapsedTime(since).TotalSeconds, 1));
    }

    void Problem(string sentence, int? pack)
    {
        problems++;
        report(new Finding("backup", sentence) { Pack = pack });
    }

    void Database(Manifest manifest)
    {
        var file = Path.Combine(repository.Snapshot(manifest.Name), Store.DatabaseName);
        if (Compare(file, [(manifest.DatabaseSize, manifest.DatabaseSha256)]) is { } wrong)
            Problem($"The database of the snapshot {manifest.Name} {wrong} ({file}): this snapshot cannot be restored. Take the file from a copy of the backup, or remove the directory and restore another snapshot with --at", null);
        foreach (var sentence in manifest.Damage) report(new Finding("note", $"Of the snapshot {manifest.Name} it was said when it was made: {sentence}"));
    }

    void Pack(int number, List<PackEntry> entries)
    {
        var file = repository.Pack(number);
        if (Compare(file, [.. entries.Select(entry => (entry.Length, entry.Sha256))]) is not { } wrong) return;
        Problem($"Pack {number} {wrong} ({file}): {Needing(manifest => manifest.Packs.Any(pack => pack.Number == number))} cannot be restored completely. " +
            "Take the file from a copy of the backup; or move it away and run the backup again, which copies it anew if the data directory still has it whole", number);
    }

    void Other(FileEntry entry)
    {
        var file = repository.StoredFile(entry.Sha256);
        if (Compare(file, [(entry.Size, entry.Sha256)]) is not { } wrong) return;
        Problem($"The file {entry.Path} {wrong} ({file}): {Needing(manifest => manifest.Files.Any(one => one.Sha256 == entry.Sha256))} cannot be restored completely. " +
            "Take it from a copy of the backup; or move it away and run the backup again", null);
    }

    string Needing(Func<Manifest, bool> needs)
    {
        const int most = 3;
        var names = all.Where(needs).Select(manifest => manifest.Name).ToList();
        return (names.Count == 1 ? "the snapshot " : "the snapshots ") + string.Join(", ", names.TakeLast(most)) + (names.Count > most ? $" and {names.Count - most} before" : "");
    }

    /// <summary>What is wrong with the file, as the end of a sentence; null where it has each checksum at its length.</summary>
    string? Compare(string path, List<(long Length, string Sha256)> wanted)
    {
        using var handle = repository.Disk.OpenToRead(path);
        if (handle is null) return "is missing";
        handle.ReadOnce();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long at = 0;
        foreach (var (length, sha256) in wanted)
        {
            while (at < length)
            {
                cancel.ThrowIfCancellationRequested();
                var piece = buffer.AsSpan(0, (int)Math.Min(Piece, length - at));
                if (!PackCopy.TryRead(handle, at, piece)) return $"ends at {handle.Length} of {length} bytes, or cannot be read from there on";
                hash.AppendData(piece);
                at += piece.Length;
                progress?.Invoke(read += piece.Length, total);
            }
            if (Convert.ToHexStringLower(hash.GetCurrentHash()) != sha256) return "is damaged: it does not have the checksum of the manifest";
        }
        return null;
    }
}
