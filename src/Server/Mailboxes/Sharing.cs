using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>SETACL and DELETEACL (RFC 4314 3.1, 3.2). Whoever has the mailbox open hears of it as of any other change.</summary>
static class Sharing
{
    /// <summary>Entries of one list.</summary>
    const int Most = 1000;

    public static Refusal? Set(WriteTransaction transaction, Notifier notifier, MailStore mail, long mailboxId, string identifier, bool isOwner, RightsMode mode, Rights rights)
    {
        if (MailboxTable.Get(transaction, mailboxId) is not { } mailbox) return Refusal.NoSuchMailbox;
        var entries = AclTable.Of(transaction, mailboxId);
        var at = entries.FindIndex(entry => entry.Identifier == identifier);
        var before = at >= 0 ? entries[at].Rights : isOwner ? Rights.All : Rights.None;
        var after = mode switch { RightsMode.Add => before | rights, RightsMode.Remove => before & ~rights, _ => rights };
        if (isOwner) after |= Rights.Kept;
        if (at < 0 && entries.Count >= Most) return Refusal.TooMany.Because($"An access control list has {Most} entries at most");
        // nothing given is the same as no entry; nothing but all given to the owner as well
        if (after == Rights.None || (isOwner && after == Rights.All)) AclTable.Remove(transaction, mailboxId, identifier);
        else AclTable.Put(transaction, mailboxId, identifier, after);
        Tell(transaction, notifier, mail, mailbox);
        return null;
    }

    public static Refusal? Delete(WriteTransaction transaction, Notifier notifier, MailStore mail, long mailboxId, string identifier)
    {
        if (MailboxTable.Get(transaction, mailboxId) is not { } mailbox) return Refusal.NoSuchMailbox;
        AclTable.Remove(transaction, mailboxId, identifier);
        Tell(transaction, notifier, mail, mailbox);
        return null;
    }

    public static void Forget(WriteTransaction transaction, MailStore mail, string address)
    {
        AclTable.Forget(transaction, address);
        transaction.OnCommitted(mail.RightsChanged);
    }

    static void Tell(WriteTransaction transaction, Notifier notifier, MailStore mail, Mailbox mailbox)
    {
        transaction.OnCommitted(mail.RightsChanged);
        Changes.Add(transaction, notifier, mailbox.AccountId, mailbox.Id, mailbox.ModSeq);
    }
}
