using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Backup;

/// <param name="Account">Its address.</param>
/// <param name="Mailbox">Only this one; null for all.</param>
/// <param name="Into">A mailbox below which everything is put, whether it is still elsewhere or not; null for the places where it was.</param>
/// <param name="DryRun">Only say what would be done.</param>
public sealed record AccountRestoreOrder(string Directory, string Account, string? Mailbox = null, string? At = null, string? Into = null, bool DryRun = false);

/// <summary>What became of one mailbox.</summary>
/// <param name="Name">Where the messages are now.</param>
/// <param name="There">Messages that were there still.</param>
public sealed record MailboxRestored(string Name, bool Created, int Restored, int There);

/// <param name="Created">The account was gone and has been made again.</param>
/// <param name="Damage">Messages that the backup no longer has whole; a sentence each.</param>
/// <param name="OverQuota">The account now uses more than its quota: nothing more is delivered to it until it is raised or mail removed.</param>
public sealed record AccountRestoreSummary(
    string Account, string Snapshot, bool DryRun, bool Created, int Restored, int There, long Bytes, bool OverQuota,
    IReadOnlyList<MailboxRestored> Mailboxes, IReadOnlyList<string> Damage);

/// <summary>Puts back into the running store what one account had and now misses. Done twice it adds nothing the second time.</summary>
public sealed class AccountRestore(MailStore mail, UserDirectory people, Spool spool, Settings settings) : IDisposable
{
    const int Rows = 500;
    const int MostDamage = 100;

    readonly SemaphoreSlim one = new(1);

    /// <param name="progress">Told how many messages of how many have been looked at.</param>
    public async Task<Result<AccountRestoreSummary>> RunAsync(AccountRestoreOrder order, Action<long, long>? progress, CancellationToken cancel)
    {
        if (!await one.WaitAsync(0, cancel)) return Refusal.Conflict.Because("Another restore is under way; wait until it has ended");
        try
        {
            using var repository = Repository.OpenToRead(mail.Store.Disk, order.Directory);
            var manifest = repository.Choose(order.At);
            using var snapshot = SnapshotReader.Open(repository, manifest, settings.Storage, Path.Combine(mail.Store.Path, "spool"));
            return await new Run(mail, people, spool, snapshot, order, progress, cancel).GoAsync(manifest);
        }
        catch (BackupProblem problem)
        {
            return Refusal.NotPossible.Because(problem.Message);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or SqliteError)
        {
            return IsFull(error)
                ? Refusal.Unavailable.Because("The disk of the data directory is full; what has been restored so far stays, and the same command goes on from there")
                : Refusal.Unavailable.Because($"The restore failed; what has been restored so far stays, and the same command goes on from there: {error.Message.ReplaceLineEndings(" ")}");
        }
        finally
        {
            one.Release();
        }
    }

    static bool IsFull(Exception error) => error is SqliteError { IsDiskFull: true } || (error is IOException io && Posix.IsFull(io));

    public void Dispose() => one.Dispose();

    sealed class Run(MailStore mail, UserDirectory people, Spool spool, SnapshotReader snapshot, AccountRestoreOrder order, Action<long, long>? progress, CancellationToken cancel)
    {
        readonly Sameness sameness = new(snapshot, mail);
        readonly List<string> damage = [];
        readonly List<Place> places = [];
        long looked, toLook, bytes;
        bool created;

        // a mailbox of the snapshot, and where its messages go
        sealed class Place(Mailbox was, string name)
        {
            public Mailbox Was => was;
            public string Name => name;
            public long? Id { get; set; }
            public bool Created { get; set; }
            public int Restored { get; set; }
            public int There { get; set; }
            public List<uint> Missing { get; } = [];
        }

        public async Task<Result<AccountRestoreSummary>> GoAsync(Manifest manifest)
        {
            if (snapshot.Account(order.Account) is not var (was, password))
                return Refusal.NoSuchUser.Because($"The snapshot {manifest.Name} has no account {order.Account}");
            if (Plan(was) is { } unplanned) return unplanned;
            var account = people.FindAccount(was.Address);
            if (account is null)
            {
                if (await CreateAccountAsync(was, password) is { } refusal) return refusal;
                account = people.FindAccount(was.Address);
            }
            Match(account);
            if (!order.DryRun)
            {
                foreach (var place in places) await MakeMailboxAsync(account!, place);
                await AddAsync();
            }
            else foreach (var place in places) (place.Restored, place.Created) = (place.Missing.Count, place.Id is null);
            return new AccountRestoreSummary(was.Address.ToString(), manifest.Name, order.DryRun, created, places.Sum(place => place.Restored), places.Sum(place => place.There),
                bytes, IsOverQuota(account), [.. places.Select(place => new MailboxRestored(place.Name, place.Created, place.Restored, place.There))], damage);
        }

