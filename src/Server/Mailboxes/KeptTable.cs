using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Mailboxes;

/// <summary>All SQL of expunged messages that are kept (Storage/Schema/0031_kept_messages_and_templates.sql).</summary>
static class KeptTable
{
    /// <summary>What it holds of the vault's bodies, for whoever counts references.</summary>
    public static readonly BodyHolder Holder = new("expunged messages", Contents, Holding, Wrong);

    const string Columns = """
        SELECT k.id, k.mailbox_id, coalesce(b.name, n.name, ''), k.uid, k.content_id, k.prefix, k.size, k.flags, k.keywords, k.received, k.sent, k.expunged, c.envelope, b.id IS NOT NULL
        FROM kept_message k LEFT JOIN mailbox b ON b.id = k.mailbox_id LEFT JOIN kept_mailbox n ON n.mailbox_id = k.mailbox_id LEFT JOIN content c ON c.id = k.content_id
        """;

    /// <summary>A run of rows that go out of a mailbox: the references that they have to their bodies go along.</summary>
    public static void Keep(WriteTransaction write, long accountId, long mailboxId, UidRun run, DateTimeOffset now) =>
        write.Prepare("""
            INSERT INTO kept_message (account_id, mailbox_id, uid, content_id, prefix, size, flags, keywords, received, sent, expunged)
            SELECT ?, mailbox_id, uid, content_id, prefix, size, flags, keywords, received, sent, ? FROM message WHERE mailbox_id = ? AND uid BETWEEN ? AND ?
            """).Bind(1, accountId).Bind(2, now).Bind(3, mailboxId).Bind(4, run.First).Bind(5, run.Last).Run();

    public static void KeepName(WriteTransaction write, long mailboxId, string name) =>
        write.Prepare("INSERT INTO kept_mailbox (mailbox_id, name) VALUES (?, ?) ON CONFLICT DO NOTHING").Bind(1, mailboxId).Bind(2, name).Run();

    /// <summary>Of an account, the last that went first, below an id.</summary>
    public static List<KeptMessage> Of(ReadTransaction read, long accountId, long below, int most) =>
        All(read.Prepare(Columns + " WHERE k.account_id = ? AND k.id < ? ORDER BY k.id DESC LIMIT ?").Bind(1, accountId).Bind(2, below).Bind(3, most));

    public static KeptMessage? Find(WriteTransaction write, long accountId, long id) =>
        All(write.Prepare(Columns + " WHERE k.id = ? AND k.account_id = ?").Bind(1, id).Bind(2, accountId)) is [var one] ? one : null;

    static List<KeptMessage> All(Statement statement)
    {
        using var row = statement;
        var all = new List<KeptMessage>();
        while (row.Step())
            all.Add(new(row.Int64(0), row.Int64(1), row.String(2), (uint)row.Int64(3), row.Int64(4), row.IsNull(5) ? [] : row.Blob(5).ToArray(), row.Int64(6), (MessageFlags)row.Int32(7), row.Text(8), row.Time(9),
                row.IsNull(10) ? null : row.Time(10), row.Time(11), row.IsNull(12) ? [] : row.Blob(12).ToArray(), row.Bool(13)));
        return all;
    }

    /// <summary>The oldest of all, or of one account.</summary>
    public static List<(long Id, long ContentId, long Size, DateTimeOffset Expunged)> Oldest(ReadTransaction read, long? accountId, int most)
    {
        using var row = accountId is { } account
            ? read.Prepare("SELECT id, content_id, size, expunged FROM kept_message WHERE account_id = ? ORDER BY id LIMIT ?").Bind(1, account).Bind(2, most)
            : read.Prepare("SELECT id, content_id, size, expunged FROM kept_message ORDER BY id LIMIT ?").Bind(1, most);
        var all = new List<(long, long, long, DateTimeOffset)>();
        while (row.Step()) all.Add((row.Int64(0), row.Int64(1), row.Int64(2), row.Time(3)));
        return all;
    }

