using System.Buffers;

namespace CbaMail.Storage.Blobs;

/// <summary>A record that is not what it was when it was stored. Reading others goes on.</summary>
public sealed class DamageError(string message) : IOException(message);

/// <summary>
/// Reads one object out of a pack, piece by piece; keeps the last piece it decoded, and the pack open, even if it is
/// removed meanwhile. A small record is read whole at once. Not thread-safe; dispose it to give both back.
/// </summary>
public sealed class PackReader : IDisposable
{
    /// <summary>Records up to here are read by one call of the system: most messages.</summary>
    const int SmallRecord = 64 * 1024;

    readonly PackFiles files;
    readonly Func<ReadOnlyMemory<byte>>? prefix;
    readonly Func<PackLocation?>? again;
    PackLocation location;
    PackFiles.Lease? lease;
    byte[] head = []; // of a small record all of it
    bool isSmall, isChecked;
    byte[] piece = [];
    int pieceIndex = -1;
    int decodedFrom, decodedTo; // of the piece: its header alone, or what follows it, or all
    int pieces;
    int raw;

    /// <param name="prefix">Gets the raw bytes of the base where the object was compressed against one.</param>
    /// <param name="again">Asked where the object lies now, when its pack is gone before it was opened.</param>
    internal PackReader(PackFiles files, PackLocation location, Func<ReadOnlyMemory<byte>>? prefix, Func<PackLocation?>? again)
    {
        this.files = files;
        this.location = location;
        this.prefix = prefix;
        this.again = again;
    }

    /// <summary>Bytes of the object before compression.</summary>
    public int Length
    {
        get
        {
            if (head.Length == 0) LoadHead();
            return raw;
        }
    }

    /// <summary>Opens the pack now: from here on the object can be read to its end, whatever becomes of the pack and the row.</summary>
    /// <exception cref="DamageError">The record is damaged or missing.</exception>
    public void Hold()
    {
        if (head.Length == 0) LoadHead();
    }

    /// <summary>Bytes from <paramref name="position"/> to the end of the piece it lies in, or of its header; valid until the next call.</summary>
    /// <exception cref="DamageError">The record is damaged or missing.</exception>
    public ReadOnlySpan<byte> From(int position)
    {
        var index = position / PackRecord.PieceBytes;
        var inside = position - index * PackRecord.PieceBytes;
        if (index != pieceIndex || inside < decodedFrom || inside >= decodedTo) Load(index, inside);
        return piece.AsSpan(0, decodedTo)[inside..];
    }

    /// <summary>All bytes of the first piece; valid until the next call.</summary>
    /// <exception cref="DamageError">The record is damaged or missing.</exception>
    public ReadOnlySpan<byte> FirstPiece()
    {
        var first = From(0);
        if (decodedTo < Math.Min(raw, PackRecord.PieceBytes)) From(decodedTo);
        else return first;
        return piece.AsSpan(0, decodedTo);
    }

    /// <summary>Looks at the checksums of a range without decoding it: what follows will not find damage midway.</summary>
    /// <exception cref="DamageError">The record is damaged or missing.</exception>
    public void Check(long from, long to)
    {
        for (var index = (int)(from / PackRecord.PieceBytes); (long)index * PackRecord.PieceBytes < Math.Max(to, 1); index++)
        {
            Stored(index, out var rented);
            if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        }
    }

    // the stored bytes of a piece, checked; perhaps in a rented array
    ReadOnlySpan<byte> Stored(int index, out byte[]? rented)
    {
        rented = null;
        if (head.Length == 0) LoadHead();
        if (index >= pieces) throw Damaged();
        var at = location.Position + PackRecord.HeaderBytes + 8L * pieces;
        for (var i = 0; i < index; i++) at += PackRecord.Piece(head, i).Stored;
        var (stored, crc) = PackRecord.Piece(head, index);
        var length = Math.Min(PackRecord.PieceBytes, raw - index * PackRecord.PieceBytes);
        if (length < 0 || stored < 0 || stored > length) throw Damaged();
        if (isSmall)
        {
            if (at - location.Position + stored > location.Stored) throw Damaged();
            var inside = head.AsSpan((int)(at - location.Position), stored);
            if (!isChecked && Crc32C.Of(inside) != crc) throw Damaged();
            isChecked = pieces == 1;
            return inside;
        }
        rented = ArrayPool<byte>.Shared.Rent(Math.Max(1, stored));
        var bytes = rented.AsSpan(0, stored);
        if (Packs.TryRead(lease!.File, at, bytes) && Crc32C.Of(bytes) == crc) return bytes;
        ArrayPool<byte>.Shared.Return(rented);
        throw Damaged();
    }

