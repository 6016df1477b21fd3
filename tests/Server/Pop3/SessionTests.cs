using System.Text;
using CbaMail.Config;
using CbaMail.Mailboxes;
using CbaMail.Pop3;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Pop3;

/// <summary>What a dialogue of one connection cannot show: locks, time, other programs in the mailbox, what stays in the store.</summary>
[Collection("pop3")]
public sealed class SessionTests(Pop3Fixture fixture)
{
    static string Letter(int number) => $"Subject: {number}\r\n\r\nbody {number}\r\n";

    async Task<(CbaMail.Directory.Account Account, List<uint> Uids)> MailAsync(int count)
    {
        var account = await fixture.AccountAsync();
        return (account, await fixture.DeliverAsync(account, [.. Enumerable.Range(1, count).Select(Letter)]));
    }

    // ---- RFC 1939 4: one session at a time

    [Fact]
    public async Task A_maildrop_has_one_session_at_a_time()
    {
        var (account, _) = await MailAsync(1);
        var first = await fixture.SignInAsync(account);
        await using var second = fixture.Connect();
        await second.LineAsync();
        await second.OkAsync($"USER {account.Address}");
        await second.RefusedAsync($"PASS {Pop3Fixture.Password}", "[IN-USE]");
        await first.OkAsync("QUIT"); // when this is said the maildrop is free
        await second.OkAsync($"USER {account.Address}");
        await second.OkAsync($"PASS {Pop3Fixture.Password}");
        await first.DisposeAsync();
        await second.OkAsync("NOOP");
    }

    [Fact]
    public async Task A_client_that_hangs_up_and_comes_back_at_once_gets_in()
    {
        var (account, _) = await MailAsync(1);
        var patient = fixture.Settings.Pop3 with { LockWait = TimeSpan.FromSeconds(20) };
        var first = await fixture.SignInAsync(account);
        await using var second = fixture.Connect(patient);
        await second.LineAsync();
        await second.OkAsync($"USER {account.Address}");
        await second.SendAsync($"PASS {Pop3Fixture.Password}\r\n");
        await first.DisposeAsync();
        Assert.StartsWith("+OK", await second.LineAsync());
    }

    [Fact]
    public async Task Other_accounts_and_imap_are_not_locked_out()
    {
        var (one, _) = await MailAsync(1);
        var (other, _) = await MailAsync(2);
        await using var first = await fixture.SignInAsync(one);
        await using var second = await fixture.SignInAsync(other);
        await fixture.DeliverAsync(one, Letter(9));
        Assert.Equal(2, fixture.Rows(one).Count);
    }

    // ---- the snapshot

    [Fact]
    public async Task Numbers_are_those_of_the_sign_in_whatever_others_do()
    {
        var (account, uids) = await MailAsync(3);
        await using var client = await fixture.SignInAsync(account);
        await fixture.Mail.RemoveAsync(fixture.Inbox(account).Id, [uids[1]], default);
        await fixture.DeliverAsync(account, Letter(4));
        Assert.Equal("3 66", await client.OkAsync("STAT"));
        Assert.Equal(3, (await client.LinesAsync("UIDL")).Count);
        await client.RefusedAsync("RETR 2", "This message has been removed by another program");
        Assert.Equal(Letter(3), await client.MessageAsync("RETR 3"));
        await client.RefusedAsync("RETR 4");
        // deleting what is gone is no fault
        await client.OkAsync("DELE 2");
        await client.OkAsync("DELE 1");
        await client.OkAsync("QUIT");
        Assert.Equal([uids[2], uids[2] + 1], fixture.Rows(account).Select(row => row.Uid));
    }

    [Fact]
    public async Task Renaming_inbox_takes_the_messages_out_and_no_unique_id_comes_back()
    {
        var (account, _) = await MailAsync(2);
        var before = await fixture.SignInAsync(account);
        var known = await before.LinesAsync("UIDL");
        Assert.True((await fixture.Mail.RenameAsync(account.Id, "INBOX", "Old", default)).Ok);
        await before.RefusedAsync("RETR 1");
        await before.OkAsync("QUIT");
        await before.DisposeAsync();
        await fixture.DeliverAsync(account, Letter(3), Letter(4));
        await using var after = await fixture.SignInAsync(account);
        Assert.Empty((await after.LinesAsync("UIDL")).Select(line => line.Split(' ')[1]).Intersect(known.Select(line => line.Split(' ')[1])));
        Assert.Equal(2, fixture.Rows(account, "Old").Count);
    }

    [Fact]
    public async Task Unique_ids_are_the_same_in_the_next_session_and_are_short()
    {
        var (account, _) = await MailAsync(3);
        List<string> seen = [];
        for (var i = 0; i < 2; i++)
        {
            await using var client = await fixture.SignInAsync(account);
            var ids = await client.LinesAsync("UIDL");
            Assert.All(ids, line => Assert.Matches(@"^\d+ [!-~]{1,70}$", line));
            if (i > 0) Assert.Equal(seen, ids);
            seen = ids;
            await client.OkAsync("QUIT");
            await client.Running;
        }
    }

