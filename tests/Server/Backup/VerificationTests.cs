using CbaMail.Mailboxes;
using CbaMail.Storage.Blobs;
using Xunit;

namespace CbaMail.Tests.Server.Backup;

/// <summary>Each kind of damage, planted and named.</summary>
public sealed class VerificationTests
{
    static readonly string Large = string.Concat(Enumerable.Range(0, 900).Select(i => Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(i))) + "\r\n"));

    static byte[] WithAttachment(int number) => System.Text.Encoding.ASCII.GetBytes(
        $"From: a@example.test\r\nSubject: with a file {number}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello {number}\r\n--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n{Large}\r\n--b--\r\n");

    [Fact]
    public async Task A_vault_in_use_is_whole()
    {
        await using var vault = await BackupFixture.NewAsync();
        var uids = new List<uint>();
        for (var i = 0; i < 40; i++) uids.Add(await vault.AppendAsync(i % 3 == 0 ? WithAttachment(i) : BackupFixture.Message(i), flags: i % 2 == 0 ? MessageFlags.Seen : MessageFlags.Deleted));
        await vault.Mail.ExpungeAsync(vault.Inbox, null, default);
        var (summary, findings) = await vault.VerifyAsync();
        Assert.Empty(findings);
        Assert.Equal((0, 20, 20, 1), (summary.Problems, summary.Messages, summary.Bodies, summary.Parts));
        Assert.Equal(20, summary.GarbageRecords);
        await vault.RestartAsync();
        Assert.Empty((await vault.VerifyAsync()).Findings);
    }

    [Theory]
    [InlineData(0, "has no header of ours")]
    [InlineData(17, "has a header whose checksum is wrong")]
    [InlineData(60, "has a wrong checksum in piece 1 of 1")]
    public async Task A_flipped_bit_is_named_by_account_mailbox_uid_subject_and_date(int offset, string fault)
    {
        await using var vault = await BackupFixture.NewAsync();
        await vault.AppendAsync(BackupFixture.Message(1));
        var uid = await vault.AppendAsync(BackupFixture.Message(2, subject: "=?utf-8?b?0KHRgtC40YXQuA==?="));
        var location = vault.Stored(vault.Row(uid).ContentId).Location;
        vault.Flip(location, offset);
        Assert.Equal(
            [$"anna@example.test, INBOX, UID 2, \"Стихи\", 2026-02-02 10:00: the body is damaged: the record at {location.Position} of pack 1 {fault}"],
            await vault.ProblemsAsync());
    }

    [Fact]
    public async Task Of_a_body_that_many_hold_ten_are_named_and_the_others_counted()
    {
        await using var vault = await BackupFixture.NewAsync();
        var uid = await vault.AppendAsync(BackupFixture.Message(1));
        for (var i = 0; i < 12; i++) await vault.Mail.CopyAsync(vault.Inbox, [uid], vault.Inbox, 0, default);
        vault.Flip(vault.Stored(vault.Row(uid).ContentId).Location, 70);
        var problems = await vault.ProblemsAsync();
        Assert.Equal(10, problems.Count);
        Assert.EndsWith("3 more messages hold the same body.", problems[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_part_names_every_message_that_shares_it()
    {
        await using var vault = await BackupFixture.NewAsync();
        await vault.AppendAsync(WithAttachment(1));
        await vault.AppendAsync(WithAttachment(2));
        await vault.AppendAsync(BackupFixture.Message(3));
        vault.Flip(vault.Stored(1, RecordKind.Object).Location, 1000);
        var problems = await vault.ProblemsAsync();
        Assert.Equal(3, problems.Count);
        Assert.Contains(problems, line => line.StartsWith("anna@example.test, INBOX, UID 1, \"with a file 1\"", StringComparison.Ordinal));
        Assert.Contains(problems, line => line.StartsWith("anna@example.test, INBOX, UID 2, \"with a file 2\"", StringComparison.Ordinal));
        Assert.Contains(problems, line => line.StartsWith("large part 1, which messages share, is damaged", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_damaged_base_names_what_was_compressed_against_it()
    {
        await using var vault = await BackupFixture.NewAsync();
        var first = await vault.AppendAsync(BackupFixture.Message(1, 100));
        var content = vault.Row(first).ContentId;
        using (var like = vault.Mail.Stage(BackupFixture.Message(2, 100), content))
            await vault.Mail.AppendAsync(vault.Inbox, like, MessageFlags.None, [], null, 0, default);
        Assert.Equal(content, vault.Stored(vault.Row(2).ContentId).Base);
        vault.Flip(vault.Stored(content).Location, 100);
        var problems = await vault.ProblemsAsync();
        Assert.Equal(2, problems.Count);
        Assert.Contains("UID 1,", problems[0], StringComparison.Ordinal);
        Assert.Contains($"UID 2, \"number 2\", 2026-02-02 10:00: the body is damaged: body {content}, which it was compressed against, is damaged", problems[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pack_cut_short_names_what_was_behind_the_cut()
    {
        await using var vault = await BackupFixture.NewAsync();
        for (var i = 1; i <= 3; i++) await vault.AppendAsync(BackupFixture.Message(i));
        var cut = vault.Stored(vault.Row(3).ContentId).Location.Position + 10;
        await vault.Store.DisposeAsync();
        using (var file = new FileStream(vault.PackFile(), FileMode.Open)) file.SetLength(cut);
        await vault.RestartAsync();
        var problem = Assert.Single(await vault.ProblemsAsync());
        Assert.StartsWith("anna@example.test, INBOX, UID 3, \"number 3\"", problem, StringComparison.Ordinal);
        Assert.Equal(BackupFixture.Message(2), vault.Body(2));
    }

    [Theory]
    [InlineData("UPDATE content SET refs = refs + 3 WHERE id = 1", "body 1 is held 1 times, 4 are noted")]
    [InlineData("DELETE FROM content_held WHERE content_id = 2", "body 2 is held 2 times, 1 are noted")]
    [InlineData("UPDATE object SET refs = 9 WHERE id = 1", "large part 1 is held 1 times, 9 are noted")]
    [InlineData("UPDATE mailbox SET messages = 7, unseen = 1 WHERE messages > 0", "anna@example.test, INBOX: noted are 7 messages, 1 unseen")]
    [InlineData("UPDATE mailbox SET bytes = bytes + 1 WHERE messages > 0", "anna@example.test, INBOX: noted are 4 messages")]
    [InlineData("UPDATE mailbox SET deleted = 3 WHERE messages > 0", "anna@example.test, INBOX: noted are 4 messages")]
    [InlineData("UPDATE usage SET bytes = 12", "anna@example.test: the account's usage is noted as 4 messages, 12 bytes")]
    [InlineData("DELETE FROM usage", "anna@example.test: the account's usage is noted as 0 messages")]
    [InlineData("UPDATE usage SET modseq = 2", "anna@example.test: the account's usage is noted as 4 messages")]
    [InlineData("UPDATE mailbox SET uid_next = 2 WHERE messages > 0", "anna@example.test, INBOX: the next UID is 2, but 4 has been given out")]
    [InlineData("UPDATE mailbox SET modseq = 1 WHERE messages > 0", "anna@example.test, INBOX: the modification sequence is 1")]
    [InlineData("UPDATE mailbox SET uid_validity = uid_validity + 1000000 WHERE messages > 0", "anna@example.test, INBOX: UIDVALIDITY")]
    [InlineData("INSERT INTO expunged (mailbox_id, modseq, uid) SELECT id, 1, 2 FROM mailbox WHERE messages > 0", "anna@example.test, INBOX, UID 2: the message is there and noted as expunged")]
    [InlineData("UPDATE content SET size = size + 5 WHERE id = 1", "body 1 is ")]
    [InlineData("UPDATE message SET size = size - 5 WHERE uid = 2", "anna@example.test, INBOX, UID 2: the message is ")]
    [InlineData("UPDATE content SET stored = stored - 1 WHERE id = 1", "anna@example.test, INBOX, UID 1, \"number 1\", 2026-02-02 10:00: the body is damaged: the record at 0 of pack 1 is ")]
    [InlineData("UPDATE content SET pack = 9 WHERE id = 1", "pack 9 is missing")]
    [InlineData("DELETE FROM content WHERE id = 1", "anna@example.test, INBOX, UID 1: the body is lost: the row of its body is gone")]
    [InlineData("INSERT INTO queue_message (id, sender, content_id, size, smtputf8, eightbit, created, expires) VALUES (7, '', 1, 10, 0, 0, 1, 2)", "queue 7 has no recipient any more")]
    [InlineData("INSERT INTO message SELECT 99, uid, content_id, prefix, size, flags, keywords, received, saved, modseq, sent FROM message", "anna@example.test: mailbox 99 is gone")]
    [InlineData("UPDATE object SET hash = x'00' WHERE id = 1", "large part 1 has another hash than its row says")]
    [InlineData("UPDATE object SET size = 7 WHERE id = 1", "large part 1 is ")]
    [InlineData("UPDATE content SET base = 1 WHERE id = 2", "body 2 was compressed against body 0, its row says 1")]
    [InlineData("INSERT INTO mailbox_acl VALUES (99, 'anyone', 1)", "mailbox 99 is gone, but rights")]
    [InlineData("INSERT INTO reader_mark VALUES (99, 1, 1, 1, 1)", "mailbox 99 is gone, but rights")]
    [InlineData("UPDATE mailbox SET shared = 1 WHERE messages > 0", "anna@example.test, INBOX: it is noted as shared")]
    [InlineData("INSERT INTO mailbox_acl SELECT id, 'anyone', 1 FROM mailbox WHERE messages > 0", "anna@example.test, INBOX: it has a list of rights")]
    [InlineData("INSERT INTO mailbox_acl SELECT id, '-gone@example.test', 1 FROM mailbox WHERE messages > 0; UPDATE mailbox SET shared = 1 WHERE messages > 0", "anna@example.test, INBOX: its list of rights names gone@example.test")]
    [InlineData("INSERT INTO mailbox_acl SELECT id, 'anyone', 4096 FROM mailbox WHERE messages > 0; UPDATE mailbox SET shared = 1 WHERE messages > 0", "anna@example.test, INBOX: its list of rights gives anyone")]
    [InlineData("INSERT INTO annotation SELECT id, 77, '/private/comment', x'41' FROM mailbox WHERE messages > 0", "annotations of account 77")]
    [InlineData("INSERT INTO reader SELECT id, 77, 1, 1 FROM mailbox WHERE messages > 0", "anna@example.test, INBOX: what account 77")]
    public async Task A_wrong_row_is_named(string damage, string problem)
    {
        await using var vault = await BackupFixture.NewAsync();
        await vault.AppendAsync(BackupFixture.Message(1));
        await vault.AppendAsync(BackupFixture.Message(2), keywords: "$Label");
        await vault.AppendAsync(WithAttachment(3), flags: MessageFlags.Seen);
        await vault.Mail.CopyAsync(vault.Inbox, [2], vault.Inbox, 0, default);
        Assert.Empty(await vault.ProblemsAsync());
        await vault.SqlAsync(damage);
        Assert.Contains(await vault.ProblemsAsync(), line => line.StartsWith(problem, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Only_one_runs_at_a_time()
    {
        await using var vault = await BackupFixture.NewAsync();
        await vault.AppendAsync(BackupFixture.Message(1));
        var verification = new CbaMail.Backup.Verification(vault.Mail, [], TimeProvider.System);
        var second = default(CbaMail.Envelope.Result<CbaMail.Backup.VerifySummary>?);
        var first = await verification.RunAsync(new(), _ => { }, (_, _) =>
        {
            var beside = verification.RunAsync(new(), _ => { }, (_, _) => { }, default);
            if (beside.IsCompletedSuccessfully) second ??= beside.Result;
        }, TestContext.Current.CancellationToken);
        Assert.True(first.Ok);
        Assert.False(second!.Value.Ok);
    }
}
