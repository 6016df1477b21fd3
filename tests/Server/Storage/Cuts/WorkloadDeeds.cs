using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Queue;
using CbaMail.Storage;
using CbaMail.Tests.Server.Mailboxes;

namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>The deeds: each puts one work into the batch and says what the vault shows once it is done.</summary>
sealed partial class Workload
{
    void Setup()
    {
        for (var i = 1; i <= Accounts; i++)
        {
            var account = i;
            accounts.Add(account);
            Add(store.CommitAsync(t => { mail.CreateAccount(t, account); return 0; }), _ => { });
        }
        Add(store.CommitAsync(t =>
        {
            t.Prepare("INSERT INTO domain (id, name, default_quota, created) VALUES (1, 'example.test', 0, 0)").Run();
            for (var i = 1; i <= Accounts; i++)
                t.Prepare("INSERT INTO account (id, domain_id, local, name, password, role, quota, groups, enabled, created) VALUES (?, 1, ?, '', '', 'user', 0, '', 1, 0)").Bind(1, (long)i).Bind(2, $"a{i}").Run();
            t.Prepare("INSERT INTO course (slug, name, domain, language, columns, created) VALUES ('c', 'c', 'example.test', 'en', '[]', 0)").Run();
            return t.Prepare("INSERT INTO mailing (course_id, from_name, from_address, subject, state, created) VALUES (1, '', '', '', 'sending', 0)").Run();
        }), _ => { });
    }

    void Deeds()
    {
        for (var count = 1 + random.Next(4) * random.Next(3); count > 0; count--) Do(random.Next(28));
    }

    void Do(int which)
    {
        switch (which)
        {
            case <= 3: Append(random.Next(4) == 0); break;
            case <= 6: DeliverToMany(); break;
            case 7 or 8: MailingCopy(); break;
            case 9 or 10: StoreFlags(); break;
            case 11: Copy(); break;
            case 12: Move(); break;
            case 13 or 14: Expunge(); break;
            case 15: ChangeMailboxes(); break;
            case 16: FailAfterAppending(); break;
            case <= 19: Enqueue(); break;
            case <= 22: Settle(); break;
            case 23: AppendMany(random.Next(4) == 0); break;
            case 24 or 25: Replace(); break;
            case 26: ForgetKept(); break;
            default: CheckpointInside(); break;
        }
    }

    long AnyMailbox()
    {
        using var read = mail.Read();
        var mailboxes = read.Mailboxes(accounts[random.Next(accounts.Count)]);
        return mailboxes[random.Next(4) == 0 ? random.Next(mailboxes.Count) : 0].Id;
    }

    List<uint> SomeUids(long mailbox, int oneIn = 3)
    {
        using var read = mail.Read();
        return [.. read.Messages(mailbox).Select(row => row.Uid).Where(_ => random.Next(oneIn) == 0)];
    }

    int NextLetter()
    {
        step.Letters.Add(++number);
        return number;
    }

    void Append(bool overQuota)
    {
        var (mailbox, letter) = (AnyMailbox(), NextLetter());
        var staged = mail.Stage(Cuts.Letters.Bytes(letter));
        Add(mail.AppendAsync(mailbox, staged, (MessageFlags)random.Next(32), random.Next(2) == 0 ? ["$Work"] : [], null, overQuota ? 1000 : 0, default),
            appended => { if (appended.Ok) letters[(mailbox, appended.Value.Uid)] = letter; });
    }

    // RFC 3502: all or none, wherever it is cut
    void AppendMany(bool overQuota)
    {
        var mailbox = AnyMailbox();
        var many = Enumerable.Range(0, 1 + random.Next(6)).Select(_ => NextLetter()).ToList();
        var uploads = many.ConvertAll(letter => new Upload(mail.Stage(Cuts.Letters.Bytes(letter)), (MessageFlags)random.Next(32), random.Next(2) == 0 ? ["$Work"] : [], null));
        Add(mail.AppendAsync(mailbox, uploads, overQuota ? 1000 : 0, default), appended =>
        {
            for (var i = 0; appended.Ok && i < many.Count; i++) letters[(mailbox, appended.Value[i].Uid)] = many[i];
        });
    }

