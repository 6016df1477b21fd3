using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Mailboxes;

public sealed class MailStoreTests : IAsyncDisposable
{
    readonly VaultFixture vault = new();

    [Fact]
    public async Task A_new_account_has_inbox_and_the_special_use_mailboxes()
    {
        var (account, _) = await vault.AccountAsync();
        using var read = vault.Mail.Read();
        Assert.Equal(["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"], read.Mailboxes(account).Select(m => m.Name));
        Assert.Equal("\\Sent", read.Find(account, "Sent")!.SpecialUse);
        Assert.NotNull(read.Find(account, "inbox"));
    }

    [Fact]
    public async Task What_is_appended_is_read_back_byte_for_byte_after_a_restart()
    {
        var (_, inbox) = await vault.AccountAsync();
        var bodies = Enumerable.Range(0, 20).Select(i => VaultFixture.Message(i, i * i * 1000)).ToList();
        foreach (var body in bodies) await vault.AppendAsync(inbox, body);
        await vault.RestartAsync();
        for (var i = 0; i < bodies.Count; i++) Assert.True(bodies[i].AsSpan().SequenceEqual(vault.Body(inbox, (uint)i + 1)), $"message {i}");
        Assert.Equal(bodies.Sum(b => (long)b.Length), vault.Mailbox(inbox).Bytes);
    }

    [Fact]
    public async Task One_body_serves_many_rows_each_with_its_prefix()
    {
        var boxes = new List<long>();
        for (var i = 0; i < 30; i++) boxes.Add((await vault.AccountAsync()).Inbox);
        var body = VaultFixture.Message(1);
        using var staged = vault.Mail.Stage(body);
        await vault.Store.CommitAsync(t =>
        {
            var content = vault.Mail.AddContent(t, staged);
            foreach (var box in boxes)
                Assert.True(vault.Mail.AddMessage(t, box, new NewMessage(content, Encoding.ASCII.GetBytes($"Delivered-To: {box}\r\n"), default, [], DateTimeOffset.UnixEpoch), 0).Ok);
            return 0;
        });
        foreach (var box in boxes)
            Assert.Equal($"Delivered-To: {box}\r\n" + Encoding.ASCII.GetString(body), Encoding.ASCII.GetString(vault.Body(box, 1)));
        using var read = vault.Mail.Read();
        Assert.Single(boxes.Select(box => read.Message(box, 1)!.Value.ContentId).Distinct());
    }

    [Fact]
    public async Task Large_parts_are_kept_once_and_read_in_any_range()
    {
        var (_, inbox) = await vault.AccountAsync();
        var random = new Random(3);
        var attachment = new byte[900_000];
        random.NextBytes(attachment);
        var encoded = Convert.ToBase64String(attachment, Base64FormattingOptions.InsertLineBreaks);
        byte[] Mixed(int i) => Encoding.ASCII.GetBytes($"Subject: {i}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello {i}\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n{encoded}\r\n--b--\r\n");
        for (var i = 0; i < 5; i++) await vault.AppendAsync(inbox, Mixed(i));
        Assert.InRange(new FileInfo(vault.PackFile).Length, 900_000, 900_000 * 1.2 + (3 << 20));
        for (uint uid = 1; uid <= 5; uid++)
        {
            var whole = Mixed((int)uid - 1);
            using var read = vault.Mail.Read();
            var content = read.Content(inbox, read.Message(inbox, uid)!.Value)!;
            Assert.Equal(whole.Length, content.Size);
            for (var round = 0; round < 40; round++)
            {
                var from = random.Next(whole.Length + 10);
                var count = random.Next(400_000);
                var expected = whole.Skip(from).Take(count).ToArray();
                Assert.True(expected.AsSpan().SequenceEqual(content.Read(from, count)), $"{from}+{count}");
            }
            var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
            await content.CopyToAsync(pipe.Writer, 17, whole.Length - 17, default);
            await pipe.Writer.CompleteAsync();
            var copied = (await pipe.Reader.ReadAtLeastAsync(whole.Length - 17)).Buffer.ToArray();
            Assert.True(whole.AsSpan(17).SequenceEqual(copied));
        }
    }

