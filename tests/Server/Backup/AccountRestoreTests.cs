using CbaMail.Backup;
using CbaMail.Directory;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using Xunit;

namespace CbaMail.Tests.Server.Backup;

public sealed class AccountRestoreTests : IAsyncLifetime
{
    readonly string folder = System.IO.Directory.CreateTempSubdirectory("cba-restore").FullName;
    Premises premises = null!;
    Account anna = null!;
    long inbox, archive;

    string Repository => Path.Combine(folder, "repository");

    public async ValueTask InitializeAsync()
    {
        premises = new Premises(Path.Combine(folder, "data"));
        anna = await premises.AddAsync("anna");
        (inbox, archive) = (premises.Mailbox(anna, "INBOX"), premises.Mailbox(anna, "Archive"));
        for (var i = 1; i <= 40; i++)
            await premises.AppendAsync(inbox, i % 6 == 0 ? Premises.LetterWithAttachment(i, i % 2) : Premises.Letter(i), i % 2 == 0 ? MessageFlags.Seen | MessageFlags.Answered : MessageFlags.None, i % 3 == 0 ? ["$Important", "Work"] : [], DateTimeOffset.FromUnixTimeSeconds(1_600_000_000 + i));
        await premises.Mail.CopyAsync(inbox, [1, 2, 3], archive, 0, default);
        await premises.Mail.CreateAsync(anna.Id, "Projects/2026", null, default);
        await premises.Mail.SubscribeAsync(anna.Id, "Projects/2026", true, default);
        await premises.Mail.CopyAsync(inbox, [6, 7], premises.Mailbox(anna, "Projects/2026"), 0, default);
        var result = await premises.Backups.RunAsync(new BackupOrder(Repository), null, default);
        Assert.True(result.Ok, result.Refusal?.Sentence);
    }

    public async ValueTask DisposeAsync()
    {
        await premises.DisposeAsync();
        System.IO.Directory.Delete(folder, recursive: true);
    }

    async Task<AccountRestoreSummary> RestoreAsync(string? mailbox = null, string? into = null, bool dryRun = false, Premises? where = null)
    {
        where ??= premises;
        using var restore = new AccountRestore(where.Mail, where.People, new Spool(where.Settings), where.Settings);
        var result = await restore.RunAsync(new AccountRestoreOrder(Repository, anna.Address.ToString(), mailbox, null, into, dryRun), null, default);
        Assert.True(result.Ok, result.Refusal?.Sentence);
        return result.Value;
    }

    async Task ExpungeAsync(long mailbox, params uint[] uids)
    {
        await premises.Mail.StoreAsync(mailbox, uids, new FlagChange(FlagMode.Add, MessageFlags.Deleted, []), null, default);
        await premises.Mail.ExpungeAsync(mailbox, uids, default);
    }

    // messages of a mailbox without their UIDs
    List<string> Messages(string mailbox, Premises? where = null)
    {
        using var read = (where ?? premises).Mail.Read();
        var account = (where ?? premises).People.FindAccount(anna.Address)!;
        var id = read.Find(account.Id, mailbox)!.Id;
        return [.. read.Messages(id).Select(row => Premises.Line(read, id, row)).Select(line => line[(line.IndexOf(' ') + 1)..]).Order(StringComparer.Ordinal)];
    }

