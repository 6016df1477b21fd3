using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>CREATE, DELETE, RENAME, SUBSCRIBE (RFC 9051 6.3.4-6.3.8) and what removing a mailbox takes with it.</summary>
static class Hierarchy
{
    const int MailboxesPerAccount = 10_000;

    public static Result<Mailbox> Create(WriteTransaction transaction, long accountId, string name, string? specialUse, DateTimeOffset now)
    {
        var normal = MailboxName.Normalize(name);
        if (!normal.Ok) return normal.Refusal;
        name = normal.Value;
        if (MailboxTable.Find(transaction, accountId, name) is not null) return Refusal.AlreadyExists.Because("A mailbox of this name exists already");
        if (MailboxTable.Count(transaction, accountId) >= MailboxesPerAccount) return Refusal.TooMany.Because($"The account has {MailboxesPerAccount} mailboxes already");
        // RFC 6154 3: a use that another mailbox has cannot be given twice
        if (specialUse is not null && MailboxTable.All(transaction, accountId).Exists(m => m.SpecialUse == specialUse)) return Refusal.NotPossible with { ImapCode = "USEATTR", Sentence = $"Another mailbox is {specialUse} already" };
        // RFC 9051 6.3.4: superior names are created with it
        foreach (var above in MailboxName.Above(name))
            if (MailboxTable.Find(transaction, accountId, above) is null) Insert(transaction, accountId, above, null, now);
        return MailboxTable.Get(transaction, Insert(transaction, accountId, name, specialUse, now))!;
    }

    public static long Insert(WriteTransaction transaction, long accountId, string name, string? specialUse, DateTimeOffset now)
    {
        MailboxTable.InsertUsage(transaction, accountId);
        var modseq = MailboxTable.Use(transaction, accountId, 0, 0, 0)!.Value;
        // RFC 9051 6.3.4 knows of no subscription by CREATE; one that was left from before holds again
        var subscribed = specialUse is not null || name == "INBOX" || MailboxTable.TakeSubscription(transaction, accountId, name);
        var id = MailboxTable.Insert(transaction, accountId, name, specialUse, subscribed, transaction.NextUidValidity(now), modseq, now);
        // RFC 4314 4: with the rights of the nearest one above
        foreach (var above in MailboxName.Above(name).Reverse())
        {
            if (MailboxTable.Find(transaction, accountId, above) is not { } parent) continue;
            if (parent.IsShared) AclTable.Inherit(transaction, parent.Id, id);
            break;
        }
        return id;
    }

    public static Result<Mailbox> Rename(WriteTransaction transaction, Notifier notifier, long accountId, string from, string to, DateTimeOffset now)
    {
        var (source, target) = (MailboxName.Normalize(from), MailboxName.Normalize(to));
        if (!source.Ok) return source.Refusal;
        if (!target.Ok) return target.Refusal;
        (from, to) = (source.Value, target.Value);
        var all = MailboxTable.All(transaction, accountId);
        if (all.Exists(m => m.Name == to)) return Refusal.AlreadyExists.Because("A mailbox of the new name exists already");
        var below = all.Where(m => m.Name.StartsWith(from + MailboxName.Separator, StringComparison.Ordinal)).ToList();
        var mailbox = all.Find(m => m.Name == from);
        if (mailbox is null && below.Count == 0) return Refusal.NoSuchMailbox;
        if (to.StartsWith(from + MailboxName.Separator, StringComparison.Ordinal) && from != "INBOX") return Refusal.NotPossible.Because("A mailbox cannot be moved below itself");
        // all or nothing: what has been changed would stay changed after a refusal
        if (from != "INBOX" && below.Find(child => all.Exists(m => m.Name == to + child.Name[from.Length..])) is { } taken)
            return Refusal.AlreadyExists.Because($"A mailbox named {to + taken.Name[from.Length..]} exists already");
        // each RENAME would make them longer
        if (from != "INBOX" && below.Select(child => MailboxName.TooLong(to + child.Name[from.Length..])).FirstOrDefault(no => no is not null) is { } tooLong) return tooLong;
        foreach (var above in MailboxName.Above(to))
            if (!all.Exists(m => m.Name == above)) Insert(transaction, accountId, above, null, now);
        if (from == "INBOX")
        {
            // RFC 9051 6.3.6: INBOX stays, its messages go; what lies below it stays too
            var moved = MailboxTable.Get(transaction, Insert(transaction, accountId, to, null, now))!;
            AnnotationTable.Copy(transaction, mailbox!.Id, moved.Id); // RFC 5464 4.1
            var rows = MessageTable.Range(transaction, mailbox.Id, 1, uint.MaxValue);
            Transfer.Copy(transaction, notifier, mailbox, rows, moved, 0, now, Mover.Owner);
            Expunge.Take(transaction, notifier, mailbox, rows, now);
            return MailboxTable.Get(transaction, moved.Id)!;
        }
        foreach (var child in below) MailboxTable.Rename(transaction, child.Id, to + child.Name[from.Length..]);
        if (mailbox is null) return MailboxTable.Get(transaction, Insert(transaction, accountId, to, null, now))!;
        MailboxTable.Rename(transaction, mailbox.Id, to);
        return MailboxTable.Get(transaction, mailbox.Id)!;
    }

