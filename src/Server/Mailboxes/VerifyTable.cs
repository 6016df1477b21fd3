using CbaMail.Storage;
using CbaMail.Storage.Blobs;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Mailboxes;

/// <summary>A stored body or large part, as its row tells it.</summary>
/// <param name="Size">Of a body: of the whole message, its large parts included.</param>
/// <param name="Hash">Of a large part; empty for a body.</param>
/// <param name="Parts">Of a body: (position, length, object) each.</param>
sealed record StoredRow(RecordKind Kind, long Id, PackLocation Location, long Size, long? Base, long[] Parts, byte[] Hash);

/// <summary>What the rows of a mailbox come to.</summary>
/// <param name="LastUid">The highest UID that exists or has been expunged.</param>
sealed record MailboxSums(long Messages, long Unseen, long Deleted, long Bytes, long LastUid, long LastModSeq);

/// <summary>SQL of whoever checks the rooms' rows and mends them. Nothing here is on the way of mail.</summary>
static class VerifyTable
{
    const string ContentSql = "SELECT id, pack, position, stored, size, base, parts FROM content WHERE ";
    const string ObjectSql = "SELECT id, pack, position, stored, size, NULL, NULL, hash FROM object WHERE ";

    static StoredRow Row(Statement row, RecordKind kind) => new(
        kind, row.Int64(0), new PackLocation(row.Int32(1), row.Int64(2), row.Int32(3)), row.Int64(4), row.IsNull(5) ? null : row.Int64(5),
        System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(row.Blob(6)).ToArray(), kind == RecordKind.Object ? row.Blob(7).ToArray() : []);

    /// <summary>The next rows by id.</summary>
    public static List<StoredRow> After(ReadTransaction read, RecordKind kind, long id, int count)
    {
        var sql = kind == RecordKind.Content ? ContentSql + "id > ? ORDER BY id LIMIT ?" : ObjectSql + "id > ? ORDER BY id LIMIT ?";
        using var row = read.Prepare(sql).Bind(1, id).Bind(2, count);
        var rows = new List<StoredRow>();
        while (row.Step()) rows.Add(Row(row, kind));
        return rows;
    }

    public static StoredRow? Get(ReadTransaction read, RecordKind kind, long id)
    {
        using var row = read.Prepare((kind == RecordKind.Content ? ContentSql : ObjectSql) + "id = ?").Bind(1, id);
        return row.Step() ? Row(row, kind) : null;
    }

    /// <summary>The highest id of each, the number of message rows: how much there is to look at.</summary>
    public static (long Contents, long Objects, long Messages) Extent(ReadTransaction read) =>
        (read.Prepare("SELECT count(*) FROM content").Scalar() ?? 0, read.Prepare("SELECT count(*) FROM object").Scalar() ?? 0,
         read.Prepare("SELECT sum(messages) FROM mailbox").Scalar() ?? 0);

    public static long LastContent(ReadTransaction read) => read.Prepare("SELECT max(id) FROM content").Scalar() ?? 0;

    public static long LastObject(ReadTransaction read) => read.Prepare("SELECT max(id) FROM object").Scalar() ?? 0;

    // ---- mailboxes

    public static List<long> Accounts(ReadTransaction read) => Numbers(read.Prepare("SELECT account_id FROM usage UNION SELECT account_id FROM mailbox ORDER BY 1"));

    static List<long> Numbers(Statement statement)
    {
        using var row = statement;
        var numbers = new List<long>();
        while (row.Step()) numbers.Add(row.Int64(0));
        return numbers;
    }

    public static (long ModSeq, long Bytes, long Messages)? Usage(ReadTransaction read, long accountId)
    {
        using var row = read.Prepare("SELECT modseq, bytes, messages FROM usage WHERE account_id = ?").Bind(1, accountId);
        return row.Step() ? (row.Int64(0), row.Int64(1), row.Int64(2)) : null;
    }

