using CbaMail.Mailboxes;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Backup;

/// <summary>What a reader's row says and what his marks come to.</summary>
readonly record struct ReaderSums(long MailboxId, long AccountId, long Noted, long Seen, long Gone);

/// <summary>SQL of whoever checks, mends and puts back what belongs to shared mailboxes: lists, annotations, what readers have seen.</summary>
static class SharingTable
{
    /// <summary>Mailboxes that do not exist and have rows all the same.</summary>
    public static SortedSet<long> MissingMailboxes(ReadTransaction read)
    {
        var missing = new SortedSet<long>();
        foreach (var next in (string[])[
            "SELECT min(mailbox_id) FROM mailbox_acl WHERE mailbox_id > ?", "SELECT min(mailbox_id) FROM annotation WHERE mailbox_id > ?",
            "SELECT min(mailbox_id) FROM reader WHERE mailbox_id > ?", "SELECT min(mailbox_id) FROM reader_mark WHERE mailbox_id > ?"])
        {
            var at = 0L; // the server's own annotations have mailbox 0
            while (read.Prepare(next).Bind(1, at).Scalar() is { } id) // one seek a mailbox
            {
                if (read.Prepare("SELECT 1 FROM mailbox WHERE id = ?").Bind(1, id).Scalar() is null) missing.Add(id);
                at = id;
            }
        }
        return missing;
    }

    public static void RemoveAll(WriteTransaction write, long mailboxId)
    {
        AclTable.RemoveAll(write, mailboxId);
        AnnotationTable.RemoveAll(write, mailboxId);
        ReaderTable.RemoveAll(write, mailboxId);
    }

    /// <summary>Mailboxes that do not say rightly whether they have a list.</summary>
    public static List<long> WronglyShared(ReadTransaction read) =>
        Numbers(read.Prepare("SELECT id FROM mailbox WHERE (shared != 0) != EXISTS (SELECT 1 FROM mailbox_acl WHERE mailbox_id = mailbox.id) OR shared NOT IN (0, 1)"));

    public static void SetShared(WriteTransaction write, long mailboxId) =>
        write.Prepare("UPDATE mailbox SET shared = EXISTS (SELECT 1 FROM mailbox_acl WHERE mailbox_id = mailbox.id) WHERE id = ?").Bind(1, mailboxId).Run();

    /// <summary>Every entry of every list of a mailbox that exists.</summary>
    public static List<(long MailboxId, string Identifier, long Rights)> Entries(ReadTransaction read)
    {
        using var row = read.Prepare("SELECT mailbox_id, identifier, rights FROM mailbox_acl WHERE mailbox_id IN (SELECT id FROM mailbox)");
        var entries = new List<(long, string, long)>();
        while (row.Step()) entries.Add((row.Int64(0), row.String(1), row.Int64(2)));
        return entries;
    }

    /// <summary>Accounts that have annotations of their own.</summary>
    public static List<long> Annotators(ReadTransaction read) => Numbers(read.Prepare("SELECT DISTINCT account_id FROM annotation WHERE account_id != 0"));

    public static List<ReaderSums> Readers(ReadTransaction read)
    {
        using var row = read.Prepare("""
            SELECT w.mailbox_id, w.account_id, coalesce((SELECT seen FROM reader r WHERE r.mailbox_id = w.mailbox_id AND r.account_id = w.account_id), -1),
            (SELECT count(*) FROM reader_mark k JOIN message m ON m.mailbox_id = k.mailbox_id AND m.uid = k.uid WHERE k.mailbox_id = w.mailbox_id AND k.account_id = w.account_id AND k.seen),
            (SELECT count(*) FROM reader_mark k WHERE k.mailbox_id = w.mailbox_id AND k.account_id = w.account_id AND NOT EXISTS (SELECT 1 FROM message m WHERE m.mailbox_id = k.mailbox_id AND m.uid = k.uid))
            FROM (SELECT mailbox_id, account_id FROM reader UNION SELECT mailbox_id, account_id FROM reader_mark) w WHERE w.mailbox_id IN (SELECT id FROM mailbox)
            """);
        var readers = new List<ReaderSums>();
        while (row.Step()) readers.Add(new(row.Int64(0), row.Int64(1), row.Int64(2), row.Int64(3), row.Int64(4)));
        return readers;
    }

    /// <summary>Counts anew what a reader has seen; his modification sequence is not below that of his marks.</summary>
    public static void Recount(WriteTransaction write, long mailboxId, long accountId)
    {
        write.Prepare("DELETE FROM reader_mark WHERE mailbox_id = ?1 AND account_id = ?2 AND NOT EXISTS (SELECT 1 FROM message m WHERE m.mailbox_id = ?1 AND m.uid = reader_mark.uid)").Bind(1, mailboxId).Bind(2, accountId).Run();
        ReaderTable.Adjust(write, mailboxId, accountId, 0, 1);
        write.Prepare("""
            UPDATE reader SET seen = (SELECT count(*) FROM reader_mark k WHERE k.mailbox_id = ?1 AND k.account_id = ?2 AND k.seen),
            modseq = max(modseq, coalesce((SELECT max(modseq) FROM reader_mark k WHERE k.mailbox_id = ?1 AND k.account_id = ?2), 1)) WHERE mailbox_id = ?1 AND account_id = ?2
            """).Bind(1, mailboxId).Bind(2, accountId).Run();
    }

    public static void RemoveReader(WriteTransaction write, long mailboxId, long accountId)
    {
        write.Prepare("DELETE FROM reader_mark WHERE mailbox_id = ? AND account_id = ?").Bind(1, mailboxId).Bind(2, accountId).Run();
        write.Prepare("DELETE FROM reader WHERE mailbox_id = ? AND account_id = ?").Bind(1, mailboxId).Bind(2, accountId).Run();
    }

    static List<long> Numbers(Statement statement)
    {
        using var row = statement;
        var numbers = new List<long>();
        while (row.Step()) numbers.Add(row.Int64(0));
        return numbers;
    }

    // ---- putting back

    /// <summary>Annotations that are somebody's own, by whose they are; those with 0 are everybody's.</summary>
    public static List<(long AccountId, string Entry, byte[] Value)> Annotations(ReadTransaction read, long mailboxId)
    {
        using var row = read.Prepare("SELECT account_id, entry, value FROM annotation WHERE mailbox_id = ?").Bind(1, mailboxId);
        var all = new List<(long, string, byte[])>();
        while (row.Step()) all.Add((row.Int64(0), row.String(1), row.Blob(2).ToArray()));
        return all;
    }

    /// <summary>Readers who have seen a message.</summary>
    public static List<long> SeenBy(ReadTransaction read, long mailboxId, uint uid) =>
        Numbers(read.Prepare("SELECT r.account_id FROM reader r JOIN reader_mark k ON k.mailbox_id = r.mailbox_id AND k.account_id = r.account_id AND k.uid = ?2 AND k.seen WHERE r.mailbox_id = ?1").Bind(1, mailboxId).Bind(2, uid));

    /// <summary>Sets what is not there already.</summary>
    public static void AddAnnotation(WriteTransaction write, long mailboxId, long accountId, string entry, byte[] value) =>
        write.Prepare("INSERT OR IGNORE INTO annotation (mailbox_id, account_id, entry, value) VALUES (?, ?, ?, ?)").Bind(1, mailboxId).Bind(2, accountId).Bind(3, entry).Bind(4, value.AsSpan()).Run();
}
