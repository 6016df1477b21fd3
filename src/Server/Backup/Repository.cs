using System.Globalization;
using CbaMail.Storage;

namespace CbaMail.Backup;

/// <summary>The directory that holds snapshots: its layout, its lock, what is in it and what goes.</summary>
sealed class Repository : IDisposable
{
    const UnixFileMode OwnersDirectory = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    internal const UnixFileMode OwnersFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    readonly IDisposable? held;

    Repository(Disk disk, string directory, IDisposable? held) => (Disk, Directory, this.held) = (disk, directory, held);

    public Disk Disk { get; }
    public string Directory { get; }
    public string Packs => Path.Combine(Directory, "packs");
    public string Snapshots => Path.Combine(Directory, "snapshots");
    public string Files => Path.Combine(Directory, "files");

    public string Snapshot(string name) => Path.Combine(Snapshots, name);
    public string Pack(int number) => Path.Combine(Packs, PackName(number));
    public string StoredFile(string sha256) => Path.Combine(Files, sha256);

    public static string PackName(int number) => number.ToString("d8", CultureInfo.InvariantCulture) + ".pack";

    /// <summary>Opens for writing, makes what is missing, takes the lock.</summary>
    /// <exception cref="BackupProblem">It may not be written, is no place for a backup, or another backup runs.</exception>
    public static Repository OpenToWrite(Disk disk, string directory, string data)
    {
        directory = Path.GetFullPath(directory);
        var (real, realData) = (Real(directory), Real(data));
        if (real == realData || real.StartsWith(realData + "/", StringComparison.Ordinal))
            throw new BackupProblem($"{directory} lies inside the data directory: a backup there is lost with it; name a directory elsewhere, best on another disk");
        try
        {
            if (!IsOurs(disk, directory))
                throw new BackupProblem($"{directory} holds other things and no backup: name an empty or a new directory");
            MakeDirectory(disk, directory);
            var held = disk.Hold(Path.Combine(directory, "lock"), shared: false) ?? throw Busy(directory);
            try
            {
                var repository = new Repository(disk, directory, held);
                foreach (var below in new[] { repository.Packs, repository.Files, repository.Snapshots }) MakeDirectory(disk, below);
                disk.FlushDirectory(directory);
                return repository;
            }
            catch
            {
                held.Dispose();
                throw;
            }
        }
        catch (UnauthorizedAccessException)
        {
            throw new BackupProblem($"The user {Environment.UserName}, as whom this runs, may not write to {directory}; give it to that user with: chown {Environment.UserName} {directory}");
        }
    }

    // what a first run that was interrupted has left is ours, too
    static bool IsOurs(Disk disk, string directory) =>
        !disk.DirectoryExists(directory) || disk.DirectoryExists(Path.Combine(directory, "snapshots"))
        || (disk.Files(directory).All(file => Path.GetFileName(file) == "lock") && disk.Directories(directory).All(below =>
            Path.GetFileName(below) == "lost+found" || (Path.GetFileName(below) is "packs" or "files" && disk.Files(below).Count == 0 && disk.Directories(below).Count == 0)));

    internal static void MakeDirectory(Disk disk, string path)
    {
        if (disk.DirectoryExists(path)) return;
        disk.CreateDirectory(path);
        disk.SetMode(path, OwnersDirectory);
    }

    /// <summary>Opens for reading; keeps backups into it from removing anything meanwhile where the directory allows that.</summary>
    /// <exception cref="BackupProblem">There is none, or a backup runs.</exception>
    public static Repository OpenToRead(Disk disk, string directory)
    {
        directory = Path.GetFullPath(directory);
        if (!disk.DirectoryExists(Path.Combine(directory, "snapshots"))) throw new BackupProblem($"{directory} is no backup: name the directory that was given to \"cbamail backup\"");
        IDisposable? held = null;
        var file = Path.Combine(directory, "lock");
        try
        {
            if (disk.Exists(file)) held = disk.Hold(file, shared: true) ?? throw Busy(directory);
        }
        catch (UnauthorizedAccessException)
        {
            // who may read the snapshots but not the lock may read them
        }
        return new Repository(disk, directory, held);
    }

    /// <summary>A data directory among the packs and snapshots would be taken for a part of them.</summary>
    /// <exception cref="BackupProblem">It is the backup's own directory, or lies in it.</exception>
    public void RefuseInside(string data)
    {
        var (real, realData) = (Real(Directory), Real(data));
        if (realData == real || realData.StartsWith(real + "/", StringComparison.Ordinal))
            throw new BackupProblem($"{data} lies inside the backup {Directory}: name the new data directory elsewhere with --data DIR");
    }

    static BackupProblem Busy(string directory) => new($"Another backup or restore works on {directory} right now; wait until it has ended");

    // through symbolic links, as far as the path exists
    static string Real(string path)
    {
        path = Path.GetFullPath(path).TrimEnd('/');
        var parent = Path.GetDirectoryName(path);
        if (string.IsNullOrEmpty(parent)) return path.Length == 0 ? "/" : path;
        var at = Path.Combine(Real(parent), Path.GetFileName(path));
        return new FileInfo(at) is { LinkTarget: not null } link && link.ResolveLinkTarget(returnFinalTarget: true) is { } target ? target.FullName.TrimEnd('/') : at;
    }

    /// <summary>Names of snapshots whose manifest is there and cannot be read; set by <see cref="Complete"/>.</summary>
    public IReadOnlyList<string> Unreadable { get; private set; } = [];

