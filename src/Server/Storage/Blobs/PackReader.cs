using System.Buffers;

namespace CbaMail.Storage.Blobs;

/// <summary>
/// Reads one object out of a pack, piece by piece; keeps the last piece it decoded, and the pack open, even if it is
/// removed meanwhile. Not thread-safe; dispose it to give both back.
/// </summary>
public sealed class PackReader : IDisposable
{
    readonly PackFiles files;
    readonly PackLocation location;
    readonly Func<ReadOnlyMemory<byte>>? prefix;
    PackFiles.Lease? lease;
    byte[] head = [];
    byte[] piece = [];
    int pieceIndex = -1;
    int pieceLength;
    int pieces;
    int raw;

    /// <param name="prefix">Gets the raw bytes of the base where the object was compressed against one.</param>
    internal PackReader(PackFiles files, PackLocation location, Func<ReadOnlyMemory<byte>>? prefix)
    {
        this.files = files;
        this.location = location;
        this.prefix = prefix;
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

    /// <summary>Bytes from <paramref name="position"/> to the end of the piece it lies in; valid until the next call.</summary>
    /// <exception cref="IOException">The record is damaged or missing.</exception>
    public ReadOnlySpan<byte> From(int position)
    {
        var index = position / PackRecord.PieceBytes;
        if (index != pieceIndex) Load(index);
        return piece.AsSpan(0, pieceLength)[(position - index * PackRecord.PieceBytes)..];
    }

    void Load(int index)
    {
        if (head.Length == 0) LoadHead();
        if (index >= pieces) throw Damaged();
        var at = location.Position + PackRecord.HeaderBytes + 8L * pieces;
        for (var i = 0; i < index; i++) at += PackRecord.Piece(head, i).Stored;
        var (stored, crc) = PackRecord.Piece(head, index);
        var length = Math.Min(PackRecord.PieceBytes, raw - index * PackRecord.PieceBytes);
        if (length < 0 || stored < 0 || stored > length) throw Damaged();
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Max(1, stored));
        try
        {
            var bytes = buffer.AsSpan(0, stored);
            if (!Packs.TryRead(lease!.File, at, bytes) || Crc32C.Of(bytes) != crc) throw Damaged();
            if (piece.Length < length)
            {
                GiveBack();
                piece = ArrayPool<byte>.Shared.Rent(Math.Max(1, length));
            }
            if (stored == length) bytes.CopyTo(piece);
            else Zstd.Decompress(bytes, prefix is null ? default : prefix().Span, piece.AsSpan(0, length));
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
        lease ??= files.Use(location.Pack) ?? throw Damaged();
        if (!Packs.TryRead(lease.File, location.Position, first) || !PackRecord.TryHeader(first, out var stored, out raw, out pieces) || stored != location.Stored)
            throw Damaged();
        var all = new byte[PackRecord.HeaderBytes + 8 * pieces];
        if (!Packs.TryRead(lease.File, location.Position, all) || !PackRecord.HeadIsWhole(all, pieces)) throw Damaged();
        head = all;
    }

    IOException Damaged() => new($"The stored object at {location.Position} of pack {location.Pack} is damaged; run 'cbamail verify'.");

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
