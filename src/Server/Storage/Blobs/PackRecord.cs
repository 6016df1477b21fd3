using System.Buffers.Binary;

namespace CbaMail.Storage.Blobs;

/// <summary>Where an object lies: the record's pack, its first byte and its whole length.</summary>
public readonly record struct PackLocation(int Pack, long Position, int Stored);

/// <summary>What a record holds.</summary>
public enum RecordKind : byte
{
    /// <summary>A message without its large parts.</summary>
    Content = 1,
    /// <summary>A large leaf part, as encoded in the message.</summary>
    Object = 2,
}

/// <summary>
/// One object as it stands in a pack: a header, a table of pieces, the pieces. Pieces are compressed each by itself,
/// so that a range of a large object can be read without the rest.
/// <code>
///  0 u32 magic   4 u32 CRC-32C of [8, pieces)   8 u32 stored length   12 u8 version, u8 kind, u16 0
/// 16 i64 id     24 i64 base id or 0            32 u32 raw length     36 u32 pieces
/// 40 per piece: u32 stored length, u32 CRC-32C of the stored bytes
/// </code>
/// All little-endian. A piece whose stored length is its raw length stands as it is, any other is a zstd frame; that of a message of one piece
/// mostly two, of which the first holds the header, so that a header is had without the rest.
/// The id and the kind suffice to make a lost row again.
/// </summary>
public sealed class PackRecord : IDisposable
{
    internal const int HeaderBytes = 40;
    internal const int PieceBytes = 256 * 1024;
    const uint Magic = 0x31424143; // "CAB1"
    const byte Version = 1;

    internal static ReadOnlySpan<byte> MagicBytes => "CAB1"u8;

    const int IdAt = 16;
    /// <summary>What is shorter is not worth a frame of its own.</summary>
    const int LeastHead = 200, LeastRest = 2048;

    /// <summary>What is longer before compression stands in memory of the system's own.</summary>
    const int Large = 1 << 20;

    byte[] buffer;
    readonly Region? region;

    PackRecord(byte[] buffer, Region? region, int length, int rawLength, long? baseId)
    {
        (this.buffer, this.region) = (buffer, region);
        Length = length;
        RawLength = rawLength;
        BaseId = baseId;
    }

    public int Length { get; }
    /// <summary>Bytes of memory it occupies.</summary>
    internal int Held => region is null ? buffer.Length : Length;
    public int RawLength { get; }
    public long? BaseId { get; }

    /// <summary>Compresses an object; CPU work, done before the commit. The id is filled in by the committer.</summary>
    /// <param name="prefix">The raw bytes of the base, empty for none; used only for objects of one piece.</param>
    /// <param name="header">Bytes of the header that the object begins with.</param>
    public static PackRecord Build(RecordKind kind, ReadOnlySpan<byte> raw, long? baseId, ReadOnlySpan<byte> prefix, long header = 0)
    {
        var pieces = Math.Max(1, (raw.Length + PieceBytes - 1) / PieceBytes);
        if (pieces > 1 || prefix.IsEmpty || !Zstd.IsAvailable)
        {
            prefix = [];
            baseId = null;
        }
        var head = HeaderBytes + 8 * pieces;
        var region = raw.Length > Large ? new Region(head + raw.Length) : null;
        var rented = region is null ? Buffers.Rent(head + raw.Length) : [];
        var buffer = region is null ? rented : region.Span;
        var at = head;
        for (var i = 0; i < pieces; i++)
        {
            var piece = raw.Slice(i * PieceBytes, Math.Min(PieceBytes, raw.Length - i * PieceBytes));
            var isSplit = pieces == 1 && prefix.IsEmpty && header >= LeastHead && raw.Length - header >= LeastRest;
            var size = isSplit ? Split(piece, (int)header, buffer[at..]) : 0;
            if (size == 0) size = Write(piece, prefix, buffer[at..]);
            BinaryPrimitives.WriteInt32LittleEndian(buffer[(HeaderBytes + 8 * i)..], size);
            BinaryPrimitives.WriteUInt32LittleEndian(buffer[(HeaderBytes + 8 * i + 4)..], Crc32C.Of(buffer.Slice(at, size)));
            at += size;
        }
        WriteHeader(buffer, kind, 0, baseId, at, raw.Length);
        return region is null ? new PackRecord(Fit(rented, at), null, at, raw.Length, baseId) : new PackRecord([], region, at, raw.Length, baseId);
    }

    // a piece as it is stored
    static int Write(ReadOnlySpan<byte> piece, ReadOnlySpan<byte> prefix, Span<byte> to)
    {
        var size = Zstd.Compress(piece, prefix, out var compressed);
        (size > 0 ? compressed.AsSpan(0, size) : piece).CopyTo(to);
        if (size == 0) return piece.Length;
        Buffers.Return(compressed);
        return size;
    }

