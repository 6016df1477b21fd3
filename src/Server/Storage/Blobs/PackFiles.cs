using System.Globalization;

namespace CbaMail.Storage.Blobs;

/// <summary>
/// The files of <c>DATA/packs</c>: opened when they are first read, at most so many kept open, closed in the order of their last use.
/// A file that somebody is reading stays open for him, removed or not.
/// </summary>
sealed class PackFiles(string directory, Disk disk, int mostOpen) : IDisposable
{
    readonly Lock gate = new();
    readonly Dictionary<int, Open> open = [];
    long clock;
    int holds;

    /// <summary>A pack that is open for one user; dispose it to give it back.</summary>
    public sealed class Lease(PackFiles files, DiskFile file, Open entry) : IDisposable
    {
        bool returned;

        public DiskFile File => file;

        public void Dispose()
        {
            if (returned) return;
            returned = true;
            files.Return(entry);
        }
    }

    internal sealed class Open(DiskFile file)
    {
        public DiskFile File => file;
        public int Users;
        public long LastUse;
        public bool Removed;
    }

    /// <summary>Opens a pack; null where there is none.</summary>
    /// <exception cref="IOException">No descriptors, or the disk fails.</exception>
    public Lease? Use(int pack, bool create = false)
    {
        lock (gate)
        {
            if (!open.TryGetValue(pack, out var entry))
            {
                if (disk.Open(FileName(pack), create) is not { } file) return null;
                if (create) MakeDurable(file); // also where it was there already: its maker may have been stopped before he had flushed the name
                if (open.Count >= mostOpen) CloseOldest();
                open[pack] = entry = new Open(file);
            }
            entry.Users++;
            entry.LastUse = ++clock;
            return new Lease(this, entry.File, entry);
        }
    }

    void MakeDurable(DiskFile file)
    {
        try
        {
            disk.FlushDirectory(directory);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Removes the file; who is reading it reads on.</summary>
    public void Remove(int pack)
    {
        lock (gate)
        {
            if (open.Remove(pack, out var entry))
            {
                entry.Removed = true;
                if (entry.Users == 0) entry.File.Dispose();
            }
            disk.Delete(FileName(pack));
        }
    }

    /// <summary>Removes the file durably, unless somebody holds removals.</summary>
    public bool TryRemove(int pack)
    {
        lock (gate)
        {
            if (holds > 0) return false;
            if (Exists(pack)) Remove(pack);
        }
        FlushNames();
        return true;
    }

    /// <summary>No file is removed until this is disposed.</summary>
    public IDisposable Hold()
    {
        lock (gate) holds++;
        return new Held(this);
    }

    /// <summary>Whether somebody holds removals.</summary>
    public bool IsHeld
    {
        get { lock (gate) return holds > 0; }
    }

    sealed class Held(PackFiles files) : IDisposable
    {
        PackFiles? files = files;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref files, null) is { } held)
                lock (held.gate) held.holds--;
        }
    }

    /// <summary>Makes removed files stay removed.</summary>
    public void FlushNames() => disk.FlushDirectory(directory);

    /// <summary>Bytes of the file, or null where there is none.</summary>
    public long? Length(int pack)
    {
        using var lease = Use(pack);
        return lease?.File.Length;
    }

    public bool Exists(int pack) => disk.Exists(FileName(pack));

    /// <summary>All packs, rising.</summary>
    public List<int> Numbers()
    {
        var numbers = new List<int>();
        foreach (var file in disk.Files(directory))
            if (file.EndsWith(".pack", StringComparison.Ordinal) &&
                int.TryParse(Path.GetFileNameWithoutExtension(file), NumberStyles.None, CultureInfo.InvariantCulture, out var number)) numbers.Add(number);
        numbers.Sort();
        return numbers;
    }

    public string FileName(int pack) => Path.Combine(directory, pack.ToString("d8", CultureInfo.InvariantCulture) + ".pack");

    void Return(Open entry)
    {
        lock (gate)
        {
            if (--entry.Users > 0) return;
            if (entry.Removed) entry.File.Dispose();
            else if (open.Count > mostOpen) CloseOldest(); // while many read at once there were more than are kept
        }
    }

    void CloseOldest()
    {
        var oldest = -1;
        foreach (var (pack, entry) in open)
            if (entry.Users == 0 && (oldest < 0 || entry.LastUse < open[oldest].LastUse)) oldest = pack;
        if (oldest >= 0 && open.Remove(oldest, out var closed)) closed.File.Dispose();
    }

    public void Dispose()
    {
        lock (gate)
        {
            foreach (var entry in open.Values)
            {
                entry.Removed = true; // who still reads closes it
                if (entry.Users == 0) entry.File.Dispose();
            }
            open.Clear();
        }
    }
}
