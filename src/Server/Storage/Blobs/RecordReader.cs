using System.Buffers;
using System.Buffers.Binary;

namespace CbaMail.Storage.Blobs;

/// <summary>Reads bytes of one pack from a position; false where they are not there.</summary>
public delegate bool ReadAt(long position, Span<byte> bytes);

/// <summary>A record's header and its table of pieces, whole.</summary>
public sealed record RecordHead(RecordKind Kind, long Id, long? BaseId, int Stored, int Raw, ReadOnlyMemory<byte> Bytes)
{
    public int Pieces => Math.Max(1, (Raw + PackRecord.PieceBytes - 1) / PackRecord.PieceBytes);

    /// <summary>Bytes of the piece before compression.</summary>
    public int PieceLength(int index) => Math.Min(PackRecord.PieceBytes, Raw - index * PackRecord.PieceBytes);
}

/// <summary>
/// Reads records with distrust, for whoever checks and mends: everything that should hold is looked at, what does not is said in
/// words that can stand behind "the record", and nothing throws. The pack may be ours or one in a backup.
/// </summary>
public static class RecordReader
{
    /// <summary>The header at the position, or null and what is wrong with it.</summary>
    public static RecordHead? Head(ReadAt read, long position, out string? fault)
    {
        Span<byte> first = stackalloc byte[PackRecord.HeaderBytes];
        fault = "lies behind the end of the pack or the pack is missing";
        if (position < 0 || !read(position, first)) return null;
        fault = "has no header of ours";
        if (!PackRecord.TryHeader(first, out var stored, out var raw, out var pieces)) return null;
        fault = "has a header whose checksum is wrong";
        var bytes = new byte[PackRecord.HeaderBytes + 8 * pieces];
        if (!read(position, bytes) || !PackRecord.HeadIsWhole(bytes, pieces)) return null;
        fault = null;
        var basis = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(24));
        var (kind, id) = PackRecord.Names(bytes);
        return new RecordHead(kind, id, basis == 0 ? null : basis, stored, raw, bytes);
    }

    /// <summary>
    /// The header as its row knows it, for a record whose own is damaged; the table of pieces is taken from the pack, for each piece has
    /// a checksum of its own. Null where the table cannot be that of such a record.
    /// </summary>
    public static RecordHead? Rebuild(ReadAt read, PackLocation location, RecordKind kind, long id, long? basis, int raw)
    {
        var pieces = Math.Max(1, (raw + PackRecord.PieceBytes - 1L) / PackRecord.PieceBytes);
        if (raw < 0 || location.Stored < PackRecord.HeaderBytes + 8 * pieces) return null;
        var bytes = new byte[PackRecord.HeaderBytes + 8 * (int)pieces];
        if (!read(location.Position, bytes)) return null;
        var sum = (long)bytes.Length;
        for (var i = 0; i < pieces; i++) sum += PackRecord.Piece(bytes, i).Stored;
        if (sum != location.Stored) return null;
        PackRecord.WriteHeader(bytes, kind, id, basis, location.Stored, raw);
        return new RecordHead(kind, id, basis, location.Stored, raw, bytes);
    }

    /// <summary>The stored bytes of a piece where their checksum holds, else null and what is wrong.</summary>
    public static byte[]? Stored(ReadAt read, RecordHead head, long position, int index, out string? fault)
    {
        var bytes = new byte[head.PieceLength(index)];
        return TryStored(read, head, position, index, bytes, out fault) is { } stored ? bytes[..stored] : null;
    }

    // how many bytes they are
    static int? TryStored(ReadAt read, RecordHead head, long position, int index, Span<byte> bytes, out string? fault)
    {
        var at = position + head.Bytes.Length;
        for (var i = 0; i < index; i++) at += PackRecord.Piece(head.Bytes.Span, i).Stored;
        var (stored, crc) = PackRecord.Piece(head.Bytes.Span, index);
        fault = $"has a table that is no sense at piece {index + 1}";
        if (stored < 0 || stored > head.PieceLength(index)) return null;
        bytes = bytes[..stored];
        fault = $"ends before piece {index + 1} of {head.Pieces}";
        if (!read(at, bytes)) return null;
        fault = $"has a wrong checksum in piece {index + 1} of {head.Pieces}";
        if (Crc32C.Of(bytes) != crc) return null;
        fault = null;
        return stored;
    }

    /// <summary>A piece before compression, or null and what is wrong.</summary>
    /// <param name="basis">The raw bytes of the base; empty where there is none.</param>
    public static byte[]? Raw(ReadAt read, RecordHead head, long position, int index, ReadOnlySpan<byte> basis, out string? fault)
    {
        var raw = new byte[head.PieceLength(index)];
        return TryRaw(read, head, position, index, basis, raw, out fault) ? raw : null;
    }

    /// <summary>The same into memory of the caller's, of the piece's length: whoever reads everything makes no array for each piece.</summary>
    public static bool TryRaw(ReadAt read, RecordHead head, long position, int index, ReadOnlySpan<byte> basis, Span<byte> raw, out string? fault)
    {
        var rented = ArrayPool<byte>.Shared.Rent(Math.Max(1, raw.Length));
        try
        {
            if (TryStored(read, head, position, index, rented, out fault) is not { } stored) return false;
            var bytes = rented.AsSpan(0, stored);
            if (stored == raw.Length) bytes.CopyTo(raw);
            else Zstd.Decompress(bytes, head.BaseId is null ? default : basis, raw);
            return true;
        }
        catch (IOException)
        {
            fault = $"cannot be decompressed in piece {index + 1} of {head.Pieces}";
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>The whole record as it can be appended elsewhere; null where a piece of it is damaged.</summary>
    public static PackRecord? Copy(ReadAt read, RecordHead head, long position)
    {
        var bytes = new byte[head.Stored];
        head.Bytes.Span.CopyTo(bytes);
        var at = head.Bytes.Length;
        for (var i = 0; i < head.Pieces; i++)
        {
            if (Stored(read, head, position, i, out _) is not { } piece || piece.Length > bytes.Length - at) return null;
            piece.CopyTo(bytes.AsSpan(at));
            at += piece.Length;
        }
        return at == bytes.Length ? PackRecord.Of(bytes, head.Raw, head.BaseId) : null;
    }

    /// <summary>
    /// The positions of all headers that are whole in a file of that length: from record to record, and behind damage to the next
    /// place where one begins.
    /// </summary>
    public static IEnumerable<(long Position, RecordHead Head)> All(ReadAt read, long length)
    {
        var at = 0L;
        while (at + PackRecord.HeaderBytes <= length)
        {
            if (Head(read, at, out _) is { } head && at + head.Stored <= length)
            {
                yield return (at, head);
                at += head.Stored;
            }
            else if (NextMagic(read, at + 1, length) is { } next) at = next;
            else yield break;
        }
    }

    static long? NextMagic(ReadAt read, long from, long length)
    {
        var bytes = new byte[64 * 1024];
        while (from + PackRecord.HeaderBytes <= length)
        {
            var window = bytes.AsSpan(0, (int)Math.Min(bytes.Length, length - from));
            if (!read(from, window)) return null;
            var found = window.IndexOf("CAB1"u8);
            if (found >= 0) return from + found;
            from += window.Length - 3;
        }
        return null;
    }
}