    // RFC 8508 3.4: the new one there and the old one gone, or neither
    void Replace()
    {
        var (from, to) = (AnyMailbox(), AnyMailbox());
        var uids = SomeUids(from);
        if (uids.Count == 0) return;
        var (old, letter) = (uids[0], NextLetter());
        Add(mail.ReplaceAsync(to, new Upload(mail.Stage(Cuts.Letters.Bytes(letter)), MessageFlags.Draft, [], null), random.Next(2) == 0 ? 300_000 : 0, from, old, default), replaced =>
        {
            if (!replaced.Ok) return;
            letters.Remove((from, old));
            letters[(to, replaced.Value.Uid)] = letter;
        });
    }

    void DeliverToMany()
    {
        var letter = NextLetter();
        var staged = mail.Stage(Cuts.Letters.Bytes(letter));
        var mailboxes = Enumerable.Range(0, 1 + random.Next(5)).Select(_ => AnyMailbox()).ToList();
        Add(store.CommitAsync(t =>
        {
            var content = mail.AddContent(t, staged);
            return mailboxes.ConvertAll(mailbox => mail.AddMessage(t, mailbox,
                new NewMessage(content, System.Text.Encoding.ASCII.GetBytes($"Delivered-To: {mailbox}\r\n"), MessageFlags.None, [], time.GetUtcNow()), 400_000));
        }), results =>
        {
            for (var i = 0; i < results.Count; i++)
                if (results[i].Ok) letters[(mailboxes[i], results[i].Value.Uid)] = letter;
        });
    }

    // like MailingRun: body, row and ledger in one work, the body first
    void MailingCopy()
    {
        var letter = NextLetter() / 7 * 7 + 5;
        if (letter <= number) letter += 7;
        step.Letters.Add(number = letter);
        long? basis = bases.Count > 0 ? bases[random.Next(bases.Count)] : null;
        var staged = mail.Stage(Cuts.Letters.Bytes(letter), basis);
        var (mailbox, participant, mine) = (AnyMailbox(), ++participants, step);
        Add(store.CommitAsync(t =>
        {
            t.BodiesFirst();
            if (basis is { } like && staged.Record.BaseId is not null && !Holds(t, like)) throw new PlannedFailure(); // its base has just been removed
            mine.Firm = true; // one that failed asks for nothing
            var content = mail.AddContent(t, staged);
            var added = mail.AddMessage(t, mailbox, new NewMessage(content, default, MessageFlags.None, [], time.GetUtcNow()), 0);
            if (!added.Ok) throw new PlannedFailure();
            t.Prepare("INSERT INTO ledger (mailing_id, person_id, address, name, fields, line, message_id, state, reply, attempts, at) VALUES (1, ?, '', '', '{}', 1, ?, 'delivered', '', 1, 0)")
                .Bind(1, (long)participant).Bind(2, $"{letter}").Run();
            return (added.Value.Uid, content.Id);
        }), added =>
        {
            letters[(mailbox, added.Uid)] = letter;
            if (bases.Count < 3) bases.Add(added.Id);
        });
    }

    static bool Holds(WriteTransaction t, long content) => t.Prepare("SELECT 1 FROM content WHERE id = ?").Bind(1, content).Scalar() is not null;

    void StoreFlags()
    {
        var mailbox = AnyMailbox();
        var change = new FlagChange((FlagMode)random.Next(3), (MessageFlags)random.Next(32), random.Next(3) == 0 ? ["$Work", "$Later"] : []);
        var uids = SomeUids(mailbox);
        if (batch.Count == 0 && random.Next(2) == 0) // nobody is before it: what is known now is right then
        {
            using var read = mail.Read();
            Add(mail.StorePendingAsync(mailbox, PendingFlagsTests.Known(read, mailbox, uids.Contains), change, default), _ => { });
        }
        else Add(mail.StoreAsync(mailbox, uids, change, null, default), _ => { });
    }

    void Copy()
    {
        var (from, to) = (AnyMailbox(), AnyMailbox());
        Add(mail.CopyAsync(from, SomeUids(from), to, random.Next(3) == 0 ? 300_000 : 0, default), copied => Copied(copied, from, to));
    }

    void Move()
    {
        var (from, to) = (AnyMailbox(), AnyMailbox());
        if (from == to) return;
        Add(mail.MoveAsync(from, SomeUids(from), to, default), copied =>
        {
            Copied(copied, from, to);
            if (copied.Ok)
                foreach (var (source, _) in copied.Value!.Pairs) letters.Remove((from, source));
        });
    }