        bool IsOverQuota(Account? account)
        {
            if (account is not { Quota: > 0 }) return false;
            using var read = mail.Read();
            return read.Usage(account.Id).Bytes + (order.DryRun ? bytes : 0) > account.Quota;
        }

        Refusal? Plan(Account was)
        {
            var all = snapshot.Mail.Mailboxes(was.Id);
            var wanted = all;
            if (order.Mailbox is { } name)
            {
                if (snapshot.Mail.Find(was.Id, name) is not { } found)
                    return Refusal.NoSuchMailbox.Because($"The account had no mailbox {name} then; it had {string.Join(", ", all.Take(20).Select(mailbox => mailbox.Name))}");
                wanted = [found];
            }
            foreach (var mailbox in wanted)
            {
                var place = MailboxName.Normalize(order.Into is { } into ? $"{into.TrimEnd(MailboxName.Separator)}{MailboxName.Separator}{mailbox.Name}" : mailbox.Name);
                if (!place.Ok) return place.Refusal;
                places.Add(new Place(mailbox, place.Value));
                toLook += mailbox.Messages;
            }
            return null;
        }

        async Task<Refusal?> CreateAccountAsync(Account was, string password)
        {
            created = true;
            if (people.FindDomain(was.Address.Domain) is null)
                return Refusal.NoSuchDomain.Because($"The domain {was.Address.Domain} is not here; add it with: cbamail domain add {was.Address.Domain}");
            var account = new NewAccount(was.Address.ToString(), was.Name, null, was.Quota, was.Role, was.Groups, password, was.Enabled) { Template = "" };
            if (order.DryRun) return people.Precheck(account);
            var made = await people.AddAccountAsync(account, cancel);
            if (!made.Ok) return made.Refusal;
            var lost = snapshot.Mail.LostSubscriptions(was.Id);
            var notes = SharingTable.Annotations(snapshot.Transaction, 0).FindAll(note => note.AccountId == was.Id);
            if (lost.Count + notes.Count > 0)
            {
                await mail.Store.CommitAsync(write =>
                {
                    foreach (var name in lost) MailboxTable.KeepSubscription(write, made.Value.Id, name);
                    foreach (var (_, entry, value) in notes) SharingTable.AddAnnotation(write, 0, made.Value.Id, entry, value);
                    return true;
                }, cancel);
            }
            return null;
        }

        // ---- what is missing

        void Match(Account? account)
        {
            var presence = new Presence(mail, sameness);
            if (account is not null)
            {
                IReadOnlyList<Mailbox> now;
                using (var read = mail.Read()) now = read.Mailboxes(account.Id);
                foreach (var place in places) place.Id = now.FirstOrDefault(mailbox => mailbox.Name == place.Name)?.Id;
                foreach (var mailbox in now)
                    if (order.Into is null || places.Exists(place => place.Id == mailbox.Id)) presence.Add(mailbox);
            }
            foreach (var place in places)
            {
                for (uint uid = 0; ;)
                {
                    cancel.ThrowIfCancellationRequested();
                    var some = RestoreTable.After(snapshot.Transaction, place.Was.Id, uid, Rows);
                    if (some.Count == 0) break;
                    foreach (var message in some) Look(place, message, () => place.Id is { } id && presence.TakeIn(place.Was.Id, message, id));
                    uid = some[^1].Uid;
                    progress?.Invoke(looked += some.Count, toLook * 2);
                }
            }
            // only when all that stayed has been matched can what is left over be what was moved
            foreach (var place in places)
            {
                var missing = place.Missing.ToList();
                place.Missing.Clear();
                foreach (var uid in missing)
                {
                    if (RestoreTable.One(snapshot.Transaction, place.Was.Id, uid) is not { } message) continue;
                    Look(place, message, () => order.Into is null && presence.TakeElsewhere(place.Was.Id, message));
                    if (place.Missing.Count > 0 && place.Missing[^1] == uid) bytes += message.Size;
                }
            }
        }

        void Look(Place place, Candidate message, Func<bool> isThere)
        {
            try
            {
                if (isThere()) place.There++;
                else place.Missing.Add(message.Uid);
            }
            catch (IOException error)
            {
                Damaged(place, message.Uid, error);
            }
        }

