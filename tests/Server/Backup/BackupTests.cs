using System.Collections.Concurrent;
using CbaMail.Backup;
using CbaMail.Directory;
using CbaMail.Mailboxes;
using Xunit;

namespace CbaMail.Tests.Server.Backup;

public sealed class BackupTests : IAsyncLifetime
{
    readonly string folder = System.IO.Directory.CreateTempSubdirectory("cba-backup").FullName;
    Premises premises = null!;
    Account anna = null!;
    long inbox;
    int restores;

    string Repository => Path.Combine(folder, "repository");
    string Pack(int number) => Path.Combine(Repository, "packs", $"{number:d8}.pack");

    public async ValueTask InitializeAsync()
    {
        premises = new Premises(Path.Combine(folder, "data"));
        anna = await premises.AddAsync("anna", quota: 5_000_000);
        inbox = premises.Mailbox(anna, "INBOX");
    }

    public async ValueTask DisposeAsync()
    {
        await premises.DisposeAsync();
        System.IO.Directory.Delete(folder, recursive: true);
    }

    async Task<BackupSummary> BackUpAsync(int? keep = null, bool check = false)
    {
        var result = await premises.Backups.RunAsync(new BackupOrder(Repository, keep, CheckAll: check), null, default);
        Assert.True(result.Ok, result.Refusal?.Sentence);
        return result.Value;
    }

    async Task<string> RefusedAsync(string? directory = null)
    {
        var result = await premises.Backups.RunAsync(new BackupOrder(directory ?? Repository), null, default);
        Assert.False(result.Ok);
        return result.Refusal!.Sentence;
    }

    async Task<Premises> RestoreAsync(string? at = null, bool acceptDamage = false)
    {
        var data = Path.Combine(folder, "restored" + ++restores);
        var result = await new WholeRestore(new RestoreOrder(Repository, data, at, acceptDamage), TimeProvider.System).RunAsync(default);
        Assert.True(result.Ok, result.Refusal?.Sentence);
        return new Premises(data);
    }

    async Task<string> RestoreRefusedAsync(string? data = null, string? at = null)
    {
        var result = await new WholeRestore(new RestoreOrder(Repository, data ?? Path.Combine(folder, "refused"), at), TimeProvider.System).RunAsync(default);
        Assert.False(result.Ok);
        return result.Refusal!.Sentence;
    }

    async Task FillAsync(int from, int count)
    {
        for (var i = from; i < from + count; i++)
            await premises.AppendAsync(inbox, i % 7 == 0 ? Premises.LetterWithAttachment(i, i % 3) : Premises.Letter(i, 500 + i * 37 % 9000), (MessageFlags)(i % 8), i % 5 == 0 ? ["$Label" + i % 3] : [], DateTimeOffset.FromUnixTimeSeconds(1_700_000_000 + i));
    }

    static void Flip(string file, long at)
    {
        using var stream = new FileStream(file, FileMode.Open);
        stream.Position = at;
        var was = stream.ReadByte();
        stream.Position = at;
        stream.WriteByte((byte)(was ^ 0x40));
    }

    [Fact]
    public async Task Everything_comes_back_on_another_machine()
    {
        await FillAsync(1, 150);
        var archive = (await premises.Mail.CreateAsync(anna.Id, "Курсы/Весна 2026", null, default)).Value!;
        await premises.Mail.SubscribeAsync(anna.Id, "Курсы/Весна 2026", true, default);
        await premises.Mail.CopyAsync(inbox, [1, 7, 14, 15], archive.Id, 0, default);
        await premises.Mail.MoveAsync(inbox, [20, 21], archive.Id, default);
        await premises.Mail.StoreAsync(inbox, [3, 4], new FlagChange(FlagMode.Add, MessageFlags.Deleted, []), null, default);
        await premises.Mail.ExpungeAsync(inbox, null, default);
        System.IO.Directory.CreateDirectory(Path.Combine(premises.Data, "tls"));
        await File.WriteAllTextAsync(Path.Combine(premises.Data, "tls", "self-signed.key"), "secret", TestContext.Current.CancellationToken);
        await BackUpAsync();
        var census = premises.Census();
        await using var restored = await RestoreAsync();
        Assert.Equal(census, restored.Census());
        Assert.Equal("secret", await File.ReadAllTextAsync(Path.Combine(restored.Data, "tls", "self-signed.key"), TestContext.Current.CancellationToken));
        Assert.Equal("secret", Assert.Single(System.IO.Directory.GetFiles(Path.Combine(Repository, "files")).Select(File.ReadAllText)));
    }

