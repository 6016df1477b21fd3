using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Mailboxes;

/// <summary>SQL of message rows. Clustered by (mailbox, uid): a list is one walk over neighbouring pages.</summary>
static class MessageTable
{
    const string Columns = "SELECT uid, flags, keywords, modseq, content_id, size, received, saved FROM message WHERE mailbox_id = ?";
    const string RangeSql = Columns + " AND uid >= ? AND uid <= ? ORDER BY uid";
    const string OneSql = Columns + " AND uid = ?";
    const string ChangedSql = Columns + " AND modseq > ? ORDER BY uid";

    /// <summary>A row of the columns uid, flags, keywords, modseq, content_id, size, received, saved.</summary>
    public static MessageRow Read(Statement row, ref string? keywords)
    {
        var text = row.Text(2);
        keywords = text == keywords ? keywords : text; // neighbours mostly share theirs: keep one string
        return new MessageRow((uint)row.Int64(0), (MessageFlags)row.Int32(1), keywords, row.Int64(3), row.Int64(4), row.Int64(5), row.Time(6), row.Time(7));
    }

    static List<MessageRow> List(Statement statement, PendingFlags? pending = null)
    {
        using var row = statement;
        var list = new List<MessageRow>();
        string? keywords = null;
        while (row.Step())
        {
            var one = Read(row, ref keywords);
            list.Add(pending is null ? one : pending.Over(one));
        }
        return list;
    }

    static MessageRow? One(Statement statement)
    {
        using var row = statement;
        string? keywords = null;
        return row.Step() ? Read(row, ref keywords) : null;
    }

    public static List<MessageRow> Range(ReadTransaction read, long mailboxId, uint from, uint to) =>
        List(read.Prepare(RangeSql).Bind(1, mailboxId).Bind(2, from).Bind(3, to), PendingFlags.Of(read, mailboxId, from, to));

    public static List<MessageRow> Range(WriteTransaction write, long mailboxId, uint from, uint to) =>
        List(write.Prepare(RangeSql).Bind(1, mailboxId).Bind(2, from).Bind(3, to));

    /// <summary>What a session keeps of each message.</summary>
    public static void Views(ReadTransaction read, long mailboxId, uint from, uint to, Action<uint, MessageFlags, string?, long> take)
    {
        using var row = read.Prepare("SELECT uid, flags, keywords, modseq FROM message WHERE mailbox_id = ? AND uid >= ? AND uid <= ? ORDER BY uid").Bind(1, mailboxId).Bind(2, from).Bind(3, to);
        var pending = PendingFlags.Of(read, mailboxId, from, to);
        while (row.Step())
        {
            var one = new FlagState((uint)row.Int64(0), (MessageFlags)row.Int32(1), row.Text(2), row.Int64(3));
            if (pending is not null) one = pending.Over(one);
            take(one.Uid, one.Flags, one.Keywords, one.ModSeq);
        }
    }

    /// <summary>All of a range, without the rest of their rows.</summary>
    public static void States(WriteTransaction write, long mailboxId, uint from, uint to, List<FlagState> into)
    {
        using var row = write.Prepare("SELECT uid, flags, keywords, modseq FROM message WHERE mailbox_id = ? AND uid >= ? AND uid <= ? ORDER BY uid").Bind(1, mailboxId).Bind(2, from).Bind(3, to);
        string? keywords = null;
        while (row.Step())
        {
            var text = row.Text(2);
            keywords = text == keywords ? keywords : text;
            into.Add(new((uint)row.Int64(0), (MessageFlags)row.Int32(1), keywords, row.Int64(3)));
        }
    }

    /// <summary>The different sets of keywords that messages of a mailbox have.</summary>
    public static IEnumerable<string> KeywordSets(WriteTransaction write, long mailboxId)
    {
        using var row = write.Prepare("SELECT DISTINCT keywords FROM message WHERE mailbox_id = ? AND keywords IS NOT NULL").Bind(1, mailboxId);
        while (row.Step()) yield return row.String(0);
    }

    public static MessageRow? Get(ReadTransaction read, long mailboxId, uint uid) =>
        One(read.Prepare(OneSql).Bind(1, mailboxId).Bind(2, uid)) is not { } row ? null
        : PendingFlags.Of(read, mailboxId, uid, uid) is { } pending ? pending.Over(row) : row;

    public static MessageRow? Get(WriteTransaction write, long mailboxId, uint uid) => One(write.Prepare(OneSql).Bind(1, mailboxId).Bind(2, uid));

    /// <summary>A scan of the mailbox: 7 ms for 100,000 rows, dearer would be an index to keep (measured.md, 4).</summary>
    public static List<MessageRow> ChangedSince(ReadTransaction read, long mailboxId, long modseq)
    {
        if (PendingFlags.Of(read, mailboxId, 1, uint.MaxValue) is not { } pending) return List(read.Prepare(ChangedSql).Bind(1, mailboxId).Bind(2, modseq));
        var rows = List(read.Prepare(Columns + " AND (modseq > ? OR uid BETWEEN ? AND ?) ORDER BY uid").Bind(1, mailboxId).Bind(2, modseq).Bind(3, pending.Span.First).Bind(4, pending.Span.Last), pending);
        rows.RemoveAll(row => row.ModSeq <= modseq);
        return rows;
    }