        void Damaged(Place place, uint uid, IOException error)
        {
            if (damage.Count < MostDamage) damage.Add($"Message {uid} of {place.Was.Name} cannot be read in the backup: {error.Message.ReplaceLineEndings(" ")}");
        }

        // ---- putting it back

        async Task MakeMailboxAsync(Account account, Place place)
        {
            Mailbox? there;
            using (var read = mail.Read()) there = read.Find(account.Id, place.Name);
            place.Id = there?.Id;
            if (there is not null)
            {
                // those that a new account begins with are not the owner's choice
                if (created && there.KeepDays != place.Was.KeepDays) await mail.SetKeepDaysAsync(there.Id, place.Was.KeepDays, cancel);
                if (created && there.Subscribed != place.Was.Subscribed) await mail.SubscribeAsync(account.Id, place.Name, place.Was.Subscribed, cancel);
                if (created) await ShareAsync(place);
                return;
            }
            var use = order.Into is null ? place.Was.SpecialUse : null;
            var made = await mail.CreateAsync(account.Id, place.Name, use, cancel);
            if (!made.Ok && use is not null) made = await mail.CreateAsync(account.Id, place.Name, null, cancel); // another has the use by now
            if (!made.Ok) throw new BackupProblem($"The mailbox {place.Name} cannot be made: {made.Refusal.Sentence}");
            (place.Id, place.Created) = (made.Value.Id, true);
            if (place.Was.KeepDays is { } days) await mail.SetKeepDaysAsync(made.Value.Id, days, cancel);
            if (made.Value.Subscribed != place.Was.Subscribed) await mail.SubscribeAsync(account.Id, place.Name, place.Was.Subscribed, cancel);
            if (order.Into is null) await ShareAsync(place);
        }

        // rights and annotations come back with a mailbox that was gone; on one that is there its owner may have changed them since
        async Task ShareAsync(Place place)
        {
            var entries = AclTable.Of(snapshot.Transaction, place.Was.Id).FindAll(entry => !entry.Identifier.Contains('@') || IsSomebody(entry.Identifier.TrimStart('-')));
            var notes = Notes(place.Was.Id);
            if (entries.Count + notes.Count == 0) return;
            await mail.Store.CommitAsync(write =>
            {
                foreach (var (identifier, rights) in entries) AclTable.Put(write, place.Id!.Value, identifier, rights);
                foreach (var (whose, entry, value) in notes) SharingTable.AddAnnotation(write, place.Id!.Value, whose, entry, value);
                write.OnCommitted(mail.RightsChanged);
                return true;
            }, cancel);
        }

        bool IsSomebody(string address) => Names.TryAddress(address, out var wanted) && people.FindAccount(wanted) is not null;

        // each under the number that its account has now
        List<(long AccountId, string Entry, byte[] Value)> Notes(long mailboxId)
        {
            var notes = new List<(long, string, byte[])>();
            foreach (var (whose, entry, value) in SharingTable.Annotations(snapshot.Transaction, mailboxId))
                if (whose == 0) notes.Add((0, entry, value));
                else if (snapshot.Address(whose) is { } address && people.FindAccount(address) is { } now) notes.Add((now.Id, entry, value));
            return notes;
        }

        IReadOnlyList<long> SeenBy(long mailboxId, uint uid) =>
            [.. SharingTable.SeenBy(snapshot.Transaction, mailboxId, uid).Select(snapshot.Address).OfType<MailAddress>().Select(people.FindAccount).OfType<Account>().Select(account => account.Id)];

        async Task AddAsync()
        {
            var shelf = new Shelf(mail, spool, snapshot, sameness);
            foreach (var place in places)
            {
                foreach (var uid in place.Missing)
                {
                    if (RestoreTable.One(snapshot.Transaction, place.Was.Id, uid) is not { } message) continue;
                    var prefix = MessageTable.Prefix(snapshot.Transaction, place.Was.Id, uid);
                    await shelf.AddAsync(place.Id!.Value, message, prefix, order.Into is null ? SeenBy(place.Was.Id, uid) : [], () => place.Restored++, error => Damaged(place, uid, error), cancel);
                    if ((++looked & 63) == 0) progress?.Invoke(Math.Min(looked, toLook * 2), toLook * 2);
                }
            }
            await shelf.CommitAsync(cancel);
        }
    }
}