    void Load(int index, int position)
    {
        if (index != pieceIndex) (decodedFrom, decodedTo) = (0, 0);
        var stored = Stored(index, out var rented);
        var length = Math.Min(PackRecord.PieceBytes, raw - index * PackRecord.PieceBytes);
        try
        {
            if (piece.Length < length)
            {
                GiveBack();
                piece = ArrayPool<byte>.Shared.Rent(Math.Max(1, length));
            }
            (pieceIndex, var header) = (index, 0);
            if (stored.Length == length) stored.CopyTo(piece);
            else if (isSmall && pieces == 1 && prefix is null && Zstd.FirstOf(stored) is { Stored: > 0 } first && first.Raw < length)
            {
                header = first.Raw;
                if (position < header) Zstd.Decompress(stored[..first.Stored], default, piece.AsSpan(0, header));
                else Zstd.Decompress(stored[first.Stored..], default, piece.AsSpan(header, length - header));
            }
            else Zstd.Decompress(stored, prefix is null ? default : prefix().Span, piece.AsSpan(0, length));
            // one half of a piece goes with the other where that has been decoded before
            var (from, to) = header == 0 ? (0, length) : position < header ? (0, header) : (header, length);
            (decodedFrom, decodedTo) = decodedTo == from || decodedFrom == to ? (Math.Min(from, decodedFrom), Math.Max(to, decodedTo)) : (from, to);
        }
        finally
        {
            if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        }
    }

    void LoadHead()
    {
        lease ??= files.Use(location.Pack) ?? Elsewhere() ?? throw Damaged();
        if (location.Stored is >= PackRecord.HeaderBytes and <= SmallRecord)
        {
            LoadSmall();
            return;
        }
        Span<byte> first = stackalloc byte[PackRecord.HeaderBytes];
        if (!Packs.TryRead(lease.File, location.Position, first) || !PackRecord.TryHeader(first, out var stored, out raw, out pieces) || stored != location.Stored)
            throw Damaged();
        var all = new byte[PackRecord.HeaderBytes + 8 * pieces];
        if (!Packs.TryRead(lease.File, location.Position, all) || !PackRecord.HeadIsWhole(all, pieces)) throw Damaged();
        head = all;
    }

    void LoadSmall()
    {
        var record = ArrayPool<byte>.Shared.Rent(location.Stored);
        var bytes = record.AsSpan(0, location.Stored);
        if (!Packs.TryRead(lease!.File, location.Position, bytes) || !PackRecord.TryHeader(bytes, out var stored, out raw, out pieces)
            || stored != location.Stored || !PackRecord.HeadIsWhole(bytes, pieces))
        {
            ArrayPool<byte>.Shared.Return(record);
            throw Damaged();
        }
        (head, isSmall) = (record, true);
    }

    // The location is of a snapshot; meanwhile the object was moved and its pack removed. The row of now names a pack that was there
    // when it was read; only a whole pack written and collected in between makes it wrong again.
    PackFiles.Lease? Elsewhere()
    {
        if (again is null) return null;
        if (again() is not { } place) throw new DamageError("The message was removed while it was read."); // nothing is damaged
        if (place == location) return null;
        location = place;
        return files.Use(place.Pack);
    }

    /// <summary>Gives the last piece back, which is most of what a reader takes: it is decoded again when it is asked for.</summary>
    public void Spare() => GiveBack();

    DamageError Damaged() => new($"The stored object at {location.Position} of pack {location.Pack} is damaged; run 'cbamail verify'.");

    public void Dispose()
    {
        GiveBack();
        if (isSmall) ArrayPool<byte>.Shared.Return(head);
        (head, isSmall) = ([], false);
        lease?.Dispose();
    }

    void GiveBack()
    {
        if (piece.Length > 0) ArrayPool<byte>.Shared.Return(piece);
        piece = [];
        (pieceIndex, decodedFrom, decodedTo) = (-1, 0, 0);
    }
}
