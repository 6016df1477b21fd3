using CbaMail.Mailboxes;

namespace CbaMail.Backup;

/// <summary>
/// The messages that an account has now, each to be matched by one of the snapshot: first in the mailbox where it was, then, moved meanwhile,
/// anywhere but in the trash.
/// </summary>
sealed class Presence(MailStore mail, Sameness sameness)
{
    const int Rows = 2000;

    readonly Dictionary<(long, int), List<Copy>> copies = [];
    readonly HashSet<long> trash = [];

    sealed record Copy(long Mailbox, uint Uid, long ContentId)
    {
        public bool IsMatched { get; set; }
    }

    /// <summary>Learns what a mailbox holds, in pieces.</summary>
    public void Add(Mailbox mailbox)
    {
        if (mailbox.SpecialUse == "\\Trash") trash.Add(mailbox.Id);
        for (uint uid = 0; ;)
        {
            List<Candidate> some;
            using (var read = mail.Store.Read()) some = RestoreTable.After(read, mailbox.Id, uid, Rows);
            if (some.Count == 0) return;
            foreach (var one in some)
            {
                if (!copies.TryGetValue(one.Key, out var same)) copies[one.Key] = same = [];
                same.Add(new Copy(mailbox.Id, one.Uid, one.ContentId));
            }
            uid = some[^1].Uid;
        }
    }

    /// <summary>Whether the mailbox has the message; what has been matched is not matched again.</summary>
    public bool TakeIn(long mailbox, in Candidate message, long inMailbox) => Take(mailbox, message, copy => copy.Mailbox == inMailbox);

    /// <summary>Whether it is elsewhere, moved there since.</summary>
    public bool TakeElsewhere(long mailbox, in Candidate message) => Take(mailbox, message, copy => !trash.Contains(copy.Mailbox));

    bool Take(long mailbox, in Candidate message, Func<Copy, bool> counts)
    {
        if (!copies.TryGetValue(message.Key, out var same)) return false;
        foreach (var copy in same)
        {
            if (copy.IsMatched || !counts(copy) || !sameness.IsSame(mailbox, message, copy.Mailbox, copy.Uid, copy.ContentId)) continue;
            return copy.IsMatched = true;
        }
        return false;
    }
}