    public static MailboxSums Sums(ReadTransaction read, long mailboxId)
    {
        using var row = read.Prepare($"""
            SELECT count(*), coalesce(sum(flags & 1 = 0), 0), coalesce(sum(flags & 8 != 0), 0), coalesce(sum(size), 0), coalesce(max(uid), 0),
                max(coalesce(max(modseq), 0), coalesce((SELECT max(modseq) FROM pending_flags WHERE mailbox_id = ?1), 0))
            FROM (SELECT m.uid, m.size, m.modseq, {PendingFlagTable.FlagsOfM} AS flags FROM message m WHERE m.mailbox_id = ?1)
            """).Bind(1, mailboxId);
        row.Step();
        var sums = new MailboxSums(row.Int64(0), row.Int64(1), row.Int64(2), row.Int64(3), row.Int64(4), row.Int64(5));
        using var gone = read.Prepare("SELECT coalesce(max(uid), 0), coalesce(max(modseq), 0) FROM expunged WHERE mailbox_id = ?").Bind(1, mailboxId);
        gone.Step();
        return sums with { LastUid = Math.Max(sums.LastUid, gone.Int64(0)), LastModSeq = Math.Max(sums.LastModSeq, gone.Int64(1)) };
    }

    /// <summary>UIDs that are there and noted as expunged.</summary>
    public static List<uint> ExpungedAndPresent(ReadTransaction read, long mailboxId) =>
        [.. Numbers(read.Prepare("SELECT e.uid FROM expunged e WHERE e.mailbox_id = ?1 AND EXISTS (SELECT 1 FROM message m WHERE m.mailbox_id = ?1 AND m.uid = e.uid)").Bind(1, mailboxId)).Select(uid => (uint)uid)];

    public static long LastUidValidity(ReadTransaction read) => read.Prepare("SELECT uid_validity FROM vault").Scalar() ?? 0;

    /// <summary>Rows from a UID on, each with the size that prefix and content come to; null where it has no content.</summary>
    public static List<(uint Uid, long ContentId, long Size, long? Whole)> Rows(ReadTransaction read, long mailboxId, uint from, int count)
    {
        using var row = read.Prepare("""
            SELECT m.uid, m.content_id, m.size, coalesce(length(m.prefix), 0) + c.size FROM message m LEFT JOIN content c ON c.id = m.content_id
            WHERE m.mailbox_id = ? AND m.uid >= ? ORDER BY m.uid LIMIT ?
            """).Bind(1, mailboxId).Bind(2, from).Bind(3, count);
        var rows = new List<(uint, long, long, long?)>();
        while (row.Step()) rows.Add(((uint)row.Int64(0), row.Int64(1), row.Int64(2), row.IsNull(3) ? null : row.Int64(3)));
        return rows;
    }

    /// <summary>Mailboxes that have rows of messages or of expunged ones and do not exist.</summary>
    public static List<long> MissingMailboxes(ReadTransaction read)
    {
        var missing = new SortedSet<long>();
        foreach (var next in (string[])["SELECT min(mailbox_id) FROM message WHERE mailbox_id > ?", "SELECT min(mailbox_id) FROM expunged WHERE mailbox_id > ?"])
        {
            var at = long.MinValue;
            while (read.Prepare(next).Bind(1, at).Scalar() is { } id) // one seek a mailbox
            {
                if (read.Prepare("SELECT 1 FROM mailbox WHERE id = ?").Bind(1, id).Scalar() is null) missing.Add(id);
                at = id;
            }
        }
        return [.. missing];
    }

    // ---- references

    /// <summary>Kept references of the bodies within the range.</summary>
    public static void References(ReadTransaction read, RecordKind kind, long from, long to, Action<long, long> take)
    {
        var sql = kind == RecordKind.Content ? $"SELECT id, {HeldTable.All} FROM content WHERE id >= ? AND id <= ?" : "SELECT id, refs FROM object WHERE id >= ? AND id <= ?";
        using var row = read.Prepare(sql).Bind(1, from).Bind(2, to);
        while (row.Step()) take(row.Int64(0), row.Int64(1));
    }

    /// <summary>The content of every message row.</summary>
    public static void ContentsOfMessages(ReadTransaction read, Action<long> take)
    {
        using var row = read.Prepare("SELECT content_id FROM message");
        while (row.Step()) take(row.Int64(0));
    }

    /// <summary>The base of every body that has one.</summary>
    public static void Bases(ReadTransaction read, Action<long> take)
    {
        using var row = read.Prepare("SELECT base FROM content WHERE base IS NOT NULL");
        while (row.Step()) take(row.Int64(0));
    }