    /// <summary>What it means, and what to do.</summary>
    public string SentenceOnUnreadable(string name) =>
        $"The manifest of the snapshot {name} is damaged ({Path.Combine(Snapshot(name), Manifest.FileName)}): take that file from a copy of the backup, or remove the directory {Snapshot(name)} and use another snapshot; until then backups remove nothing";

    /// <summary>The complete snapshots, oldest first.</summary>
    public List<Manifest> Complete()
    {
        var all = new List<Manifest>();
        var unreadable = new List<string>();
        foreach (var directory in Disk.Directories(Snapshots).Order(StringComparer.Ordinal))
        {
            if (ReadAll(Path.Combine(directory, Manifest.FileName)) is not { } bytes) continue;
            if (Manifest.Parse(bytes) is { } manifest && manifest.Name == Path.GetFileName(directory)) all.Add(manifest);
            else unreadable.Add(Path.GetFileName(directory));
        }
        Unreadable = unreadable;
        return [.. all.OrderBy(manifest => manifest.Sequence)];
    }

    byte[]? ReadAll(string path)
    {
        using var file = Disk.OpenToRead(path);
        if (file is null) return null;
        var bytes = new byte[file.Length];
        return PackCopy.TryRead(file, 0, bytes) ? bytes : throw new IOException($"{path} cannot be read");
    }

    /// <summary>The snapshot of that name, the newest whose name begins so, or the newest of all for "latest".</summary>
    /// <exception cref="BackupProblem">There is none.</exception>
    public Manifest Choose(string? at)
    {
        var all = Complete();
        if (all.Count == 0) throw new BackupProblem(Unreadable.Count > 0 ? $"{SentenceOnUnreadable(Unreadable[^1])}. There is no other complete snapshot" : $"{Directory} holds no complete snapshot");
        // not silently an older one in the place of the newest
        if (at is null or "latest" && Unreadable.Count > 0 && string.CompareOrdinal(Unreadable[^1], all[^1].Name) > 0)
            throw new BackupProblem($"{SentenceOnUnreadable(Unreadable[^1])}. The newest that can be read is named by: --at {all[^1].Name}");
        var found = at is null or "latest" ? all[^1] : all.Find(manifest => manifest.Name.Equals(at, StringComparison.OrdinalIgnoreCase))
            ?? all.FindLast(manifest => manifest.Name.StartsWith(at, StringComparison.OrdinalIgnoreCase)); // two of one second are named ...Z and ...Z-2
        if (found is null && Unreadable.LastOrDefault(name => name.StartsWith(at!, StringComparison.OrdinalIgnoreCase)) is { } damaged) throw new BackupProblem(SentenceOnUnreadable(damaged));
        if (found is null) throw new BackupProblem($"{Directory} has no snapshot {at}; list them with: cbamail restore {Directory} --list");
        return found.Format <= Manifest.ThisFormat ? found : throw new BackupProblem($"The snapshot {found.Name} was written by a newer release ({found.Program}); install that one");
    }

    /// <summary>Removes what interrupted runs left: snapshots without a manifest, files half written.</summary>
    public void RemoveUnfinished()
    {
        foreach (var directory in Disk.Directories(Snapshots))
            if (!Disk.Exists(Path.Combine(directory, Manifest.FileName))) Disk.DeleteDirectory(directory);
        foreach (var file in Disk.Files(Files).Where(file => file.EndsWith(".new", StringComparison.Ordinal))) Disk.Delete(file);
    }

    /// <summary>Removes all but the newest snapshots.</summary>
    /// <returns>Their names.</returns>
    public List<string> Prune(int keep)
    {
        var goes = Complete().SkipLast(keep).Select(manifest => manifest.Name).ToList();
        foreach (var name in goes)
        {
            // without its manifest it is none, whatever happens next
            Disk.Delete(Path.Combine(Snapshot(name), Manifest.FileName));
            Disk.FlushDirectory(Snapshot(name));
            Disk.DeleteDirectory(Snapshot(name));
        }
        if (goes.Count > 0) Disk.FlushDirectory(Snapshots);
        return goes;
    }

    /// <summary>Removes packs and files that no snapshot needs. While a manifest cannot be read nothing goes: it may need them.</summary>
    public void RemoveUnneeded()
    {
        var all = Complete();
        if (Unreadable.Count > 0) return;
        var packs = all.SelectMany(manifest => manifest.Packs).Select(pack => PackName(pack.Number)).ToHashSet(StringComparer.Ordinal);
        var files = all.SelectMany(manifest => manifest.Files).Select(file => file.Sha256).ToHashSet(StringComparer.Ordinal);
        foreach (var file in PackNames())
            if (!packs.Contains(Path.GetFileName(file))) Disk.Delete(file);
        foreach (var file in Disk.Files(Files))
            if (!files.Contains(Path.GetFileName(file))) Disk.Delete(file);
        Disk.FlushDirectory(Packs);
        Disk.FlushDirectory(Files);
    }

    /// <summary>The highest number of a pack that the repository knows.</summary>
    public int LastPack(IEnumerable<Manifest> all)
    {
        var last = all.SelectMany(manifest => manifest.Packs).Select(pack => pack.Number).DefaultIfEmpty(0).Max();
        foreach (var file in PackNames())
            if (int.TryParse(Path.GetFileNameWithoutExtension(file), NumberStyles.None, CultureInfo.InvariantCulture, out var number)) last = Math.Max(last, number);
        return last;
    }

    IEnumerable<string> PackNames() => Disk.Files(Packs).Where(file => file.EndsWith(".pack", StringComparison.Ordinal));

    public void Dispose() => held?.Dispose();
}