    /// <returns>Whether it was there.</returns>
    public static bool Remove(WriteTransaction write, long id) => write.Prepare("DELETE FROM kept_message WHERE id = ?").Bind(1, id).Run() == 1;

    /// <summary>The bodies that an account's kept messages hold, which are all gone then.</summary>
    public static List<long> Forget(WriteTransaction write, long accountId)
    {
        var contents = new List<long>();
        using (var row = write.Prepare("DELETE FROM kept_message WHERE account_id = ? RETURNING content_id").Bind(1, accountId))
            while (row.Step()) contents.Add(row.Int64(0));
        return contents;
    }

    /// <summary>Removed mailboxes of which nothing is kept any more. All kept messages are gone through, so not by who writes.</summary>
    public static List<long> EmptyNames(ReadTransaction read)
    {
        var empty = new List<long>();
        if (read.Prepare("SELECT 1 FROM kept_mailbox LIMIT 1").Scalar() is null) return empty;
        using var row = read.Prepare("SELECT mailbox_id FROM kept_mailbox WHERE mailbox_id NOT IN (SELECT mailbox_id FROM kept_message)");
        while (row.Step()) empty.Add(row.Int64(0));
        return empty;
    }

    public static void ForgetName(WriteTransaction write, long mailbox) => write.Prepare("DELETE FROM kept_mailbox WHERE mailbox_id = ?").Bind(1, mailbox).Run();

    public static List<(long AccountId, long Bytes)> Sums(ReadTransaction read)
    {
        using var row = read.Prepare("SELECT account_id, sum(size) FROM kept_message GROUP BY account_id");
        var all = new List<(long, long)>();
        while (row.Step()) all.Add((row.Int64(0), row.Int64(1)));
        return all;
    }

    /// <summary>Rows whose body is none: how many there were.</summary>
    public static int Erase(WriteTransaction write, long contentId) => write.Prepare("DELETE FROM kept_message WHERE content_id = ?").Bind(1, contentId).Run();

    /// <summary>Lets every one that held a body hold another.</summary>
    public static int Repoint(WriteTransaction write, long from, long to) => write.Prepare("UPDATE kept_message SET content_id = ? WHERE content_id = ?").Bind(1, to).Bind(2, from).Run();

    static IEnumerable<long> Contents(ReadTransaction read)
    {
        using var row = read.Prepare("SELECT content_id FROM kept_message");
        while (row.Step()) yield return row.Int64(0);
    }

    // where a mailbox holds the body too it may be made again, and these with it
    static List<HolderFault> Wrong(ReadTransaction read)
    {
        var all = new List<HolderFault>();
        using var row = read.Prepare("SELECT id, account_id, content_id FROM kept_message WHERE content_id NOT IN (SELECT id FROM content) AND content_id NOT IN (SELECT content_id FROM message)");
        while (row.Step())
        {
            var (id, account, content) = (row.Int64(0), row.Int64(1), row.Int64(2));
            all.Add(new HolderFault($"expunged message {id} of account {account} holds body {content}, which is gone", $"Expunged message {id}, whose body is lost, is not kept any more.",
                write => { Remove(write, id); return null; }));
        }
        return all;
    }

    static IEnumerable<string> Holding(ReadTransaction read, long content)
    {
        using var row = read.Prepare("SELECT id, account_id FROM kept_message WHERE content_id = ? LIMIT 10").Bind(1, content);
        while (row.Step()) yield return $"expunged message {row.Int64(0)} of account {row.Int64(1)}";
    }
}

/// <summary>An expunged message that is kept.</summary>
/// <param name="Mailbox">What the mailbox is called where it was, or was called.</param>
/// <param name="HasMailbox">It is there still.</param>
public sealed record KeptMessage(
    long Id, long MailboxId, string Mailbox, uint Uid, long ContentId, byte[] Prefix, long Size, MessageFlags Flags, string? Keywords, DateTimeOffset Received, DateTimeOffset? Sent, DateTimeOffset Expunged, byte[] Envelope, bool HasMailbox);