    void Copied(Result<Copied> copied, long from, long to)
    {
        if (!copied.Ok) return;
        foreach (var (source, destination) in copied.Value!.Pairs) letters[(to, destination)] = letters[(from, source)];
    }

    void Expunge()
    {
        var mailbox = AnyMailbox();
        var uids = SomeUids(mailbox, 2);
        Add(mail.StoreAsync(mailbox, uids, new FlagChange(FlagMode.Add, MessageFlags.Deleted, []), null, default), _ => { });
        Add(store.CommitAsync(t =>
        {
            var gone = new List<uint>();
            CbaMail.Mailboxes.Expunge.Remove(t, mail.Notifier, mailbox, uids, gone, time.GetUtcNow(), keep: mail.KeepsExpunged);
            return gone;
        }), gone => { foreach (var uid in gone) letters.Remove((mailbox, uid)); });
    }

    void ForgetKept()
    {
        using var read = store.Read();
        var some = KeptTable.Oldest(read, null, 10).Where(_ => random.Next(2) == 0).Select(one => (one.Id, one.ContentId)).ToList();
        Add(new Undelete(mail, null!, settings, time).ForgetAsync(some, default), _ => { });
    }

    void ChangeMailboxes()
    {
        var account = accounts[random.Next(accounts.Count)];
        IReadOnlyList<Mailbox> mailboxes;
        using (var read = mail.Read()) mailboxes = read.Mailboxes(account);
        var one = mailboxes[random.Next(mailboxes.Count)];
        switch (random.Next(4))
        {
            case 0 when one.Name != "INBOX":
                Add(mail.DeleteAsync(account, one.Name, default), refusal =>
                {
                    if (refusal is null)
                        foreach (var key in letters.Keys.Where(key => key.Mailbox == one.Id).ToList()) letters.Remove(key);
                });
                break;
            case 1 when one.Name != "INBOX":
                Add(mail.RenameAsync(account, one.Name, $"renamed/{++mailboxNames}", default), _ => { });
                break;
            default:
                Add(mail.CreateAsync(account, $"new/{random.Next(5)}", null, default), _ => { });
                break;
        }
    }

    void FailAfterAppending()
    {
        var staged = mail.Stage(Cuts.Letters.Bytes(++number));
        var mailbox = AnyMailbox();
        Add<int>(store.CommitAsync<int>(t =>
        {
            mail.AddMessage(t, mailbox, new NewMessage(mail.AddContent(t, staged), default, MessageFlags.None, [], time.GetUtcNow()), 0);
            throw new PlannedFailure();
        }), _ => { });
    }

    void Enqueue()
    {
        var letter = NextLetter();
        var staged = mail.Stage(Cuts.Letters.Bytes(letter));
        var recipients = Enumerable.Range(0, 1 + random.Next(3)).Select(i => new QueueRecipient(Address($"r{i}@{"xyz"[random.Next(3)]}.test"))).ToList();
        step.Firm = true;
        Add(store.CommitAsync(t =>
        {
            var content = mail.AddContent(t, staged);
            queue.Enqueue(t, new NewQueueEntry(Address("s@example.test"), content, recipients));
            return content.Id;
        }), content => recording.Bodies[content] = letter);
    }

    void Settle()
    {
        if (queue.Claim($"{"xyz"[random.Next(3)]}.test", fresh: false) is not { } claim) return;
        var outcomes = claim.Recipients.Select(recipient => new RecipientOutcome(recipient, (OutcomeState)random.Next(3), "250 ok", "2.0.0", "mx.test", null,
            time.GetUtcNow(), time.GetUtcNow().AddSeconds(random.Next(100)))).ToArray();
        Add(store.CommitAsync(t => queue.Settle(t, claim, outcomes)), _ => { });
    }

    // a checkpoint by another connection while the writer is in a transaction: as much of the log as is committed moves
    void CheckpointInside()
    {
        Add(store.CommitAsync(t =>
        {
            store.Checkpoint();
            return 0;
        }), _ => { });
    }

    static MailAddress Address(string text) => MailAddress.TryParse(text, out var address) ? address : throw new ArgumentException(text);
}
