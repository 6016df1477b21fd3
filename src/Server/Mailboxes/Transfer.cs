using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>COPY and MOVE (RFC 9051 6.4.7, RFC 6851): rows only, bodies stay where they are. All or nothing.</summary>
static class Transfer
{
    public static Result<Copied> Copy(WriteTransaction transaction, Notifier notifier, long mailboxId, IReadOnlyList<uint> uids, long destinationId, long quota, Rights rights, DateTimeOffset now)
    {
        if (MailboxTable.Get(transaction, mailboxId) is null || MailboxTable.Get(transaction, destinationId) is not { } destination) return Refusal.NoSuchMailbox;
        var rows = Flags.Rows(transaction, mailboxId, uids).ToList();
        return Copy(transaction, notifier, mailboxId, rows, destination, quota, now, rights);
    }

    public static Result<Copied> Move(WriteTransaction transaction, Notifier notifier, long mailboxId, IReadOnlyList<uint> uids, long destinationId, long quota, Rights rights, DateTimeOffset now)
    {
        if (MailboxTable.Get(transaction, mailboxId) is not { } source || MailboxTable.Get(transaction, destinationId) is not { } destination) return Refusal.NoSuchMailbox;
        var rows = Flags.Rows(transaction, mailboxId, uids).ToList();
        // moving within an account takes no space
        var copied = Copy(transaction, notifier, mailboxId, rows, destination, source.AccountId == destination.AccountId ? 0 : quota, now, rights);
        if (copied.Ok) Expunge.Take(transaction, notifier, MailboxTable.Get(transaction, mailboxId)!, rows, now);
        return copied;
    }

    public static Result<Copied> Copy(WriteTransaction transaction, Notifier notifier, long mailboxId, List<MessageRow> rows, Mailbox destination, long quota, DateTimeOffset now, Rights rights = Rights.All)
    {
        var kept = Access.FlagsOf(rights);
        if (rows.Count == 0) return new Copied(destination.UidValidity, []);
        if (MailboxTable.Use(transaction, destination.AccountId, rows.Sum(row => row.Size), rows.Count, quota) is not { } modseq) return Refusal.OverQuota;
        var pairs = new List<(uint, uint)>(rows.Count);
        foreach (var row in rows)
        {
            var flags = row.Flags & kept;
            var taken = MailboxTable.TakeUid(transaction, destination.Id, flags.HasFlag(MessageFlags.Seen), flags.HasFlag(MessageFlags.Deleted), row.Size, modseq)!.Value;
            MessageTable.Copy(transaction, mailboxId, row.Uid, destination.Id, taken.Uid, flags, (rights & Rights.Write) != 0 ? row.Keywords : null, now, modseq);
            Changes.Refer(transaction, row.ContentId, 1);
            pairs.Add((row.Uid, taken.Uid));
        }
        Changes.Add(transaction, notifier, destination.AccountId, destination.Id, modseq);
        return new Copied(destination.UidValidity, pairs);
    }
}