    [Fact]
    public async Task A_personalised_body_costs_a_few_hundred_bytes_and_outlives_its_base()
    {
        var (_, inbox) = await vault.AccountAsync();
        var first = await vault.AppendAsync(inbox, VaultFixture.Message(1, 20_000));
        long content;
        using (var read = vault.Mail.Read()) content = read.Message(inbox, first)!.Value.ContentId;
        var second = VaultFixture.Message(1, 20_000);
        Encoding.ASCII.GetBytes("Ivan").CopyTo(second, 2000);
        using (var staged = vault.Mail.Stage(second, content))
            await vault.Mail.AppendAsync(inbox, staged, default, [], null, 0, default);
        await vault.Mail.StoreAsync(inbox, [first], new FlagChange(FlagMode.Add, MessageFlags.Deleted, []), null, default);
        Assert.Equal([first], (await vault.Mail.ExpungeAsync(inbox, null, default)).Value!);
        await vault.RestartAsync();
        Assert.True(second.AsSpan().SequenceEqual(vault.Body(inbox, 2)));
    }

    [Fact]
    public async Task Quota_refuses_and_leaves_nothing_behind()
    {
        var (account, inbox) = await vault.AccountAsync();
        using var staged = vault.Mail.Stage(VaultFixture.Message(1, 1000));
        Assert.True((await vault.Mail.AppendAsync(inbox, staged, default, [], null, staged.Size * 2, default)).Ok);
        Assert.True((await vault.Mail.AppendAsync(inbox, staged, default, [], null, staged.Size * 2, default)).Ok);
        Assert.Equal(Refusal.OverQuota, (await vault.Mail.AppendAsync(inbox, staged, default, [], null, staged.Size * 2, default)).Refusal);
        using var read = vault.Mail.Read();
        Assert.Equal((staged.Size * 2, 2L), read.Usage(account));
        Assert.Equal(2L, read.Transaction.Prepare("SELECT count(*) FROM content WHERE refs > 0").Scalar());
        Assert.Equal(0L, read.Transaction.Prepare("SELECT count(*) FROM content WHERE refs = 0").Scalar());
    }

    [Fact]
    public async Task A_rename_makes_no_name_longer_than_one_can_be()
    {
        var (account, _) = await vault.AccountAsync();
        await vault.Mail.CreateAsync(account, "t/" + new string('a', 600), null, default);
        Assert.Contains("longer", (await vault.Mail.RenameAsync(account, "t", new string('b', 600), default)).Refusal!.Sentence);
        Assert.True((await vault.Mail.RenameAsync(account, "t", "c", default)).Ok);
    }

    [Fact]
    public async Task Flags_change_with_unchangedsince_and_one_modseq()
    {
        var (_, inbox) = await vault.AccountAsync();
        for (var i = 0; i < 5; i++) await vault.AppendAsync(inbox, VaultFixture.Message(i));
        var before = vault.Mailbox(inbox).ModSeq;
        var first = await vault.Mail.StoreAsync(inbox, [1, 2, 99], new FlagChange(FlagMode.Add, MessageFlags.Seen, ["$Forwarded", "b"]), null, default);
        Assert.Equal([1u, 2u], first.Value!.Changed.Select(row => row.Uid));
        Assert.Equal("$Forwarded b", first.Value.Changed[0].Keywords);
        var second = await vault.Mail.StoreAsync(inbox, [1, 2, 3], new FlagChange(FlagMode.Set, MessageFlags.Flagged, []), before, default);
        Assert.Equal([3u], second.Value!.Changed.Select(row => row.Uid));
        Assert.Equal([1u, 2u], second.Value.Failed);
        await vault.Mail.StoreAsync(inbox, [1], new FlagChange(FlagMode.Remove, MessageFlags.Seen, ["B"]), null, default);
        var mailbox = vault.Mailbox(inbox);
        Assert.Equal((5, 4), (mailbox.Messages, mailbox.Unseen));
        using var read = vault.Mail.Read();
        Assert.Equal("$Forwarded", read.Message(inbox, 1)!.Value.Keywords);
        Assert.Equal([1u, 2u, 3u], read.ChangesSince(inbox, before)!.Changed.Select(row => row.Uid));
    }

