using CbaMail.Config;
using CbaMail.Mailboxes;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Backup;

/// <summary>Mail that has lost its place is put where its owner finds it.</summary>
public sealed class RecoveredTests
{
    const string Boris = "boris@example.test";

    static async Task<BackupFixture> NewAsync()
    {
        var vault = await BackupFixture.NewAsync();
        for (var i = 1; i <= 4; i++) await vault.AppendAsync(BackupFixture.Message(i));
        return vault;
    }

    static long Find(BackupFixture vault, string address, string mailbox)
    {
        using var read = vault.Mail.Read();
        return read.Find(vault.Directory.ListAccounts().Single(account => account.Address.ToString() == address).Id, mailbox)?.Id ?? 0;
    }

    static byte[] To(string to, int number) => System.Text.Encoding.UTF8.GetBytes($"From: x@elsewhere.test\r\nTo: {to}\r\nSubject: letter {number}\r\nDate: Mon, 02 Feb 2026 10:00:00 +0000\r\nMessage-ID: <r{number}@x.test>\r\n\r\nbody {number}\r\n");

    [Fact]
    public async Task Messages_of_a_mailbox_that_is_gone_are_in_a_new_one()
    {
        await using var vault = await NewAsync();
        await vault.InboxAsync(Boris);
        var projects = (await vault.Mail.CreateAsync(vault.Directory.ListAccounts()[0].Id, "Projects", null, default)).Value!;
        for (var i = 1; i <= 5; i++) await vault.AppendAsync(To(BackupFixture.Anna, i), projects.Id, MessageFlags.Flagged);
        await vault.Mail.StoreAsync(projects.Id, [2], new FlagChange(FlagMode.Add, MessageFlags.Deleted, []), null, default);
        await vault.Mail.ExpungeAsync(projects.Id, [2], default);
        await vault.SqlAsync($"DELETE FROM mailbox WHERE id = {projects.Id}");
        Assert.Contains(await vault.ProblemsAsync(), line => line == $"{BackupFixture.Anna}: mailbox {projects.Id} is gone, but 4 messages of it are there");
        await vault.RepairAsync();
        var recovered = Find(vault, BackupFixture.Anna, "Recovered");
        Assert.Equal([1u, 3, 4, 5], vault.Rows(recovered).Select(row => row.Uid));
        Assert.Equal(To(BackupFixture.Anna, 3), vault.Body(3, recovered));
        Assert.All(vault.Rows(recovered), row => Assert.True(row.Flags.HasFlag(MessageFlags.Flagged)));
        Assert.Equal(6u, await vault.AppendAsync(To(BackupFixture.Anna, 9), recovered));
        Assert.Equal(4, vault.Rows().Count);
    }

    [Fact]
    public async Task Whose_it_was_is_told_by_the_address_that_it_was_delivered_to()
    {
        await using var vault = await NewAsync();
        var inbox = await vault.InboxAsync(Boris);
        using (var staged = vault.Mail.Stage(To(BackupFixture.Anna, 1)))
            await vault.Store.CommitAsync(write => vault.Mail.AddMessage(write, inbox,
                new NewMessage(vault.Mail.AddContent(write, staged), "Return-Path: <x@elsewhere.test>\r\nDelivered-To: boris+lists@example.test\r\n"u8.ToArray(), MessageFlags.None, [], DateTimeOffset.UnixEpoch), 0));
        await vault.SqlAsync($"DELETE FROM mailbox WHERE id = {inbox}");
        await vault.RepairAsync();
        Assert.Single(vault.Rows(Find(vault, Boris, "Recovered")));
    }

    [Fact]
    public async Task What_was_expunged_from_a_mailbox_that_is_gone_is_forgotten()
    {
        await using var vault = await NewAsync();
        await vault.SqlAsync("INSERT INTO expunged (mailbox_id, modseq, uid) VALUES (99, 5, 1)");
        Assert.Contains("mailbox 99 is gone, but what was expunged", Assert.Single(await vault.ProblemsAsync()));
        await vault.RepairAsync();
    }

    [Fact]
    public async Task A_body_whose_rows_are_lost_is_found_by_everybody_whom_it_names()
    {
        await using var vault = await NewAsync();
        await vault.InboxAsync(Boris);
        await vault.AppendAsync(To($"{BackupFixture.Anna}, Boris <{Boris}>, c@elsewhere.test", 7));
        await vault.SqlAsync("DELETE FROM message WHERE uid = 5");
        Assert.Contains(await vault.ProblemsAsync(), line => line.Contains("\"letter 7\"", StringComparison.Ordinal) && line.Contains("is in no mailbox any more", StringComparison.Ordinal));
        Assert.Contains(await vault.RepairAsync(), line => line.Contains($"is in the mailbox \"Recovered\" of {BackupFixture.Anna}, {Boris}", StringComparison.Ordinal));
        foreach (var address in (string[])[BackupFixture.Anna, Boris])
            Assert.EndsWith("body 7\r\n", System.Text.Encoding.UTF8.GetString(vault.Body(1, Find(vault, address, "Recovered"))));
        Assert.Equal(2, (await Refs(vault, 5)));
    }

