using System.Buffers;

namespace CbaMail.Storage.Blobs;

/// <summary>A record that is not what it was when it was stored. Reading others goes on.</summary>
public sealed class DamageError(string message) : IOException(message);

/// <summary>
/// Reads one object out of a pack, piece by piece; keeps the last piece it decoded, and the pack open, even if it is
/// removed meanwhile. Not thread-safe; dispose it to give both back.
/// </summary>
public sealed class PackReader : IDisposable
{
    readonly PackFiles files;
    readonly Func<ReadOnlyMemory<byte>>? prefix;
    readonly Func<PackLocation?>? again;
    PackLocation location;
    PackFiles.Lease? lease;
    byte[] head = [];
    byte[] piece = [];
    int pieceIndex = -1;
    int pieceLength;
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

    /// <summary>Bytes from <paramref name="position"/> to the end of the piece it lies in; valid until the next call.</summary>
    /// <exception cref="DamageError">The record is damaged or missing.</exception>
    public ReadOnlySpan<byte> From(int position)
    {
        var index = position / PackRecord.PieceBytes;
        if (index != pieceIndex) Load(index);
        return piece.AsSpan(0, pieceLength)[(position - index * PackRecord.PieceBytes)..];
    }

    /// <summary>Looks at the checksums of a range without decoding it: what follows will not find damage midway.</summary>
    /// <exception cref="DamageError">The record is damaged or missing.</exception>
    public void Check(long from, long to)
    {
        for (var index = (int)(from / PackRecord.PieceBytes); (long)index * PackRecord.PieceBytes < Math.Max(to, 1); index++)
            ArrayPool<byte>.Shared.Return(Stored(index, out _));
    }

    // the stored bytes of a piece in a rented array, checked
    byte[] Stored(int index, out int stored)
    {
        if (head.Length == 0) LoadHead();
        if (index >= pieces) throw Damaged();
        var at = location.Position + PackRecord.HeaderBytes + 8L * pieces;
        for (var i = 0; i < index; i++) at += PackRecord.Piece(head, i).Stored;
        (stored, var crc) = PackRecord.Piece(head, index);
        var length = Math.Min(PackRecord.PieceBytes, raw - index * PackRecord.PieceBytes);
        if (length < 0 || stored < 0 || stored > length) throw Damaged();
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Max(1, stored));
        var bytes = buffer.AsSpan(0, stored);
        if (Packs.TryRead(lease!.File, at, bytes) && Crc32C.Of(bytes) == crc) return buffer;
        ArrayPool<byte>.Shared.Return(buffer);
        throw Damaged();
    }

    void Load(int index)
    {
        var buffer = Stored(index, out var stored);
        var length = Math.Min(PackRecord.PieceBytes, raw - index * PackRecord.PieceBytes);
        try
        {
            if (piece.Length < length)
            {
                GiveBack();
                piece = ArrayPool<byte>.Shared.Rent(Math.Max(1, length));
            }
            if (stored == length) buffer.AsSpan(0, stored).CopyTo(piece);
            else Zstd.Decompress(buffer.AsSpan(0, stored), prefix is null ? default : prefix().Span, piece.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        (pieceIndex, pieceLength) = (index, length);
    }

    void LoadHead()
    {
        Span<byte> first = stackalloc byte[PackRecord.HeaderBytes];
        lease ??= files.Use(location.Pack) ?? Elsewhere() ?? throw Damaged();
        if (!Packs.TryRead(lease.File, location.Position, first) || !PackRecord.TryHeader(first, out var stored, out raw, out pieces) || stored != location.Stored)
            throw Damaged();
        var all = new byte[PackRecord.HeaderBytes + 8 * pieces];
        if (!Packs.TryRead(lease.File, location.Position, all) || !PackRecord.HeadIsWhole(all, pieces)) throw Damaged();
        head = all;
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

    DamageError Damaged() => new($"The stored object at {location.Position} of pack {location.Pack} is damaged; run 'cbamail verify'.");

    public void Dispose()
    {
        GiveBack();
        lease?.Dispose();
    }

    void GiveBack()
    {
        if (piece.Length > 0) ArrayPool<byte>.Shared.Return(piece);
        piece = [];
        pieceIndex = -1;
    }
}
