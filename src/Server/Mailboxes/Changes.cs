using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>What a transaction changes in mailboxes; published once each after the commit.</summary>
sealed class Changes
{
    readonly List<Change> list = [];

    public static void Add(WriteTransaction transaction, Notifier notifier, long accountId, long mailboxId, long modseq)
    {
        if (transaction.Attached is not Changes changes)
        {
            transaction.Attached = changes = new Changes();
            transaction.OnCommitted(() => { foreach (var change in changes.list) notifier.Publish(change); });
        }
        if (changes.list.Count > 0 && changes.list[^1].MailboxId == mailboxId) changes.list[^1] = new Change(accountId, mailboxId, modseq);
        else changes.list.Add(new Change(accountId, mailboxId, modseq));
    }
}