    static async Task<long> Refs(BackupFixture vault, long content) =>
        await vault.Store.CommitAsync(write => write.Prepare("SELECT refs + coalesce((SELECT more FROM content_held WHERE content_id = id), 0) FROM content WHERE id = ?").Bind(1, content).Scalar() ?? 0);

    [Fact]
    public async Task A_body_that_names_nobody_here_is_kept_until_there_is_an_administrator()
    {
        await using var vault = await NewAsync();
        await vault.AppendAsync(To("c@elsewhere.test", 8));
        await vault.SqlAsync("DELETE FROM message WHERE uid = 5");
        var (summary, _) = await vault.VerifyAsync(repair: true);
        Assert.Equal(1, summary.Problems);
        Assert.Equal(1, await Refs(vault, 5));
        await vault.SqlAsync("UPDATE account SET role = 'admin'");
        await vault.RepairAsync();
        Assert.Single(vault.Rows(Find(vault, BackupFixture.Anna, "Recovered")));
    }

    [Fact]
    public async Task Queued_mail_without_recipients_is_given_back_to_its_sender()
    {
        await using var vault = await NewAsync();
        await vault.SqlAsync($"INSERT INTO queue_message (id, sender, content_id, size, smtputf8, eightbit, created, expires) VALUES (7, '{BackupFixture.Anna}', 1, 10, 0, 0, 1, 2)");
        await vault.SqlAsync("UPDATE content SET refs = refs + 1 WHERE id = 1");
        await vault.SqlAsync("INSERT INTO queue_recipient (message_id, seq, address, domain, held, attempts, next_attempt, delay_told) VALUES (8, 0, 'a@b.test', 'b.test', 0, 0, 0, 0)");
        var problems = await vault.ProblemsAsync();
        Assert.Contains("queue 7 has no recipient any more", problems);
        Assert.Contains("queue 8 has recipients but no message", problems);
        await vault.RepairAsync();
        Assert.Equal(BackupFixture.Message(1), vault.Body(1, Find(vault, BackupFixture.Anna, "Recovered")));
    }

    [Fact]
    public async Task A_pack_that_is_missing_is_named_and_its_messages_are_saved_from_a_copy_or_replaced()
    {
        foreach (var withCopy in new[] { true, false })
        {
            await using var vault = await NewAsync();
            var copy = System.IO.Directory.CreateDirectory(Path.Combine(vault.Folder, "copy", "packs")).FullName;
            await vault.Store.DisposeAsync();
            File.Move(vault.PackFile(), Path.Combine(copy, "00000001.pack"));
            await vault.RestartAsync();
            var problems = await vault.ProblemsAsync();
            Assert.Equal(4, problems.Count(line => line.StartsWith("anna@example.test, INBOX, UID ", StringComparison.Ordinal)));
            await vault.RepairAsync(withCopy ? Path.Combine(vault.Folder, "copy") : null);
            Assert.Equal(4, vault.Rows().Count);
            if (withCopy) Assert.Equal(BackupFixture.Message(2), vault.Body(2));
            else Assert.Contains("Subject: number 2", System.Text.Encoding.UTF8.GetString(vault.Body(vault.Rows()[1].Uid)));
        }
    }

    [Fact]
    public async Task After_a_salvage_nothing_is_collected_until_the_damaged_database_is_moved_away()
    {
        await using var vault = await NewAsync();
        for (var i = 0; i < 30; i++) await vault.AppendAsync(BackupFixture.Message(100 + i, 20_000));
        await vault.Mail.StoreAsync(vault.Inbox, [.. vault.Rows().Select(row => row.Uid)], new FlagChange(FlagMode.Add, MessageFlags.Deleted, []), null, default);
        await vault.Mail.ExpungeAsync(vault.Inbox, null, default);
        var damaged = Path.Combine(vault.Folder, "cbamail.db.damaged-20260304-050607");
        await File.WriteAllTextAsync(damaged, "", TestContext.Current.CancellationToken);
        var rewriting = new PackRewriting(vault.Store, new Settings { Data = vault.Folder }, TimeProvider.System, NullLogger<PackRewriting>.Instance);
        var report = await rewriting.CollectAsync(hurried: true, default);
        Assert.Equal(damaged, report.Waits);
        Assert.Contains((await vault.VerifyAsync()).Findings, finding => finding.Kind == "note" && finding.Text.Contains("They are kept as long as " + damaged, StringComparison.Ordinal));
        File.Delete(damaged);
        report = await rewriting.CollectAsync(hurried: true, default);
        Assert.Null(report.Waits);
        Assert.NotEqual(0, report.Removed);
    }
}
