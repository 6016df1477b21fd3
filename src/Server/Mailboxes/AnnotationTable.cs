using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>A note on a mailbox, or on the server (RFC 5464).</summary>
/// <param name="Entry">In small letters, as /private/comment.</param>
public readonly record struct Annotation(string Entry, byte[] Value);

/// <summary>SQL of annotations. Mailbox 0 is the server, account 0 everybody.</summary>
static class AnnotationTable
{
    /// <summary>Those that an account sees: the shared ones and its own, by name.</summary>
    public static List<Annotation> Of(ReadTransaction read, long mailboxId, long accountId)
    {
        using var row = read.Prepare("SELECT entry, value FROM annotation WHERE mailbox_id = ? AND account_id IN (0, ?) ORDER BY entry").Bind(1, mailboxId).Bind(2, accountId);
        var all = new List<Annotation>();
        while (row.Step()) all.Add(new(row.String(0), row.Blob(1).ToArray()));
        return all;
    }

    public static void Put(WriteTransaction write, long mailboxId, long accountId, string entry, byte[] value) =>
        write.Prepare("INSERT INTO annotation (mailbox_id, account_id, entry, value) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value")
            .Bind(1, mailboxId).Bind(2, accountId).Bind(3, entry).Bind(4, value.AsSpan()).Run();

    public static void Remove(WriteTransaction write, long mailboxId, long accountId, string entry) =>
        write.Prepare("DELETE FROM annotation WHERE mailbox_id = ? AND account_id = ? AND entry = ?").Bind(1, mailboxId).Bind(2, accountId).Bind(3, entry).Run();

    /// <summary>How many there would be with these.</summary>
    public static int CountWith(WriteTransaction write, long mailboxId, long accountId, IEnumerable<string> more)
    {
        using var row = write.Prepare("SELECT entry FROM annotation WHERE mailbox_id = ? AND account_id = ?").Bind(1, mailboxId).Bind(2, accountId);
        var all = new HashSet<string>(more);
        while (row.Step()) all.Add(row.String(0));
        return all.Count;
    }

    /// <summary>INBOX keeps its own when it is renamed, and gives them to the new mailbox too (RFC 5464 4.1).</summary>
    public static void Copy(WriteTransaction write, long fromId, long toId) =>
        write.Prepare("INSERT OR IGNORE INTO annotation (mailbox_id, account_id, entry, value) SELECT ?, account_id, entry, value FROM annotation WHERE mailbox_id = ?").Bind(1, toId).Bind(2, fromId).Run();

    public static void RemoveAll(WriteTransaction write, long mailboxId) => write.Prepare("DELETE FROM annotation WHERE mailbox_id = ?").Bind(1, mailboxId).Run();

    /// <summary>An account that goes takes its own notes along.</summary>
    public static void Forget(WriteTransaction write, long accountId) => write.Prepare("DELETE FROM annotation WHERE account_id = ?").Bind(1, accountId).Run();
}
