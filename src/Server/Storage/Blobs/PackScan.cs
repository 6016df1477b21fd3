using System.Buffers;

namespace CbaMail.Storage.Blobs;

/// <summary>A record as its head tells; its pieces have not been looked at.</summary>
readonly record struct PackedRecord(PackLocation Location, RecordKind Kind, long Id);

/// <summary>
/// Walks over the records of a sealed pack. What is no record (bytes of a failed commit that were stepped over, or damage) is searched for the next
/// head. Behind such bytes a head proves nothing: it may stand within a message that holds a pack. Until the caller says by
/// <see cref="Trust"/> that a row names it, no byte of it is passed over.
/// </summary>
sealed class PackScan : IDisposable
{
    const int WindowBytes = 128 * 1024;

    readonly PackFiles.Lease lease;
    readonly long length;
    readonly byte[] window = ArrayPool<byte>.Shared.Rent(WindowBytes);
    long windowAt;
    int windowLength;
    long position;
    bool lost;

    PackScan(int pack, PackFiles.Lease lease)
    {
        Pack = pack;
        this.lease = lease;
        length = lease.File.Length;
    }

    /// <returns>Null where the pack has no file.</returns>
    public static PackScan? Open(Packs packs, int pack) => packs.Files.Use(pack) is { } lease ? new PackScan(pack, lease) : null;

    public int Pack { get; }

    /// <summary>The next record's head, or null at the end.</summary>
    public PackedRecord? Next()
    {
        while (position + PackRecord.HeaderBytes <= length)
        {
            if (HeadAt(position) is { } record)
            {
                position += lost ? 1 : record.Location.Stored;
                return record;
            }
            lost = true;
            position = NextMagic(position + 1);
        }
        return null;
    }

    /// <summary>A row names the record that was returned last: the walk goes on behind it.</summary>
    public void Trust(in PackedRecord record)
    {
        if (!lost) return;
        lost = false;
        position = record.Location.Position + record.Location.Stored;
    }

    /// <summary>The whole record, if every checksum holds.</summary>
    public bool TryCopy(in PackedRecord record, Span<byte> to)
    {
        var from = record.Location.Position;
        if (from >= windowAt && from + to.Length <= windowAt + windowLength) window.AsSpan((int)(from - windowAt), to.Length).CopyTo(to);
        else if (!Packs.TryRead(lease.File, from, to)) return false;
        return PackRecord.IsWhole(to);
    }

    PackedRecord? HeadAt(long at)
    {
        var header = Bytes(at, PackRecord.HeaderBytes);
        if (!PackRecord.TryHeader(header, out var stored, out _, out var pieces) || at + stored > length) return null;
        var head = Bytes(at, PackRecord.HeaderBytes + 8 * pieces);
        if (!PackRecord.HeadIsWhole(head, pieces)) return null;
        var (kind, id) = PackRecord.Names(head);
        return new PackedRecord(new PackLocation(Pack, at, stored), kind, id);
    }

    long NextMagic(long at)
    {
        while (at + PackRecord.HeaderBytes <= length)
        {
            var bytes = Bytes(at, (int)Math.Min(WindowBytes / 2, length - at));
            if (bytes.Length < PackRecord.HeaderBytes) break;
            var found = bytes.IndexOf(PackRecord.MagicBytes);
            if (found >= 0) return at + found;
            at += bytes.Length - PackRecord.MagicBytes.Length + 1;
        }
        return length;
    }

    // empty where the file is shorter; valid until the next call
    ReadOnlySpan<byte> Bytes(long at, int count)
    {
        if (at < windowAt || at + count > windowAt + windowLength)
        {
            if (count > window.Length)
            {
                // the table of an object of gigabytes
                var table = new byte[count];
                return Packs.TryRead(lease.File, at, table) ? table : default;
            }
            windowAt = at;
            windowLength = 0;
            while (windowLength < window.Length && lease.File.Read(window.AsSpan(windowLength), at + windowLength) is > 0 and var read) windowLength += read;
        }
        return at + count <= windowAt + windowLength ? window.AsSpan((int)(at - windowAt), count) : default;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(window);
        lease.Dispose();
    }
}
