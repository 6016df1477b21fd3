using System.Text;
using CbaMail.Directory;
using CbaMail.Mailings;
using CbaMail.Queue;
using Xunit;

namespace CbaMail.Tests.Server.Mailings;

public class MailingRunTests
{
    [Fact]
    public async Task Everybody_gets_one_copy_of_his_own_and_the_ledger_says_so()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(30);
        var id = await house.MailingAsync(course);
        await house.SendAsync(id);
        Assert.Equal(new LedgerCounts(30, 30, 0, 0, 0, 0, 0), house.Counts(id));
        Assert.False(await house.Run.RunAllAsync(default));
        Assert.Equal((MailingState.Sent, new LedgerCounts(30, 0, 0, 30, 0, 0, 0)), (house.State(id), house.Counts(id)));
        var rows = house.Ledger(id);
        Assert.Equal(30, rows.Select(row => row.MessageId).Distinct().Count());
        Assert.All(rows, row => Assert.StartsWith("250 ", row.Reply, StringComparison.Ordinal));
        for (var i = 1; i <= 30; i++)
        {
            var copy = Assert.Single(house.Inbox($"u{i}@example.test"));
            Assert.Contains($"<{rows[i - 1].MessageId}>", copy, StringComparison.Ordinal);
            Assert.Contains($"u{i}@example.test", copy, StringComparison.Ordinal);
            Assert.StartsWith("Return-Path: <school@example.test>\r\n", copy, StringComparison.Ordinal);
        }
        Assert.Equal(409, (await house.Press.SendAsync(id, false, default)).Refusal!.HttpStatus);
    }

    [Fact]
    public async Task Nobody_can_work_out_the_Message_ID_of_anothers_copy()
    {
        // all that goes into it but the server's key is known to whoever has a copy: numbers, addresses, about when it was made
        await using var house = new MailingFixture();
        var id = await house.MailingAsync(await house.CourseAsync(2));
        await house.SendAsync(id);
        var created = MailingFixture.Ok(house.Press.Find(id)).Created.ToUnixTimeMilliseconds();
        foreach (var row in house.Ledger(id))
        {
            var parts = row.MessageId.Split('.', '@');
            Assert.Equal(20, parts[2].Length);
            var known = Encoding.UTF8.GetBytes($"{id}|{parts[1]}|{created}|{row.Address}");
            Assert.NotEqual(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(known))[..20], parts[2]);
            Assert.StartsWith(parts[2], Convert.ToHexStringLower(house.Users.Secret("message-id", Encoding.UTF8.GetString(known))));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_crash_before_any_commit_neither_skips_nor_repeats_anybody(int commits)
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(20, "remote@elsewhere.test,R,A\n");
        var id = await house.MailingAsync(course);
        await house.SendAsync(id);
        house.Run.BeforeCommit = number => { if (number == commits) throw new InvalidOperationException("the power is gone"); };
        Assert.True(await house.Run.RunAllAsync(default));
        await house.RestartAsync();
        await house.Run.RecoverAsync(default);
        Assert.Equal(MailingState.Sending, house.State(id));
        Assert.Equal(21, house.Counts(id).Total);
        Assert.False(await house.Run.RunAllAsync(default));
        Assert.Equal(new LedgerCounts(21, 0, 1, 20, 0, 0, 0), house.Counts(id));
        for (var i = 1; i <= 20; i++) Assert.Single(house.Inbox($"u{i}@example.test"));
        Assert.Single(house.Queue.List());
    }

    [Fact]
    public async Task A_send_that_was_cut_off_while_freezing_leaves_a_draft_that_can_be_sent()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(5);
        var id = await house.MailingAsync(course);
        var person = house.Courses.Participants(course, 0, 1)[0];
        await house.Store.CommitAsync(t => { LedgerTable.Add(t, id, person, "left@over", LedgerState.Rendered, "", default); return true; });
        await house.RestartAsync();
        Assert.False(await house.Run.RunAllAsync(default));
        Assert.Empty(house.Inbox("u1@example.test"));
        await house.SendAsync(id);
        await house.Run.RunAllAsync(default);
        Assert.Single(house.Inbox("u1@example.test"));
        Assert.Equal(5, house.Counts(id).Delivered);
    }

    [Fact]
    public async Task Pause_stops_within_a_piece_and_survives_a_restart()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(20, "r1@elsewhere.test,R,A\n");
        var id = await house.MailingAsync(course);
        await house.SendAsync(id);
        Task? pausing = null;
        house.Run.BeforeCommit = number => { if (number == 2) pausing = house.Press.PauseAsync(id, default).AsTask(); };
        await house.Run.RunAllAsync(default);
        await pausing!;
        Assert.Equal((MailingState.Paused, 8), (house.State(id), house.Counts(id).Delivered)); // the first alone, then one piece
        Assert.Equal(409, (await house.Press.PauseAsync(id, default))!.HttpStatus);
        await house.RestartAsync();
        Assert.False(await house.Run.RunAllAsync(default));
        Assert.Equal(8, house.Counts(id).Delivered);
        Assert.Null(await house.Press.ResumeAsync(id, default));
        await house.Run.RunAllAsync(default);
        Assert.Equal((MailingState.Sent, 20, 1), (house.State(id), house.Counts(id).Delivered, house.Counts(id).Queued));
        for (var i = 1; i <= 20; i++) Assert.Single(house.Inbox($"u{i}@example.test"));
    }

    [Fact]
    public async Task Cancel_accounts_for_everybody_also_in_the_queue()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(3, "r1@elsewhere.test,R,A\nr2@elsewhere.test,R,A\n");
        var id = await house.MailingAsync(course);
        await house.SendAsync(id);
        await house.Run.RunAllAsync(default);
        Assert.Equal(2, house.Queue.List().Count);
        Assert.Null(await house.Press.PauseAsync(id, default)); // what waits in the queue waits on
        Assert.All(house.Queue.List(), entry => Assert.Equal("held", entry.Recipients[0].State));
        Assert.Null(await house.Press.CancelAsync(id, default));
        Assert.Empty(house.Queue.List());
        Assert.Equal((MailingState.Cancelled, new LedgerCounts(5, 0, 0, 3, 0, 0, 2)), (house.State(id), house.Counts(id)));
        Assert.Equal(409, (await house.Press.CancelAsync(id, default))!.HttpStatus);
        Assert.Equal(409, (await house.Press.ResumeAsync(id, default))!.HttpStatus);
        var second = await house.MailingAsync(course);
        await house.SendAsync(second);
        Assert.Null(await house.Press.CancelAsync(second, default));
        await house.Run.RunAllAsync(default);
        Assert.Equal(5, house.Counts(second).Skipped);
        Assert.Single(house.Inbox("u1@example.test"));
    }

    [Fact]
    public async Task What_a_peer_says_moves_the_ledger_and_delivered_is_never_taken_back()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(1, "r1@elsewhere.test,R,A\n");
        var id = await house.MailingAsync(course);
        await house.SendAsync(id);
        await house.Run.RunAllAsync(default);
        var row = house.Ledger(id)[1];
        var at = new DateTimeOffset(2026, 9, 1, 8, 3, 0, TimeSpan.Zero);
        await house.Store.CommitAsync(t => { CbaMail.Mailings.Ledger.RecordRemote(t, row.Id, LedgerState.Deferred, "451 4.7.1 later", "mx", null, at); return true; });
        Assert.Equal(1, house.Counts(id).Deferred);
        await house.Store.CommitAsync(t => { CbaMail.Mailings.Ledger.RecordRemote(t, row.Id, LedgerState.Delivered, "250 2.0.0 ok", "mx.elsewhere.test [192.0.2.1]", "TLSv1.3", at); return true; });
        await house.Store.CommitAsync(t => { CbaMail.Mailings.Ledger.RecordRemote(t, row.Id, LedgerState.Bounced, "550 no", null, null, at); return true; });
        row = house.Ledger(id)[1];
        Assert.Equal((LedgerState.Delivered, "250 2.0.0 ok", "mx.elsewhere.test [192.0.2.1]", "TLSv1.3", 2, at), (row.State, row.Reply, row.Host, row.Tls, row.Attempts, row.At));
    }

    [Fact]
    public async Task What_the_queue_settles_stands_in_the_ledger_by_the_same_commit()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(1, "r1@elsewhere.test,R,A\n");
        var id = await house.MailingAsync(course);
        await house.SendAsync(id);
        await house.Run.RunAllAsync(default);
        var claim = house.Queue.Claim(Destination.Of("elsewhere.test", house.Settings.Queue.Routes).Key, fresh: true)!;
        Assert.True(claim.Message.Bulk);
        var at = new DateTimeOffset(2026, 9, 1, 8, 3, 0, TimeSpan.Zero);
        await house.Store.CommitAsync(t => house.Queue.Settle(t, claim, [new(claim.Recipients[0], OutcomeState.Delivered, "250 2.0.0 taken", "2.0.0", "mx.elsewhere.test [192.0.2.1]", "TLSv1.3", at)]));
        var row = house.Ledger(id)[1];
        Assert.Equal((LedgerState.Delivered, "250 2.0.0 taken", "mx.elsewhere.test [192.0.2.1]", "TLSv1.3", at), (row.State, row.Reply, row.Host, row.Tls, row.At));
        Assert.Empty(house.Queue.List());
    }

    [Fact]
    public async Task A_full_mailbox_bounces_with_the_reason_and_an_alias_reaches_all_behind_it()
    {
        await using var house = new MailingFixture();
        await house.Users.AddDomainAsync("example.test");
        await house.Users.AddAccountAsync(new NewAccount("full@example.test", Quota: 10));
        await house.Users.AddAliasAsync("team@example.test", ["u1@example.test", "u2@example.test"]);
        var course = await house.CourseAsync(2, "full@example.test,F,A\nteam@example.test,T,A\n");
        var id = await house.MailingAsync(course);
        await house.SendAsync(id);
        await house.Run.RunAllAsync(default);
        Assert.Equal(new LedgerCounts(4, 0, 0, 3, 0, 1, 0), house.Counts(id));
        Assert.Contains(house.Ledger(id), row => row.State == LedgerState.Bounced && row.Reply.StartsWith("552 5.2.2", StringComparison.Ordinal));
        Assert.Equal(2, house.Inbox("u2@example.test").Count);
    }

    [Fact]
    public async Task The_audience_is_frozen_when_the_mailing_is_sent()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(3);
        var id = await house.MailingAsync(course, text: "{{group}}", html: null);
        await house.SendAsync(id);
        await house.Courses.ImportAsync(course.Slug, System.Text.Encoding.UTF8.GetBytes("address,group\nu1@example.test,changed\nlate@elsewhere.test,x\n"), default);
        await house.Courses.RemoveParticipantAsync(course.Slug, "u2@example.test", default);
        await house.Run.RunAllAsync(default);
        Assert.Equal(new LedgerCounts(3, 0, 0, 3, 0, 0, 0), house.Counts(id));
        Assert.DoesNotContain("changed", house.Inbox("u1@example.test")[0], StringComparison.Ordinal);
        Assert.Single(house.Inbox("u2@example.test"));
    }

    [Fact]
    public async Task Text_stays_as_it_is_in_local_copies_and_is_ascii_in_those_that_leave()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(1, "r1@elsewhere.test,R,A\n");
        var id = await house.MailingAsync(course);
        await house.SendAsync(id);
        await house.Run.RunAllAsync(default);
        var local = house.Inbox("u1@example.test")[0];
        Assert.Contains("Content-Transfer-Encoding: 8bit", local, StringComparison.Ordinal);
        Assert.Contains("Здравствуйте, Участник 1!", local, StringComparison.Ordinal);
        var claim = house.Queue.Claim(Destination.Of("elsewhere.test", house.Settings.Queue.Routes).Key, fresh: true)!;
        using var read = house.Mail.Read();
        var remote = read.Content(claim.Message.ContentId)!;
        Assert.True(System.Text.Ascii.IsValid(remote.Read(0, (int)remote.Size)));
        var long8 = await house.MailingAsync(course, html: new string('я', 600) + " {{name}}");
        await house.SendAsync(long8);
        await house.Run.RunAllAsync(default);
        Assert.Contains("Content-Transfer-Encoding: base64", house.Inbox("u1@example.test")[1], StringComparison.Ordinal); // a line is too long for 8bit
    }

    [Fact]
    public async Task Files_are_stored_once_and_images_stand_inside()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(20);
        var large = new byte[300_000];
        new Random(5).NextBytes(large);
        var id = await house.MailingAsync(course, "x", "<img src=\"cid:logo.png\"> {{name}}", null, new NewFile("/tmp/logo.png", new byte[100]), new NewFile("Программа.pdf", large));
        var before = Size(house.Data);
        await house.SendAsync(id);
        await house.Run.RunAllAsync(default);
        Assert.Equal(20, house.Counts(id).Delivered);
        var copy = house.Inbox("u7@example.test")[0];
        Assert.Contains("Content-ID: <logo.png>", copy, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("multipart/related", copy, StringComparison.OrdinalIgnoreCase);
        Assert.True(copy.Length > 400_000);
        Assert.InRange(Size(house.Data) - before, 300_000, 3_000_000);
        Assert.Equal(2, System.IO.Directory.GetFiles(System.IO.Path.Combine(house.Data, "mailings")).Length);

        static long Size(string path) => System.IO.Directory.EnumerateFiles(System.IO.Path.Combine(path, "packs")).Sum(file => new System.IO.FileInfo(file).Length);
    }
}
