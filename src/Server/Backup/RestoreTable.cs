using CbaMail.Mailboxes;
using CbaMail.Storage;
using CbaMail.Storage.Blobs;

namespace CbaMail.Backup;

/// <summary>A message with what tells it from others before its bytes are looked at.</summary>
readonly record struct Candidate(uint Uid, MessageFlags Flags, string? Keywords, DateTimeOffset Received, long Size, long ContentId, string? MessageId, long Sent)
{
    /// <summary>Equal for equal messages, and rarely for others.</summary>
    public (long Size, int Other) Key => (Size, string.GetHashCode(MessageId, StringComparison.Ordinal) * 31 + Sent.GetHashCode());
}

/// <summary>SQL that is the same over a snapshot and over the store that messages go back into.</summary>
static class RestoreTable
{
    const string Columns = "SELECT m.uid, m.flags, m.keywords, m.received, m.size, m.content_id, c.message_id, c.sent FROM message m JOIN content c ON c.id = m.content_id WHERE m.mailbox_id = ?";

    /// <summary>The next messages of a mailbox behind a UID.</summary>
    public static List<Candidate> After(ReadTransaction read, long mailboxId, uint uid, int most)
    {
        using var row = read.Prepare(Columns + " AND m.uid > ? ORDER BY m.uid LIMIT ?").Bind(1, mailboxId).Bind(2, uid).Bind(3, most);
        var some = new List<Candidate>();
        var pending = PendingFlags.Of(read, mailboxId, uid, uint.MaxValue);
        while (row.Step())
        {
            var state = new FlagState((uint)row.Int64(0), (MessageFlags)row.Int32(1), row.Text(2), 0);
            if (pending is not null) state = pending.Over(state);
            some.Add(new Candidate(state.Uid, state.Flags, state.Keywords, row.Time(3), row.Int64(4), row.Int64(5), row.Text(6), row.IsNull(7) ? 0 : row.Int64(7)));
        }
        return some;
    }

    public static Candidate? One(ReadTransaction read, long mailboxId, uint uid) =>
        After(read, mailboxId, uid - 1, 1) is [var found] && found.Uid == uid ? found : null;

    /// <summary>A body's record and the hashes of its large parts, or null where it is gone.</summary>
    public static (PackLocation Location, long Size, long? Base, List<byte[]> Parts)? Body(ReadTransaction read, long contentId)
    {
        PackLocation location;
        long size;
        long? basis;
        long[] parts;
        using (var row = read.Prepare("SELECT pack, position, stored, size, base, parts FROM content WHERE id = ?").Bind(1, contentId))
        {
            if (!row.Step()) return null;
            (location, size, basis) = (new PackLocation(row.Int32(0), row.Int64(1), row.Int32(2)), row.Int64(3), row.IsNull(4) ? null : row.Int64(4));
            parts = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(row.Blob(5)).ToArray();
        }
        var hashes = new List<byte[]>();
        for (var i = 2; i < parts.Length; i += 3)
        {
            using var row = read.Prepare("SELECT hash FROM object WHERE id = ?").Bind(1, parts[i]);
            hashes.Add(row.Step() ? row.Blob(0).ToArray() : []);
        }
        return (location, size, basis, hashes);
    }

    /// <summary>How many hold a content.</summary>
    public static long References(ReadTransaction read, long contentId) => read.Prepare($"SELECT {HeldTable.All} FROM content WHERE id = ?").Bind(1, contentId).Scalar() ?? 0;

    public static bool HasContent(WriteTransaction write, long contentId) => write.Prepare("SELECT 1 FROM content WHERE id = ?").Bind(1, contentId).Scalar() == 1;
}