    /// <summary>The content of every message of a mailbox from a UID on.</summary>
    public static void Contents(ReadTransaction read, long mailboxId, uint from, List<uint> uids, List<long> contents)
    {
        using var row = read.Prepare("SELECT uid, content_id FROM message WHERE mailbox_id = ? AND uid >= ? ORDER BY uid").Bind(1, mailboxId).Bind(2, from);
        while (row.Step())
        {
            uids.Add((uint)row.Int64(0));
            contents.Add(row.Int64(1));
        }
    }

    /// <summary>The next messages of a mailbox, with what stands before their content.</summary>
    public static List<(uint Uid, long Content, byte[] Prefix)> Pieces(ReadTransaction read, long mailboxId, uint from, int most)
    {
        using var row = read.Prepare("SELECT uid, content_id, prefix FROM message WHERE mailbox_id = ? AND uid >= ? ORDER BY uid LIMIT ?").Bind(1, mailboxId).Bind(2, from).Bind(3, most);
        var list = new List<(uint, long, byte[])>();
        while (row.Step()) list.Add(((uint)row.Int64(0), row.Int64(1), row.Blob(2).ToArray()));
        return list;
    }

    /// <summary>How many messages there are from a UID on, and their octets, of so many at most.</summary>
    public static (long Messages, long Octets) CountFrom(ReadTransaction read, long mailboxId, uint from, int most)
    {
        using var row = read.Prepare("SELECT count(*), ifnull(sum(size), 0) FROM (SELECT size FROM message WHERE mailbox_id = ? AND uid >= ? LIMIT ?)").Bind(1, mailboxId).Bind(2, from).Bind(3, most);
        return row.Step() ? (row.Int64(0), row.Int64(1)) : default;
    }

    /// <summary>All contents that an account's messages have.</summary>
    public static HashSet<long> ContentsOf(ReadTransaction read, long accountId)
    {
        using var row = read.Prepare("SELECT content_id FROM message WHERE mailbox_id IN (SELECT id FROM mailbox WHERE account_id = ?)").Bind(1, accountId);
        var contents = new HashSet<long>();
        while (row.Step()) contents.Add(row.Int64(0));
        return contents;
    }

    public static byte[] Prefix(ReadTransaction read, long mailboxId, uint uid)
    {
        using var row = read.Prepare("SELECT prefix FROM message WHERE mailbox_id = ? AND uid = ?").Bind(1, mailboxId).Bind(2, uid);
        return row.Step() ? row.Blob(0).ToArray() : [];
    }

