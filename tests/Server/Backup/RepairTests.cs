using System.Text;
using CbaMail.Mailboxes;
using CbaMail.Storage.Blobs;
using Xunit;

namespace CbaMail.Tests.Server.Backup;

/// <summary>What <c>verify --repair</c> makes of each damage: whole after, and nothing left for a second repair.</summary>
public sealed class RepairTests
{
    static byte[] Incompressible(int length)
    {
        var bytes = new byte[length * 3 / 4];
        new Random(length).NextBytes(bytes);
        return Encoding.ASCII.GetBytes(Convert.ToBase64String(bytes, Base64FormattingOptions.InsertLineBreaks));
    }

    static byte[] WithFile(int number, int size) => [.. Encoding.ASCII.GetBytes(
        $"From: A <a@example.test>\r\nTo: b@example.test\r\nSubject: file {number}\r\nMessage-ID: <f{number}@example.test>\r\nDate: Mon, 02 Feb 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello {number}\r\n--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=plan.pdf\r\n\r\n"),
        .. Incompressible(size), .. "\r\n--b--\r\n"u8];

    [Theory]
    [InlineData("UPDATE content SET refs = refs + 3 WHERE id = 1")]
    [InlineData("DELETE FROM content_held WHERE content_id = 2")]
    [InlineData("UPDATE object SET refs = 9 WHERE id = 1")]
    [InlineData("UPDATE mailbox SET messages = 7, unseen = 1, deleted = 3, bytes = bytes + 1 WHERE messages > 0")]
    [InlineData("UPDATE usage SET bytes = 12, messages = 1")]
    [InlineData("DELETE FROM usage")]
    [InlineData("UPDATE usage SET modseq = 2")]
    [InlineData("UPDATE mailbox SET uid_next = 2 WHERE messages > 0")]
    [InlineData("UPDATE mailbox SET modseq = 1 WHERE messages > 0")]
    [InlineData("UPDATE mailbox SET uid_validity = uid_validity + 1000000 WHERE messages > 0")]
    [InlineData("INSERT INTO expunged (mailbox_id, modseq, uid) SELECT id, 1, 2 FROM mailbox WHERE messages > 0")]
    [InlineData("UPDATE content SET size = size + 5")]
    [InlineData("UPDATE message SET size = size - 5")]
    [InlineData("UPDATE content SET stored = stored - 1, position = position + 1 WHERE id = 1")]
    [InlineData("UPDATE content SET pack = 9 WHERE id = 1")]
    [InlineData("UPDATE content SET base = 1 WHERE id = 2")]
    [InlineData("UPDATE object SET hash = x'00' WHERE id = 1")]
    [InlineData("UPDATE object SET size = 7 WHERE id = 1")]
    [InlineData("UPDATE object SET position = 3 WHERE id = 1")]
    [InlineData("INSERT INTO mailbox_acl VALUES (99, 'anyone', 1); INSERT INTO reader_mark VALUES (98, 1, 1, 1, 1)")]
    [InlineData("UPDATE mailbox SET shared = 1")]
    [InlineData("INSERT INTO mailbox_acl SELECT id, 'gone@example.test', 1 FROM mailbox")]
    [InlineData("INSERT INTO mailbox_acl SELECT id, 'anyone', 4097 FROM mailbox; INSERT INTO annotation VALUES (0, 77, '/private/comment', x'41')")]
    [InlineData("INSERT INTO reader SELECT id, account_id, 3, 1 FROM mailbox; INSERT INTO reader_mark SELECT id, 77, 1, 1, 1 FROM mailbox")]
    public async Task Rows_are_set_right_and_no_message_is_touched(string damage)
    {
        await using var vault = await BackupFixture.NewAsync();
        await vault.AppendAsync(BackupFixture.Message(1));
        await vault.AppendAsync(BackupFixture.Message(2), keywords: "$Label");
        await vault.AppendAsync(WithFile(3, 60_000), flags: MessageFlags.Seen | MessageFlags.Deleted);
        await vault.Mail.CopyAsync(vault.Inbox, [2], vault.Inbox, 0, default);
        var before = vault.Rows();
        await vault.SqlAsync(damage);
        Assert.NotEmpty(await vault.RepairAsync());
        Assert.Equal(before, vault.Rows());
        Assert.Equal(BackupFixture.Message(1), vault.Body(1));
        Assert.Equal(BackupFixture.Message(2), vault.Body(4));
        Assert.Equal(WithFile(3, 60_000), vault.Body(3));
        var inbox = vault.Mailbox();
        Assert.Equal((4, 3, 1, before.Sum(row => row.Size)), (inbox.Messages, inbox.Unseen, inbox.Deleted, inbox.Bytes));
        Assert.Equal(5u, await vault.AppendAsync(BackupFixture.Message(5)));
    }

