using CbaMail.Mailboxes;

namespace CbaMail.Backup;

/// <summary>Shared mailboxes: lists of rights (RFC 4314), annotations (RFC 5464), and what everybody has seen in the mailboxes of others.</summary>
sealed class SharingCheck(Inspection inspection)
{
    public void Run()
    {
        using var read = inspection.Store.Read();
        foreach (var id in SharingTable.MissingMailboxes(read))
            inspection.Report(new Finding("sharing", $"mailbox {id} is gone, but rights, annotations or marks of readers of it are noted still"), $"What was noted of mailbox {id}, which is gone, was removed.",
                write => SharingTable.RemoveAll(write, id));
        foreach (var id in SharingTable.WronglyShared(read))
            if (MailboxTable.Get(read, id) is { } mailbox)
                Report(mailbox, mailbox.IsShared ? "it is noted as shared, and has no list of rights" : "it has a list of rights, and is noted as not shared", "whether it has a list of rights was set right", write => SharingTable.SetShared(write, id));
        var known = inspection.Addresses(read);
        foreach (var (id, identifier, rights) in SharingTable.Entries(read))
        {
            if (MailboxTable.Get(read, id) is not { } mailbox) continue;
            var who = identifier.StartsWith('-') ? identifier[1..] : identifier;
            // whoever gets the name later is not to have its rights
            if (who.Contains('@') && !known.Contains(who))
                Report(mailbox, $"its list of rights names {who}, which is no account", $"{identifier} was taken out of its list of rights", write => AclTable.Remove(write, id, identifier));
            else if ((rights & ~(long)Rights.All) != 0 || rights == 0)
                Report(mailbox, $"its list of rights gives {identifier} what are no rights ({rights})", $"the rights of {identifier} were set right", write =>
                {
                    if ((rights & (long)Rights.All) == 0) AclTable.Remove(write, id, identifier);
                    else AclTable.Put(write, id, identifier, (Rights)(rights & (long)Rights.All));
                });
        }
        foreach (var account in SharingTable.Annotators(read))
            if (!inspection.IsKnown(read, account))
                inspection.Report(new Finding("sharing", $"annotations of account {account} are noted, which the directory does not know"), $"The annotations of account {account}, which is gone, were removed.", write => AnnotationTable.Forget(write, account));
        foreach (var reader in SharingTable.Readers(read))
        {
            if (MailboxTable.Get(read, reader.MailboxId) is not { } mailbox) continue;
            if (reader.AccountId == mailbox.AccountId || !inspection.IsKnown(read, reader.AccountId))
                Report(mailbox, $"what {inspection.Name(reader.AccountId)} has seen is noted apart, as of a reader", "that was removed", write => SharingTable.RemoveReader(write, reader.MailboxId, reader.AccountId));
            else if (reader.Noted != reader.Seen || reader.Gone > 0)
                Report(mailbox, $"{inspection.Name(reader.AccountId)} has seen {Math.Max(0, reader.Noted)} messages as is noted; there are {reader.Seen}, and {reader.Gone} marks of messages that are gone", $"what {inspection.Name(reader.AccountId)} has seen was counted anew",
                    write => SharingTable.Recount(write, reader.MailboxId, reader.AccountId));
        }
    }

    void Report(Mailbox mailbox, string problem, string done, Action<Storage.WriteTransaction> mend)
    {
        var name = inspection.Name(mailbox.AccountId);
        inspection.Report(new Finding("sharing", problem) { Account = name, Mailbox = mailbox.Name }, $"{name}, {mailbox.Name}: {done}.", mend);
    }
}