    [Fact]
    public async Task Rights_and_annotations_come_back_with_what_was_gone()
    {
        var (boris, carla) = (await premises.AddAsync("boris"), await premises.AddAsync("carla"));
        async Task MarkAsync(long mailbox, long account, string entry, string value) => Assert.Null(await premises.Mail.AnnotateAsync(mailbox, account, [(entry, System.Text.Encoding.ASCII.GetBytes(value))], default));
        foreach (var (who, rights) in ((string, Rights)[])[(boris.Address.ToString(), Rights.Lookup | Rights.Read), ("-" + carla.Address, Rights.Expunge), ("$spring", Rights.Lookup)])
            Assert.Null(await premises.Mail.SetAclAsync(archive, who, false, RightsMode.Set, rights, default));
        await MarkAsync(archive, anna.Id, "/shared/comment", "everybody's");
        await MarkAsync(archive, anna.Id, "/private/comment", "hers");
        await MarkAsync(archive, boris.Id, "/private/comment", "his");
        await MarkAsync(0, anna.Id, "/private/comment", "of the server");
        await MarkAsync(inbox, anna.Id, "/private/comment", "before");
        await premises.Mail.StoreAsync(archive, [1, 3], new FlagChange(FlagMode.Add, MessageFlags.Seen, []), null, default, boris.Id);
        Assert.True((await premises.Backups.RunAsync(new BackupOrder(Repository), null, default)).Ok);

        // a mailbox that was deleted; one that is there keeps what has been set since
        await MarkAsync(inbox, anna.Id, "/private/comment", "since");
        Assert.Null(await premises.Mail.DeleteAsync(anna.Id, "Archive", default));
        Assert.Null(await premises.People.RemoveAccountAsync(carla));
        await RestoreAsync();
        Check(anna.Id, "since", 2);

        // the whole account, which gets another number
        Assert.Null(await premises.People.RemoveAccountAsync(anna));
        await RestoreAsync();
        var again = premises.People.FindAccount(anna.Address)!;
        Assert.NotEqual(anna.Id, again.Id);
        Check(again.Id, "before", 2);
        using var read = premises.Mail.Read();
        Assert.Equal("of the server", Text(read.Annotations(0, again.Id)));

        void Check(long account, string ofInbox, int entries)
        {
            using var read = premises.Mail.Read();
            var mailbox = read.Find(account, "Archive")!;
            Assert.True(mailbox.IsShared);
            Assert.Equal(entries + 1, new MailboxAccess(premises.People, "", "").List(read, mailbox).Count); // the owner is shown with them; carla is gone
            Assert.Equal(["/private/comment", "/shared/comment"], read.Annotations(mailbox.Id, account).Select(note => note.Entry));
            Assert.Equal("his", Text(read.Annotations(mailbox.Id, boris.Id)));
            Assert.Equal([true, false, true], read.Messages(mailbox.Id, reader: boris.Id).Select(row => row.Flags.HasFlag(MessageFlags.Seen)));
            Assert.Equal(1, read.Mailbox(mailbox.Id, boris.Id)!.Unseen);
            Assert.Equal(ofInbox, Text(read.Annotations(read.Find(account, "INBOX")!.Id, account)));
        }

        static string Text(List<Annotation> notes) => System.Text.Encoding.ASCII.GetString(notes.Find(note => note.Entry == "/private/comment").Value);
    }

    [Fact]
    public async Task What_is_missing_comes_back_as_it_was_and_what_is_there_is_not_doubled()
    {
        var (before, archived) = (Messages("INBOX"), Messages("Archive"));
        await ExpungeAsync(inbox, [2, 3, 4, 6, 12, 18, 39]);
        await ExpungeAsync(archive, [1]);
        await premises.AppendAsync(inbox, Premises.Letter(99));
        var would = await RestoreAsync(dryRun: true);
        Assert.Equal((8, true), (would.Restored, would.DryRun));
        var done = await RestoreAsync();
        Assert.Equal((8, 37), (done.Restored, done.There));
        Assert.Equal(would.Bytes, done.Bytes);
        var after = Messages("INBOX");
        Assert.Equal(41, after.Count);
        Assert.Empty(before.Except(after));
        Assert.Equal(archived, Messages("Archive"));
        Assert.Equal(0, (await RestoreAsync()).Restored);
        Assert.Equal(after, Messages("INBOX"));
        premises.Census();
    }

    [Fact]
    public async Task What_was_moved_is_there_and_what_lies_in_the_trash_is_missing()
    {
        await premises.Mail.MoveAsync(inbox, [10, 11], archive, default);
        await premises.Mail.MoveAsync(inbox, [20, 21, 22], premises.Mailbox(anna, "Trash"), default);
        var done = await RestoreAsync();
        Assert.Equal(3, done.Restored);
        Assert.Equal(38, Messages("INBOX").Count);
        Assert.Equal(5, Messages("Archive").Count);
        Assert.Equal(0, (await RestoreAsync()).Restored);
    }

