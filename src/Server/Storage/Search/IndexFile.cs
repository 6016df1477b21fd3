using System.Buffers.Binary;
using CbaMail.Storage.Blobs;

namespace CbaMail.Storage.Search;

/// <summary>The index is not what was written: it is thrown away and made anew.</summary>
public sealed class IndexDamage(string message) : IOException(message);

/// <summary>Where bytes stand in an index, and their checksum.</summary>
readonly record struct Extent(long Position, int Length, uint Crc);

/// <summary>
/// The file of one account's index: two places for its head, then pieces that are only ever added. The head names the list of segments;
/// a new one goes where the older of the two was, so that a crash leaves one that is whole. Nothing is flushed: what a power cut takes
/// is noticed by the checksums, and the index is derived from the mail.
/// </summary>
sealed class IndexFile : IDisposable
{
    const ulong Magic = 0x3158_4449_4142_4301; // with the version of the format
    const int HeadLength = 40, HeadRoom = 64;

    readonly DiskFile file;
    long sequence;
    long end = 2 * HeadRoom;

    IndexFile(DiskFile file) => this.file = file;

    /// <summary>Opens or makes it; the manifest is empty where it is new or damaged.</summary>
    public static IndexFile Open(Disk disk, string path, out byte[] manifest)
    {
        var index = new IndexFile(disk.Open(path, create: true)!);
        try
        {
            manifest = index.ReadManifest();
        }
        catch
        {
            index.Dispose();
            throw;
        }
        return index;
    }

    /// <summary>Bytes of the file that are in use or were.</summary>
    public long Length => end;

    byte[] ReadManifest()
    {
        Span<byte> heads = stackalloc byte[2 * HeadRoom];
        heads.Clear();
        ReadFully(heads, 0);
        byte[] best = [];
        for (var i = 0; i < 2; i++)
        {
            var head = heads.Slice(i * HeadRoom, HeadLength);
            if (BinaryPrimitives.ReadUInt64LittleEndian(head) != Magic || BinaryPrimitives.ReadUInt32LittleEndian(head[36..]) != Crc32C.Of(head[..36])) continue;
            var number = BinaryPrimitives.ReadInt64LittleEndian(head[8..]);
            var extent = new Extent(BinaryPrimitives.ReadInt64LittleEndian(head[16..]), BinaryPrimitives.ReadInt32LittleEndian(head[24..]), BinaryPrimitives.ReadUInt32LittleEndian(head[28..]));
            if (number <= sequence || extent.Length <= 0 || extent.Position + extent.Length > file.Length) continue;
            try { best = Read(extent); }
            catch (IndexDamage) { continue; }
            (sequence, end) = (number, extent.Position + extent.Length);
        }
        return best;
    }

    void ReadFully(Span<byte> bytes, long position)
    {
        while (!bytes.IsEmpty)
        {
            var count = file.Read(bytes, position);
            if (count == 0) return;
            bytes = bytes[count..];
            position += count;
        }
    }

    /// <exception cref="IndexDamage"/>
    public byte[] Read(Extent extent)
    {
        Check(extent);
        var bytes = GC.AllocateUninitializedArray<byte>(extent.Length);
        Read(extent, bytes);
        return bytes;
    }

    /// <summary>Into a rented array; the caller gives it back.</summary>
    /// <exception cref="IndexDamage"/>
    public byte[] Rent(Extent extent)
    {
        Check(extent);
        var bytes = Buffers.Rent(Math.Max(1, extent.Length));
        Read(extent, bytes);
        return bytes;
    }

    void Check(Extent extent)
    {
        if (extent.Length < 0 || extent.Position + extent.Length > file.Length) throw new IndexDamage("A piece of a search index lies beyond its end.");
    }

    void Read(Extent extent, Span<byte> into)
    {
        into = into[..extent.Length];
        into.Clear();
        ReadFully(into, extent.Position);
        if (Crc32C.Of(into) != extent.Crc) throw new IndexDamage("A piece of a search index is damaged.");
    }

    /// <summary>Adds a piece; it counts when a manifest names it.</summary>
    public Extent Append(ReadOnlySpan<byte> bytes)
    {
        var extent = new Extent(end, bytes.Length, Crc32C.Of(bytes));
        file.Write(bytes, end);
        end += bytes.Length;
        return extent;
    }

    /// <summary>From now on this is what is in the index.</summary>
    public void Commit(ReadOnlySpan<byte> manifest)
    {
        var extent = Append(manifest);
        sequence++;
        Span<byte> head = stackalloc byte[HeadLength];
        BinaryPrimitives.WriteUInt64LittleEndian(head, Magic);
        BinaryPrimitives.WriteInt64LittleEndian(head[8..], sequence);
        BinaryPrimitives.WriteInt64LittleEndian(head[16..], extent.Position);
        BinaryPrimitives.WriteInt32LittleEndian(head[24..], extent.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(head[28..], extent.Crc);
        BinaryPrimitives.WriteUInt32LittleEndian(head[36..], Crc32C.Of(head[..36]));
        file.Write(head, sequence % 2 * HeadRoom);
    }

    public void Dispose() => file.Dispose();
}