    // ---- UPDATE

    [Fact]
    public async Task Deleted_mail_goes_when_the_client_says_goodbye_and_only_then()
    {
        var (account, uids) = await MailAsync(5);
        await using (var client = await fixture.SignInAsync(account))
        {
            await client.OkAsync("DELE 1");
            await client.OkAsync("DELE 5");
        }
        Assert.Equal(uids, fixture.Rows(account).Select(row => row.Uid)); // hung up
        await using (var client = await fixture.SignInAsync(account))
        {
            await client.OkAsync("DELE 2");
            await client.OkAsync("RSET");
            await client.OkAsync("DELE 1");
            await client.OkAsync("DELE 5");
            Assert.Equal(5, fixture.Rows(account).Count);
            await client.OkAsync("QUIT");
            Assert.Equal(uids[1..4], fixture.Rows(account).Select(row => row.Uid)); // said: done
        }
        Assert.Empty(fixture.Rows(account, "Trash"));
    }

    [Fact]
    public async Task Flags_of_imap_do_not_delete()
    {
        var (account, uids) = await MailAsync(2);
        await fixture.Mail.StoreAsync(fixture.Inbox(account).Id, uids, new FlagChange(FlagMode.Add, MessageFlags.Deleted, []), null, default);
        await using var client = await fixture.SignInAsync(account);
        Assert.Equal("2 44", await client.OkAsync("STAT"));
        await client.OkAsync("DELE 1");
        await client.OkAsync("QUIT");
        Assert.Equal([uids[1]], fixture.Rows(account).Select(row => row.Uid));
    }

