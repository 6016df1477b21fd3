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
    static readonly string[] LeftOut = ["packs", "spool", "reports", "lock", "control.sock", Store.Restoring, Store.DatabaseName, Store.DatabaseName + "-wal", Store.DatabaseName + "-shm"];

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

    static IEnumerable<(string Full, string Path)> Below(string root, string below)
    {
        foreach (var info in new DirectoryInfo(Path.Combine(root, below)).EnumerateFileSystemInfos().OrderBy(info => info.Name, StringComparer.Ordinal))
        {
            if ((below.Length == 0 && LeftOut.Contains(info.Name)) || info.LinkTarget is not null || info.Name.EndsWith(".new", StringComparison.Ordinal)) continue;
            var path = below.Length == 0 ? info.Name : below + "/" + info.Name;
            if (info is DirectoryInfo)
            {
                foreach (var inner in Below(root, path)) yield return inner;
            }
            else if ((info.Attributes & (FileAttributes.Device | FileAttributes.ReparsePoint)) == 0) yield return (info.FullName, path);
        }
    }

    static bool IsSecret(string path) => path.EndsWith(".key", StringComparison.OrdinalIgnoreCase) || path.StartsWith("keys/", StringComparison.Ordinal);

    // the settings file may hold the password of a smarthost
    IEnumerable<string> Outside(bool withoutKeys)
    {
        string?[] candidates = withoutKeys ? [settings.Tls.Certificate] : [settings.File, settings.Tls.Certificate, settings.Tls.Key];
        return candidates.OfType<string>().Select(Path.GetFullPath).Distinct(StringComparer.Ordinal)
            .Where(file => File.Exists(file) && !file.StartsWith(data + "/", StringComparison.Ordinal));
    }

    async Task TakeAsync(string full, string path, string? outside)
    {
        try
        {
            var info = new FileInfo(full);
            // an attachment's name is the hash of its bytes, and it is never changed
            var isNamedByHash = path.StartsWith("mailings/", StringComparison.Ordinal) && info.Name.Length == 64 && info.Name.All(char.IsAsciiHexDigitLower);
            if (!isNamedByHash || !IsKept(info.Name, info.Length))
            {
                var (sha256, size) = await KeepAsync(full);
                entries.Add(new FileEntry(path, size, sha256, (int)File.GetUnixFileMode(full), outside));
            }
            else entries.Add(new FileEntry(path, info.Length, info.Name, (int)info.UnixFileMode, outside));
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            // removed since it was listed: nothing needs it
        }
    }

    bool IsKept(string sha256, long size) => new FileInfo(repository.StoredFile(sha256)) is { Exists: true } kept && kept.Length == size;

    async Task<(string Sha256, long Size)> KeepAsync(string full)
    {
        var unfinished = Path.Combine(repository.Files, Guid.NewGuid().ToString("n") + ".new");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long size = 0;
        try
        {
            await using (var source = new FileStream(full, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0))
            await using (var target = new FileStream(unfinished, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = Repository.OwnersFile }))
            {
                var buffer = new byte[256 * 1024];
                while (await source.ReadAsync(buffer, pace.Cancel) is > 0 and var count)
                {
                    hash.AppendData(buffer, 0, count);
                    await target.WriteAsync(buffer.AsMemory(0, count), pace.Cancel);
                    size += count;
                    if (size % (4 << 20) == 0) await pace.RestAsync();
                }
                target.Flush(flushToDisk: true);
            }
            var sha256 = Convert.ToHexStringLower(hash.GetHashAndReset());
            if (IsKept(sha256, size)) File.Delete(unfinished);
            else
            {
                File.Move(unfinished, repository.StoredFile(sha256), overwrite: true);
                Copied += size;
            }
            return (sha256, size);
        }
        catch
        {
            File.Delete(unfinished);
            throw;
        }
    }
}
