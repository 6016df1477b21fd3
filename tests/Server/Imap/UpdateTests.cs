using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>What two sessions on one mailbox tell each other, and when (RFC 9051 5.2, 7.5.1, RFC 2177).</summary>
[Collection("imap")]
public sealed class UpdateTests(ImapFixture fixture)
{
    [Fact]
    public async Task New_mail_is_told_after_any_command()
    {
        var account = await fixture.AccountAsync();
        await using var one = await fixture.InboxAsync(1, account);
        await using var two = await fixture.SignInAsync(account);
        await two.AppendAsync("INBOX", ImapClient.Message(2));
        Assert.Equal(["* 2 EXISTS", "* 2 RECENT"], await one.OkAsync("NOOP"));
    }

    [Fact]
    public async Task Flags_changed_elsewhere_are_told()
    {
        var account = await fixture.AccountAsync();
        await using var one = await fixture.InboxAsync(2, account);
        await using var two = await fixture.SignInAsync(account);
        await two.OkAsync("SELECT INBOX");
        await two.OkAsync("STORE 2 +FLAGS (\\Seen $Label)");
        var told = await one.OkAsync("NOOP");
        Assert.Contains("* 2 FETCH (FLAGS (\\Seen \\Recent $Label))", told);
        Assert.StartsWith("* FLAGS ", told[0], StringComparison.Ordinal);
        Assert.Empty(await one.OkAsync("NOOP"));
    }

    /// <summary>RFC 7162 3.2, 6: who is told of a change and not yet of an expunge before it must not believe to know everything up to the change.</summary>
    [Theory, InlineData("STORE 2 +FLAGS (\\Flagged)"), InlineData("FETCH 2 (UID MODSEQ)"), InlineData("STORE 2 +FLAGS.SILENT ($Some)")]
    public async Task An_expunge_that_waits_holds_back_the_highest_modseq(string command)
    {
        var account = await fixture.AccountAsync();
        await using var two = await fixture.InboxAsync(3, account);
        await using var one = await fixture.SignInAsync(account);
        await one.OkAsync("ENABLE QRESYNC");
        var before = HighestModSeq(await one.OkAsync("SELECT INBOX"));
        Assert.NotNull(before);
        await two.OkAsync("STORE 1 +FLAGS.SILENT (\\Deleted)");
        await two.OkAsync("EXPUNGE");
        await two.OkAsync("STORE 1 +FLAGS.SILENT ($Other)"); // UID 2
        var told = await one.OkAsync(command);
        Assert.DoesNotContain(told, line => line.StartsWith("* VANISHED", StringComparison.Ordinal));
        Assert.Contains(told, line => line.Contains("MODSEQ (", StringComparison.Ordinal));
        Assert.Equal(before, HighestModSeq(told));
        told = await one.OkAsync("NOOP");
        Assert.Contains("* VANISHED 1", told);
        Assert.True(HighestModSeq(told) > before);
        Assert.Null(HighestModSeq(await one.OkAsync("STORE 1 +FLAGS (\\Answered)"))); // nothing waits: MODSEQ says it all
    }

    static long? HighestModSeq(IReadOnlyList<string> lines) =>
        lines.LastOrDefault(line => line.StartsWith("* OK [HIGHESTMODSEQ ", StringComparison.Ordinal)) is { } line ? long.Parse(line[20..line.IndexOf(']')], System.Globalization.CultureInfo.InvariantCulture) : null;

    [Fact]
    public async Task An_expunge_waits_while_sequence_numbers_are_in_use()
    {
        var account = await fixture.AccountAsync();
        await using var one = await fixture.InboxAsync(3, account);
        await using var two = await fixture.SignInAsync(account);
        await two.OkAsync("SELECT INBOX");
        await two.OkAsync("STORE 1 +FLAGS.SILENT (\\Deleted)");
        await two.OkAsync("EXPUNGE");
        // RFC 9051 7.5.1: not during FETCH, STORE, SEARCH
        Assert.DoesNotContain(await one.OkAsync("FETCH 3 (UID)"), l => l.EndsWith("EXPUNGE", StringComparison.Ordinal));
        Assert.DoesNotContain(await one.OkAsync("SEARCH UID 3"), l => l.EndsWith("EXPUNGE", StringComparison.Ordinal));
        Assert.Equal(["* SEARCH 3"], (await one.OkAsync("SEARCH UID 3")).Where(l => l.Contains("SEARCH", StringComparison.Ordinal)));
        Assert.DoesNotContain(await one.OkAsync("STORE 3 +FLAGS.SILENT (\\Seen)"), l => l.EndsWith("EXPUNGE", StringComparison.Ordinal));
        // RFC 2180 4.1.3, RFC 5530 3
        Assert.StartsWith("NO [EXPUNGEISSUED]", await one.TaggedAsync("FETCH 1 (RFC822.SIZE)"), StringComparison.Ordinal);
        // what cannot be judged any more is not found, and that is said
        foreach (var search in new[] { "SEARCH LARGER 1", "SEARCH SENTSINCE 1-Jan-2000", "SEARCH SUBJECT x", "SEARCH BODY x", "SORT (SIZE) UTF-8 SMALLER 1", "THREAD REFS UTF-8 NOT ON 1-Jan-2000" })
            Assert.StartsWith("OK [EXPUNGEISSUED]", await one.TaggedAsync(search), StringComparison.Ordinal);
        Assert.StartsWith("OK SEARCH", await one.TaggedAsync("SEARCH ALL"), StringComparison.Ordinal);
        Assert.Contains("* 1 EXPUNGE", await one.OkAsync("NOOP"));
        Assert.Equal(["* 1 FETCH (UID 2)", "* 2 FETCH (UID 3)"], await one.OkAsync("FETCH 1:* UID"));
    }

