using System.Runtime.InteropServices;

namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>A file that a SQLite connection has open.</summary>
sealed class SqliteHandle(SimulatedDisk disk, SimulatedFile file, SqliteSharing sharing)
{
    int seen = file.Failures;

    public SqliteSharing Sharing => sharing;

    /// <exception cref="IOException">It is of a process that was killed: what its memory is cleaned of must not reach the disk.</exception>
    public SqliteHandle Alive => sharing == disk.Sharing ? this : throw new IOException("The process that had it open has ended.");

    public void Flush() => disk.Flush(file, ref seen);
    public SimulatedDisk Disk => disk;
    public SimulatedFile File => file;
    /// <summary>The next flush covers the name too.</summary>
    public bool NameIsNew { get; set; }
    /// <summary>0 none, 1 shared, 2 reserved, 3 pending, 4 exclusive.</summary>
    public int Level;
    public bool Mapped;
    public int SharedSlots;
    public int ExclusiveSlots;
}

/// <summary>File locks and shared memory between the connections of one disk, by the rules of SQLite's own VFS on Unix.</summary>
sealed class SqliteSharing
{
    readonly Lock gate = new();
    readonly List<SqliteHandle> open = [];
    readonly Dictionary<int, List<nint>> regions = [];

    public void Add(SqliteHandle handle) { lock (gate) open.Add(handle); }

    public void Remove(SqliteHandle handle)
    {
        lock (gate)
        {
            Unmap(handle);
            open.Remove(handle);
        }
    }

    IEnumerable<SqliteHandle> Others(SqliteHandle handle) => open.Where(other => other != handle && other.File == handle.File);

    public bool Lock(SqliteHandle handle, int level)
    {
        lock (gate)
        {
            if (handle.Level >= level) return true;
            var highest = Others(handle).Select(other => other.Level).DefaultIfEmpty(0).Max();
            if (level == 1 ? highest >= 3 : highest >= 2) return false;
            if (level == 4 && highest > 0)
            {
                handle.Level = 3; // no new readers; those that are there may finish
                return false;
            }
            handle.Level = level;
            return true;
        }
    }

    public void Unlock(SqliteHandle handle, int level) { lock (gate) handle.Level = Math.Min(handle.Level, level); }

    public bool IsReserved(SqliteHandle handle) { lock (gate) return handle.Level >= 2 || Others(handle).Any(other => other.Level >= 2); }

    public unsafe nint Map(SqliteHandle handle, int region, int bytes, bool extend)
    {
        lock (gate)
        {
            handle.Mapped = true;
            if (!regions.TryGetValue(handle.File.Number, out var maps)) regions[handle.File.Number] = maps = [];
            while (extend && maps.Count <= region) maps.Add((nint)NativeMemory.AllocZeroed((nuint)bytes));
            return region < maps.Count ? maps[region] : 0;
        }
    }

    public bool LockSlots(SqliteHandle handle, int slots, bool take, bool exclusive)
    {
        lock (gate)
        {
            if (!take)
            {
                handle.SharedSlots &= ~slots;
                handle.ExclusiveSlots &= ~slots;
                return true;
            }
            foreach (var other in Others(handle))
                if ((other.ExclusiveSlots & slots) != 0 || (exclusive && (other.SharedSlots & slots) != 0)) return false;
            if (exclusive) handle.ExclusiveSlots |= slots; else handle.SharedSlots |= slots;
            return true;
        }
    }

    public unsafe void Unmap(SqliteHandle handle)
    {
        lock (gate)
        {
            if (!handle.Mapped) return;
            (handle.Mapped, handle.SharedSlots, handle.ExclusiveSlots) = (false, 0, 0);
            if (Others(handle).Any(other => other.Mapped) || !regions.Remove(handle.File.Number, out var maps)) return;
            foreach (var map in maps) NativeMemory.Free((void*)map); // the last one out: the next one in builds the index anew
        }
    }
}