    [Fact]
    public async Task Numbers_that_the_lost_server_may_have_given_out_after_the_snapshot_are_not_given_again()
    {
        await FillAsync(1, 10);
        await BackUpAsync();
        await FillAsync(11, 20); // lost, but clients have seen them
        await premises.Mail.StoreAsync(inbox, [5], new FlagChange(FlagMode.Add, MessageFlags.Flagged, []), null, default);
        Mailbox before;
        using (var read = premises.Mail.Read()) before = read.Mailbox(inbox)!;
        await using var restored = await RestoreAsync();
        var uid = await restored.AppendAsync(restored.Mailbox(anna, "INBOX"), Premises.Letter(99));
        using var after = restored.Mail.Read();
        var mailbox = after.Find(anna.Id, "INBOX")!;
        Assert.Equal(before.UidValidity, mailbox.UidValidity);
        Assert.True(uid >= before.UidNext);
        // flags have gone back: whoever asks for changes since what he has seen is told of every message
        Assert.Equal(11, after.ChangesSince(mailbox.Id, before.ModSeq)!.Changed.Count);
        Assert.NotEqual(before.Id, (await restored.Mail.CreateAsync(anna.Id, "New", null, default)).Value!.Id);
    }

    [Fact]
    public async Task A_second_run_copies_only_what_is_new()
    {
        await FillAsync(1, 200);
        var first = await BackUpAsync();
        var size = Length();
        Assert.Equal(size, first.CopiedBytes);
        var second = await BackUpAsync();
        Assert.Equal(0, second.CopiedBytes);
        await FillAsync(201, 3);
        var third = await BackUpAsync();
        Assert.Equal(Length() - size, third.CopiedBytes);
        Assert.InRange(third.CopiedBytes, 1, 40_000);
        Assert.Equal(3, Listing.Of(Repository).Value!.Count);
        Assert.Equal(200, Listing.Of(Repository).Value![1].Messages);
        await using var middle = await RestoreAsync(second.Snapshot);
        Assert.Equal(203, premises.Census().Count(line => line.StartsWith("    ", StringComparison.Ordinal)));
        Assert.Equal(200, middle.Census().Count(line => line.StartsWith("    ", StringComparison.Ordinal)));

        long Length() => System.IO.Directory.GetFiles(Path.Combine(Repository, "packs")).Sum(file => new FileInfo(file).Length);
    }

    [Fact]
    public async Task Packs_in_the_backup_are_those_of_the_data_directory()
    {
        await FillAsync(1, 300);
        await BackUpAsync();
        await premises.DisposeAsync();
        var packs = System.IO.Directory.GetFiles(Path.Combine(premises.Data, "packs")).Order().ToList();
        Assert.True(packs.Count > 3);
        foreach (var pack in packs) Assert.Equal(await File.ReadAllBytesAsync(pack, TestContext.Current.CancellationToken), await File.ReadAllBytesAsync(Path.Combine(Repository, "packs", Path.GetFileName(pack)), TestContext.Current.CancellationToken));
        premises = new Premises(premises.Data);
    }

