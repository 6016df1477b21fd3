using System.Security.Cryptography;
using CbaMail.Config;
using CbaMail.Storage;

namespace CbaMail.Backup;

/// <summary>
/// The files beside database and packs: attachments of mailings, certificates and keys, the settings file. Each content is kept once,
/// by its SHA-256. Not taken: what lives only as long as the server runs, and reports with passwords in clear text.
/// </summary>
sealed class FileCopies(string data, Settings settings, Repository repository, Pace pace)
{
    static readonly string[] LeftOut = ["packs", "spool", "search", "reports", "lock", "control.sock", Store.Restoring, Store.DatabaseName, Store.DatabaseName + "-wal", Store.DatabaseName + "-shm"];

    readonly Disk disk = repository.Disk;
    readonly List<FileEntry> entries = [];

    public IReadOnlyList<FileEntry> Entries => entries;
    public long Copied { get; private set; }

    public async Task<FileCopies> RunAsync(bool withoutKeys)
    {
        foreach (var file in Below(data, ""))
        {
            if (withoutKeys && IsSecret(file.Path)) continue;
            await TakeAsync(file.Full, file.Path, null);
        }
        foreach (var file in Outside(withoutKeys)) await TakeAsync(file, "from-backup/" + Path.GetFileName(file), file);
        return this;
    }

    IEnumerable<(string Full, string Path)> Below(string root, string below)
    {
        var here = Path.Combine(root, below);
        var directories = disk.Directories(here).ToHashSet(StringComparer.Ordinal);
        foreach (var full in disk.Files(here).Concat(directories).OrderBy(Path.GetFileName, StringComparer.Ordinal))
        {
            var name = Path.GetFileName(full);
            if ((below.Length == 0 && LeftOut.Contains(name)) || name.EndsWith(".new", StringComparison.Ordinal) || !IsOrdinary(full)) continue;
            var path = below.Length == 0 ? name : below + "/" + name;
            if (!directories.Contains(full)) yield return (full, path);
            else
            {
                foreach (var inner in Below(root, path)) yield return inner;
            }
        }
    }

    bool IsOrdinary(string path)
    {
        try { return disk.IsOrdinary(path); }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException) { return false; } // removed since it was listed
    }

    static bool IsSecret(string path) => path.EndsWith(".key", StringComparison.OrdinalIgnoreCase) || path.StartsWith("keys/", StringComparison.Ordinal) || path == SettingsFile.Own;

    // the settings file may hold the password of a smarthost
    IEnumerable<string> Outside(bool withoutKeys)
    {
        string?[] candidates = withoutKeys ? [settings.Tls.Certificate] : [settings.File, settings.Tls.Certificate, settings.Tls.Key];
        return candidates.OfType<string>().Select(Path.GetFullPath).Distinct(StringComparer.Ordinal)
            .Where(file => disk.Exists(file) && !file.StartsWith(data + "/", StringComparison.Ordinal));
    }

    async Task TakeAsync(string full, string path, string? outside)
    {
        try
        {
            // an attachment's name is the hash of its bytes, and it is never changed
            var name = Path.GetFileName(full);
            var isNamedByHash = path.StartsWith("mailings/", StringComparison.Ordinal) && name.Length == 64 && name.All(char.IsAsciiHexDigitLower);
            var (sha256, size) = isNamedByHash && LengthOf(full) is { } length && IsKept(name, length) ? (name, length) : await KeepAsync(full);
            entries.Add(new FileEntry(path, size, sha256, (int)disk.Mode(full), outside));
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            // removed since it was listed: nothing needs it
        }
    }

    bool IsKept(string sha256, long size) => LengthOf(repository.StoredFile(sha256)) == size;

    long? LengthOf(string path)
    {
        using var file = disk.OpenToRead(path);
        return file?.Length;
    }

    async Task<(string Sha256, long Size)> KeepAsync(string full)
    {
        var unfinished = Path.Combine(repository.Files, $"{entries.Count}.new"); // one writer a repository
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long size = 0;
        try
        {
            using (var source = disk.OpenToRead(full) ?? throw new FileNotFoundException())
            using (var target = disk.Open(unfinished, create: true)!)
            {
                disk.SetMode(unfinished, Repository.OwnersFile);
                var buffer = new byte[256 * 1024];
                while (source.Read(buffer, size) is > 0 and var count)
                {
                    hash.AppendData(buffer, 0, count);
                    target.Write(buffer.AsSpan(0, count), size);
                    size += count;
                    if (size % (4 << 20) == 0) await pace.RestAsync();
                }
                target.Flush();
            }
            var sha256 = Convert.ToHexStringLower(hash.GetHashAndReset());
            if (IsKept(sha256, size)) disk.Delete(unfinished);
            else
            {
                disk.Move(unfinished, repository.StoredFile(sha256));
                Copied += size;
            }
            return (sha256, size);
        }
        catch
        {
            disk.Delete(unfinished);
            throw;
        }
    }
}