    public static Refusal? Delete(WriteTransaction transaction, Notifier notifier, long accountId, string name, DateTimeOffset? keptAt = null)
    {
        var normal = MailboxName.Normalize(name);
        if (!normal.Ok) return normal.Refusal;
        if (normal.Value == "INBOX") return Refusal.NotPossible.Because("INBOX cannot be deleted");
        if (MailboxTable.Find(transaction, accountId, normal.Value) is not { } mailbox) return Refusal.NoSuchMailbox;
        Remove(transaction, notifier, mailbox, keptAt);
        // RFC 9051 6.3.5 and 6.3.7: a subscription is not the server's to end
        if (mailbox.Subscribed && MailboxTable.CountSubscriptions(transaction, accountId) < MailboxesPerAccount) MailboxTable.KeepSubscription(transaction, accountId, mailbox.Name);
        return null;
    }

    public static Refusal? Subscribe(WriteTransaction transaction, long accountId, string name, bool subscribed, bool isOwn)
    {
        var normal = MailboxName.Normalize(name);
        if (!normal.Ok) return normal.Refusal;
        var mine = MailboxTable.Find(transaction, accountId, normal.Value);
        if (mine is null && !isOwn && subscribed)
        {
            MailboxTable.KeepSubscription(transaction, accountId, normal.Value); // of a mailbox that another owns: the name in this account's view
            return null;
        }
        if (mine is null)
            return !subscribed && MailboxTable.TakeSubscription(transaction, accountId, normal.Value) ? null : Refusal.NoSuchMailbox;
        MailboxTable.Subscribe(transaction, mine.Id, subscribed);
        return null;
    }

    /// <summary>The mailbox with all its messages.</summary>
    /// <param name="keptAt">The time, where the messages can be brought back; or null.</param>
    public static void Remove(WriteTransaction transaction, Notifier notifier, Mailbox mailbox, DateTimeOffset? keptAt = null)
    {
        if (keptAt is not null && mailbox.Messages > 0) KeptTable.KeepName(transaction, mailbox.Id, mailbox.Name);
        // that they were there is forgotten with the mailbox
        Expunge.Take(transaction, notifier, mailbox, MessageTable.Range(transaction, mailbox.Id, 1, uint.MaxValue), keptAt ?? DateTimeOffset.UnixEpoch, keptAt is not null);
        MailboxTable.Delete(transaction, mailbox.Id);
        var modseq = MailboxTable.Use(transaction, mailbox.AccountId, 0, 0, 0) ?? mailbox.ModSeq;
        Changes.Add(transaction, notifier, mailbox.AccountId, mailbox.Id, modseq);
    }
}
