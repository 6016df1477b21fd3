using System.Security.Cryptography;
using CbaMail.Storage.Blobs;

namespace CbaMail.Mailboxes;

/// <summary>
/// Large parts that were seen and are likely to come again: found by comparing bytes, hashed and compressed once. A mailing has its own for
/// as long as it runs, so that ten attachments, or one of 20 MB, cost each copy a comparison and no memory. Thread-safe.
/// </summary>
/// <param name="most">Bytes that are remembered; what was seen first is forgotten first.</param>
public sealed class PartMemory(long most)
{
    readonly Lock gate = new();
    readonly List<(byte[] Bytes, StagedPart Part)> seen = [];
    long held;

    internal StagedPart Share(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > most) return Make(bytes);
        lock (gate)
        {
            if (Find(bytes) is { } known) return known;
        }
        var part = Make(bytes);
        part = part with { Record = part.Record.Kept(), IsShared = true };
        lock (gate)
        {
            if (Find(bytes) is { } known) return known; // two renderers begin with the same file
            for (held += bytes.Length; held > most; seen.RemoveAt(0)) held -= seen[0].Bytes.Length;
            seen.Add((bytes.ToArray(), part));
        }
        return part;
    }

    StagedPart? Find(ReadOnlySpan<byte> bytes)
    {
        for (var i = seen.Count - 1; i >= 0; i--)
            if (bytes.SequenceEqual(seen[i].Bytes)) return seen[i].Part;
        return null;
    }

    static StagedPart Make(ReadOnlySpan<byte> bytes) => new(SHA256.HashData(bytes), bytes.Length, PackRecord.Build(RecordKind.Object, bytes, null, []));
}