    public static void Insert(WriteTransaction write, long mailboxId, uint uid, in NewMessage message, long size, string? keywords, DateTimeOffset saved, long modseq) =>
        write.Prepare("INSERT INTO message (mailbox_id, uid, content_id, prefix, size, flags, keywords, received, saved, modseq, sent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .Bind(1, mailboxId).Bind(2, uid).Bind(3, message.Content.Id).Bind(4, message.Prefix.Span).Bind(5, size)
            .Bind(6, (long)message.Flags).Bind(7, keywords).Bind(8, message.Received).Bind(9, saved).Bind(10, modseq).Bind(11, message.Content.Sent).Run();

    /// <summary>A run of rows as others in a second mailbox (COPY, MOVE).</summary>
    /// <param name="to">The UID of the first; the others follow as theirs do.</param>
    public static void Copy(WriteTransaction write, long mailboxId, UidRun run, long toMailboxId, uint to, MessageFlags flags, string? keywords, DateTimeOffset saved, long modseq) =>
        write.Prepare("""
            INSERT INTO message (mailbox_id, uid, content_id, prefix, size, flags, keywords, received, saved, modseq, sent)
            SELECT ?, uid + ?, content_id, prefix, size, ?, ?, received, ?, ?, sent FROM message WHERE mailbox_id = ? AND uid BETWEEN ? AND ?
            """).Bind(1, toMailboxId).Bind(2, (long)to - run.First).Bind(3, (long)flags).Bind(4, keywords).Bind(5, saved).Bind(6, modseq).Bind(7, mailboxId).Bind(8, run.First).Bind(9, run.Last).Run();

    /// <summary>The same flags for all rows of a range.</summary>
    /// <param name="prepare">Of a connection that may write.</param>
    public static void SetFlags(Func<string, Statement> prepare, long mailboxId, in FlagRun run) =>
        prepare("UPDATE message SET flags = ?, keywords = ?, modseq = ? WHERE mailbox_id = ? AND uid BETWEEN ? AND ?")
            .Bind(1, (long)run.Flags).Bind(2, run.Keywords).Bind(3, run.ModSeq).Bind(4, mailboxId).Bind(5, run.First).Bind(6, run.Last).Run();

    /// <summary>Removes a run of rows and remembers that they were there.</summary>
    public static void Expunge(WriteTransaction write, long mailboxId, UidRun run, long modseq, DateTimeOffset now)
    {
        write.Prepare("INSERT OR IGNORE INTO expunged (mailbox_id, modseq, uid, at) SELECT mailbox_id, ?, uid, ? FROM message WHERE mailbox_id = ? AND uid BETWEEN ? AND ?")
            .Bind(1, modseq).Bind(2, now).Bind(3, mailboxId).Bind(4, run.First).Bind(5, run.Last).Run();
        write.Prepare("DELETE FROM message WHERE mailbox_id = ? AND uid BETWEEN ? AND ?").Bind(1, mailboxId).Bind(2, run.First).Bind(3, run.Last).Run();
    }

    /// <summary>The first UIDs above one that have been in the mailbox since before a time, up to the first that has not.</summary>
    public static List<uint> SavedBefore(ReadTransaction read, long mailboxId, uint after, DateTimeOffset before, int most)
    {
        using var row = read.Prepare("SELECT uid, saved FROM message WHERE mailbox_id = ? AND uid > ? ORDER BY uid LIMIT ?").Bind(1, mailboxId).Bind(2, after).Bind(3, most);
        var uids = new List<uint>();
        while (row.Step() && row.Time(1) < before) uids.Add((uint)row.Int64(0));
        return uids;
    }

    /// <summary>UIDs flagged \Deleted, rising.</summary>
    public static List<uint> Deleted(ReadTransaction read, long mailboxId, uint from, uint to)
    {
        var uids = new List<uint>();
        if (PendingFlags.Of(read, mailboxId, from, to) is not null)
        {
            Views(read, mailboxId, from, to, (uid, flags, _, _) => { if ((flags & MessageFlags.Deleted) != 0) uids.Add(uid); });
            return uids;
        }
        using var row = read.Prepare("SELECT uid FROM message WHERE mailbox_id = ? AND uid >= ? AND uid <= ? AND flags & ? ORDER BY uid").Bind(1, mailboxId).Bind(2, from).Bind(3, to).Bind(4, (long)MessageFlags.Deleted);
        while (row.Step()) uids.Add((uint)row.Int64(0));
        return uids;
    }

    /// <summary>Mailboxes of which more expunges are remembered than <paramref name="least"/>.</summary>
    public static List<long> WithMoreExpunged(ReadTransaction read, int least)
    {
        using var row = read.Prepare("SELECT mailbox_id FROM expunged GROUP BY mailbox_id HAVING count(*) > ?").Bind(1, least);
        var mailboxes = new List<long>();
        while (row.Step()) mailboxes.Add(row.Int64(0));
        return mailboxes;
    }

    /// <summary>The last modification sequence of which the expunges may be forgotten: older than <paramref name="before"/> and not among the last <paramref name="least"/>.</summary>
    public static long? Forgettable(ReadTransaction read, long mailboxId, int least, DateTimeOffset before) =>
        read.Prepare("""
            SELECT max(modseq) FROM expunged WHERE mailbox_id = ?1 AND at < ?2
            AND modseq < coalesce((SELECT modseq FROM expunged WHERE mailbox_id = ?1 ORDER BY modseq DESC, uid DESC LIMIT 1 OFFSET ?3), 9223372036854775807)
            """).Bind(1, mailboxId).Bind(2, before).Bind(3, Math.Max(0, least - 1)).Scalar();

    /// <summary>Forgets some of the expunges up to a modification sequence.</summary>
    /// <returns>How many.</returns>
    public static int Forget(WriteTransaction write, long mailboxId, long modseq, int most)
    {
        write.Prepare("UPDATE mailbox SET forgotten = max(forgotten, ?) WHERE id = ?").Bind(1, modseq).Bind(2, mailboxId).Run();
        return write.Prepare("""
            DELETE FROM expunged WHERE mailbox_id = ?1 AND (modseq, uid) IN
            (SELECT modseq, uid FROM expunged WHERE mailbox_id = ?1 AND modseq <= ?2 ORDER BY modseq, uid LIMIT ?3)
            """).Bind(1, mailboxId).Bind(2, modseq).Bind(3, most).Run();
    }

    /// <summary>UIDs below <paramref name="uidNext"/> that have no message.</summary>
    public static List<uint> Missing(ReadTransaction read, long mailboxId, uint uidNext)
    {
        using var row = read.Prepare("SELECT uid FROM message WHERE mailbox_id = ? ORDER BY uid").Bind(1, mailboxId);
        var missing = new List<uint>();
        uint next = 1;
        while (row.Step())
        {
            for (var uid = (uint)row.Int64(0); next < uid; next++) missing.Add(next);
            next++;
        }
        for (; next < uidNext; next++) missing.Add(next);
        return missing;
    }

    public static List<uint> ExpungedSince(ReadTransaction read, long mailboxId, long modseq)
    {
        using var row = read.Prepare("SELECT uid FROM expunged WHERE mailbox_id = ? AND modseq > ? ORDER BY uid").Bind(1, mailboxId).Bind(2, modseq);
        var uids = new List<uint>();
        while (row.Step()) uids.Add((uint)row.Int64(0));
        return uids;
    }
}
