using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>
/// Several connections on one mailbox, and what each may find (RFC 2180). Our choices: 3.3: whoever has a mailbox selected that is deleted
/// gets BYE with his next command; 3.4: a renamed one stays selected; 4.1.3: FETCH of what another has expunged is NO [EXPUNGEISSUED] after
/// all that is there has been served; 4.2.1: STORE passes over what is gone; 4.4: COPY too, and is NO where nothing is left.
/// </summary>
[Collection("imap")]
public sealed class SharedMailboxTests(ImapFixture fixture)
{
    static async Task ExpungeAsync(ImapClient client, string set)
    {
        await client.OkAsync($"STORE {set} +FLAGS.SILENT (\\Deleted)");
        await client.OkAsync("EXPUNGE");
    }

    [Fact]
    public async Task Fetch_serves_what_is_there_and_says_that_some_are_not()
    {
        var account = await fixture.AccountAsync();
        await using var other = await fixture.InboxAsync(4, account);
        await using var one = await fixture.SignInAsync(account);
        await one.OkAsync("SELECT INBOX");
        await ExpungeAsync(other, "2");
        var lines = await one.CommandAsync("FETCH 1:3 (UID RFC822.SIZE)");
        Assert.StartsWith("* 1 FETCH (UID 1 ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("* 3 FETCH (UID 3 ", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("NO [EXPUNGEISSUED]", lines[^1], StringComparison.Ordinal);
        // RFC 9051 6.4.9: of a UID that is gone there is nothing to say, and it is told here
        Assert.Equal(["* 2 EXPUNGE"], await one.OkAsync("UID FETCH 2 (RFC822.SIZE)"));
        Assert.StartsWith("OK ", await one.TaggedAsync("FETCH 1:3 (RFC822.SIZE)"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bodies_expunged_while_they_are_sent_arrive_whole_or_are_missed()
    {
        var account = await fixture.AccountAsync();
        await using var other = await fixture.SignInAsync(account);
        var body = new string('x', 70) + "\r\n";
        for (var i = 1; i <= 80; i++) await other.AppendAsync("INBOX", ImapClient.Message(i, string.Concat(Enumerable.Repeat(body, 600))));
        await other.OkAsync("SELECT INBOX");
        await using var one = await fixture.SignInAsync(account);
        await one.OkAsync("SELECT INBOX");
        await one.SendAsync("f FETCH 1:* (UID BODY.PEEK[])\r\n");
        var first = await one.LineAsync(); // it runs
        await ExpungeAsync(other, "2:80");
        List<string> lines = [first, .. await one.UntilAsync("f")];
        Assert.True(lines[^1].StartsWith("OK ", StringComparison.Ordinal) || lines[^1].StartsWith("NO [EXPUNGEISSUED]", StringComparison.Ordinal), lines[^1]);
        var heads = lines.Where(l => l.Contains(" FETCH (UID ", StringComparison.Ordinal)).ToList();
        Assert.Equal(heads.Count * 600, lines.Count(l => l == body.TrimEnd()));
        Assert.Equal(79, (await one.OkAsync("NOOP")).Count(l => l.EndsWith(" EXPUNGE", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Store_and_copy_pass_over_what_is_gone()
    {
        var account = await fixture.AccountAsync();
        await using var other = await fixture.InboxAsync(4, account);
        await using var one = await fixture.SignInAsync(account);
        await one.OkAsync("SELECT INBOX");
        await ExpungeAsync(other, "2");
        // RFC 2180 4.2.3: the others are changed, and the NO says that not all could be
        var told = await one.CommandAsync("STORE 1:3 +FLAGS (\\Flagged)");
        Assert.Equal(["* 1 FETCH (FLAGS (\\Flagged))", "* 3 FETCH (FLAGS (\\Flagged))"], told.Where(l => l.Contains("FETCH", StringComparison.Ordinal)));
        Assert.StartsWith("NO [EXPUNGEISSUED]", told[^1], StringComparison.Ordinal);
        await one.OkAsync("STORE 1:3 +FLAGS.SILENT (\\Flagged)");
        Assert.Matches("^OK \\[COPYUID [0-9]+ 3 1\\]", await one.TaggedAsync("UID COPY 2:3 Sent"));
        await ExpungeAsync(other, "1");
        await other.OkAsync("NOOP");
        Assert.StartsWith("NO [EXPUNGEISSUED]", await one.TaggedAsync("COPY 1 Sent"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_first_of_two_conditional_stores_wins()
    {
        var account = await fixture.AccountAsync();
        await using var other = await fixture.InboxAsync(2, account);
        await using var one = await fixture.SignInAsync(account);
        await one.OkAsync("SELECT INBOX (CONDSTORE)");
        var modseq = (await one.OkAsync("FETCH 1 (MODSEQ)"))[0].Split('(', ')')[2];
        Assert.StartsWith("OK STORE", await other.TaggedAsync($"STORE 1 (UNCHANGEDSINCE {modseq}) +FLAGS.SILENT (mine)"), StringComparison.Ordinal);
        // RFC 7162 3.1.3: the others of the set are changed; what has changed is told with its new MODSEQ
        var lines = await one.CommandAsync($"STORE 1:2 (UNCHANGEDSINCE {long.Parse(modseq, System.Globalization.CultureInfo.InvariantCulture) + 1}) +FLAGS.SILENT (yours)");
        Assert.StartsWith("OK [MODIFIED 1]", lines[^1], StringComparison.Ordinal);
        Assert.Contains(lines, l => l.Contains("* 1 FETCH (UID 1 FLAGS (mine) MODSEQ (", StringComparison.Ordinal));
        Assert.Contains(await one.OkAsync("FETCH 2 (FLAGS)"), l => l.Contains("yours", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_renamed_mailbox_stays_selected_and_keeps_its_UIDs()
    {
        var account = await fixture.AccountAsync();
        await using var other = await fixture.SignInAsync(account);
        await other.OkAsync("CREATE Work/Old");
        await other.AppendAsync("Work/Old", ImapClient.Message(1));
        await using var one = await fixture.SignInAsync(account);
        var before = (await one.OkAsync("SELECT Work/Old")).First(l => l.Contains("UIDVALIDITY", StringComparison.Ordinal));
        await other.OkAsync("RENAME Work Done");
        await other.AppendAsync("Done/Old", ImapClient.Message(2));
        Assert.Contains("* 2 EXISTS", await one.OkAsync("NOOP"));
        Assert.Equal("* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent))", (await one.OkAsync("UID STORE 1 +FLAGS (\\Seen)"))[0]);
        // RFC 9051 2.3.1.1: the same mailbox under another name
        Assert.Equal(before, (await one.OkAsync("SELECT Done/Old")).First(l => l.Contains("UIDVALIDITY", StringComparison.Ordinal)));
        // and another one under the old name: its UIDs are not those
        await other.OkAsync("CREATE Work/Old");
        Assert.NotEqual(before, (await one.OkAsync("SELECT Work/Old")).First(l => l.Contains("UIDVALIDITY", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Whoever_has_selected_what_is_deleted_is_sent_away()
    {
        var account = await fixture.AccountAsync();
        await using var other = await fixture.SignInAsync(account);
        await other.OkAsync("CREATE Gone");
        await other.AppendAsync("Gone", ImapClient.Message(1));
        await using var one = await fixture.SignInAsync(account);
        await one.OkAsync("SELECT Gone");
        await using var idle = await fixture.SignInAsync(account);
        await idle.OkAsync("SELECT Gone");
        await idle.SendAsync("i IDLE\r\n");
        Assert.Equal("+ idling", await idle.LineAsync());
        await other.OkAsync("DELETE Gone");
        Assert.StartsWith("* BYE ", await idle.LineAsync(), StringComparison.Ordinal);
        // RFC 2180 3.3; the new one of that name is not mistaken for it
        await other.OkAsync("CREATE Gone");
        var lines = await one.CommandAsync("NOOP");
        Assert.StartsWith("* BYE ", lines[0], StringComparison.Ordinal);
        // who deletes his own selected one goes back to the authenticated state
        await other.OkAsync("SELECT Gone");
        Assert.StartsWith("* OK [CLOSED]", (await other.OkAsync("DELETE Gone"))[0], StringComparison.Ordinal);
        Assert.StartsWith("BAD", await other.TaggedAsync("CHECK"), StringComparison.Ordinal);
        Assert.Empty(await other.OkAsync("NOOP"));
    }

    [Fact]
    public async Task A_renamed_INBOX_is_empty_for_all_who_have_it_selected()
    {
        var account = await fixture.AccountAsync();
        await using var one = await fixture.InboxAsync(3, account);
        await one.OkAsync("ENABLE QRESYNC");
        await using var other = await fixture.SignInAsync(account);
        await other.OkAsync("CREATE INBOX/Below");
        await other.OkAsync("RENAME INBOX Old");
        // RFC 9051 6.3.6: the messages go, INBOX and what is below it stay
        Assert.Equal("* VANISHED 1:3", (await one.OkAsync("NOOP"))[0]);
        Assert.Contains(await other.OkAsync("STATUS Old (MESSAGES)"), l => l.EndsWith("(MESSAGES 3)", StringComparison.Ordinal));
        Assert.Single(await other.OkAsync("LIST \"\" INBOX/Below"));
        Assert.Equal("4", await other.AppendAsync("INBOX", ImapClient.Message(4)));
        Assert.Contains("* 1 EXISTS", await one.OkAsync("NOOP"));
    }

    [Fact]
    public async Task A_UID_is_never_given_twice()
    {
        var account = await fixture.AccountAsync();
        await using var one = await fixture.InboxAsync(3, account);
        await ExpungeAsync(one, "2:3");
        Assert.Equal("4", await one.AppendAsync("INBOX", ImapClient.Message(4)));
        await ExpungeAsync(one, "1:*");
        Assert.Contains("* STATUS INBOX (MESSAGES 0 UIDNEXT 5)", await one.OkAsync("STATUS INBOX (MESSAGES UIDNEXT)"));
        // RFC 9051 2.3.1.1: moved away and back it is another one
        await one.AppendAsync("INBOX", ImapClient.Message(5));
        await one.OkAsync("UID MOVE 5 Sent");
        await one.OkAsync("SELECT Sent");
        Assert.Contains(await one.OkAsync("MOVE 1 INBOX"), l => l.EndsWith(" 1 6] Moved", StringComparison.Ordinal));
    }

    /// <summary>RFC 9051 5.5: commands run one after the other, each on what the one before has left, so no order of answers is ambiguous; numbers stay valid until EXPUNGE is told.</summary>
    [Fact]
    public async Task What_would_be_ambiguous_in_a_pipeline_runs_in_order()
    {
        var account = await fixture.AccountAsync();
        await using var one = await fixture.InboxAsync(4, account);
        await one.SendAsync("a STORE 1 +FLAGS.SILENT (\\Deleted)\r\nb EXPUNGE\r\nc FETCH 1 (UID)\r\nd STORE 1 +FLAGS (\\Seen)\r\ne FETCH 1 (FLAGS)\r\nf SEARCH SEEN\r\ng IDLE\r\nDONE\r\nh COPY 1 INBOX\r\ni FETCH 4 (UID)\r\n");
        Assert.Equal(["OK STORE completed"], await one.UntilAsync("a"));
        Assert.Equal(["* 1 EXPUNGE", "OK EXPUNGE completed"], await one.UntilAsync("b"));
        Assert.Equal("* 1 FETCH (UID 2)", (await one.UntilAsync("c"))[0]);
        Assert.StartsWith("* 1 FETCH (FLAGS (\\Seen", (await one.UntilAsync("d"))[0], StringComparison.Ordinal);
        Assert.StartsWith("* 1 FETCH (FLAGS (\\Seen", (await one.UntilAsync("e"))[0], StringComparison.Ordinal);
        Assert.Equal("* SEARCH 1", (await one.UntilAsync("f"))[0]);
        Assert.Equal(["+ idling", "OK IDLE completed"], await one.UntilAsync("g"));
        Assert.Contains("* 4 EXISTS", await one.UntilAsync("h"));
        Assert.Equal("* 4 FETCH (UID 5)", (await one.UntilAsync("i"))[0]);
    }

    [Fact]
    public async Task IDLE_ends_with_DONE_alone()
    {
        var account = await fixture.AccountAsync();
        await using var one = await fixture.InboxAsync(1, account);
        await one.SendAsync("a IDLE\r\nDONE junk\r\n");
        Assert.Equal(["+ idling", "BAD expected DONE"], await one.UntilAsync("a"));
        await one.SendAsync("b IDLE\r\nc NOOP\r\n");
        Assert.Equal(["+ idling", "BAD expected DONE"], await one.UntilAsync("b"));
        await one.SendAsync("d IDLE\r\ndone\r\ne NOOP\r\n");
        Assert.Equal(["+ idling", "OK IDLE completed"], await one.UntilAsync("d"));
        Assert.Equal(["OK NOOP completed"], await one.UntilAsync("e"));
        Assert.StartsWith("BAD", await one.TaggedAsync("IDLE now"), StringComparison.Ordinal);
        await one.OkAsync("UNSELECT");
        await one.SendAsync("f IDLE\r\nDONE\r\n");
        Assert.Equal(["+ idling", "OK IDLE completed"], await one.UntilAsync("f"));
    }
}