    [Fact]
    public async Task UID_commands_tell_expunges_at_once()
    {
        var account = await fixture.AccountAsync();
        await using var one = await fixture.InboxAsync(3, account);
        await using var two = await fixture.SignInAsync(account);
        await two.OkAsync("SELECT INBOX");
        await two.OkAsync("STORE 1,3 +FLAGS.SILENT (\\Deleted)");
        await two.OkAsync("EXPUNGE");
        var told = await one.OkAsync("UID FETCH 2 (FLAGS)");
        Assert.Equal("* 3 EXPUNGE", told[^2]);
        Assert.Equal("* 1 EXPUNGE", told[^1]);
    }

    [Fact]
    public async Task IDLE_tells_without_being_asked()
    {
        var account = await fixture.AccountAsync();
        await using var one = await fixture.InboxAsync(1, account);
        await using var two = await fixture.SignInAsync(account);
        await two.OkAsync("SELECT INBOX");
        await one.SendAsync("i IDLE\r\n");
        Assert.Equal("+ idling", await one.LineAsync());
        await two.AppendAsync("INBOX", ImapClient.Message(2));
        Assert.Equal("* 2 EXISTS", await one.LineAsync());
        Assert.EndsWith("RECENT", await one.LineAsync(), StringComparison.Ordinal);
        await two.OkAsync("STORE 1 +FLAGS (\\Deleted)");
        Assert.Equal("* 1 FETCH (FLAGS (\\Deleted \\Recent))", await one.LineAsync());
        await two.OkAsync("EXPUNGE");
        Assert.Equal("* 1 EXPUNGE", await one.LineAsync());
        await one.SendAsync("DONE\r\n");
        Assert.Equal("i OK IDLE completed", await one.LineAsync());
    }

    [Fact]
    public async Task Recent_belongs_to_one_session()
    {
        var account = await fixture.AccountAsync();
        await using var writer = await fixture.SignInAsync(account);
        await writer.AppendAsync("INBOX", ImapClient.Message(1));
        await using var one = await fixture.SignInAsync(account);
        await using var two = await fixture.SignInAsync(account);
        Assert.Contains("* 1 RECENT", await one.OkAsync("EXAMINE INBOX"));
        Assert.Contains("* 1 RECENT", await one.OkAsync("SELECT INBOX"));
        Assert.Contains("* 0 RECENT", await two.OkAsync("SELECT INBOX"));
        Assert.Equal(["* SEARCH"], await two.OkAsync("SEARCH RECENT"));
    }

    // RFC 3501 6.4.1, 7.3.2
    [Fact]
    public async Task CHECK_tells_how_many_are_still_recent()
    {
        await using var one = await fixture.InboxAsync(3);
        Assert.DoesNotContain(await one.OkAsync("CHECK"), l => l.EndsWith("RECENT", StringComparison.Ordinal));
        await one.OkAsync("STORE 2 +FLAGS.SILENT (\\Deleted)");
        Assert.Equal(["* 2 EXPUNGE"], await one.OkAsync("EXPUNGE"));
        Assert.Empty(await one.OkAsync("NOOP"));
        Assert.Equal(["* 2 RECENT"], await one.OkAsync("CHECK"));
        Assert.Empty(await one.OkAsync("CHECK"));
    }

