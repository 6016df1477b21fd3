using System.Buffers;

namespace CbaMail.Storage.Blobs;

/// <summary>Where a crash may have left rows without a record.</summary>
/// <param name="Safe">Everything before it was flushed.</param>
/// <param name="End">Behind the last whole record.</param>
/// <param name="Whole">The whole records between the two: what each says of itself.</param>
public sealed record PackGap(
    (int Pack, long Position) Safe, (int Pack, long Position) End, IReadOnlyDictionary<PackLocation, (RecordKind Kind, long Id)> Whole, ILogger Log)
{
    /// <summary>The database was found without its log, as only a clean stop leaves it.</summary>
    public bool IsWithoutLog { get; init; }

    /// <summary>Whether the row's record is certainly whole and its own.</summary>
    public bool Holds(PackLocation location, RecordKind kind, long id) =>
        IsBefore(location) || (Whole.TryGetValue(location, out var record) && record == (kind, id));

    /// <summary>Whether the record lies before what may be damaged.</summary>
    public bool IsBefore(PackLocation location) =>
        location.Pack < Safe.Pack || (location.Pack == Safe.Pack && location.Position < Safe.Position);
}

/// <summary>The walk at the start: record by record from the last position that is known to be flushed, to the last whole one.</summary>
static class PackRecovery
{
    public static PackGap Walk(Packs packs, (int Pack, long Position) safe, ILogger log)
    {
        var whole = new Dictionary<PackLocation, (RecordKind, long)>();
        var (pack, position) = (Math.Max(1, safe.Pack), safe.Pack == 0 ? 0 : safe.Position);
        while (true)
        {
            while (RecordAt(packs, pack, position) is { } record)
            {
                whole[new PackLocation(pack, position, record.Stored)] = (record.Kind, record.Id);
                position += record.Stored;
            }
            // no pack from the safe position on is ever removed (WriteTransaction.MayRemove): their numbers have no gap
            // a pack is flushed before the next is begun: what stands in the next proves this one whole
            if (!packs.Files.Exists(pack + 1) || RecordAt(packs, pack + 1, 0) is null) break;
            (pack, position) = (pack + 1, 0);
        }
        return new PackGap(safe, (pack, position), whole, log);
    }

    /// <summary>What stands at a position if it is a whole record: header, table and every piece have their checksums.</summary>
    public static (int Stored, RecordKind Kind, long Id)? RecordAt(Packs packs, int pack, long position)
    {
        using var lease = packs.Files.Use(pack);
        return lease is null ? null : RecordAt(lease.File, position);
    }

    /// <summary>The same in an open file, which may be of another data directory.</summary>
    public static (int Stored, RecordKind Kind, long Id)? RecordAt(DiskFile file, long position)
    {
        Span<byte> header = stackalloc byte[PackRecord.HeaderBytes];
        if (!Packs.TryRead(file, position, header) || !PackRecord.TryHeader(header, out var stored, out _, out var pieces)) return null;
        if (position + stored > file.Length) return null;
        var head = new byte[PackRecord.HeaderBytes + 8 * pieces];
        if (!Packs.TryRead(file, position, head) || !PackRecord.HeadIsWhole(head, pieces)) return null;
        var at = position + head.Length;
        var bytes = ArrayPool<byte>.Shared.Rent(PackRecord.PieceBytes);
        try
        {
            for (var i = 0; i < pieces; i++)
            {
                var (length, crc) = PackRecord.Piece(head, i);
                if (length < 0 || length > PackRecord.PieceBytes || !Packs.TryRead(file, at, bytes.AsSpan(0, length)) || Crc32C.Of(bytes.AsSpan(0, length)) != crc) return null;
                at += length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
        var (kind, id) = PackRecord.Names(head);
        return at == position + stored ? (stored, kind, id) : null;
    }
}