    [Fact]
    public async Task Old_snapshots_go_with_what_only_they_needed()
    {
        await FillAsync(1, 100);
        await BackUpAsync();
        using (var read = premises.Mail.Read()) Assert.Equal(100, read.Mailbox(inbox)!.Messages);
        await premises.Mail.StoreAsync(inbox, [.. Enumerable.Range(1, 100).Select(uid => (uint)uid)], new FlagChange(FlagMode.Add, MessageFlags.Deleted, []), null, default);
        await premises.Mail.ExpungeAsync(inbox, null, default);
        await FillAsync(101, 100);
        var packs = System.IO.Directory.GetFiles(Path.Combine(Repository, "packs")).Length;
        Assert.Empty((await BackUpAsync()).Removed);
        var last = await BackUpAsync(keep: 2);
        Assert.Single(last.Removed);
        Assert.Equal(2, System.IO.Directory.GetDirectories(Path.Combine(Repository, "snapshots")).Length);
        Assert.True(packs > 1);
        Assert.False(File.Exists(Pack(1))); // nothing in it is alive, and no snapshot that stays names it
        await using var restored = await RestoreAsync();
        Assert.Equal(premises.Census(), restored.Census());
    }

    [Fact]
    public async Task A_damaged_pack_of_the_backup_is_found_named_and_not_written_over()
    {
        await FillAsync(1, 200);
        await BackUpAsync();
        Flip(Pack(1), 5000);
        var bytes = await File.ReadAllBytesAsync(Pack(1), TestContext.Current.CancellationToken);
        Assert.Contains("00000001.pack is damaged near byte", await RefusedAsync());
        Assert.Equal(bytes, await File.ReadAllBytesAsync(Pack(1), TestContext.Current.CancellationToken));
        Assert.Contains("Pack 1 is damaged in the backup", await RestoreRefusedAsync());
        Assert.False(File.Exists(Path.Combine(folder, "refused", "cbamail.db")));
        await using (var some = await RestoreAsync(acceptDamage: true)) Assert.ThrowsAny<IOException>(some.Census);
        // as the sentence says
        File.Delete(Pack(1));
        await BackUpAsync();
        await using var restored = await RestoreAsync();
        Assert.Equal(premises.Census(), restored.Census());
    }

    [Fact]
    public async Task A_damaged_pack_of_the_data_directory_is_named_and_the_backup_stays_whole()
    {
        await FillAsync(1, 200);
        var census = premises.Census();
        await BackUpAsync();
        Flip(Path.Combine(premises.Data, "packs", "00000001.pack"), 5000);
        var second = await BackUpAsync();
        Assert.Contains("Pack 1 of the data directory has changed near byte", Assert.Single(second.Damage));
        await using var restored = await RestoreAsync();
        Assert.Equal(census, restored.Census());
    }

    [Fact]
    public async Task The_backup_of_another_server_is_not_mixed_in()
    {
        await FillAsync(1, 50);
        await BackUpAsync();
        await using var other = new Premises(Path.Combine(folder, "other"));
        var boris = await other.AddAsync("boris");
        for (var i = 0; i < 50; i++) await other.AppendAsync(other.Mailbox(boris, "INBOX"), Premises.Letter(1000 + i));
        var result = await other.Backups.RunAsync(new BackupOrder(Repository), null, default);
        Assert.Contains("is not the pack", result.Refusal?.Sentence);
        await using var restored = await RestoreAsync();
        Assert.Equal(premises.Census(), restored.Census());
    }

