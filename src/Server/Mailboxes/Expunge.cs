using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>EXPUNGE and UID EXPUNGE (RFC 9051 6.4.3, 6.4.9).</summary>
static class Expunge
{
    /// <summary>UIDs flagged \Deleted, rising, as of a snapshot.</summary>
    public static IReadOnlyList<uint> Candidates(MailReader read, long mailboxId, IReadOnlyList<uint>? uids)
    {
        if (uids is { Count: 0 } || read.Mailbox(mailboxId) is not { Deleted: > 0 }) return [];
        var deleted = read.Deleted(mailboxId, uids?[0] ?? 1, uids?[^1] ?? uint.MaxValue);
        if (uids is null) return deleted;
        var wanted = new HashSet<uint>(uids);
        return [.. deleted.Where(wanted.Contains)];
    }

    /// <summary>Removes those that are still flagged \Deleted.</summary>
    public static void Remove(WriteTransaction transaction, Notifier notifier, long mailboxId, IReadOnlyList<uint> uids, List<uint> gone, DateTimeOffset now, OwnChange? own = null, bool keep = false)
    {
        if (MailboxTable.Get(transaction, mailboxId) is not { } mailbox) return;
        var rows = Flags.Rows(transaction, mailboxId, uids);
        rows.RemoveAll(row => (row.Flags & MessageFlags.Deleted) == 0);
        var modseq = Take(transaction, notifier, mailbox, rows, now, keep);
        if (rows.Count > 0) own?.Add(mailbox.ModSeq, modseq);
        gone.AddRange(rows.Select(row => row.Uid));
    }

    /// <summary>Takes rows out of a mailbox; the last reference takes the body with it.</summary>
    /// <param name="keep">They can be brought back: their rows go elsewhere, with the references.</param>
    /// <returns>The modification sequence.</returns>
    public static long Take(WriteTransaction transaction, Notifier notifier, Mailbox mailbox, List<MessageRow> rows, DateTimeOffset now, bool keep = false)
    {
        if (rows.Count == 0) return mailbox.ModSeq;
        var bytes = rows.Sum(row => row.Size);
        var modseq = MailboxTable.Use(transaction, mailbox.AccountId, -bytes, -rows.Count, 0) ?? mailbox.ModSeq;
        foreach (var run in UidRun.Of(rows.Select(row => row.Uid)))
        {
            if (keep) KeptTable.Keep(transaction, mailbox.AccountId, mailbox.Id, run, now);
            MessageTable.Expunge(transaction, mailbox.Id, run, modseq, now);
        }
        if (!keep)
            foreach (var row in rows) Changes.Refer(transaction, row.ContentId, -1);
        ReaderTable.Remove(transaction, mailbox.Id, rows.Select(row => row.Uid));
        MailboxTable.Adjust(transaction, mailbox.Id, -rows.Count,
            -rows.Count(row => !row.Flags.HasFlag(MessageFlags.Seen)), -rows.Count(row => row.Flags.HasFlag(MessageFlags.Deleted)), -bytes, modseq);
        Changes.Add(transaction, notifier, mailbox.AccountId, mailbox.Id, modseq);
        return modseq;
    }
}
