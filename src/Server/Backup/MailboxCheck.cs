using CbaMail.Mailboxes;
using CbaMail.Storage.Blobs;

namespace CbaMail.Backup;

/// <summary>Mailboxes and what they say of themselves: counters, UIDs, modification sequences, usage, and that every message has its body.</summary>
sealed class MailboxCheck(Inspection inspection)
{
    const int RowsAtOnce = 1000;

    public async Task RunAsync()
    {
        List<long> accounts, missing;
        using (var read = inspection.Store.Read())
        {
            accounts = VerifyTable.Accounts(read);
            missing = VerifyTable.MissingMailboxes(read);
        }
        foreach (var id in missing) Missing(id);
        foreach (var account in accounts)
        {
            var begun = inspection.Begin();
            var mailboxes = Account(account);
            await inspection.RestAsync(begun);
            foreach (var mailbox in mailboxes) await RowsAsync(mailbox);
        }
    }

    // by its messages it is known whose it was, not what its name was
    void Missing(long id)
    {
        const int asked = 200;
        long count;
        long? owner;
        using (var read = inspection.Store.Read())
        {
            count = VerifyTable.Count(read, id);
            var owners = new Owners(read);
            owner = VerifyTable.Orphans(read, id, asked).SelectMany(row => owners.Of(row.Prefix, row.Envelope)).GroupBy(one => one).MaxBy(group => group.Count())?.Key;
        }
        if (count == 0)
            inspection.Report(new Finding("mailbox", $"mailbox {id} is gone, but what was expunged from it is noted still"), $"The notes on what was expunged from mailbox {id}, which is gone, were removed.",
                write => VerifyTable.ForgetExpunged(write, id));
        else if (owner is { } account)
            inspection.Report(new Finding("mailbox", $"mailbox {id} is gone, but {count} messages of it are there") { Account = inspection.Name(account) },
                $"{inspection.Name(account)}: the {count} messages of a mailbox that is gone are in a new one, \"{Owners.Mailbox}\".", write =>
                {
                    var name = Owners.Mailbox;
                    for (var i = 2; MailboxTable.Find(write, account, name) is not null; i++) name = $"{Owners.Mailbox} {i}";
                    VerifyTable.Adopt(write, id, Hierarchy.Insert(write, account, name, null, inspection.Now));
                });
        else
            inspection.Report(new Finding("mailbox", $"mailbox {id} is gone, but {count} messages of it are there, and none says whose it was: make an account with the role admin and repair again, and they are put there"));
    }

    // one snapshot an account: its usage is the sum of its mailboxes, and each of these the sum of its rows
    List<Mailbox> Account(long accountId)
    {
        using var read = inspection.Store.Read();
        var mailboxes = MailboxTable.All(read, accountId);
        var usage = VerifyTable.Usage(read, accountId);
        if (usage is null && mailboxes.Count == 0) return mailboxes;
        var name = inspection.IsKnown(read, accountId) ? inspection.Name(accountId) : $"account {accountId} (which the directory does not know)";
        inspection.Accounts++;
        inspection.Mailboxes += mailboxes.Count;
        long bytes = 0, messages = 0, modseq = 1;
        var lastValidity = VerifyTable.LastUidValidity(read);
        foreach (var mailbox in mailboxes)
        {
            var sums = VerifyTable.Sums(read, mailbox.Id);
            Compare(name, mailbox, sums);
            if (mailbox.UidValidity == 0 || mailbox.UidValidity > lastValidity)
                inspection.Report(new Finding("uid", $"UIDVALIDITY {mailbox.UidValidity} is greater than the last that was given out, {lastValidity}") { Account = name, Mailbox = mailbox.Name },
                    $"{name}, {mailbox.Name}: later UIDVALIDITYs will be greater than {mailbox.UidValidity}.", write => VerifyTable.RaiseUidValidity(write, mailbox.UidValidity));
            foreach (var uid in VerifyTable.ExpungedAndPresent(read, mailbox.Id))
                inspection.Report(new Finding("expunged", "the message is there and noted as expunged") { Account = name, Mailbox = mailbox.Name, Uid = uid },
                    $"{name}, {mailbox.Name}, UID {uid}: the note that it was expunged was removed.", write => VerifyTable.DropExpunged(write, mailbox.Id, uid));
            bytes += sums.Bytes;
            messages += sums.Messages;
            modseq = Math.Max(modseq, Math.Max(mailbox.ModSeq, sums.LastModSeq));
        }
        var kept = usage ?? (0, 0, 0);
        if (usage is null || kept.Bytes != bytes || kept.Messages != messages || kept.ModSeq < modseq)
            inspection.Report(new Finding(kept.ModSeq < modseq ? "modseq" : "counters",
                $"the account's usage is noted as {kept.Messages} messages, {kept.Bytes} bytes, modification sequence {kept.ModSeq}; there are {messages}, {bytes}, {modseq}")
            { Account = name },
                $"{name}: usage was counted anew: {messages} messages, {bytes} bytes.",
                write => VerifyTable.AdjustUsage(write, accountId, bytes - kept.Bytes, messages - kept.Messages, modseq));
        return mailboxes;
    }

