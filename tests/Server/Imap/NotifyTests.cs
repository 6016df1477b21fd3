using CbaMail.Directory;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>NOTIFY (RFC 5465) with several connections: events come without a command, only those asked for, and memory does not follow them.</summary>
[Collection("imap")]
public sealed class NotifyTests(ImapFixture fixture)
{
    async Task<ImapClient> WatchingAsync(Account account, string events, string? select = null)
    {
        var client = await fixture.SignInAsync(account);
        if (select is not null) await client.OkAsync("SELECT " + select);
        await client.OkAsync("NOTIFY SET " + events);
        return client;
    }

    [Fact]
    public async Task News_of_the_selected_mailbox_come_without_a_command()
    {
        var account = await fixture.AccountAsync();
        await using var other = await fixture.InboxAsync(2, account);
        await using var one = await WatchingAsync(account, "(selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)]) MessageExpunge FlagChange))", "INBOX");
        await other.AppendAsync("INBOX", ImapClient.Message(3));
        Assert.Equal("* 3 EXISTS", await one.LineAsync());
        Assert.EndsWith(" RECENT", await one.LineAsync(), StringComparison.Ordinal);
        // RFC 5465 5.2: EXISTS, then what was asked for
        Assert.Equal("* 3 FETCH (UID 3 BODY[HEADER.FIELDS (SUBJECT)] {21}", await one.LineAsync());
        Assert.Equal("Subject: Number 3", await one.LineAsync());
        Assert.Equal("", await one.LineAsync());
        Assert.Equal(")", await one.LineAsync());
        // RFC 5465 5.1: with the UID
        await other.OkAsync("STORE 1 +FLAGS.SILENT (\\Seen)");
        Assert.Equal("* 1 FETCH (UID 1 FLAGS (\\Seen))", await one.LineAsync());
        // RFC 5465 6.1.1: at once
        await other.OkAsync("STORE 2 +FLAGS.SILENT (\\Deleted)");
        Assert.Equal("* 2 FETCH (UID 2 FLAGS (\\Deleted))", await one.LineAsync());
        await other.OkAsync("EXPUNGE");
        Assert.Equal("* 2 EXPUNGE", await one.LineAsync());
        // RFC 5465 5.2: not of what the client has appended itself
        await one.SendAsync("x APPEND INBOX {8+}\r\na: 1\r\n\r\n\r\n");
        var told = await one.UntilAsync("x");
        Assert.Contains("* 3 EXISTS", told);
        Assert.DoesNotContain(told, l => l.Contains("FETCH", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Selected_delayed_keeps_expunges_for_a_command()
    {
        var account = await fixture.AccountAsync();
        await using var other = await fixture.InboxAsync(3, account);
        await using var one = await WatchingAsync(account, "(selected-delayed (MessageNew MessageExpunge FlagChange))", "INBOX");
        await other.OkAsync("STORE 1 +FLAGS.SILENT (\\Deleted)");
        Assert.Equal("* 1 FETCH (UID 1 FLAGS (\\Deleted))", await one.LineAsync());
        await other.OkAsync("EXPUNGE");
        await other.OkAsync("STORE 1 +FLAGS.SILENT (\\Seen)");
        // the number is still the one that the client knows
        Assert.Equal("* 2 FETCH (UID 2 FLAGS (\\Seen))", await one.LineAsync());
        Assert.Equal(["* 3 FETCH (UID 3)"], (await one.OkAsync("FETCH 3 (UID)")).Where(l => l.Contains("UID", StringComparison.Ordinal)));
        Assert.Contains("* 1 EXPUNGE", await one.OkAsync("NOOP"));
    }

    [Fact]
    public async Task Other_mailboxes_are_told_of_by_STATUS()
    {
        var account = await fixture.AccountAsync();
        await using var other = await fixture.SignInAsync(account);
        await using var one = await WatchingAsync(account, "(selected (MessageNew MessageExpunge)) (mailboxes (INBOX Sent) (MessageNew MessageExpunge FlagChange)) (subtree Archive (MessageNew MessageExpunge))");
        await other.AppendAsync("INBOX", ImapClient.Message(1));
        Assert.Matches("^\\* STATUS INBOX \\(MESSAGES 1 UIDNEXT 2 UIDVALIDITY [0-9]+ UNSEEN 1\\)$", await one.LineAsync());
        await other.AppendAsync("Junk", ImapClient.Message(1)); // not asked for
        await other.AppendAsync("Archive", ImapClient.Message(1), "(\\Seen) ");
        Assert.Matches("^\\* STATUS Archive \\(MESSAGES 1 UIDNEXT 2 UIDVALIDITY [0-9]+\\)$", await one.LineAsync());
        await other.OkAsync("SELECT INBOX");
        await other.OkAsync("STORE 1 +FLAGS (\\Seen)");
        Assert.Matches("^\\* STATUS INBOX \\(UIDVALIDITY [0-9]+ UNSEEN 0\\)$", await one.LineAsync());
        await other.OkAsync("STORE 1 +FLAGS (\\Flagged)"); // RFC 5465 5.1: without CONDSTORE there is nothing to tell it with
        await other.OkAsync("STORE 1 +FLAGS.SILENT (\\Deleted)");
        await other.OkAsync("EXPUNGE");
        Assert.Matches("^\\* STATUS INBOX \\(MESSAGES 0 UIDNEXT 2 UIDVALIDITY [0-9]+\\)$", await one.LineAsync());
        // RFC 5465 6.1: as soon as it is selected, SELECTED says what is told of it
        await one.OkAsync("SELECT Sent");
        await other.AppendAsync("Sent", ImapClient.Message(2));
        Assert.Equal("* 1 EXISTS", await one.LineAsync());
        Assert.EndsWith("RECENT", await one.LineAsync(), StringComparison.Ordinal);
        // with CONDSTORE, HIGHESTMODSEQ
        Assert.DoesNotContain(await one.OkAsync("ENABLE CONDSTORE"), l => l.Contains("STATUS", StringComparison.Ordinal));
        await other.AppendAsync("INBOX", ImapClient.Message(3));
        Assert.Matches("^\\* STATUS INBOX \\(MESSAGES 1 UIDNEXT 3 UIDVALIDITY [0-9]+ UNSEEN 1 HIGHESTMODSEQ [0-9]+\\)$", await one.LineAsync());
    }

    [Fact]
    public async Task Names_and_subscriptions_of_mailboxes_are_told_by_LIST()
    {
        var account = await fixture.AccountAsync();
        await using var other = await fixture.SignInAsync(account);
        await other.OkAsync("CREATE A");
        await using var one = await WatchingAsync(account, "(personal (MailboxName SubscriptionChange))");
        // RFC 5465 5.4: the mailbox and its parent
        await other.OkAsync("CREATE A/b");
        Assert.Equal("* LIST (\\HasNoChildren) \"/\" A/b", await one.LineAsync());
        Assert.Equal("* LIST (\\HasChildren) \"/\" A", await one.LineAsync());
        await other.OkAsync("SUBSCRIBE A/b");
        Assert.Equal("* LIST (\\HasNoChildren \\Subscribed) \"/\" A/b", await one.LineAsync());
        await other.OkAsync("UNSUBSCRIBE A/b");
        Assert.Equal("* LIST (\\HasNoChildren) \"/\" A/b", await one.LineAsync());
        // RFC 5465 5.4: the children go along in silence
        await other.OkAsync("RENAME A B");
        Assert.Equal("* LIST (\\HasChildren) \"/\" B (\"OLDNAME\" (A))", await one.LineAsync());
        await other.OkAsync("DELETE B/b");
        Assert.Equal("* LIST (\\NonExistent) \"/\" B/b", await one.LineAsync());
        Assert.Equal("* LIST (\\HasNoChildren) \"/\" B", await one.LineAsync());
        // RFC 5465 5.4: INBOX stays, and is not told
        await other.OkAsync("RENAME INBOX Old");
        Assert.Equal("* LIST (\\HasNoChildren) \"/\" Old", await one.LineAsync());
        Assert.Empty(await one.OkAsync("NOOP"));
    }

    /// <summary>RFC 5465 5.4, 5.9, RFC 4314: rights that are given and taken are as good as names that come and go.</summary>
    [Fact]
    public async Task What_others_share_is_watched_as_far_as_it_may_be_read()
    {
        var (owner, viewer) = (await fixture.AccountAsync(), await fixture.AccountAsync());
        await using var other = await fixture.SignInAsync(owner);
        await other.OkAsync("CREATE Team");
        await other.OkAsync($"SETACL Team {viewer.Address} lr");
        var name = $"Other Users/{owner.Address}/Team";
        await using var one = await WatchingAsync(viewer, $"(mailboxes \"{name}\" (MessageNew MessageExpunge MailboxName)) (personal (MessageNew MessageExpunge))");
        await other.AppendAsync("Team", ImapClient.Message(1));
        Assert.StartsWith($"* STATUS \"{name}\" (MESSAGES 1 UIDNEXT 2 ", await one.LineAsync(), StringComparison.Ordinal);
        await other.OkAsync($"SETACL Team {viewer.Address} l");
        Assert.Equal([$"* LIST (\\NoAccess) \"/\" \"{name}\""], await one.OkAsync($"NOTIFY SET (mailboxes \"{name}\" (MessageNew MessageExpunge MailboxName))"));
        await other.AppendAsync("Team", ImapClient.Message(2));
        await other.OkAsync($"DELETEACL Team {viewer.Address}");
        Assert.Equal($"* LIST (\\NonExistent) \"/\" \"{name}\"", await one.LineAsync());
        await other.OkAsync($"SETACL Team {viewer.Address} lr");
        Assert.Equal($"* LIST (\\HasNoChildren) \"/\" \"{name}\"", (await one.OkAsync("NOOP")).Single());
    }

    [Fact]
    public async Task NONE_keeps_the_view_as_it_was_until_events_are_asked_for()
    {
        var account = await fixture.AccountAsync();
        await using var other = await fixture.InboxAsync(3, account);
        await using var one = await fixture.SignInAsync(account);
        await one.OkAsync("SELECT INBOX");
        await one.OkAsync("NOTIFY NONE");
        await other.OkAsync("STORE 1 +FLAGS.SILENT (\\Deleted)");
        await other.OkAsync("EXPUNGE");
        await other.AppendAsync("INBOX", ImapClient.Message(4));
        Assert.Empty(await one.OkAsync("NOOP"));
        Assert.Equal(["* 3 FETCH (UID 3)"], await one.OkAsync("FETCH * (UID)"));
        // RFC 5465 3.1: all that has accumulated comes at once
        Assert.Equal(["* 1 EXPUNGE", "* 3 EXISTS"], (await one.OkAsync("NOTIFY SET (selected (MessageNew MessageExpunge))")).Where(l => !l.EndsWith("RECENT", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task IDLE_tells_exactly_what_NOTIFY_has_asked_for()
    {
        var account = await fixture.AccountAsync();
        await using var other = await fixture.InboxAsync(2, account);
        await using var one = await WatchingAsync(account, "(mailboxes Sent (MessageNew MessageExpunge))", "INBOX");
        await one.SendAsync("i IDLE\r\n");
        Assert.Equal("+ idling", await one.LineAsync());
        await other.OkAsync("STORE 1 +FLAGS (\\Seen)");
        await other.AppendAsync("INBOX", ImapClient.Message(3));
        await other.AppendAsync("Sent", ImapClient.Message(3));
        Assert.StartsWith("* STATUS Sent (MESSAGES 1 ", await one.LineAsync(), StringComparison.Ordinal);
        await one.SendAsync("DONE\r\n");
        Assert.Equal("i OK IDLE completed", await one.LineAsync());
    }

    [Fact]
    public async Task More_mailboxes_than_can_be_watched_are_refused()
    {
        var account = await fixture.AccountAsync();
        await using var one = await WatchingAsync(account, "(personal (MailboxName))");
        await using var other = await fixture.SignInAsync(account);
        // one client makes them in a single batch: what it tells does not grow with it
        await fixture.Store.CommitAsync(t => { for (var i = 0; i < 2100; i++) fixture.Mail.EnsureMailbox(t, account.Id, $"m{i}"); return 0; }, default);
        // RFC 5465 5.8
        Assert.StartsWith("* OK [NOTIFICATIONOVERFLOW]", await one.LineAsync(), StringComparison.Ordinal);
        await other.OkAsync("CREATE after");
        Assert.Empty(await one.OkAsync("NOOP"));
        Assert.StartsWith("NO [NOTIFICATIONOVERFLOW]", await one.TaggedAsync("NOTIFY SET (personal (MailboxName))"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_UNAUTHENTICATE_nothing_is_watched()
    {
        var account = await fixture.AccountAsync();
        await using var other = await fixture.SignInAsync(account);
        await using var one = await WatchingAsync(account, "(personal (MessageNew MessageExpunge MailboxName))");
        await one.OkAsync("UNAUTHENTICATE");
        await other.OkAsync("CREATE Later");
        Assert.Empty(await one.OkAsync("NOOP"));
        await one.OkAsync($"LOGIN {account.Address} \"{ImapFixture.Password}\"");
        await other.AppendAsync("INBOX", ImapClient.Message(1));
        Assert.Empty(await one.OkAsync("NOOP"));
    }

    [Fact]
    public async Task A_long_command_says_that_it_is_still_at_work()
    {
        var account = await fixture.AccountAsync();
        await using var one = fixture.Connect(fixture.Settings with { Imap = fixture.Settings.Imap with { ProgressEvery = TimeSpan.FromTicks(1) } });
        Assert.Contains(" INPROGRESS ", await one.LineAsync(), StringComparison.Ordinal);
        await one.OkAsync($"LOGIN {account.Address} \"{ImapFixture.Password}\"");
        await one.AppendAsync("INBOX", ImapClient.Message(1));
        await one.OkAsync("SELECT INBOX");
        for (var i = 0; i < 12; i++) await one.CommandAsync("COPY 1:* INBOX");
        // RFC 9585 3: tag, how far, of how much
        var told = (await one.CommandAsync("STORE 1:* (UNCHANGEDSINCE 100000) +FLAGS.SILENT (\\Seen)")).Where(l => l.Contains("INPROGRESS", StringComparison.Ordinal)).ToList();
        Assert.Matches("^\\* OK \\[INPROGRESS \\(\"t[0-9]+\" 2500 4096\\)\\] ", Assert.Single(told));
        await one.OkAsync("STORE 1:* +FLAGS.SILENT (\\Deleted)");
        Assert.Contains(await one.OkAsync("EXPUNGE"), l => l.EndsWith(" NIL NIL)] Still at it", StringComparison.Ordinal));
    }
}
