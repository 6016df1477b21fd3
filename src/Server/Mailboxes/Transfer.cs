using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>COPY and MOVE (RFC 9051 6.4.7, RFC 6851): rows only, bodies stay where they are. All or nothing.</summary>
static class Transfer
{
    public static Result<Copied> Copy(WriteTransaction transaction, Notifier notifier, long mailboxId, IReadOnlyList<uint> uids, long destinationId, long quota, DateTimeOffset now)
    {
        if (MailboxTable.Get(transaction, mailboxId) is null || MailboxTable.Get(transaction, destinationId) is not { } destination) return Refusal.NoSuchMailbox;
        var rows = Flags.Rows(transaction, mailboxId, uids).ToList();
        return Copy(transaction, notifier, mailboxId, rows, destination, quota, now);
    }

    public static Result<Copied> Move(WriteTransaction transaction, Notifier notifier, long mailboxId, IReadOnlyList<uint> uids, long destinationId, DateTimeOffset now)
    {
        if (MailboxTable.Get(transaction, mailboxId) is null || MailboxTable.Get(transaction, destinationId) is not { } destination) return Refusal.NoSuchMailbox;
        var rows = Flags.Rows(transaction, mailboxId, uids).ToList();
        var copied = Copy(transaction, notifier, mailboxId, rows, destination, 0, now); // moving within an account takes no space
        if (copied.Ok) Expunge.Take(transaction, notifier, MailboxTable.Get(transaction, mailboxId)!, rows, now);
        return copied;
    }

    public static Result<Copied> Copy(WriteTransaction transaction, Notifier notifier, long mailboxId, List<MessageRow> rows, Mailbox destination, long quota, DateTimeOffset now)
    {
        if (rows.Count == 0) return new Copied(destination.UidValidity, []);
        if (MailboxTable.Use(transaction, destination.AccountId, rows.Sum(row => row.Size), rows.Count, quota) is not { } modseq) return Refusal.OverQuota;
        var pairs = new List<(uint, uint)>(rows.Count);
        foreach (var row in rows)
        {
            var taken = MailboxTable.TakeUid(transaction, destination.Id, row.Flags.HasFlag(MessageFlags.Seen), row.Flags.HasFlag(MessageFlags.Deleted), row.Size, modseq)!.Value;
            MessageTable.Copy(transaction, mailboxId, row.Uid, destination.Id, taken.Uid, now, modseq);
            Changes.Refer(transaction, row.ContentId, 1);
            pairs.Add((row.Uid, taken.Uid));
        }
        Changes.Add(transaction, notifier, destination.AccountId, destination.Id, modseq);
        return new Copied(destination.UidValidity, pairs);
    }
}