    [Fact]
    public async Task Copy_and_move_keep_flags_and_tell_the_uids()
    {
        var (account, inbox) = await vault.AccountAsync();
        for (var i = 0; i < 20; i++) await vault.AppendAsync(inbox, VaultFixture.Message(i), i % 2 == 0 ? MessageFlags.Seen : default, "k" + i);
        var archive = (await vault.Mail.CreateAsync(account, "Курс/2026/осень", null, default)).Value!.Id;
        var copied = (await vault.Mail.CopyAsync(inbox, [2, 3, 5], archive, 0, default)).Value!;
        Assert.Equal([(2u, 1u), (3u, 2u), (5u, 3u)], copied.Pairs);
        var moved = (await vault.Mail.MoveAsync(inbox, [1, 20], archive, default)).Value!;
        Assert.Equal([(1u, 4u), (20u, 5u)], moved.Pairs);
        Assert.Equal((18, 5), (vault.Mailbox(inbox).Messages, vault.Mailbox(archive).Messages));
        Assert.Equal(VaultFixture.Message(19), vault.Body(archive, 5));
        using var read = vault.Mail.Read();
        Assert.Equal(["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash", "Курс", "Курс/2026", "Курс/2026/осень"], read.Mailboxes(account).Select(m => m.Name));
        Assert.Equal([1u, 20u], read.ChangesSince(inbox, 0)!.Vanished);
        Assert.Equal("k19", read.Message(archive, 5)!.Value.Keywords);
    }

    [Fact]
    public async Task Mailboxes_are_renamed_with_what_is_below_and_inbox_gives_its_messages()
    {
        var (account, inbox) = await vault.AccountAsync();
        await vault.AppendAsync(inbox, VaultFixture.Message(1));
        await vault.Mail.CreateAsync(account, "a/b/c", null, default);
        Assert.True((await vault.Mail.RenameAsync(account, "a/b", "x/y", default)).Ok);
        Assert.Equal(Refusal.AlreadyExists.ImapCode, (await vault.Mail.RenameAsync(account, "x", "Sent", default)).Refusal!.ImapCode);
        Assert.Equal(Refusal.NotPossible.ImapCode, (await vault.Mail.RenameAsync(account, "x", "x/z", default)).Refusal!.ImapCode);
        var old = (await vault.Mail.RenameAsync(account, "inbox", "old", default)).Value!;
        Assert.Equal(VaultFixture.Message(1), vault.Body(old.Id, 1));
        Assert.Equal(0, vault.Mailbox(inbox).Messages);
        Assert.NotNull(await vault.Mail.DeleteAsync(account, "INBOX", default));
        Assert.Null(await vault.Mail.DeleteAsync(account, "old", default));
        using var read = vault.Mail.Read();
        Assert.Equal(["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash", "a", "x", "x/y", "x/y/c"], read.Mailboxes(account).Select(m => m.Name));
        Assert.Equal((0L, 0L), read.Usage(account));
        Assert.Equal(0L, read.Transaction.Prepare("SELECT count(*) FROM content").Scalar());
    }

    [Fact]
    public async Task A_mailbox_made_again_has_a_greater_uidvalidity()
    {
        var (account, _) = await vault.AccountAsync();
        var first = (await vault.Mail.CreateAsync(account, "x", null, default)).Value!;
        await vault.Mail.DeleteAsync(account, "x", default);
        var second = (await vault.Mail.CreateAsync(account, "x", null, default)).Value!;
        Assert.True(second.UidValidity > first.UidValidity);
    }

    [Fact]
    public async Task Changes_are_announced_after_the_commit()
    {
        var (_, inbox) = await vault.AccountAsync();
        var seen = new TaskCompletionSource<Change>();
        using var subscription = vault.Mail.Notifier.Subscribe(inbox, change => seen.TrySetResult(change));
        await vault.AppendAsync(inbox, VaultFixture.Message(1));
        Assert.Equal(vault.Mailbox(inbox).ModSeq, (await seen.Task.WaitAsync(Wait.Patience)).ModSeq);
    }

