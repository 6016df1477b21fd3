using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using CbaMail.Mime;
using CbaMail.Storage;
using CbaMail.Storage.Blobs;

namespace CbaMail.Mailboxes;

/// <summary>The identifiers of a message that outlive its mailbox (RFC 8474 5).</summary>
/// <param name="ThreadId">Null where the stored header cannot be read.</param>
public readonly record struct MessageIds(uint Uid, string EmailId, string? ThreadId)
{
    /// <summary>What the EMAILIDs of a content begin with.</summary>
    public static string EmailStart(long contentId) => string.Create(CultureInfo.InvariantCulture, $"M{contentId:x}-");
}

/// <summary>
/// Identifiers of objects (RFC 8474): one letter that says of what, then numbers that are never used again.
/// An EMAILID names all of a message that cannot change: the shared content, the fields before it and the internal date (RFC 8474 5.1).
/// COPY and MOVE take all three along.
/// </summary>
static class ObjectIdTable
{
    public static string Email(long contentId, ReadOnlySpan<byte> prefix, long received)
    {
        Span<byte> own = stackalloc byte[8 + SHA256.HashSizeInBytes], hash = stackalloc byte[SHA256.HashSizeInBytes];
        BinaryPrimitives.WriteInt64BigEndian(own, received);
        SHA256.HashData(prefix, own[8..]);
        SHA256.HashData(own, hash);
        return string.Create(CultureInfo.InvariantCulture, $"{MessageIds.EmailStart(contentId)}{BinaryPrimitives.ReadUInt64BigEndian(hash):x16}");
    }

    /// <summary>RFC 8474 8.1; a message that names no other, and has no name itself, is a conversation of its own.</summary>
    public static string Thread(long contentId, long conversation) =>
        conversation == 0 ? string.Create(CultureInfo.InvariantCulture, $"T-{contentId:x}") : string.Create(CultureInfo.InvariantCulture, $"T{conversation:x}");

    public static List<MessageIds> Of(ReadTransaction read, Bodies bodies, long mailboxId, uint from, uint to)
    {
        var list = new List<MessageIds>();
        using var row = read.Prepare("""
            SELECT m.uid, m.content_id, m.prefix, m.received, c.conversation FROM message m LEFT JOIN content c ON c.id = m.content_id
            WHERE m.mailbox_id = ? AND m.uid >= ? AND m.uid <= ? ORDER BY m.uid
            """).Bind(1, mailboxId).Bind(2, from).Bind(3, to);
        while (row.Step())
        {
            var content = row.Int64(1);
            long? conversation = row.IsNull(4) ? FromHeader(read, bodies, content) : row.Int64(4);
            list.Add(new((uint)row.Int64(0), Email(content, row.Blob(2), row.Int64(3)), conversation is { } known ? Thread(content, known) : null));
        }
        return list;
    }

    // stored before it was noted
    static long? FromHeader(ReadTransaction read, Bodies bodies, long contentId)
    {
        try
        {
            return ContentTable.Get(read, contentId) is { } row ? ThreadRoot.Of(new MessageContent(row, [], bodies).Read(0, HeaderReader.MaxBytes)) : null;
        }
        catch (DamageError)
        {
            return null; // FETCH of the body says so
        }
    }
}
