using System.Security.Cryptography;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using CbaMail.Storage.Blobs;
using Microsoft.Win32.SafeHandles;

namespace CbaMail.Backup;

/// <summary>
/// Where a damaged record may still be whole: in its own place under a header that can be made again, at the same place of a backup
/// (records do not change once written), elsewhere in a backup, or as a copy that rewriting left in a pack of ours.
/// </summary>
sealed class RecordSources(Store store, string? backup, IEnumerable<Damage> damages) : IDisposable
{
    readonly HashSet<(RecordKind, long)> wanted = [.. damages.Select(damage => (damage.Kind, damage.Id))];
    readonly Dictionary<int, SafeFileHandle?> opened = [];
    Dictionary<(RecordKind, long), List<(ReadAt Read, RecordHead Head, long Position)>>? inPacks, inBackup;

    /// <summary>A whole record for the row, and where it was found, for people; null where there is none.</summary>
    public (PackRecord Record, string Where)? Find(StoredRow row)
    {
        var location = row.Location;
        var raw = row.Size;
        for (var i = 1; i < row.Parts.Length; i += 3) raw -= row.Parts[i];
        if (raw is >= 0 and <= int.MaxValue && RecordReader.Rebuild(Ours(location.Pack), location, row.Kind, row.Id, row.Base, (int)raw) is { } rebuilt
            && Take(row, Ours(location.Pack), rebuilt, location.Position) is { } own) return (own, "its pieces are whole, its header was made again");
        if (backup is not null)
        {
            if (Theirs(location.Pack) is { } read && RecordReader.Head(read, location.Position, out _) is { } head
                && Take(row, read, head, location.Position) is { } same) return (same, $"taken from {backup}");
            inBackup ??= Index(Numbers(Path.Combine(backup, "packs")), Theirs);
            if (Any(row, inBackup) is { } there) return (there, $"taken from {backup}");
        }
        inPacks ??= Index(store.Packs.Files.Numbers().Select(pack => (pack, Length(pack))), Ours);
        return Any(row, inPacks) is { } here ? (here, "taken from an older copy in the packs") : null;
    }

    PackRecord? Any(StoredRow row, Dictionary<(RecordKind, long), List<(ReadAt Read, RecordHead Head, long Position)>> index) =>
        index.TryGetValue((row.Kind, row.Id), out var found) ? found.Select(one => Take(row, one.Read, one.Head, one.Position)).FirstOrDefault(record => record is not null) : null;

    /// <summary>The record if it is the row's own, to the last byte that can be proved.</summary>
    static PackRecord? Take(StoredRow row, ReadAt read, RecordHead head, long position)
    {
        if (head.Kind != row.Kind || head.Id != row.Id || head.BaseId != row.Base) return null;
        var raw = (long)head.Raw;
        for (var i = 1; i < row.Parts.Length; i += 3) raw += row.Parts[i];
        if (raw != row.Size) return null;
        if (row.Kind == RecordKind.Object)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            for (var i = 0; i < head.Pieces; i++)
            {
                if (RecordReader.Raw(read, head, position, i, [], out _) is not { } piece) return null;
                hash.AppendData(piece);
            }
            if (!hash.GetHashAndReset().AsSpan().SequenceEqual(row.Hash)) return null;
        }
        return RecordReader.Copy(read, head, position);
    }

    Dictionary<(RecordKind, long), List<(ReadAt, RecordHead, long)>> Index(IEnumerable<(int Pack, long Length)> packs, Func<int, ReadAt?> open)
    {
        var index = new Dictionary<(RecordKind, long), List<(ReadAt, RecordHead, long)>>();
        foreach (var (pack, length) in packs)
        {
            if (open(pack) is not { } read) continue;
            foreach (var (position, head) in RecordReader.All(read, length))
            {
                if (!wanted.Contains((head.Kind, head.Id))) continue;
                if (!index.TryGetValue((head.Kind, head.Id), out var list)) index[(head.Kind, head.Id)] = list = [];
                list.Add((read, head, position));
            }
        }
        return index;
    }

    ReadAt Ours(int pack) => (position, bytes) => store.Packs.TryRead(pack, position, bytes);

    long Length(int pack)
    {
        using var lease = store.Packs.Files.Use(pack);
        return lease?.File.Length ?? 0;
    }

    static IEnumerable<(int, long)> Numbers(string directory)
    {
        foreach (var file in new DirectoryInfo(directory).EnumerateFiles("*.pack").OrderBy(file => file.Name, StringComparer.Ordinal))
            if (int.TryParse(Path.GetFileNameWithoutExtension(file.Name), System.Globalization.NumberStyles.None, null, out var pack)) yield return (pack, file.Length);
    }

    ReadAt? Theirs(int pack)
    {
        if (!opened.TryGetValue(pack, out var handle))
        {
            var name = Path.Combine(backup!, "packs", pack.ToString("d8", System.Globalization.CultureInfo.InvariantCulture) + ".pack");
            opened[pack] = handle = File.Exists(name) ? File.OpenHandle(name) : null;
        }
        if (handle is null) return null;
        return (position, bytes) =>
        {
            while (!bytes.IsEmpty)
            {
                var count = RandomAccess.Read(handle, bytes, position);
                if (count <= 0) return false;
                bytes = bytes[count..];
                position += count;
            }
            return true;
        };
    }

    public void Dispose()
    {
        foreach (var handle in opened.Values) handle?.Dispose();
    }
}