    [Fact]
    public async Task Deleted_mail_goes_into_the_trash_where_that_is_set()
    {
        var (account, uids) = await MailAsync(3);
        await using var client = await fixture.SignInAsync(account, fixture.Settings.Pop3 with { Deleted = DeletedMail.Trash });
        await client.OkAsync("DELE 1");
        await client.OkAsync("DELE 3");
        await client.OkAsync("QUIT");
        Assert.Equal([uids[1]], fixture.Rows(account).Select(row => row.Uid));
        Assert.Equal(2, fixture.Rows(account, "Trash").Count);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Fetched_mail_is_marked_as_read_where_that_is_set(bool set)
    {
        var (account, _) = await MailAsync(3);
        await using var client = await fixture.SignInAsync(account, fixture.Settings.Pop3 with { MarkSeen = set });
        await client.MessageAsync("RETR 1");
        await client.MessageAsync("RETR 2");
        await client.MessageAsync("TOP 3 1"); // a look is not reading
        await client.OkAsync("DELE 2");
        Assert.All(fixture.Rows(account), row => Assert.Equal(MessageFlags.None, row.Flags)); // not before UPDATE
        await client.OkAsync("QUIT");
        Assert.Equal([set ? MessageFlags.Seen : MessageFlags.None, MessageFlags.None], fixture.Rows(account).Select(row => row.Flags));
    }

    [Fact]
    public async Task Thousands_are_deleted_at_once()
    {
        var account = await fixture.AccountAsync();
        var inbox = fixture.Inbox(account).Id;
        using var staged = fixture.Mail.Stage(Encoding.ASCII.GetBytes(Letter(1)));
        await fixture.Store.CommitAsync(t =>
        {
            var content = fixture.Mail.AddContent(t, staged);
            for (var i = 0; i < 6000; i++) fixture.Mail.AddMessage(t, inbox, new NewMessage(content, default, MessageFlags.None, [], DateTimeOffset.UnixEpoch), 0);
            return 0;
        }, default);
        await using var client = await fixture.SignInAsync(account);
        await client.SendAsync(string.Concat(Enumerable.Range(1, 5999).Select(i => $"DELE {i}\r\n")) + "QUIT\r\n");
        for (var i = 1; i <= 6000; i++) Assert.StartsWith("+OK", await client.LineAsync());
        Assert.Equal([6000u], fixture.Rows(account).Select(row => row.Uid));
    }

    // ---- time

    [Fact]
    public async Task Silence_ends_the_session_without_a_word_and_without_update()
    {
        var (account, uids) = await MailAsync(1);
        var time = new ManualTime();
        await using var client = fixture.Connect(time: time);
        await client.LineAsync();
        await client.OkAsync($"USER {account.Address}");
        await client.OkAsync($"PASS {Pop3Fixture.Password}");
        await client.OkAsync("DELE 1");
        await Wait.UntilAsync(() => time.Waiting > 0, "the server waits");
        time.Advance(TimeSpan.FromMinutes(9.9));
        Assert.Equal("Go on", await client.OkAsync("NOOP"));
        await Wait.UntilAsync(() => time.Waiting > 0, "the server waits");
        time.Advance(TimeSpan.FromMinutes(10.1));
        Assert.Null(await client.TryLineAsync()); // RFC 1939 3
        Assert.Equal(uids, fixture.Rows(account).Select(row => row.Uid));
    }

    [Fact]
    public async Task Who_does_not_sign_in_is_sent_away_sooner()
    {
        var time = new ManualTime();
        await using var client = fixture.Connect(time: time);
        await client.LineAsync();
        await Wait.UntilAsync(() => time.Waiting > 0, "the server waits");
        time.Advance(TimeSpan.FromSeconds(61));
        Assert.Null(await client.TryLineAsync());
    }

    [Fact]
    public async Task Who_signs_in_too_often_waits()
    {
        var (account, _) = await MailAsync(1);
        var time = new ManualTime();
        var locks = new MaildropLocks(time);
        var slow = fixture.Settings.Pop3 with { LoginDelay = TimeSpan.FromSeconds(90) };
        for (var i = 0; i < 3; i++)
        {
            await using var client = fixture.Connect(slow, time, locks: locks);
            await client.LineAsync();
            Assert.Contains("LOGIN-DELAY 90", await client.LinesAsync("CAPA"));
            // who does not know the password does not hear of it (RFC 2449 8.1.1)
            await client.OkAsync($"USER {account.Address}");
            await client.RefusedAsync("PASS wrong", "[AUTH]");
            await client.OkAsync($"USER {account.Address}");
            if (i == 1) await client.RefusedAsync($"PASS {Pop3Fixture.Password}", "[LOGIN-DELAY] Wait 50 seconds");
            else await client.OkAsync($"PASS {Pop3Fixture.Password}");
            await client.OkAsync("QUIT");
            await client.Running;
            time.Advance(TimeSpan.FromSeconds(i == 0 ? 40 : 50));
        }
    }

    [Fact]
    public async Task When_the_server_stops_nothing_is_deleted()
    {
        var (account, uids) = await MailAsync(1);
        using var stopping = new CancellationTokenSource();
        await using var client = fixture.Connect(stopping: stopping.Token);
        await client.LineAsync();
        await client.OkAsync($"USER {account.Address}");
        await client.OkAsync($"PASS {Pop3Fixture.Password}");
        await client.OkAsync("DELE 1");
        await stopping.CancelAsync();
        Assert.StartsWith("-ERR [SYS/TEMP] ", await client.LineAsync());
        Assert.Null(await client.TryLineAsync());
        Assert.Equal(uids, fixture.Rows(account).Select(row => row.Uid));
    }

    // ---- doors

    [Fact]
    public async Task Outside_of_the_evaluation_a_password_needs_tls()
    {
        var (account, _) = await MailAsync(1);
        await using var client = fixture.Connect(evaluation: false);
        await client.LineAsync();
        var capabilities = await client.LinesAsync("CAPA");
        Assert.DoesNotContain("USER", capabilities);
        Assert.DoesNotContain(capabilities, line => line.StartsWith("SASL", StringComparison.Ordinal));
        Assert.Contains("STLS", capabilities);
        await client.RefusedAsync($"USER {account.Address}", "Start TLS first");
        await client.RefusedAsync($"PASS {Pop3Fixture.Password}", "Start TLS first");
        await client.RefusedAsync("AUTH PLAIN AGEAYg==");
        Assert.Empty(await client.LinesAsync("AUTH"));
    }

    [Fact]
    public async Task Guessing_ends_the_session()
    {
        var (account, _) = await MailAsync(1);
        await using var client = fixture.Connect(fixture.Settings.Pop3 with { MaxFailedSignIns = 3 });
        await client.LineAsync();
        for (var i = 0; i < 3; i++)
        {
            await client.OkAsync($"USER {account.Address}");
            await client.RefusedAsync("PASS wrong", "[AUTH]");
        }
        Assert.StartsWith("-ERR Too many failed sign-ins", await client.LineAsync());
        Assert.Null(await client.TryLineAsync());
    }

    [Fact]
    public async Task A_flood_without_a_line_end_is_cut_off()
    {
        await using var client = fixture.Connect();
        await client.LineAsync();
        _ = client.SendAsync(new string('x', 1_300_000)); // the rest of it is never read
        Assert.StartsWith("-ERR The line is too long", await client.LineAsync());
        Assert.Null(await client.TryLineAsync());
    }

    [Fact]
    public async Task A_client_that_does_not_read_is_not_waited_for_without_end()
    {
        var (account, _) = await MailAsync(1);
        await fixture.DeliverAsync(account, "Subject: large\r\n\r\n" + string.Concat(Enumerable.Repeat("a line of sixty-four octets, so that many of them are a lot...\r\n", 20_000)));
        var time = new ManualTime();
        var client = fixture.Connect(time: time);
        await client.LineAsync();
        await client.OkAsync($"USER {account.Address}");
        await client.OkAsync($"PASS {Pop3Fixture.Password}");
        await client.SendAsync("RETR 2\r\nDELE 2\r\nQUIT\r\n"); // and reads nothing
        await Wait.UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(10));
            return client.Running.IsCompleted;
        }, "it has ended");
        Assert.Equal(2, fixture.Rows(account).Count);
        await client.DisposeAsync();
    }
}