    void Compare(string name, Mailbox mailbox, MailboxSums sums)
    {
        if ((mailbox.Messages, mailbox.Unseen, mailbox.Deleted, mailbox.Bytes) != (sums.Messages, sums.Unseen, sums.Deleted, sums.Bytes))
            inspection.Report(new Finding("counters",
                $"noted are {mailbox.Messages} messages, {mailbox.Unseen} unseen, {mailbox.Deleted} deleted, {mailbox.Bytes} bytes; there are {sums.Messages}, {sums.Unseen}, {sums.Deleted}, {sums.Bytes}")
            { Account = name, Mailbox = mailbox.Name },
                $"{name}, {mailbox.Name}: counted anew: {sums.Messages} messages, {sums.Unseen} unseen, {sums.Deleted} deleted, {sums.Bytes} bytes.",
                write => VerifyTable.AdjustMailbox(write, mailbox.Id, sums.Messages - mailbox.Messages, sums.Unseen - mailbox.Unseen, sums.Deleted - mailbox.Deleted, sums.Bytes - mailbox.Bytes));
        if (sums.LastUid >= mailbox.UidNext || mailbox.RecentUid > mailbox.UidNext)
            inspection.Report(new Finding("uid", $"the next UID is {mailbox.UidNext}, but {sums.LastUid} has been given out") { Account = name, Mailbox = mailbox.Name },
                $"{name}, {mailbox.Name}: the next UID is now {sums.LastUid + 1}.", write => VerifyTable.RaiseMailbox(write, mailbox.Id, sums.LastUid + 1, 0));
        if (sums.LastModSeq > mailbox.ModSeq)
            inspection.Report(new Finding("modseq", $"the modification sequence is {mailbox.ModSeq}, but a message has {sums.LastModSeq}") { Account = name, Mailbox = mailbox.Name },
                $"{name}, {mailbox.Name}: the modification sequence is now {sums.LastModSeq}.", write => VerifyTable.RaiseMailbox(write, mailbox.Id, 0, sums.LastModSeq));
    }

    async Task RowsAsync(Mailbox mailbox)
    {
        for (uint from = 1; ;)
        {
            var begun = inspection.Begin();
            List<(uint Uid, long ContentId, long Size, long? Whole)> rows;
            using (var read = inspection.Store.Read()) rows = VerifyTable.Rows(read, mailbox.Id, from, RowsAtOnce);
            foreach (var row in rows)
            {
                if (row.Whole is null) inspection.Add(new Damage(RecordKind.Content, row.ContentId, null, "the row of its body is gone"));
                else if (row.Whole != row.Size) WrongSize(mailbox, row.Uid, row.Size, row.Whole.Value);
                if (inspection.Damages.TryGetValue((RecordKind.Content, row.ContentId), out var damage)) damage.Messages.Add((mailbox.AccountId, mailbox.Id, mailbox.Name, row.Uid));
            }
            inspection.Messages += rows.Count;
            inspection.Advance(rows.Count);
            if (rows.Count < RowsAtOnce || rows[^1].Uid == uint.MaxValue) return;
            from = rows[^1].Uid + 1;
            await inspection.RestAsync(begun);
        }
    }

    void WrongSize(Mailbox mailbox, uint uid, long kept, long whole)
    {
        var name = inspection.Name(mailbox.AccountId);
        inspection.Report(new Finding("size", $"the message is {whole} bytes long, its row says {kept}") { Account = name, Mailbox = mailbox.Name, Uid = uid },
            $"{name}, {mailbox.Name}, UID {uid}: the size was set right, {whole} bytes.",
            write => VerifyTable.SetMessageSize(write, mailbox.AccountId, mailbox.Id, uid));
    }
}