    [Fact]
    public async Task An_expunged_message_that_is_kept_is_forgotten_where_its_body_is_damaged_and_stays_where_it_is_whole()
    {
        await using var vault = await BackupFixture.NewAsync();
        vault.Mail.KeepsExpunged = true;
        for (var number = 1; number <= 4; number++) await vault.AppendAsync(BackupFixture.Message(number));
        var damaged = vault.Stored(2).Location;
        await vault.Mail.StoreAsync(vault.Inbox, [1, 2, 3], new FlagChange(FlagMode.Add, MessageFlags.Deleted, []), null, default);
        await vault.Mail.ExpungeAsync(vault.Inbox, null, default);
        Assert.Empty(await vault.ProblemsAsync());
        vault.Flip(damaged, 60);
        Assert.Contains(await vault.ProblemsAsync(), problem => problem.Contains("expunged message 2 of account 1: the body is damaged", StringComparison.Ordinal));
        await vault.SqlAsync("UPDATE kept_message SET content_id = 99 WHERE id = 3; DELETE FROM content WHERE id = 3");
        var done = await vault.RepairAsync();
        Assert.Contains(done, sentence => sentence.Contains("cannot be brought back", StringComparison.Ordinal));
        Assert.Contains(done, sentence => sentence.StartsWith("Expunged message 3, whose body is lost", StringComparison.Ordinal));
        using var read = vault.Store.Read();
        Assert.Equal(1, read.Prepare("SELECT group_concat(id) FROM kept_message").Scalar());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(10)]
    [InlineData(17)]
    [InlineData(33)]
    public async Task A_damaged_header_is_made_again(int offset)
    {
        await using var vault = await BackupFixture.NewAsync();
        await vault.AppendAsync(BackupFixture.Message(1));
        vault.Flip(vault.Stored(1).Location, offset);
        var done = Assert.Single(await vault.RepairAsync());
        Assert.Contains("its header was made again", done, StringComparison.Ordinal);
        Assert.Equal(BackupFixture.Message(1), vault.Body(1));
    }

    [Fact]
    public async Task A_record_is_taken_from_a_backup()
    {
        await using var vault = await BackupFixture.NewAsync();
        await vault.AppendAsync(WithFile(1, 60_000), flags: MessageFlags.Flagged);
        await vault.AppendAsync(BackupFixture.Message(2));
        var before = vault.Rows();
        var backup = System.IO.Directory.CreateTempSubdirectory("cba-copy").FullName;
        try
        {
            System.IO.Directory.CreateDirectory(Path.Combine(backup, "packs"));
            File.Copy(vault.PackFile(), Path.Combine(backup, "packs", "00000001.pack"));
            foreach (var (id, kind) in ((long, RecordKind)[])[(1, RecordKind.Content), (2, RecordKind.Content), (1, RecordKind.Object)])
                vault.Flip(vault.Stored(id, kind).Location, vault.Stored(id, kind).Location.Stored - 9);
            Assert.Equal(3, (await vault.ProblemsAsync()).Count);
            var done = await vault.RepairAsync(backup);
            Assert.Equal(3, done.Count);
            Assert.All(done, line => Assert.EndsWith($"is whole again: taken from {backup}.", line, StringComparison.Ordinal));
        }
        finally
        {
            System.IO.Directory.Delete(backup, recursive: true);
        }
        Assert.Equal(before, vault.Rows());
        Assert.Equal(WithFile(1, 60_000), vault.Body(1));
        Assert.Equal(BackupFixture.Message(2), vault.Body(2));
        await vault.RestartAsync();
        Assert.Empty(await vault.ProblemsAsync());
    }