    // the same as two frames; 0 where one of them would not be smaller than what it holds
    static int Split(ReadOnlySpan<byte> piece, int header, Span<byte> to)
    {
        var first = Write(piece[..header], [], to);
        if (first == header) return 0;
        var rest = Write(piece[header..], [], to[first..]);
        return rest == piece.Length - header ? 0 : first + rest;
    }

    /// <summary>A record that stands whole in an array of its own.</summary>
    internal static PackRecord Of(byte[] whole, int rawLength, long? baseId)
    {
        var buffer = Buffers.Rent(whole.Length);
        whole.CopyTo(buffer, 0);
        return new PackRecord(buffer, null, whole.Length, rawLength, baseId);
    }

    /// <summary>All of the header but its checksum, which <see cref="Finish"/> adds.</summary>
    internal static void WriteHeader(Span<byte> header, RecordKind kind, long id, long? baseId, int stored, int raw)
    {
        header[..HeaderBytes].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], stored);
        header[12] = Version;
        header[13] = (byte)kind;
        BinaryPrimitives.WriteInt64LittleEndian(header[IdAt..], id);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], baseId ?? 0);
        BinaryPrimitives.WriteInt32LittleEndian(header[32..], raw);
        BinaryPrimitives.WriteInt32LittleEndian(header[36..], Math.Max(1, (raw + PieceBytes - 1) / PieceBytes));
    }

    /// <summary>Hundreds of records wait for one commit of a mailing: each holds what it needs, not what it came from.</summary>
    static byte[] Fit(byte[] buffer, int length)
    {
        if (length > buffer.Length / 2) return buffer;
        var fitting = Buffers.Rent(length);
        buffer.AsSpan(0, length).CopyTo(fitting);
        Buffers.Return(buffer);
        return fitting;
    }

    /// <summary>The finished record, with its row's id; valid until it is disposed.</summary>
    internal ReadOnlySpan<byte> Finish(long id)
    {
        var record = (region is null ? buffer : region.Span)[..Length];
        var pieces = BinaryPrimitives.ReadInt32LittleEndian(record[36..]);
        BinaryPrimitives.WriteInt64LittleEndian(record[IdAt..], id);
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], Crc32C.Of(record[8..(HeaderBytes + 8 * pieces)]));
        return record;
    }

    /// <summary>The same for one that nobody will dispose: in an array that the collector takes.</summary>
    internal PackRecord Kept()
    {
        if (region is null) return this;
        var kept = new PackRecord(region.Span[..Length].ToArray(), null, Length, RawLength, BaseId);
        region.Dispose();
        return kept;
    }

    /// <summary>Reads a header; false where there is no whole header of ours.</summary>
    internal static bool TryHeader(ReadOnlySpan<byte> bytes, out int stored, out int raw, out int pieces)
    {
        (stored, raw, pieces) = (0, 0, 0);
        if (bytes.Length < HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic || bytes[12] != Version) return false;
        stored = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        raw = BinaryPrimitives.ReadInt32LittleEndian(bytes[32..]);
        pieces = BinaryPrimitives.ReadInt32LittleEndian(bytes[36..]);
        return raw >= 0 && pieces == Math.Max(1, (raw + PieceBytes - 1L) / PieceBytes) && stored >= HeaderBytes + 8L * pieces;
    }

    /// <summary>Whether the header and its table are whole; <paramref name="head"/> holds both.</summary>
    internal static bool HeadIsWhole(ReadOnlySpan<byte> head, int pieces) =>
        head.Length >= HeaderBytes + 8 * pieces &&
        BinaryPrimitives.ReadUInt32LittleEndian(head[4..]) == Crc32C.Of(head[8..(HeaderBytes + 8 * pieces)]);

    /// <summary>Whether these bytes are one whole record: header, table and every piece have their checksums.</summary>
    internal static bool IsWhole(ReadOnlySpan<byte> record)
    {
        if (!TryHeader(record, out var stored, out _, out var pieces) || stored != record.Length || !HeadIsWhole(record, pieces)) return false;
        var at = HeaderBytes + 8 * pieces;
        for (var i = 0; i < pieces; i++)
        {
            var (length, crc) = Piece(record, i);
            if (length < 0 || length > record.Length - at || Crc32C.Of(record.Slice(at, length)) != crc) return false;
            at += length;
        }
        return at == record.Length;
    }

    /// <summary>The kind and the row's id that stand in a header.</summary>
    internal static (RecordKind Kind, long Id) Names(ReadOnlySpan<byte> head) =>
        ((RecordKind)head[13], BinaryPrimitives.ReadInt64LittleEndian(head[IdAt..]));

    /// <summary>Stored length and checksum of a piece.</summary>
    internal static (int Stored, uint Crc) Piece(ReadOnlySpan<byte> head, int index) =>
        (BinaryPrimitives.ReadInt32LittleEndian(head[(HeaderBytes + 8 * index)..]),
         BinaryPrimitives.ReadUInt32LittleEndian(head[(HeaderBytes + 8 * index + 4)..]));

    public void Dispose()
    {
        if (buffer.Length > 0) Buffers.Return(buffer);
        buffer = [];
        region?.Dispose();
    }
}
