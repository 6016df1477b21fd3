using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using CbaMail.Config;
using Microsoft.Win32.SafeHandles;

namespace CbaMail.Storage.Blobs;

/// <summary>
/// The pack files of <c>DATA/packs</c>: records appended by the committer alone, read by everybody.
/// The file is filled with zeros ahead of the writer, so that a flush needs no journal commit of the file system
/// (measured: 0.20 instead of 0.40 ms). A record counts only once a row names it; what a crash leaves behind
/// the last good record is cut off at the start.
/// </summary>
public sealed class Packs : IDisposable
{
    readonly string directory;
    readonly StorageSettings settings;
    readonly ConcurrentDictionary<int, SafeFileHandle> handles = new();
    readonly HashSet<int> dirty = [];
    readonly Lock fillGate = new();
    byte[] pending = ArrayPool<byte>.Shared.Rent(64 * 1024);
    int pendingLength;
    int current;
    long written;              // end of what has been handed to the file
    long filled;               // end of what is zero-filled or written
    Task fill = Task.CompletedTask;

    public Packs(string directory, StorageSettings settings)
    {
        this.directory = directory;
        this.settings = settings;
        System.IO.Directory.CreateDirectory(directory);
    }

    /// <summary>Where the next record will begin. Committer only.</summary>
    public (int Pack, long Position) End => (current, written + pendingLength);

    /// <summary>Whether something was appended since the last flush. Committer only.</summary>
    public bool IsDirty => pendingLength > 0 || dirty.Count > 0;

