using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Mailboxes;

/// <summary>Whether a reader has seen a message, and when he said so.</summary>
readonly record struct ReaderMark(uint Uid, bool Seen, long ModSeq);

/// <summary>SQL of what readers who are not the owner have seen. A message without a mark has not been seen.</summary>
static class ReaderTable
{
    const string MarkSql = "SELECT uid, seen, modseq FROM reader_mark WHERE mailbox_id = ? AND account_id = ? AND uid = ?";

    static List<ReaderMark> List(Statement statement)
    {
        using var row = statement;
        var marks = new List<ReaderMark>();
        while (row.Step()) marks.Add(new((uint)row.Int64(0), row.Bool(1), row.Int64(2)));
        return marks;
    }

    /// <summary>How many he has seen, and his last change; null where he has never marked one.</summary>
    public static (int Seen, long ModSeq)? Get(ReadTransaction read, long mailboxId, long accountId)
    {
        using var row = read.Prepare("SELECT seen, modseq FROM reader WHERE mailbox_id = ? AND account_id = ?").Bind(1, mailboxId).Bind(2, accountId);
        return row.Step() ? (row.Int32(0), row.Int64(1)) : null;
    }

    public static ReaderMark? Mark(ReadTransaction read, long mailboxId, long accountId, uint uid) => One(read.Prepare(MarkSql), mailboxId, accountId, uid);
    public static ReaderMark? Mark(WriteTransaction write, long mailboxId, long accountId, uint uid) => One(write.Prepare(MarkSql), mailboxId, accountId, uid);

    static ReaderMark? One(Statement statement, long mailboxId, long accountId, uint uid) =>
        List(statement.Bind(1, mailboxId).Bind(2, accountId).Bind(3, uid)) is [var mark] ? mark : null;

    /// <summary>By rising UID.</summary>
    public static List<ReaderMark> Range(ReadTransaction read, long mailboxId, long accountId, uint from, uint to) =>
        List(read.Prepare("SELECT uid, seen, modseq FROM reader_mark WHERE mailbox_id = ? AND account_id = ? AND uid >= ? AND uid <= ? ORDER BY uid").Bind(1, mailboxId).Bind(2, accountId).Bind(3, from).Bind(4, to));

    public static List<ReaderMark> ChangedSince(ReadTransaction read, long mailboxId, long accountId, long modseq) =>
        List(read.Prepare("SELECT uid, seen, modseq FROM reader_mark WHERE mailbox_id = ? AND account_id = ? AND modseq > ? ORDER BY uid").Bind(1, mailboxId).Bind(2, accountId).Bind(3, modseq));

    public static void Put(WriteTransaction write, long mailboxId, long accountId, ReaderMark mark) =>
        write.Prepare("INSERT INTO reader_mark (mailbox_id, account_id, uid, seen, modseq) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET seen = excluded.seen, modseq = excluded.modseq")
            .Bind(1, mailboxId).Bind(2, accountId).Bind(3, mark.Uid).Bind(4, mark.Seen).Bind(5, mark.ModSeq).Run();

    public static void Adjust(WriteTransaction write, long mailboxId, long accountId, int seen, long modseq) =>
        write.Prepare("INSERT INTO reader (mailbox_id, account_id, seen, modseq) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET seen = seen + excluded.seen, modseq = max(modseq, excluded.modseq)")
            .Bind(1, mailboxId).Bind(2, accountId).Bind(3, seen).Bind(4, modseq).Run();

    /// <summary>Who has marks in a mailbox.</summary>
    public static List<long> Readers(WriteTransaction write, long mailboxId)
    {
        using var row = write.Prepare("SELECT account_id FROM reader WHERE mailbox_id = ?").Bind(1, mailboxId);
        var readers = new List<long>();
        while (row.Step()) readers.Add(row.Int64(0));
        return readers;
    }

    /// <summary>Marks of messages that are gone.</summary>
    /// <param name="uids">Rising: neighbours are one statement.</param>
    public static void Remove(WriteTransaction write, long mailboxId, IEnumerable<uint> uids)
    {
        var readers = Readers(write, mailboxId);
        if (readers.Count == 0) return;
        var runs = UidRun.Of(uids);
        foreach (var reader in readers)
        {
            var seen = 0;
            foreach (var (from, to) in runs)
            {
                using var row = write.Prepare("DELETE FROM reader_mark WHERE mailbox_id = ? AND account_id = ? AND uid BETWEEN ? AND ? RETURNING seen").Bind(1, mailboxId).Bind(2, reader).Bind(3, from).Bind(4, to);
                while (row.Step())
                    if (row.Bool(0)) seen++;
            }
            if (seen > 0) Adjust(write, mailboxId, reader, -seen, 0);
        }
    }

    public static void RemoveAll(WriteTransaction write, long mailboxId)
    {
        write.Prepare("DELETE FROM reader_mark WHERE mailbox_id = ?").Bind(1, mailboxId).Run();
        write.Prepare("DELETE FROM reader WHERE mailbox_id = ?").Bind(1, mailboxId).Run();
    }

    /// <summary>An account that goes takes along what it has seen elsewhere.</summary>
    public static void Forget(WriteTransaction write, long accountId)
    {
        write.Prepare("DELETE FROM reader_mark WHERE account_id = ?1 AND mailbox_id IN (SELECT mailbox_id FROM reader WHERE account_id = ?1)").Bind(1, accountId).Run();
        write.Prepare("DELETE FROM reader WHERE account_id = ?").Bind(1, accountId).Run();
    }
}
