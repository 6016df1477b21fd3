using CbaMail.Mailboxes;
using CbaMail.Storage.Blobs;

namespace CbaMail.Backup;

/// <summary>Mends what an inspection found: rows by their differences, records from wherever they still are, lost messages by what is left of them.</summary>
sealed class Mending(Inspection inspection, MailStore mail, VerifyOptions options, Action<Finding> report)
{
    /// <summary>Rows that one commit changes at most, so that others get in between.</summary>
    const int RowsPerCommit = 200;
    /// <summary>Messages named of one body; the rest is counted.</summary>
    const int MostNamed = 10;

    readonly HashSet<(RecordKind, long)> restored = [];
    long mended;

    /// <returns>How many things were done.</returns>
    public async Task<long> RunAsync()
    {
        foreach (var fix in inspection.Fixes)
        {
            await inspection.Store.StartCommit(write => { fix.Mend(write); return 0; }, inspection.Cancel);
            Done(fix.Done);
        }
        if (inspection.Damages.Count > 0)
        {
            await RestoreAsync();
            await SalvageAsync();
        }
        return mended;
    }

    void Done(string sentence)
    {
        mended++;
        report(new Finding("repaired", sentence));
    }

    // ---- records that are still whole somewhere

    async Task RestoreAsync()
    {
        using var sources = new RecordSources(inspection.Store, options.From, inspection.Damages.Values);
        foreach (var damage in inspection.Damages.Values)
        {
            if (damage.Row is not { } row || damage.Because is not null || sources.Find(row) is not var (record, where)) continue;
            using (record)
                if (!await inspection.Store.StartCommit(write => Replace(write, row, record), inspection.Cancel)) continue;
            restored.Add((damage.Kind, damage.Id));
            Done($"{(damage.Kind == RecordKind.Content ? "Body" : "Large part")} {damage.Id} is whole again: {where}.");
        }
    }

    bool Replace(Storage.WriteTransaction write, StoredRow row, PackRecord record)
    {
        if (!VerifyTable.IsAt(write, row)) return false; // removed or rewritten meanwhile
        write.BodiesFirst(); // the row is an old one: a crash must not find it without its record and take it for unacknowledged
        var location = write.Append(record, row.Id);
        VerifyTable.SetLocation(write, row, location);
        write.Drop(row.Location);
        return true;
    }

    // ---- messages that are lost: what can be read of them, in their place

    async Task SalvageAsync()
    {
        foreach (var damage in inspection.Damages.Values)
        {
            if (damage.Kind != RecordKind.Content || damage.Messages.Count == 0 || IsWhole(damage)) continue;
            var first = damage.Messages[0];
            Remains remains;
            using (var read = inspection.Store.Read())
                remains = Remains.Gather(inspection, damage, ContentTable.Get(read, damage.Id), MessageTable.Get(read, first.MailboxId, first.Uid), inspection.Name(first.AccountId));
            using var staged = mail.Stage(remains.Letter());
            var named = 0;
            for (var at = 0; at < damage.Messages.Count; at += RowsPerCommit)
            {
                var piece = damage.Messages.GetRange(at, Math.Min(RowsPerCommit, damage.Messages.Count - at));
                var done = await inspection.Store.StartCommit(write => Exchange(write, damage.Id, staged, piece), inspection.Cancel);
                foreach (var (message, uid) in done)
                    if (++named <= MostNamed)
                        Done($"{inspection.Name(message.AccountId)}, {message.Mailbox}, UID {message.Uid}, \"{remains.Subject}\": the body is lost; what could be read ({remains.Saved}) stands in its place as UID {uid}.");
                    else mended++;
            }
            if (named > MostNamed) report(new Finding("repaired", $"The same was done for {named - MostNamed} more messages that held body {damage.Id}."));
        }
    }

    bool IsWhole(Damage damage) => restored.Contains((damage.Kind, damage.Id)) || (damage.Because is { } cause && restored.Contains(cause));

    // the old message is expunged, so its UID stays used (RFC 9051 2.3.1.1); the new one has its flags, keywords and INTERNALDATE
    List<((long AccountId, long MailboxId, string Mailbox, uint Uid) Message, uint Uid)> Exchange(
        Storage.WriteTransaction write, long lost, StagedMessage staged, List<(long AccountId, long MailboxId, string Mailbox, uint Uid)> messages)
    {
        var done = new List<((long, long, string, uint), uint)>();
        var content = mail.AddContent(write, staged);
        foreach (var message in messages)
        {
            if (MessageTable.Get(write, message.MailboxId, message.Uid) is not { } row || row.ContentId != lost) continue;
            var prefix = VerifyTable.Prefix(write, message.MailboxId, message.Uid);
            Expunge.Take(write, mail.Notifier, MailboxTable.Get(write, message.MailboxId)!, [row], inspection.Now);
            var added = mail.AddMessage(write, message.MailboxId, new NewMessage(content, prefix, row.Flags, row.Keywords?.Split(' ') ?? [], row.Received), quota: 0);
            if (!added.Ok) throw new InvalidOperationException(added.Refusal.Sentence); // undoes the expunge
            done.Add((message, added.Value.Uid));
        }
        return done;
    }
}
