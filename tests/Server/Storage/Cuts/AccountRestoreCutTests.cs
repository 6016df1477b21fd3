using System.Security.Cryptography;
using CbaMail.Backup;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>One account is restored into the running server, and the power is cut or the disk fails: what has come back stays, and the same order goes on from there.</summary>
public sealed class AccountRestoreCutTests : IDisposable
{
    const string Anna = "anna@example.test";

    readonly string spool = System.IO.Directory.CreateTempSubdirectory("cba-cuts").FullName;
    readonly ManualTime time = new();

    public void Dispose() => System.IO.Directory.Delete(spool, recursive: true);

    static Settings Of(SimulatedDisk disk) => Workload.Shape(4, disk) with { Data = disk.Data };

    (Store Store, MailStore Mail, UserDirectory People) Open(SimulatedDisk disk)
    {
        var (store, mail) = Workload.Open(Of(disk), disk, time);
        var people = new UserDirectory(store, time);
        MailboxesRoom.Attach(mail, people);
        return (store, mail, people);
    }

    /// <summary>An account of which half has been expunged since its backup.</summary>
    async Task<(SimulatedDisk Disk, List<string> Full, List<string> Half)> PrepareAsync(DiskImage? image = null)
    {
        var disk = new SimulatedDisk(4, image);
        var (store, mail, people) = Open(disk);
        await people.AddDomainAsync("example.test");
        var account = (await people.AddAccountAsync(new NewAccount(Anna, PasswordHash: "$1$salt$xxxxxxxxxxxxxxxxxxxxxx"))).Value!;
        long inbox, archive;
        using (var read = mail.Read()) (inbox, archive) = (read.Find(account.Id, "INBOX")!.Id, read.Find(account.Id, "Archive")!.Id);
        for (var i = 1; i <= 40; i++)
        {
            using var staged = mail.Stage(Letters.Bytes(i % 7 == 6 ? 7 * i + 700 : i));
            await mail.AppendAsync(inbox, staged, (MessageFlags)(i % 8), i % 5 == 0 ? ["$Work"] : [], time.GetUtcNow(), 0, default);
        }
        await mail.CopyAsync(inbox, [3, 4, 9, 11, 20], archive, 0, default);
        var made = await new Backups(store, Of(disk), time).RunAsync(new BackupOrder(disk.Repository), null, default);
        Assert.True(made.Ok, made.Refusal?.Sentence);
        var full = Messages(mail, people);
        foreach (var (mailbox, uids) in new[] { (inbox, Enumerable.Range(1, 20).Select(i => (uint)(2 * i - 1)).ToList()), (archive, [2, 3]) })
        {
            await mail.StoreAsync(mailbox, uids, new FlagChange(FlagMode.Add, MessageFlags.Deleted, []), null, default);
            await mail.ExpungeAsync(mailbox, uids, default);
        }
        var half = Messages(mail, people);
        await store.DisposeAsync();
        return (disk, full, half);
    }

    static List<string> Messages(MailStore mail, UserDirectory people)
    {
        using var read = mail.Read();
        var all = new List<string>();
        foreach (var mailbox in read.Mailboxes(people.ListAccounts()[0].Id))
            foreach (var row in read.Messages(mailbox.Id))
            {
                var content = read.Content(mailbox.Id, row)!;
                all.Add($"{mailbox.Name} {row.Flags} {Convert.ToHexStringLower(SHA256.HashData(content.Read(0, (int)content.Size)))}");
            }
        return [.. all.Order(StringComparer.Ordinal)];
    }

    async Task<string?> RestoreAsync(SimulatedDisk disk, MailStore mail, UserDirectory people)
    {
        using var restore = new AccountRestore(mail, people, new Spool(new Settings { Data = spool }), Of(disk));
        var result = await restore.RunAsync(new AccountRestoreOrder(disk.Repository, Anna), null, default);
        return !result.Ok ? result.Refusal.Sentence : result.Value.Damage.Count > 0 ? result.Value.Damage[0] : null;
    }

    // each of those once more than there
    static bool Holds(List<string> all, List<string> some) => some.GroupBy(one => one).All(same => all.Count(one => one == same.Key) >= same.Count());

    [Fact]
    public async Task What_has_come_back_stays_and_nothing_comes_twice_wherever_the_power_is_cut()
    {
        var (before, full, half) = await PrepareAsync();
        var image = before.Now();
        before.Detach();
        var disk = new SimulatedDisk(4, image);
        var (store, mail, people) = Open(disk);
        var begun = disk.Log.Count;
        Assert.Null(await RestoreAsync(disk, mail, people));
        var told = disk.Log.Count;
        Assert.Equal(full, Messages(mail, people));
        await store.DisposeAsync();
        disk.Detach();
        Assert.InRange(told - begun, 11, 10_000); // places enough to cut at
        var (cut, random) = (new PowerCut(image, disk.Log), new Random(4));
        for (var place = begun; place <= disk.Log.Count; place++)
        {
            cut.Advance(place);
            for (var survivors = place % 2; survivors < 7; survivors += 2)
            {
                var after = new SimulatedDisk(place, cut.Cut(random, (Survivors)survivors));
                var where = $"cut after event {place} of {begun} to {told}, surviving {(Survivors)survivors}";
                (store, mail, people) = Open(after);
                var there = Messages(mail, people);
                Assert.True(Holds(full, there) && Holds(there, half), where);
                if (place >= told) Assert.Equal(full, there);
                Assert.True(await RestoreAsync(after, mail, people) is null, where);
                Assert.True(full.SequenceEqual(Messages(mail, people)), where);
                await store.DisposeAsync();
                after.Detach();
            }
        }
    }

    [Fact]
    public async Task A_disk_that_fails_is_said_and_no_message_is_left_out()
    {
        var (before, full, half) = await PrepareAsync();
        var image = before.Now();
        before.Detach();
        var refused = 0;
        for (var at = 0; ; at++)
        {
            var disk = new SimulatedDisk(at, image);
            var (store, mail, people) = Open(disk);
            var (left, reached, full28) = (at, false, at % 2 == 0);
            disk.Fault = (what, _) =>
            {
                if (left-- > 0 || (full28 && what.Deed != Deed.Write)) return null;
                if (!full28 && reached) return null;
                reached = true;
                return new IOException(full28 ? "No space left on device" : "Input/output error", full28 ? 28 : 5);
            };
            var said = await RestoreAsync(disk, mail, people);
            disk.Fault = null;
            if (disk.Halted is not null)
            {
                try { await store.DisposeAsync(); }
                catch (Exception error) when (error is IOException or SqliteError) { refused++; }
                disk.Revive();
                (store, mail, people) = Open(disk);
            }
            else if (said is null) Assert.Equal(full, Messages(mail, people)); // whatever failed, it was nothing that mattered
            else
            {
                refused++;
                Assert.Contains("the same command goes on from there", said, StringComparison.Ordinal);
            }
            Assert.True(Holds(Messages(mail, people), half), $"event {at}");
            var again = await RestoreAsync(disk, mail, people);
            if (again is not null) again = await RestoreAsync(disk, mail, people); // each file tells once that a flush has failed
            Assert.True(again is null && full.SequenceEqual(Messages(mail, people)), $"event {at}: {again}");
            await store.DisposeAsync();
            disk.Detach();
            if (!reached && left > 0) break;
        }
        Assert.True(refused > 10, $"{refused} refused");
    }
}
