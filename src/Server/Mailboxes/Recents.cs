using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>
/// Which messages are \Recent to the next session that selects a mailbox (RFC 3501 2.3.2). Who selects has them at once and nobody else does; the row
/// learns of it beside him. After a power cut in between they are \Recent once more, as they should be where it cannot be told.
/// </summary>
sealed class Recents(Store store)
{
    readonly Lock gate = new();
    readonly Dictionary<long, uint> claimed = []; // what the rows do not say yet

    /// <summary>The first UID that is nobody's yet.</summary>
    public uint From(Mailbox mailbox)
    {
        lock (gate) return Math.Max(mailbox.RecentUid, claimed.GetValueOrDefault(mailbox.Id));
    }

    /// <summary>Takes them: those from the first UID on and below the second.</summary>
    public (uint From, uint To) Claim(long mailboxId)
    {
        uint from, to;
        lock (gate) // with the look: a claim leaves this place only when it can be seen there
        {
            using var read = store.Read();
            if (MailboxTable.Get(read, mailboxId) is not { } mailbox) return (uint.MaxValue, uint.MaxValue);
            (from, to) = (Math.Max(mailbox.RecentUid, claimed.GetValueOrDefault(mailboxId)), mailbox.UidNext);
            if (from >= to) return (to, to);
            claimed[mailboxId] = to;
        }
        // a disk that takes nothing can still be read: then this is all that knows of it
        store.StartCommit(transaction =>
        {
            MailboxTable.SetRecent(transaction, mailboxId, to);
            transaction.OnCommitted(() => Forget(mailboxId, to));
            return 0;
        }).ContinueWith(static failed => failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return (from, to);
    }

    void Forget(long mailboxId, uint to)
    {
        lock (gate)
            if (claimed.GetValueOrDefault(mailboxId) == to) claimed.Remove(mailboxId);
    }
}
