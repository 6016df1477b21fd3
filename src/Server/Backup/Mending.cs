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
            await RebuildAsync();
            await SalvageAsync();
            await ForgetKeptAsync();
        }
        if (options.Lost.Count > 0) await RecoverAsync();
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

    // ---- bodies whose rows are lost and whose records are there

    async Task RebuildAsync()
    {
        var lost = inspection.Damages.Values.Where(damage => damage is { Kind: RecordKind.Content, Row: null, Messages.Count: > 0 }).ToDictionary(damage => damage.Id);
        if (lost.Count == 0) return;
        foreach (var (head, message) in new LostBodies(inspection).Find((_, head) => lost.ContainsKey(head.Id)))
        {
            var damage = lost[head.Id];
            var first = damage.Messages[0];
            long? expected;
            using (var read = inspection.Store.Read()) expected = VerifyTable.SizeWithoutPrefix(read, first.MailboxId, first.Uid);
            using var staged = mail.Stage(message);
            if (expected != message.Length) continue; // a large part of it is not known: as far as it can be read, below
            var size = await inspection.Store.StartCommit(write =>
            {
                var content = mail.AddContent(write, staged);
                var rows = VerifyTable.Repoint(write, damage.Id, content.Id);
                if (rows > 0) mail.AddReference(write, content.Id, rows);
                return rows;
            }, inspection.Cancel);
            if (size == 0) continue;
            lost.Remove(head.Id);
            restored.Add((RecordKind.Content, head.Id));
            Done($"Body {head.Id}, whose row was lost, was made again from its record; {size} messages hold it.");
            if (lost.Count == 0) return;
        }
    }

    /// <summary>Mail that arrived while the log was written that is now missing: whom it names finds it.</summary>
    async Task RecoverAsync()
    {
        Owners owners;
        using (var read = inspection.Store.Read()) owners = new Owners(read);
        var (count, nobody) = (0, 0);
        foreach (var (_, message) in new LostBodies(inspection).Find((location, _) => options.Lost.Contains(location)))
        {
            using var staged = mail.Stage(message);
            var whose = owners.Of(staged.Envelope);
            if (whose.Count == 0) nobody++;
            else
                await inspection.Store.StartCommit(write =>
                {
                    var content = mail.AddContent(write, staged);
                    foreach (var owner in whose) inspection.Recover(write, owner, content, []);
                    return 0;
                }, inspection.Cancel);
            count++;
        }
        if (count > nobody) Done($"{count - nobody} messages whose rows stood in the missing log are in the mailbox \"{Owners.Mailbox}\" of those whom they name.");
        if (nobody > 0) report(new Finding("note", $"{nobody} messages of the missing log name nobody here; they stay in the packs"));
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

    // what was expunged and is damaged can not be brought back; of what a mailbox holds as well, the mailbox has what could be read
    async Task ForgetKeptAsync()
    {
        foreach (var damage in inspection.Damages.Values)
        {
            if (damage.Kind != RecordKind.Content || IsWhole(damage)) continue;
            var gone = await inspection.Store.StartCommit(write =>
            {
                var rows = KeptTable.Erase(write, damage.Id);
                if (rows > 0 && VerifyTable.Exists(write, RecordKind.Content, damage.Id)) mail.DropReference(write, damage.Id, rows);
                return rows;
            }, inspection.Cancel);
            if (gone > 0) Done($"{gone} expunged messages that were kept held body {damage.Id}, which is lost: they cannot be brought back any more.");
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