    [Fact]
    public async Task A_mailbox_that_is_gone_is_made_again()
    {
        var before = Messages("Projects/2026");
        await premises.Mail.DeleteAsync(anna.Id, "Projects/2026", default);
        await premises.Mail.DeleteAsync(anna.Id, "Archive", default);
        await ExpungeAsync(inbox, [1, 2, 3, 6, 7, 8]);
        var one = await RestoreAsync(mailbox: "Projects/2026");
        Assert.Equal("Projects/2026", Assert.Single(one.Mailboxes).Name);
        Assert.True(one.Mailboxes[0].Created);
        Assert.Equal(before, Messages("Projects/2026"));
        await RestoreAsync();
        using var read = premises.Mail.Read();
        Assert.True(read.Find(anna.Id, "Projects/2026")!.Subscribed);
        Assert.Equal("\\Archive", read.Find(anna.Id, "Archive")!.SpecialUse);
        Assert.Equal(3, Messages("Archive").Count);
    }

    [Fact]
    public async Task Everything_can_be_put_beside_what_is_there()
    {
        var done = await RestoreAsync(into: "Restored");
        Assert.Equal(45, done.Restored);
        Assert.Equal(Messages("INBOX"), Messages("Restored/INBOX"));
        Assert.Equal(Messages("Projects/2026"), Messages("Restored/Projects/2026"));
        Assert.Equal(0, (await RestoreAsync(into: "Restored")).Restored);
        using (var read = premises.Mail.Read()) Assert.Null(read.Find(anna.Id, "Restored/Archive")!.SpecialUse);
        premises.Census();
    }

    [Fact]
    public async Task A_removed_account_is_made_again_with_its_password()
    {
        var census = premises.Census().Where(line => line.StartsWith("    ", StringComparison.Ordinal)).Order();
        var hash = premises.People.PasswordHash(anna.Id);
        await premises.People.SetAccountAsync(anna, new AccountChange(Quota: 10_000));
        await premises.People.RemoveAccountAsync(anna);
        Assert.True((await RestoreAsync(dryRun: true)).Created);
        Assert.Null(premises.People.FindAccount(anna.Address));
        var done = await RestoreAsync();
        Assert.True(done.Created);
        var again = premises.People.FindAccount(anna.Address)!;
        Assert.Equal((anna.Name, anna.Quota, anna.Groups, hash), (again.Name, again.Quota, again.Groups, premises.People.PasswordHash(again.Id)));
        Assert.Equal(census, premises.Census().Where(line => line.StartsWith("    ", StringComparison.Ordinal)).Order());
        Assert.Equal(0, (await RestoreAsync()).Restored);
    }

    [Fact]
    public async Task Another_server_takes_an_account_in_and_finds_equal_messages_by_their_bytes()
    {
        await using var other = new Premises(Path.Combine(folder, "other"));
        using var restore = new AccountRestore(other.Mail, other.People, new Spool(other.Settings), other.Settings);
        var order = new AccountRestoreOrder(Repository, anna.Address.ToString());
        Assert.Contains("cbamail domain add", (await restore.RunAsync(order, null, default)).Refusal?.Sentence);
        var boris = await other.AddAsync("boris"); // shifts every id, and makes the domain
        await other.AppendAsync(other.Mailbox(boris, "INBOX"), Premises.Letter(7));
        Assert.Equal(45, (await RestoreAsync(where: other)).Restored);
        Assert.Equal(Messages("INBOX"), Messages("INBOX", other));
        Assert.Equal(0, (await RestoreAsync(where: other)).Restored);
        other.Census();
    }

    [Fact]
    public async Task A_removed_account_whose_owner_may_not_sign_in_is_so_again()
    {
        await premises.People.SetAccountAsync(anna, new AccountChange(Enabled: false));
        Assert.True((await premises.Backups.RunAsync(new BackupOrder(Repository), null, default)).Ok);
        await premises.People.RemoveAccountAsync(anna);
        await RestoreAsync();
        Assert.False(premises.People.FindAccount(anna.Address)!.Enabled);
    }