    [Fact]
    public async Task Neighbours_are_copied_and_removed_together_each_with_its_own_flags_and_the_rest_stays()
    {
        var (account, inbox) = await vault.AccountAsync();
        for (var i = 1; i <= 30; i++) await vault.AppendAsync(inbox, VaultFixture.Message(i), i % 7 == 0 ? MessageFlags.Seen : default, i is >= 10 and < 20 ? ["k"] : []);
        await vault.Mail.RemoveAsync(inbox, [5, 6, 16], default); // holes among the UIDs, and among the bodies
        uint[] chosen = [1, 2, 3, 7, 8, 9, 10, 11, 15, 17, 18, 25];
        var archive = (await vault.Mail.CreateAsync(account, "Copies", null, default)).Value!.Id;
        await vault.AppendAsync(archive, VaultFixture.Message(99));
        var copied = (await vault.Mail.CopyAsync(inbox, chosen, archive, 0, default)).Value!;
        Assert.Equal(chosen.Select((uid, i) => (uid, (uint)i + 2)), copied.Pairs);
        using (var read = vault.Mail.Read())
        {
            foreach (var (from, to) in copied.Pairs)
            {
                var (source, copy) = (read.Message(inbox, from)!.Value, read.Message(archive, to)!.Value);
                Assert.Equal((source.Flags, source.Keywords, source.ContentId, source.Size, source.Received), (copy.Flags, copy.Keywords, copy.ContentId, copy.Size, copy.Received));
            }
        }
        Assert.Equal((13, 12), (vault.Mailbox(archive).Messages, vault.Mailbox(archive).Unseen));

        // bodies with one row and with two side by side: those with one go, with the rows, and no other
        await vault.Mail.StoreAsync(inbox, [.. Enumerable.Range(1, 20).Select(i => (uint)i)], new FlagChange(FlagMode.Add, MessageFlags.Deleted, []), null, default);
        var gone = (await vault.Mail.ExpungeAsync(inbox, null, default)).Value!;
        Assert.Equal(Enumerable.Range(1, 20).Except([5, 6, 16]).Select(i => (uint)i), gone);
        foreach (var (from, to) in copied.Pairs) Assert.Equal(VaultFixture.Message((int)from), vault.Body(archive, to));
        for (uint uid = 21; uid <= 30; uid++) Assert.Equal(VaultFixture.Message((int)uid), vault.Body(inbox, uid));
        using (var read = vault.Mail.Read())
        {
            Assert.Equal(gone, read.ExpungedSince(inbox, 0).Except([5u, 6u, 16u]));
            Assert.Equal(10 + 13, read.Usage(account).Messages);
        }
        await vault.Mail.RemoveAsync(archive, [.. Enumerable.Range(1, 13).Select(i => (uint)i)], default);
        await vault.Mail.RemoveAsync(inbox, [.. Enumerable.Range(21, 10).Select(i => (uint)i)], default);
        using var after = vault.Mail.Read();
        Assert.Equal(0L, after.Transaction.Prepare("SELECT count(*) FROM content").Scalar());
    }

    [Fact]
    public async Task Messages_are_recent_to_one_session_alone_and_the_row_learns_of_it()
    {
        var (_, inbox) = await vault.AccountAsync();
        for (var i = 0; i < 3; i++) await vault.AppendAsync(inbox, VaultFixture.Message(i));
        Assert.Equal((1u, 4u), vault.Mail.ClaimRecent(inbox));
        Assert.Equal((4u, 4u), vault.Mail.ClaimRecent(inbox));
        Assert.Equal(4u, vault.Mail.RecentFrom(vault.Mailbox(inbox)));
        await vault.AppendAsync(inbox, VaultFixture.Message(4));
        Assert.Equal((4u, 5u), vault.Mail.ClaimRecent(inbox));
        await vault.RestartAsync();
        Assert.Equal(5u, vault.Mailbox(inbox).RecentUid);
    }

    [Fact]
    public async Task Rows_whose_record_was_torn_are_gone_after_a_crash_and_their_uid_stays_used()
    {
        var (account, inbox) = await vault.AccountAsync();
        await vault.AppendAsync(inbox, VaultFixture.Message(1, 4000));
        var safe = new FileInfo(vault.PackFile).Length;
        await vault.Store.DisposeAsync();
        safe = new FileInfo(vault.PackFile).Length;
        await vault.RestartAsync();
        await vault.AppendAsync(inbox, VaultFixture.Message(2, 4000));
        await vault.CrashAsync(file => file.SetLength(safe + 100));
        var mailbox = vault.Mailbox(inbox);
        Assert.Equal((1, 3u), (mailbox.Messages, mailbox.UidNext));
        Assert.Equal(VaultFixture.Message(1, 4000), vault.Body(inbox, 1));
        using var read = vault.Mail.Read();
        Assert.Equal((VaultFixture.Message(1, 4000).Length, 1L), read.Usage(account));
        Assert.Equal(3u, await vault.AppendAsync(inbox, VaultFixture.Message(3)));
    }

    public ValueTask DisposeAsync() => vault.DisposeAsync();
}
