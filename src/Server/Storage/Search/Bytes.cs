using System.Text;
using CbaMail.Storage.Blobs;

namespace CbaMail.Storage.Search;

/// <summary>A growing array of bytes with numbers of variable length.</summary>
sealed class ByteWriter
{
    byte[] bytes = new byte[256];

    public int Length { get; private set; }
    public ReadOnlySpan<byte> Written => bytes.AsSpan(0, Length);
    public void Clear() => Length = 0;
    public void Cut(int length) => Length = length;

    Span<byte> Room(int count)
    {
        if (Length + count > bytes.Length) Array.Resize(ref bytes, Math.Max(bytes.Length * 2, Length + count));
        return bytes.AsSpan(Length);
    }

    public ByteWriter Byte(byte value)
    {
        Room(1)[0] = value;
        Length++;
        return this;
    }

    public ByteWriter Number(long value) => Number((ulong)value);

    public ByteWriter Number(ulong value)
    {
        var room = Room(10);
        var at = 0;
        for (; value >= 0x80; value >>= 7) room[at++] = (byte)(value | 0x80);
        room[at++] = (byte)value;
        Length += at;
        return this;
    }

    public ByteWriter Raw(ReadOnlySpan<byte> value)
    {
        value.CopyTo(Room(value.Length));
        Length += value.Length;
        return this;
    }

    public ByteWriter Text(ReadOnlySpan<char> value)
    {
        Length += Encoding.UTF8.GetBytes(value, Room(value.Length * 3));
        return this;
    }

    public ByteWriter Place(Extent extent) => Number(extent.Position).Number(extent.Length).Number(extent.Crc);
}

/// <summary>Reads what <see cref="ByteWriter"/> wrote.</summary>
ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    readonly ReadOnlySpan<byte> bytes = bytes;
    int at;

    public readonly bool AtEnd => at >= bytes.Length;
    public readonly int At => at;

    /// <exception cref="IndexDamage"/>
    public long Number()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (at >= bytes.Length) break;
            var next = bytes[at++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80) return (long)value;
        }
        throw new IndexDamage("A number in a search index has no end.");
    }

    public int Count(int most = int.MaxValue)
    {
        var value = Number();
        return value >= 0 && value <= most ? (int)value : throw new IndexDamage("A number in a search index is out of bounds.");
    }

    public Extent Place() => new(Number(), Count(), (uint)Number());
}

/// <summary>Pieces that are compressed where that makes them smaller.</summary>
static class Packed
{
    /// <summary>A byte that says how, the length, the bytes.</summary>
    public static void Pack(ReadOnlySpan<byte> raw, ByteWriter output)
    {
        var length = Zstd.Compress(raw, default, out var rented);
        if (length > 0) output.Byte(1).Number(raw.Length).Raw(rented.AsSpan(0, length));
        else output.Byte(0).Number(raw.Length).Raw(raw);
        if (length > 0) Buffers.Return(rented);
    }

    /// <summary>Into a rented array; the caller gives it back.</summary>
    /// <exception cref="IndexDamage"/>
    public static byte[] Unpack(ReadOnlySpan<byte> packed, out int length)
    {
        if (packed.IsEmpty) throw new IndexDamage("A piece of a search index is empty.");
        var (at, isPlain, count) = (1, packed[0] == 0, 0L);
        for (var shift = 0; at < packed.Length && shift < 35; shift += 7)
        {
            var next = packed[at++];
            count |= (long)(next & 0x7f) << shift;
            if (next < 0x80) break;
        }
        if (count > 1 << 30) throw new IndexDamage("A piece of a search index is too long.");
        length = (int)count;
        packed = packed[at..];
        if (isPlain && packed.Length != length) throw new IndexDamage("A piece of a search index is cut.");
        var raw = Buffers.Rent(Math.Max(1, length));
        if (isPlain) packed.CopyTo(raw);
        else
        {
            try { Zstd.Decompress(packed, default, raw.AsSpan(0, length)); }
            catch (DamageError)
            {
                Buffers.Return(raw);
                throw new IndexDamage("A piece of a search index cannot be decompressed.");
            }
        }
        return raw;
    }
}
