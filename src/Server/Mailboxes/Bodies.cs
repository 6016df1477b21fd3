using CbaMail.Storage;
using CbaMail.Storage.Blobs;

namespace CbaMail.Mailboxes;

/// <summary>
/// Opens what a content is made of. A location that was read with a snapshot may be out of date when it is used: the object was moved since, and its
/// pack removed; then the row is read again. The raw bytes of contents that others were compressed against are kept, a few, since a mailing shares one.
/// </summary>
sealed class Bodies(Packs packs, Func<ReadTransaction> read)
{
    const int BasesKept = 8;

    readonly Lock gate = new();
    readonly List<(long Id, byte[] Bytes)> bases = [];

    public PackReader Rest(ContentRow row) => packs.Open(row.Location,
        row.Base is { } basis ? () => Base(basis.Id, basis.Location) : null, () => Now(RecordKind.Content, row.Id));

    public PackReader Part(CutPart part) => packs.Open(part.Location, null, () => Now(RecordKind.Object, part.ObjectId));

    /// <summary>The raw bytes of a base.</summary>
    public ReadOnlyMemory<byte> Base(long id, PackLocation location) =>
        BaseOrNull(id, location) ?? throw new DamageError("A base is larger than one piece.");

    /// <summary>The same; null where the content is too large to be one.</summary>
    public ReadOnlyMemory<byte>? BaseOrNull(long id, PackLocation location)
    {
        lock (gate)
        {
            foreach (var (known, bytes) in bases)
                if (known == id) return bytes;
        }
        using var reader = packs.Open(location, null, () => Now(RecordKind.Content, id));
        if (reader.Length > PackRecord.PieceBytes) return null;
        var raw = reader.FirstPiece().ToArray();
        lock (gate)
        {
            if (bases.Count == BasesKept) bases.RemoveAt(0);
            bases.Add((id, raw));
        }
        return raw;
    }

    PackLocation? Now(RecordKind kind, long id)
    {
        using var now = read();
        return ContentTable.Place(now, kind, id);
    }
}