    // both servers gave the letters the same numbers, and the differences from the first letter are the same bytes
    [Fact]
    public async Task A_letter_that_another_server_has_stored_by_the_same_difference_from_another_letter_is_not_taken_for_it()
    {
        await using var one = new Premises(Path.Combine(folder, "one"));
        await using var other = new Premises(Path.Combine(folder, "other"));
        var account = await one.AddAsync("anna");
        await StoreAsync(one, account, 1);
        await StoreAsync(other, await other.AddAsync("boris"), 2);
        using (var first = one.Mail.Read())
        using (var second = other.Mail.Read())
            Assert.Equal(RestoreTable.Body(first.Transaction, 2)!.Value.Location.Stored, RestoreTable.Body(second.Transaction, 2)!.Value.Location.Stored);
        var directory = Path.Combine(folder, "of one");
        Assert.True((await one.Backups.RunAsync(new BackupOrder(directory), null, default)).Ok);
        using var restore = new AccountRestore(other.Mail, other.People, new Spool(other.Settings), other.Settings);
        var restored = await restore.RunAsync(new AccountRestoreOrder(directory, account.Address.ToString()), null, default);
        Assert.Equal(2, restored.Value?.Restored);
        Assert.Equal(Messages("INBOX", one), Messages("INBOX", other));

        static async Task StoreAsync(Premises premises, Account account, int seed)
        {
            var inbox = premises.Mailbox(account, "INBOX");
            var letter = Premises.Letter(seed, 3000);
            "number 0"u8.CopyTo(letter.AsSpan(100));
            using var basis = premises.Mail.Stage(letter);
            await premises.Mail.AppendAsync(inbox, basis, MessageFlags.None, [], null, 0, default);
            "number 1"u8.CopyTo(letter.AsSpan(100));
            using var copy = premises.Mail.Stage(letter, 1);
            await premises.Mail.AppendAsync(inbox, copy, MessageFlags.None, [], null, 0, default);
        }
    }

    [Fact]
    public async Task Quota_does_not_keep_mail_out_and_is_said()
    {
        await ExpungeAsync(inbox, [.. Enumerable.Range(1, 40).Select(uid => (uint)uid)]);
        await premises.People.SetAccountAsync(anna, new AccountChange(Quota: 20_000));
        Assert.True((await RestoreAsync(dryRun: true)).OverQuota);
        var done = await RestoreAsync();
        Assert.True(done.OverQuota);
        Assert.Equal(40, Messages("INBOX").Count);
    }

    [Fact]
    public async Task A_message_that_is_damaged_in_the_backup_is_named_and_the_others_come_back()
    {
        PackLocationOf(5, out var position);
        await ExpungeAsync(inbox, [4, 5, 8]);
        var pack = Path.Combine(Repository, "packs", "00000001.pack");
        using (var file = new FileStream(pack, FileMode.Open)) { file.Position = position + 400; file.WriteByte((byte)'#'); file.WriteByte((byte)'~'); }
        var done = await RestoreAsync();
        Assert.Equal(2, done.Restored);
        Assert.Contains("Message 5 of INBOX cannot be read", Assert.Single(done.Damage));
        Assert.Equal(39, Messages("INBOX").Count);

        void PackLocationOf(uint uid, out long position)
        {
            using var read = premises.Mail.Read();
            position = RestoreTable.Body(read.Transaction, read.Message(inbox, uid)!.Value.ContentId)!.Value.Location.Position;
        }
    }

    [Fact]
    public async Task What_is_not_in_the_snapshot_is_refused_with_a_sentence()
    {
        using var restore = new AccountRestore(premises.Mail, premises.People, new Spool(premises.Settings), premises.Settings);
        Assert.Contains("has no account nobody@", (await restore.RunAsync(new AccountRestoreOrder(Repository, "nobody@example.test"), null, default)).Refusal?.Sentence);
        Assert.Contains("it had", (await restore.RunAsync(new AccountRestoreOrder(Repository, "anna@example.test", "Nothing"), null, default)).Refusal?.Sentence);
        Assert.Contains("no snapshot 1999", (await restore.RunAsync(new AccountRestoreOrder(Repository, "anna@example.test", At: "1999"), null, default)).Refusal?.Sentence);
    }
}