    /// <summary>
    /// Finds the end after a stop or a crash: walks the records from the last position that is known to be flushed,
    /// cuts off what follows the last whole one.
    /// </summary>
    /// <returns>The end; rows that name anything behind it were never acknowledged.</returns>
    public (int Pack, long Position) Recover(int safePack, long safePosition)
    {
        (current, written) = (Math.Max(1, safePack), safePack == 0 ? 0 : safePosition);
        while (true)
        {
            while (WholeRecordAt(current, written) is { } length) written += length;
            if (!File.Exists(FileName(current + 1)) || WholeRecordAt(current + 1, 0) is null) break;
            (current, written) = (current + 1, 0);
        }
        foreach (var file in System.IO.Directory.GetFiles(directory, "*.pack"))
            if (int.TryParse(Path.GetFileNameWithoutExtension(file), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > current) File.Delete(file);
        var handle = Handle(current, create: true)!;
        if (RandomAccess.GetLength(handle) > written) RandomAccess.SetLength(handle, written);
        RandomAccess.FlushToDisk(handle);
        filled = written;
        return End;
    }

    /// <summary>Puts a record behind the others; it reaches the file with <see cref="WriteOut"/>. Committer only.</summary>
    public PackLocation Append(PackRecord record, long id)
    {
        if (written + pendingLength > 0 && written + pendingLength + record.Length > settings.PackBytes) NextPack();
        var location = new PackLocation(current, written + pendingLength, record.Length);
        var bytes = record.Finish(id);
        if (pendingLength + bytes.Length > pending.Length)
        {
            if (pendingLength > 0 && bytes.Length + pendingLength > 1 << 20) WriteOut();
            if (pendingLength + bytes.Length > pending.Length)
            {
                var larger = ArrayPool<byte>.Shared.Rent(Math.Max(pending.Length * 2, pendingLength + bytes.Length));
                pending.AsSpan(0, pendingLength).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(pending);
                pending = larger;
            }
        }
        bytes.CopyTo(pending.AsSpan(pendingLength));
        pendingLength += bytes.Length;
        return location;
    }

    /// <summary>Forgets what was appended after the position: its work failed. Committer only.</summary>
    public void Reset((int Pack, long Position) to)
    {
        if (to.Pack == current && to.Position >= written) { pendingLength = (int)(to.Position - written); return; }
        pendingLength = 0;
        if (to.Pack != current)
        {
            current = to.Pack;
            WaitForFill();
            filled = RandomAccess.GetLength(Handle(current, create: true)!);
        }
        written = to.Position;
    }

    /// <summary>Hands what was appended to the file, before the rows that name it are committed. Committer only.</summary>
    /// <exception cref="IOException">No space is left.</exception>
    public void WriteOut()
    {
        if (pendingLength == 0) return;
        var end = written + pendingLength;
        if (end > filled) WaitForFill(); // never write where the filler writes
        RandomAccess.Write(Handle(current, create: true)!, pending.AsSpan(0, pendingLength), written);
        dirty.Add(current);
        written = end;
        pendingLength = 0;
        if (pending.Length > 4 << 20)
        {
            ArrayPool<byte>.Shared.Return(pending);
            pending = ArrayPool<byte>.Shared.Rent(64 * 1024);
        }
        if (end > filled) filled = end;
        FillAhead();
    }

    /// <summary>Makes durable what was written out; called while the database commits, on the flushing thread.</summary>
    public void Flush()
    {
        foreach (var pack in dirty) RandomAccess.FlushToDisk(Handle(pack, create: false)!);
        dirty.Clear();
    }

    /// <summary>Reads bytes of a pack; false where the file is missing or shorter.</summary>
    public bool TryRead(int pack, long position, Span<byte> bytes)
    {
        if (Handle(pack, create: false) is not { } handle) return false;
        while (!bytes.IsEmpty)
        {
            var count = RandomAccess.Read(handle, bytes, position);
            if (count <= 0) return false;
            bytes = bytes[count..];
            position += count;
        }
        return true;
    }

    /// <summary>Opens an object for reading.</summary>
    /// <param name="prefix">Gets the base's raw bytes where the object has a base.</param>
    public PackReader Open(PackLocation location, Func<ReadOnlyMemory<byte>>? prefix = null) => new(this, location, prefix);

    void NextPack()
    {
        WriteOut();
        WaitForFill();
        var handle = Handle(current, create: true)!;
        RandomAccess.SetLength(handle, written); // a sealed pack has no zeros behind its last record
        (current, written, filled) = (current + 1, 0, 0);
        Handle(current, create: true);
    }

    long? WholeRecordAt(int pack, long position)
    {
        Span<byte> header = stackalloc byte[PackRecord.HeaderBytes];
        if (!TryRead(pack, position, header) || !PackRecord.TryHeader(header, out var stored, out _, out var pieces)) return null;
        var head = new byte[PackRecord.HeaderBytes + 8 * pieces];
        if (!TryRead(pack, position, head) || !PackRecord.HeadIsWhole(head, pieces)) return null;
        var at = position + head.Length;
        var bytes = ArrayPool<byte>.Shared.Rent(PackRecord.PieceBytes);
        try
        {
            for (var i = 0; i < pieces; i++)
            {
                var (length, crc) = PackRecord.Piece(head, i);
                if (length < 0 || length > PackRecord.PieceBytes || !TryRead(pack, at, bytes.AsSpan(0, length)) || Crc32C.Of(bytes.AsSpan(0, length)) != crc) return null;
                at += length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
        return at == position + stored ? stored : null;
    }

    void FillAhead()
    {
        var ahead = Math.Min(settings.PackAheadBytes, settings.PackBytes - filled);
        if (ahead <= 0 || filled - written > settings.PackAheadBytes / 2 || !fill.IsCompleted) return;
        var handle = Handle(current, create: true)!;
        var from = filled;
        fill = Task.Run(() =>
        {
            var zeros = ArrayPool<byte>.Shared.Rent(128 * 1024);
            try
            {
                Array.Clear(zeros);
                for (var at = from; at < from + ahead; at += zeros.Length)
                    RandomAccess.Write(handle, zeros.AsSpan(0, (int)Math.Min(zeros.Length, from + ahead - at)), at);
                RandomAccess.FlushToDisk(handle);
                lock (fillGate) filled = from + ahead;
            }
            catch (IOException)
            {
                // a full disk: the writer itself will be told, and say so
                lock (fillGate) filled = from;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(zeros);
            }
        });
    }

    // the committer's own thread waits; the filler needs at most some milliseconds
    void WaitForFill()
    {
        if (!fill.IsCompleted) ((IAsyncResult)fill).AsyncWaitHandle.WaitOne();
    }

    SafeFileHandle? Handle(int pack, bool create)
    {
        if (handles.TryGetValue(pack, out var handle)) return handle;
        lock (handles)
        {
            if (handles.TryGetValue(pack, out handle)) return handle;
            var name = FileName(pack);
            var isNew = !File.Exists(name);
            if (isNew && !create) return null;
            handle = File.OpenHandle(name, isNew ? FileMode.CreateNew : FileMode.Open, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
            if (isNew) Posix.FlushDirectory(directory);
            handles[pack] = handle;
            return handle;
        }
    }

    string FileName(int pack) => Path.Combine(directory, pack.ToString("d8", CultureInfo.InvariantCulture) + ".pack");

    public void Dispose()
    {
        WaitForFill();
        if (handles.TryGetValue(current, out var last) && RandomAccess.GetLength(last) > written) RandomAccess.SetLength(last, written);
        foreach (var handle in handles.Values) handle.Dispose();
        handles.Clear();
        ArrayPool<byte>.Shared.Return(pending);
        pending = [];
    }
}