    [Fact]
    public async Task A_mailbox_deleted_elsewhere_ends_the_session_in_it()
    {
        var account = await fixture.AccountAsync();
        await using var one = await fixture.SignInAsync(account);
        await using var two = await fixture.SignInAsync(account);
        await one.OkAsync("CREATE gone");
        await one.OkAsync("SELECT gone");
        await two.OkAsync("DELETE gone");
        await one.SendAsync("x NOOP\r\n");
        Assert.StartsWith("* BYE", await one.LineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deleting_the_mailbox_one_is_in_only_closes_it()
    {
        await using var one = await fixture.SignInAsync(await fixture.AccountAsync());
        await one.OkAsync("CREATE gone");
        await one.OkAsync("SELECT gone");
        Assert.StartsWith("* OK [CLOSED]", (await one.OkAsync("DELETE gone"))[0], StringComparison.Ordinal);
        await one.OkAsync("NOOP");
        Assert.StartsWith("BAD", await one.TaggedAsync("FETCH 1 UID"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_renamed_mailbox_stays_selected()
    {
        var account = await fixture.AccountAsync();
        await using var one = await fixture.SignInAsync(account);
        await one.OkAsync("CREATE before");
        await one.OkAsync("SELECT before");
        await one.OkAsync("RENAME before after");
        await one.AppendAsync("after", ImapClient.Message(1));
        Assert.Equal(["* 1 FETCH (UID 1)"], await one.OkAsync("FETCH 1 UID"));
    }

    [Fact]
    public async Task Over_quota_is_refused_before_the_message_is_sent()
    {
        await using var one = await fixture.SignInAsync(await fixture.AccountAsync(quota: 2000));
        await one.AppendAsync("INBOX", ImapClient.Message(1));
        Assert.StartsWith("NO [OVERQUOTA]", await one.TaggedAsync("APPEND INBOX {1990}"), StringComparison.Ordinal);
        Assert.Contains("* QUOTA \"\" (STORAGE 1 2)", await one.OkAsync("GETQUOTAROOT INBOX"));
        await one.OkAsync("SELECT INBOX");
        for (var i = 0; i < 30; i++)
        {
            var answer = await one.TaggedAsync("COPY 1 INBOX");
            if (answer.StartsWith("NO [OVERQUOTA]", StringComparison.Ordinal)) return;
        }
        Assert.Fail("the quota was never reached");
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3)]
    public async Task Who_follows_the_news_knows_what_there_is(int seed)
    {
        var random = new Random(seed);
        var account = await fixture.AccountAsync();
        await using var reader = await fixture.InboxAsync(5, account);
        await using var one = await fixture.SignInAsync(account);
        await using var two = await fixture.SignInAsync(account);
        await one.OkAsync("CREATE box");
        await one.OkAsync("SELECT INBOX");
        await two.OkAsync("SELECT INBOX");
        var view = new List<string> { "()", "()", "()", "()", "()" };
        string[] flags = ["\\Seen", "\\Deleted", "\\Flagged", "$Work"];
        for (var i = 0; i < 120; i++)
        {
            var writer = random.Next(2) == 0 ? one : two;
            var n = random.Next(1, 8);
            await (random.Next(7) switch
            {
                0 => writer.AppendAsync("INBOX", ImapClient.Message(i)),
                1 => writer.CommandAsync("EXPUNGE"),
                2 => writer.CommandAsync($"UID MOVE {n}:{n + 1} box"),
                3 => writer.CommandAsync("COPY 1 INBOX"),
                _ => (Task)writer.CommandAsync($"STORE {n} {"+-"[random.Next(2)]}FLAGS ({flags[random.Next(4)]})"),
            });
            if (random.Next(3) == 0) await FollowAsync(view, reader, random.Next(2) == 0 ? "NOOP" : "SEARCH ALL");
        }
        await FollowAsync(view, reader, "NOOP");
        await using var fresh = await fixture.SignInAsync(account);
        await fresh.OkAsync("EXAMINE INBOX");
        var truth = view.Count == 0 ? [] : (await fresh.OkAsync("FETCH 1:* FLAGS")).Select(l => Flags(l)).ToList();
        Assert.Equal(truth, view);
    }

    /// <summary>As a client does: what is new is asked for.</summary>
    static async Task FollowAsync(List<string> view, ImapClient reader, string command)
    {
        Follow(view, await reader.OkAsync(command));
        if (view.IndexOf("?") is >= 0 and var first) Follow(view, await reader.OkAsync($"FETCH {first + 1}:* (FLAGS)"));
    }

    static void Follow(List<string> view, List<string> told)
    {
        foreach (var line in told)
        {
            var words = line.Split(' ');
            switch (words.ElementAtOrDefault(2))
            {
                case "EXPUNGE": view.RemoveAt(int.Parse(words[1], null) - 1); break;
                case "EXISTS":
                    Assert.True(int.Parse(words[1], null) >= view.Count);
                    while (view.Count < int.Parse(words[1], null)) view.Add("?");
                    break;
                case "FETCH": view[int.Parse(words[1], null) - 1] = Flags(line); break;
            }
        }
    }

    static string Flags(string line)
    {
        var from = line.IndexOf("FLAGS (", StringComparison.Ordinal) + 7;
        var words = line[from..line.IndexOf(')', from)].Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(w => w != "\\Recent").Order();
        return "(" + string.Join(' ', words) + ")";
    }

    [Fact]
    public async Task Moving_and_copying_into_the_same_mailbox()
    {
        await using var one = await fixture.InboxAsync(2);
        var told = await one.OkAsync("MOVE 1 INBOX");
        Assert.Matches("^\\* OK \\[COPYUID [0-9]+ 1 3\\]", told[0]);
        Assert.Equal(["* 1 EXPUNGE", "* 2 EXISTS"], told[1..3]);
        await one.OkAsync("COPY 1:2 INBOX");
        Assert.Equal(["* 1 FETCH (UID 2)", "* 2 FETCH (UID 3)", "* 3 FETCH (UID 4)", "* 4 FETCH (UID 5)"], await one.OkAsync("FETCH 1:* UID"));
    }
}
