using System.Security.Cryptography;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using CbaMail.Storage.Blobs;

namespace CbaMail.Backup;

/// <summary>
/// Whether a message of the snapshot and one of the store are the same bytes. Bodies that are the same record (the usual case: the store went on
/// from the snapshot) are known by their headers, which hold the checksum of each piece; others are read and hashed, once each.
/// </summary>
sealed class Sameness(SnapshotReader snapshot, MailStore mail)
{
    const int Remembered = 100_000;
    const int MostBases = 8;

    readonly Dictionary<long, byte[]> ofSnapshot = [];
    readonly Dictionary<long, byte[]> ofStore = [];

    /// <summary>Whether the content of this id is the same on both sides; nothing is read but headers.</summary>
    public bool IsSameRecord(long contentId)
    {
        if (Record(snapshot.Transaction, snapshot.Packs, contentId) is not { } mine) return false;
        using var read = mail.Store.Read();
        return Record(read, mail.Store.Packs, contentId) is { } theirs && mine.AsSpan().SequenceEqual(theirs);
    }

    /// <summary>Whether a message of the snapshot is the same as one of the store; gone meanwhile, it is not.</summary>
    /// <exception cref="IOException">The snapshot's is damaged.</exception>
    public bool IsSame(long mailbox, in Candidate mine, long otherMailbox, uint otherUid, long otherContent)
    {
        using var read = mail.Read();
        if (read.Message(otherMailbox, otherUid) is not { } row || row.Size != mine.Size || row.ContentId != otherContent) return false;
        var (prefix, otherPrefix) = (MessageTable.Prefix(snapshot.Transaction, mailbox, mine.Uid), MessageTable.Prefix(read.Transaction, otherMailbox, otherUid));
        if (!prefix.AsSpan().SequenceEqual(otherPrefix)) return false;
        if (otherContent == mine.ContentId && IsSameRecord(mine.ContentId)) return true;
        return Theirs(read, otherContent) is { } other && Hash(ofSnapshot, snapshot.Mail, mine.ContentId) is { } hash && hash.AsSpan().SequenceEqual(other);
    }

    // what the store can no longer read is missing: it is put back
    byte[]? Theirs(MailReader read, long contentId)
    {
        try { return Hash(ofStore, read, contentId); }
        catch (IOException) { return null; }
    }

    // what a record says means nothing without the one that it was compressed against
    static byte[]? Record(ReadTransaction read, Packs packs, long contentId, int depth = 0)
    {
        if (depth > MostBases || RestoreTable.Body(read, contentId) is not var (location, size, basis, parts)) return null;
        Span<byte> first = stackalloc byte[PackRecord.HeaderBytes];
        if (!packs.TryRead(location.Pack, location.Position, first) || !PackRecord.TryHeader(first, out _, out _, out var pieces)) return null;
        var head = new byte[PackRecord.HeaderBytes + 8 * pieces];
        if (!packs.TryRead(location.Pack, location.Position, head) || !PackRecord.HeadIsWhole(head, pieces)) return null;
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        all.AppendData(head);
        all.AppendData(BitConverter.GetBytes(size));
        foreach (var part in parts) all.AppendData(part);
        if (basis is { } like)
        {
            if (Record(read, packs, like, depth + 1) is not { } below) return null;
            all.AppendData(below);
        }
        return all.GetHashAndReset();
    }

    static byte[]? Hash(Dictionary<long, byte[]> known, MailReader read, long contentId)
    {
        if (known.TryGetValue(contentId, out var hash)) return hash;
        if (read.Content(contentId) is not { } content) return null;
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Bytes.Each(content, bytes => all.AppendData(bytes));
        hash = all.GetHashAndReset();
        if (known.Count < Remembered) known[contentId] = hash;
        return hash;
    }
}

/// <summary>The bytes of a body in pieces.</summary>
static class Bytes
{
    const int Piece = 256 * 1024;

    /// <exception cref="BodyDamage">The body is damaged.</exception>
    public static void Each(MessageContent content, Action<byte[]> piece)
    {
        for (long at = content.Prefix.Length; at < content.Size; at += Piece)
        {
            var count = (int)Math.Min(Piece, content.Size - at);
            piece(Read(content, at, count));
        }
    }

    static byte[] Read(MessageContent content, long at, int count)
    {
        try
        {
            var bytes = content.Read(at, count);
            return bytes.Length == count ? bytes : throw new BodyDamage($"Content {content.ContentId} ends early", null);
        }
        catch (IOException error) when (error is not BodyDamage)
        {
            throw new BodyDamage(error.Message, error);
        }
    }
}

/// <summary>A body that cannot be read, apart from a disk that cannot be written to.</summary>
sealed class BodyDamage(string message, Exception? why) : IOException(message, why);
