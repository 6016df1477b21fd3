using CbaMail.Storage.Sqlite;

namespace CbaMail.Storage.Blobs;

/// <summary>
/// What a batch adds to the packs and takes from them, in bytes of records that rows name: one statement a pack and batch,
/// in the transaction of those rows. So a pack of which nothing lives is known without looking for rows.
/// </summary>
sealed class PackTally
{
    readonly List<(int Pack, long Bytes)> changes = [];
    readonly Dictionary<int, long> sums = [];

    /// <summary>What a work is undone to.</summary>
    public int Mark => changes.Count;

    public void Add(PackLocation location) => changes.Add((location.Pack, location.Stored));

    public void Drop(PackLocation location) => changes.Add((location.Pack, -(long)location.Stored));

    public void Undo(int mark) => changes.RemoveRange(mark, changes.Count - mark);

    /// <summary>Writes the sums and begins anew.</summary>
    public void Write(SqliteConnection connection)
    {
        if (changes.Count == 0) return;
        foreach (var (pack, bytes) in changes) sums[pack] = sums.GetValueOrDefault(pack) + bytes;
        changes.Clear();
        foreach (var (pack, bytes) in sums)
            if (bytes != 0) VaultTable.AddLive(connection, pack, bytes);
        sums.Clear();
    }

    public void Clear()
    {
        changes.Clear();
        sums.Clear();
    }
}