    /// <summary>The large parts of every body: (body, object) each.</summary>
    public static void Parts(ReadTransaction read, Action<long, long> take)
    {
        using var row = read.Prepare("SELECT id, parts FROM content WHERE parts IS NOT NULL");
        while (row.Step())
        {
            var numbers = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(row.Blob(1));
            for (var i = 2; i < numbers.Length; i += 3) take(row.Int64(0), numbers[i]);
        }
    }

    // ---- packs

    /// <summary>Bytes of records that rows name, as they are noted of each pack.</summary>
    public static Dictionary<int, long> Live(ReadTransaction read)
    {
        using var row = read.Prepare("SELECT id, live FROM pack");
        var live = new Dictionary<int, long>();
        while (row.Step()) live[row.Int32(0)] = row.Int64(1);
        return live;
    }

    // ---- mending

    public static void AdjustMailbox(WriteTransaction write, long id, long messages, long unseen, long deleted, long bytes) =>
        write.Prepare("UPDATE mailbox SET messages = messages + ?, unseen = unseen + ?, deleted = deleted + ?, bytes = bytes + ? WHERE id = ?")
            .Bind(1, messages).Bind(2, unseen).Bind(3, deleted).Bind(4, bytes).Bind(5, id).Run();

    /// <summary>Never lowers what a client may have seen.</summary>
    public static void RaiseMailbox(WriteTransaction write, long id, long uidNext, long modseq) =>
        write.Prepare("UPDATE mailbox SET uid_next = max(uid_next, ?1), recent_uid = min(recent_uid, max(uid_next, ?1)), modseq = max(modseq, ?2) WHERE id = ?3")
            .Bind(1, uidNext).Bind(2, modseq).Bind(3, id).Run();

    public static void AdjustUsage(WriteTransaction write, long accountId, long bytes, long messages, long modseq)
    {
        MailboxTable.InsertUsage(write, accountId);
        write.Prepare("UPDATE usage SET bytes = bytes + ?, messages = messages + ?, modseq = max(modseq, ?) WHERE account_id = ?")
            .Bind(1, bytes).Bind(2, messages).Bind(3, modseq).Bind(4, accountId).Run();
    }

    public static void RaiseUidValidity(WriteTransaction write, long value) =>
        write.Prepare("UPDATE vault SET uid_validity = max(uid_validity, ?)").Bind(1, value).Run();

    public static void DropExpunged(WriteTransaction write, long mailboxId, uint uid) =>
        write.Prepare("DELETE FROM expunged WHERE mailbox_id = ? AND uid = ?").Bind(1, mailboxId).Bind(2, uid).Run();

    public static long? SizeOf(WriteTransaction write, long contentId) => write.Prepare("SELECT size FROM content WHERE id = ?").Bind(1, contentId).Scalar();

    public static long? SizeWithoutPrefix(ReadTransaction read, long mailboxId, uint uid) =>
        read.Prepare("SELECT size - coalesce(length(prefix), 0) FROM message WHERE mailbox_id = ? AND uid = ?").Bind(1, mailboxId).Bind(2, uid).Scalar();

    /// <summary>Lets every message that held a body hold another.</summary>
    public static int Repoint(WriteTransaction write, long from, long to) => write.Prepare("UPDATE message SET content_id = ? WHERE content_id = ?").Bind(1, to).Bind(2, from).Run() + KeptTable.Repoint(write, from, to);

    /// <summary>Rows of a mailbox that does not exist, each with what tells whose it was.</summary>
    public static List<(byte[] Prefix, byte[] Envelope)> Orphans(ReadTransaction read, long mailboxId, int most)
    {
        using var row = read.Prepare("SELECT m.prefix, c.envelope FROM message m LEFT JOIN content c ON c.id = m.content_id WHERE m.mailbox_id = ? LIMIT ?").Bind(1, mailboxId).Bind(2, most);
        var rows = new List<(byte[], byte[])>();
        while (row.Step()) rows.Add((row.Blob(0).ToArray(), row.Blob(1).ToArray()));
        return rows;
    }

    public static long Count(ReadTransaction read, long mailboxId) => read.Prepare("SELECT count(*) FROM message WHERE mailbox_id = ?").Bind(1, mailboxId).Scalar() ?? 0;