    [Fact]
    public async Task A_restored_server_goes_on_with_the_same_backup()
    {
        await FillAsync(1, 100);
        await BackUpAsync();
        await FillAsync(101, 100);
        await BackUpAsync();
        var first = Listing.Of(Repository).Value![0].Snapshot;
        await premises.DisposeAsync();
        premises = await RestoreAsync(first);
        inbox = premises.Mailbox(anna, "INBOX");
        await FillAsync(500, 60);
        await BackUpAsync(check: true);
        await FillAsync(600, 60);
        await BackUpAsync();
        await using var restored = await RestoreAsync();
        Assert.Equal(premises.Census(), restored.Census());
        await using var old = await RestoreAsync(Listing.Of(Repository).Value![1].Snapshot);
        Assert.Equal(200, old.Census().Count(line => line.StartsWith("    ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_interrupted_run_leaves_no_snapshot_and_the_next_goes_on()
    {
        await FillAsync(1, 300);
        using var cancel = new CancellationTokenSource();
        var steps = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => premises.Backups.RunAsync(new BackupOrder(Repository), (_, _) => { if (++steps == 4) cancel.Cancel(); }, cancel.Token));
        Assert.Empty(Listing.Of(Repository).Value!);
        Assert.Empty(System.IO.Directory.GetDirectories(Path.Combine(Repository, "snapshots")));
        // as a power cut leaves it: a directory without manifest, and a pack whose end never reached the disk
        System.IO.Directory.CreateDirectory(Path.Combine(Repository, "snapshots", "2026-01-01T000000Z"));
        await File.WriteAllTextAsync(Path.Combine(Repository, "snapshots", "2026-01-01T000000Z", "cbamail.db"), "half", TestContext.Current.CancellationToken);
        await using (var pack = new FileStream(Pack(1), FileMode.OpenOrCreate))
        {
            pack.SetLength(1000);
            pack.SetLength(100_000);
        }
        await BackUpAsync();
        Assert.Single(System.IO.Directory.GetDirectories(Path.Combine(Repository, "snapshots")));
        await using var restored = await RestoreAsync();
        Assert.Equal(premises.Census(), restored.Census());
    }

    [Fact]
    public async Task Places_that_are_no_place_for_a_backup_are_refused()
    {
        Assert.Contains("inside the data directory", await RefusedAsync(Path.Combine(premises.Data, "backup")));
        System.IO.Directory.CreateSymbolicLink(Path.Combine(folder, "link"), premises.Data);
        Assert.Contains("inside the data directory", await RefusedAsync(Path.Combine(folder, "link", "x")));
        Assert.Contains("holds other things", await RefusedAsync(folder));
        await BackUpAsync();
        await using (var other = new FileStream(Path.Combine(Repository, "lock"), FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            Assert.Contains("Another backup", await RefusedAsync());
            Assert.Contains("Another backup", await RestoreRefusedAsync());
        }
        if (Environment.UserName == "root") return; // root may write everywhere
        System.IO.Directory.CreateDirectory(Path.Combine(folder, "sealed"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.Contains("may not write", await RefusedAsync(Path.Combine(folder, "sealed", "x")));
    }

    [Fact]
    public async Task A_restore_overwrites_nothing()
    {
        await FillAsync(1, 20);
        await BackUpAsync();
        Assert.Contains("A server runs on", await RestoreRefusedAsync(premises.Data));
        var packs = System.IO.Directory.CreateDirectory(Path.Combine(folder, "stray", "packs")).FullName;
        await File.WriteAllTextAsync(Path.Combine(packs, "00000001.pack"), "mail", TestContext.Current.CancellationToken);
        Assert.Contains("holds mail already", await RestoreRefusedAsync(Path.Combine(folder, "stray")));
        foreach (var inside in (string[])[Repository, Path.Combine(Repository, "packs", "new")])
        {
            Assert.Contains("lies inside the backup", await RestoreRefusedAsync(inside));
            Assert.False(System.IO.Directory.Exists(Path.Combine(Repository, "packs", "new")));
        }
        await premises.DisposeAsync();
        Assert.Contains("holds a database already", await RestoreRefusedAsync(premises.Data));
        premises = new Premises(premises.Data);
        Assert.Contains("has no snapshot 1999", await RestoreRefusedAsync(at: "1999"));
        System.IO.Directory.Delete(Repository, recursive: true);
        Assert.Contains("is no backup", await RestoreRefusedAsync());
    }

    [Fact]
    public async Task A_damaged_database_is_said_and_pushes_no_whole_snapshot_out()
    {
        await FillAsync(1, 10);
        var whole = await BackUpAsync();
        await premises.DisposeAsync();
        // a page that belongs to nothing: SQLite works with such a file, and says so when it is asked
        using (var file = File.Open(Path.Combine(premises.Data, "cbamail.db"), FileMode.Open))
        {
            file.SetLength(file.Length + 4096);
            var pages = new byte[4];
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(pages, (int)(file.Length / 4096));
            file.Position = 28;
            file.Write(pages);
        }
        premises = new Premises(premises.Data);
        var damaged = await BackUpAsync(keep: 1);
        Assert.Contains("database of the data directory is damaged", Assert.Single(damaged.Damage), StringComparison.Ordinal);
        Assert.Empty(damaged.Removed);
        Assert.Contains(Listing.Of(Repository).Value!, snapshot => snapshot.Snapshot == whole.Snapshot);
    }

    [Fact]
    public async Task A_restore_that_was_interrupted_is_nothing_a_server_starts_from_and_is_begun_anew()
    {
        await FillAsync(1, 40);
        await BackUpAsync();
        var data = Path.Combine(folder, "half");
        System.IO.Directory.CreateDirectory(Path.Combine(data, "restoring"));
        System.IO.Directory.CreateDirectory(Path.Combine(data, "packs"));
        File.Copy(Path.Combine(Repository, "packs", "00000001.pack"), Path.Combine(data, "packs", "00000001.pack"));
        await File.WriteAllTextAsync(Path.Combine(data, "restoring", "cbamail.db"), "half", TestContext.Current.CancellationToken);
        Assert.Contains("was interrupted", Assert.Throws<InvalidOperationException>(() => new Premises(data)).Message);
        var result = await new WholeRestore(new RestoreOrder(Repository, data), TimeProvider.System).RunAsync(default);
        Assert.True(result.Ok, result.Refusal?.Sentence);
        await using var restored = new Premises(data);
        Assert.Equal(premises.Census(), restored.Census());
    }

    [Fact]
    public async Task No_server_starts_where_a_restore_has_only_begun()
    {
        var data = Path.Combine(folder, "begun");
        System.IO.Directory.CreateDirectory(Path.Combine(data, "restoring"));
        Assert.Contains("was interrupted: run \"cbamail restore\" again", Assert.Throws<InvalidOperationException>(() => new Premises(data)).Message);
        await FillAsync(1, 3);
        await BackUpAsync();
        Assert.True((await new WholeRestore(new RestoreOrder(Repository, data), TimeProvider.System).RunAsync(default)).Ok);
        await using var restored = new Premises(data);
        Assert.Equal(premises.Census(), restored.Census());
        System.IO.Directory.CreateDirectory(Path.Combine(data, "restoring")); // left by a restore that came to its end
        await restored.DisposeAsync();
        await using var again = new Premises(data);
    }

    [Fact]
    public async Task Files_that_an_interrupted_restore_has_put_into_place_do_not_stand_against_the_next()
    {
        await FillAsync(1, 3);
        var key = Path.Combine("tls", "self-signed.key");
        System.IO.Directory.CreateDirectory(Path.Combine(premises.Data, "tls"));
        await File.WriteAllTextAsync(Path.Combine(premises.Data, key), "secret", TestContext.Current.CancellationToken);
        await BackUpAsync();
        var data = Path.Combine(folder, "half");
        System.IO.Directory.CreateDirectory(Path.Combine(data, "restoring"));
        System.IO.Directory.CreateDirectory(Path.Combine(data, "tls"));
        await File.WriteAllTextAsync(Path.Combine(data, "restoring", "cbamail.db"), "half", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(data, key), "another", TestContext.Current.CancellationToken);
        Assert.Contains("self-signed.key is there already and is not the file of the backup", await RestoreRefusedAsync(data));
        await File.WriteAllTextAsync(Path.Combine(data, key), "secret", TestContext.Current.CancellationToken);
        Assert.True((await new WholeRestore(new RestoreOrder(Repository, data), TimeProvider.System).RunAsync(default)).Ok);
        await using var restored = new Premises(data);
        Assert.Equal(premises.Census(), restored.Census());
        Assert.Equal("secret", await File.ReadAllTextAsync(Path.Combine(data, key), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_first_backup_that_was_interrupted_before_it_had_made_its_directories_is_gone_on_with()
    {
        await FillAsync(1, 3);
        System.IO.Directory.CreateDirectory(Path.Combine(Repository, "packs"));
        await File.WriteAllTextAsync(Path.Combine(Repository, "lock"), "", TestContext.Current.CancellationToken);
        await BackUpAsync();
        Assert.Single(Listing.Of(Repository).Value!);
    }

    [Fact]
    public async Task A_damaged_manifest_or_database_is_said()
    {
        await FillAsync(1, 5);
        var first = (await BackUpAsync()).Snapshot;
        var second = (await BackUpAsync()).Snapshot;
        var manifest = Path.Combine(Repository, "snapshots", second, "manifest.json");
        await File.WriteAllTextAsync(manifest, (await File.ReadAllTextAsync(manifest, TestContext.Current.CancellationToken))[..^40], TestContext.Current.CancellationToken);
        Assert.Contains("is damaged", Listing.Of(Repository).Value![^1].Damage[0]);
        await BackUpAsync(keep: 1); // and what the damaged one may need stays
        Assert.True(File.Exists(manifest));
        var third = Listing.Of(Repository).Value!.Last(snapshot => snapshot.Messages > 0).Snapshot;
        Assert.NotEqual(first, third);
        Flip(Path.Combine(Repository, "snapshots", third, "cbamail.db"), 9000);
        Assert.Contains("The database is damaged in the backup", await RestoreRefusedAsync(at: third));
    }

    [Fact]
    public async Task A_backup_under_load_holds_what_was_acknowledged_before_and_nothing_half()
    {
        var accounts = new List<Account> { anna };
        for (var i = 0; i < 5; i++) accounts.Add(await premises.AddAsync("user" + i));
        using var stop = new CancellationTokenSource();
        var acknowledged = new ConcurrentDictionary<(long Account, uint Uid), int>();
        var load = Enumerable.Range(0, 6).Select(n => Task.Run(() => LoadAsync(accounts[n], n, acknowledged, stop.Token))).ToArray();
        await Wire.Wait.UntilAsync(() => acknowledged.Count > 300, "the load runs");
        for (var round = 0; round < 3; round++)
        {
            var promised = acknowledged.ToArray();
            await BackUpAsync();
            await using var restored = await RestoreAsync();
            restored.Census(); // reads every body and adds everything up
            foreach (var account in accounts)
            {
                using var read = restored.Mail.Read();
                var archive = read.Messages(read.Find(account.Id, "Archive")!.Id).ToDictionary(row => row.Uid);
                foreach (var ((_, uid), number) in promised.Where(pair => pair.Key.Account == account.Id))
                {
                    Assert.True(archive.ContainsKey(uid), $"message {number} of {account.Address} was acknowledged and is not in the snapshot");
                    Assert.True(archive[uid].Flags.HasFlag(MessageFlags.Flagged), "its flag was acknowledged, too");
                    var content = read.Content(read.Find(account.Id, "Archive")!.Id, archive[uid])!;
                    Assert.Equal(Premises.Letter(number), content.Read(0, (int)content.Size));
                }
            }
        }
        await stop.CancelAsync();
        await Task.WhenAll(load);
    }

    // delivers, flags, moves, copies and expunges; what is acknowledged stays in Archive
    async Task LoadAsync(Account account, int n, ConcurrentDictionary<(long, uint), int> acknowledged, CancellationToken stop)
    {
        var (mine, archive, trash) = (premises.Mailbox(account, "INBOX"), premises.Mailbox(account, "Archive"), premises.Mailbox(account, "Trash"));
        for (var i = n * 1_000_000 + 1; !stop.IsCancellationRequested; i++)
        {
            var uid = await premises.AppendAsync(mine, Premises.Letter(i));
            await premises.Mail.StoreAsync(mine, [uid], new FlagChange(FlagMode.Add, MessageFlags.Flagged, ["$Forwarded"]), null, default);
            var copied = await premises.Mail.CopyAsync(mine, [uid], trash, 0, default);
            var moved = (await premises.Mail.MoveAsync(mine, [uid], archive, default)).Value!.Pairs[0].Destination;
            if (i % 3 == 0)
            {
                var gone = copied.Value!.Pairs[0].Destination;
                await premises.Mail.StoreAsync(trash, [gone], new FlagChange(FlagMode.Add, MessageFlags.Deleted, []), null, default);
                await premises.Mail.ExpungeAsync(trash, [gone], default);
            }
            acknowledged[(account.Id, moved)] = i;
        }
    }
}