    [Fact]
    public async Task A_backup_of_other_mail_gives_nothing_away()
    {
        await using var vault = await BackupFixture.NewAsync();
        await using var other = await BackupFixture.NewAsync();
        await vault.AppendAsync(BackupFixture.Message(1));
        await other.AppendAsync(BackupFixture.Message(9, 30));
        vault.Flip(vault.Stored(1).Location, 100);
        var done = Assert.Single(await vault.RepairAsync(other.Folder));
        Assert.Contains("the body is lost", done, StringComparison.Ordinal);
        Assert.Contains("Subject: number 1", Encoding.UTF8.GetString(vault.Body(2)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_message_is_replaced_by_what_can_be_read_of_it()
    {
        await using var vault = await BackupFixture.NewAsync();
        var boris = await vault.InboxAsync("boris@example.test");
        await vault.AppendAsync(WithFile(1, 60_000), flags: MessageFlags.Seen | MessageFlags.Flagged, keywords: "$Label");
        await vault.Mail.CopyAsync(vault.Inbox, [1], boris, 0, default);
        var old = vault.Row(1);
        vault.Flip(vault.Stored(1).Location, vault.Stored(1).Location.Stored - 9);
        var done = await vault.RepairAsync();
        Assert.Equal(2, done.Count);
        Assert.Contains(done, line => line == "anna@example.test, INBOX, UID 1, \"file 1\": the body is lost; what could be read (its header, 1 of 2 attachments) stands in its place as UID 2.");
        var row = Assert.Single(vault.Rows());
        Assert.Equal((2u, old.Flags, old.Keywords, old.Received), (row.Uid, row.Flags, row.Keywords, row.Received));
        Assert.Single(vault.Rows(boris));
        var letter = Encoding.UTF8.GetString(vault.Body(2));
        Assert.Contains("From: A <a@example.test>\r\n", letter, StringComparison.Ordinal);
        Assert.Contains("To: b@example.test\r\n", letter, StringComparison.Ordinal);
        Assert.Contains("Subject: file 1\r\n", letter, StringComparison.Ordinal);
        Assert.Contains("Message-ID: <f1@example.test>\r\n", letter, StringComparison.Ordinal);
        Assert.Contains("Date: Mon, 2 Feb 2026 10:00:00 +0000\r\n", letter, StringComparison.Ordinal);
        Assert.Contains("plan.pdf", letter, StringComparison.Ordinal);
        Assert.Contains(Encoding.ASCII.GetString(Incompressible(60_000))[..70], letter, StringComparison.Ordinal);
        using var read = vault.Mail.Read();
        Assert.Equal([1u], read.ChangesSince(vault.Inbox, old.ModSeq)!.Vanished);
    }

    [Fact]
    public async Task The_readable_pieces_of_a_long_text_are_kept()
    {
        await using var vault = await BackupFixture.NewAsync();
        var text = string.Concat(Enumerable.Range(0, 40_000).Select(i => $"line {i} of the text\r\n"));
        var message = Encoding.ASCII.GetBytes("From: a@example.test\r\nSubject: long\r\n\r\n" + text);
        // a text so long is a part of its own, in four pieces
        await vault.AppendAsync(message);
        var part = vault.Stored(1, RecordKind.Object);
        vault.Flip(part.Location, part.Location.Stored / 2);
        Assert.Contains("its header, text", Assert.Single(await vault.RepairAsync()), StringComparison.Ordinal);
        var letter = Encoding.UTF8.GetString(vault.Body(2));
        Assert.Contains("line 1 of the text", letter, StringComparison.Ordinal);
        Assert.Contains("[...]", letter, StringComparison.Ordinal);
        Assert.Contains("line 39999 of the text", letter, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_base_takes_only_its_own_kind_with_it()
    {
        await using var vault = await BackupFixture.NewAsync();
        await vault.AppendAsync(BackupFixture.Message(1, 100));
        for (var i = 2; i < 5; i++)
            using (var like = vault.Mail.Stage(BackupFixture.Message(i, 100), 1))
                await vault.Mail.AppendAsync(vault.Inbox, like, MessageFlags.None, [], null, 0, default);
        await vault.AppendAsync(BackupFixture.Message(7));
        vault.Flip(vault.Stored(1).Location, 100);
        Assert.Equal(4, (await vault.RepairAsync()).Count);
        Assert.Equal([5u, 6, 7, 8, 9], vault.Rows().Select(row => row.Uid));
        Assert.Equal(BackupFixture.Message(7), vault.Body(5));
    }

    [Fact]
    public async Task A_message_whose_row_of_the_body_is_gone_leaves_a_note()
    {
        await using var vault = await BackupFixture.NewAsync();
        await vault.AppendAsync(BackupFixture.Message(1));
        await vault.SqlAsync("DELETE FROM content");
        Assert.Contains("was made again from its record", Assert.Single(await vault.RepairAsync()), StringComparison.Ordinal);
        Assert.Equal(BackupFixture.Message(1), vault.Body(1));
    }

    [Fact]
    public async Task A_body_that_nothing_holds_is_not_thrown_away()
    {
        await using var vault = await BackupFixture.NewAsync();
        await vault.AppendAsync(WithFile(1, 60_000));
        await vault.AppendAsync(BackupFixture.Message(2));
        await vault.SqlAsync("DELETE FROM message WHERE uid = 1");
        await vault.SqlAsync("UPDATE account SET role = 'admin'"); // it names nobody else here
        await vault.RepairAsync();
        using var read = vault.Store.Read();
        Assert.Equal((2, 1, 2), VerifyTable.Extent(read));
    }

    [Fact]
    public async Task A_pack_that_is_gone_costs_only_what_was_in_it()
    {
        await using var vault = await BackupFixture.NewAsync();
        for (var i = 1; i <= 12; i++) await vault.AppendAsync(WithFile(i, 600_000 + i * 4));
        await vault.Store.DisposeAsync();
        File.Delete(vault.PackFile(1));
        await vault.RestartAsync();
        var kept = vault.Rows().Count(row => vault.Stored(row.ContentId).Location.Pack > 1);
        Assert.InRange(kept, 1, 11);
        await vault.RepairAsync();
        Assert.Equal(12, vault.Rows().Count);
        Assert.Equal(kept, vault.Rows().Count(row => row.Uid <= 12));
    }
}