    /// <summary>Gives all rows of a mailbox that does not exist to one that does and is empty; what was expunged is forgotten.</summary>
    public static void Adopt(WriteTransaction write, long from, long to)
    {
        write.Prepare("UPDATE message SET mailbox_id = ? WHERE mailbox_id = ?").Bind(1, to).Bind(2, from).Run();
        write.Prepare("DELETE FROM expunged WHERE mailbox_id = ?").Bind(1, from).Run();
        using var row = write.Prepare("SELECT coalesce(max(uid), 0), coalesce(max(modseq), 0) FROM message WHERE mailbox_id = ?").Bind(1, to);
        row.Step();
        var (uid, modseq) = (row.Int64(0), row.Int64(1));
        RaiseMailbox(write, to, uid + 1, modseq);
    }

    public static void ForgetExpunged(WriteTransaction write, long mailboxId) => write.Prepare("DELETE FROM expunged WHERE mailbox_id = ?").Bind(1, mailboxId).Run();

    public static void AdjustLive(WriteTransaction write, int pack, long bytes) => write.AddLive(pack, bytes);

    public static void SetSize(WriteTransaction write, StoredRow row, long size) =>
        write.Prepare(row.Kind == RecordKind.Content ? "UPDATE content SET size = ? WHERE id = ?" : "UPDATE object SET size = ? WHERE id = ?").Bind(1, size).Bind(2, row.Id).Run();

    public static void SetBase(WriteTransaction write, long contentId, long? basis) =>
        write.Prepare("UPDATE content SET base = ? WHERE id = ?").Bind(1, basis).Bind(2, contentId).Run();

    /// <summary>Unless another part has the hash already.</summary>
    public static void SetHash(WriteTransaction write, long objectId, byte[] hash) =>
        write.Prepare("UPDATE OR IGNORE object SET hash = ? WHERE id = ?").Bind(1, hash).Bind(2, objectId).Run();

    /// <summary>The size of a row from what it holds, and what counts it.</summary>
    public static void SetMessageSize(WriteTransaction write, long accountId, long mailboxId, uint uid)
    {
        if (write.Prepare("""
            SELECT coalesce(length(m.prefix), 0) + c.size - m.size FROM message m JOIN content c ON c.id = m.content_id WHERE m.mailbox_id = ? AND m.uid = ?
            """).Bind(1, mailboxId).Bind(2, uid).Scalar() is not { } difference) return;
        write.Prepare("UPDATE message SET size = size + ? WHERE mailbox_id = ? AND uid = ?").Bind(1, difference).Bind(2, mailboxId).Bind(3, uid).Run();
        AdjustMailbox(write, mailboxId, 0, 0, 0, difference);
        AdjustUsage(write, accountId, difference, 0, 0);
    }

    /// <summary>Whether the row still names the record that it did.</summary>
    public static bool IsAt(WriteTransaction write, StoredRow row) =>
        write.Prepare(row.Kind == RecordKind.Content ? "SELECT 1 FROM content WHERE id = ? AND pack = ? AND position = ?" : "SELECT 1 FROM object WHERE id = ? AND pack = ? AND position = ?")
            .Bind(1, row.Id).Bind(2, row.Location.Pack).Bind(3, row.Location.Position).Scalar() is not null;

    public static void SetLocation(WriteTransaction write, StoredRow row, PackLocation to) =>
        write.Prepare(row.Kind == RecordKind.Content ? "UPDATE content SET pack = ?, position = ?, stored = ? WHERE id = ?" : "UPDATE object SET pack = ?, position = ?, stored = ? WHERE id = ?")
            .Bind(1, to.Pack).Bind(2, to.Position).Bind(3, to.Stored).Bind(4, row.Id).Run();

    public static byte[] Prefix(WriteTransaction write, long mailboxId, uint uid)
    {
        using var row = write.Prepare("SELECT prefix FROM message WHERE mailbox_id = ? AND uid = ?").Bind(1, mailboxId).Bind(2, uid);
        return row.Step() ? row.Blob(0).ToArray() : [];
    }

    public static bool Exists(WriteTransaction write, RecordKind kind, long id) =>
        write.Prepare(kind == RecordKind.Content ? "SELECT 1 FROM content WHERE id = ?" : "SELECT 1 FROM object WHERE id = ?").Bind(1, id).Scalar() is not null;
}
