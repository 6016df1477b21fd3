using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>A message that a client uploads.</summary>
/// <param name="Received">INTERNALDATE, or null for now.</param>
public readonly record struct Upload(StagedMessage Staged, MessageFlags Flags, IReadOnlyList<string> Keywords, DateTimeOffset? Received);

/// <summary>APPEND of many (RFC 3502) and REPLACE (RFC 8508): in one commit, all or nothing.</summary>
static class Appending
{
    public static Result<List<Appended>> Add(WriteTransaction transaction, MailStore mail, long mailboxId, IReadOnlyList<Upload> uploads, long quota, long reader, DateTimeOffset now)
    {
        if (MailboxTable.Get(transaction, mailboxId) is not { } mailbox) return Refusal.NoSuchMailbox;
        // what can fail comes first: a refusal must have left nothing behind
        if (MailboxTable.Use(transaction, mailbox.AccountId, uploads.Sum(upload => upload.Staged.Size), uploads.Count, quota) is not { } modseq) return Refusal.OverQuota;
        // RFC 4314 2.1, s: whose mailbox it is not, has \Seen for himself
        var kept = reader == 0 ? ~MessageFlags.None : ~MessageFlags.Seen;
        var (uid, uidValidity) = MailboxTable.TakeUids(transaction, mailboxId, uploads.Count, uploads.Count(upload => (upload.Flags & kept & MessageFlags.Seen) == 0),
            uploads.Count(upload => (upload.Flags & MessageFlags.Deleted) != 0), uploads.Sum(upload => upload.Staged.Size), modseq)!.Value;
        var appended = new List<Appended>(uploads.Count);
        var seen = new List<uint>();
        foreach (var upload in uploads)
        {
            var content = mail.AddContent(transaction, upload.Staged);
            var message = new NewMessage(content, default, upload.Flags & kept, upload.Keywords, upload.Received ?? now);
            if (message.Flags != upload.Flags) seen.Add(uid);
            MessageTable.Insert(transaction, mailboxId, uid, message, content.Size, mail.KeywordRoom.Fit(transaction, mailboxId, Keywords.Of(upload.Keywords), null), now, modseq);
            Changes.Refer(transaction, content.Id, 1);
            appended.Add(new Appended(uidValidity, uid++, modseq));
        }
        if (seen.Count > 0) Readers.Mark(transaction, mailboxId, reader, seen, modseq);
        Changes.Add(transaction, mail.Notifier, mailbox.AccountId, mailboxId, modseq);
        return appended;
    }

    /// <summary>RFC 8508 3.4: only what the account uses more in the end counts against its quota.</summary>
    public static Result<Appended> Replace(WriteTransaction transaction, MailStore mail, long mailboxId, in Upload upload, long quota, long reader, long oldMailboxId, uint oldUid, DateTimeOffset now)
    {
        if (MailboxTable.Get(transaction, oldMailboxId) is not { } from || MessageTable.Get(transaction, oldMailboxId, oldUid) is not { } old) return Refusal.NoSuchThing;
        if (MailboxTable.Get(transaction, mailboxId) is not { } mailbox) return Refusal.NoSuchMailbox;
        if (quota > 0 && from.AccountId == mailbox.AccountId)
        {
            var more = upload.Staged.Size - old.Size;
            if (more > 0 && MailboxTable.Usage(transaction, mailbox.AccountId).Bytes + more > quota) return Refusal.OverQuota;
            quota = 0;
        }
        var keywords = mail.KeywordRoom.Fit(transaction, mailboxId, Keywords.Of(upload.Keywords), null)?.Split(' ') ?? [];
        var added = mail.AddMessage(transaction, mailboxId, new NewMessage(mail.AddContent(transaction, upload.Staged), default, upload.Flags, keywords, upload.Received ?? now), quota, reader);
        if (added.Ok) Expunge.Take(transaction, mail.Notifier, MailboxTable.Get(transaction, oldMailboxId)!, [old], now);
        return added;
    }
}
