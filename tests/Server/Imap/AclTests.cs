using CbaMail.Directory;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>RFC 4314 section 4: a test a cell of the table, and what happens to those who have the mailbox open.</summary>
[Collection("imap")]
public sealed class AclTests(ImapFixture fixture)
{
    const string All = "lrswipkxtea";

    sealed record Two(ImapClient Anna, ImapClient Boris, string Box, string Boris2) : IAsyncDisposable
    {
        public Task GiveAsync(string rights) => Anna.OkAsync($"SETACL Box {Boris2} \"{rights}\"");

        public async ValueTask DisposeAsync()
        {
            await Boris.DisposeAsync();
            await Anna.DisposeAsync();
        }
    }

    /// <summary>Anna's mailbox "Box" of three messages (the second \Seen), and Boris, who has the rights.</summary>
    async Task<Two> ShareAsync(string rights)
    {
        Account anna = await fixture.AccountAsync(), boris = await fixture.AccountAsync();
        var owner = await fixture.SignInAsync(anna);
        await owner.OkAsync("CREATE Box/Below");
        for (var i = 1; i <= 3; i++) await owner.AppendAsync("Box", ImapClient.Message(i), i == 2 ? "(\\Seen) " : "");
        await owner.OkAsync($"SETACL Box {boris.Address} \"{rights}\"");
        return new(owner, await fixture.SignInAsync(boris), $"\"Other Users/{anna.Address}/Box\"", boris.Address.ToString());
    }

    static string Without(string letters) => string.Concat(All.Except(letters));

    /// <summary>Each right alone, each missing alone.</summary>
    [Theory]
    [InlineData("STATUS {0} (MESSAGES)", "r")]
    [InlineData("SELECT {0}", "r")]
    [InlineData("EXAMINE {0}", "r")]
    [InlineData("SUBSCRIBE {0}", "l")]
    [InlineData("DELETE {0}", "x")]
    [InlineData("GETACL {0}", "a")]
    [InlineData("LISTRIGHTS {0} anyone", "a")]
    [InlineData("SETACL {0} anyone lr", "a")]
    [InlineData("DELETEACL {0} anyone", "a")]
    [InlineData("GETQUOTAROOT {0}", "r")]
    public async Task NeedsItsRight(string command, string right)
    {
        await using var two = await ShareAsync(Without(right));
        Assert.StartsWith(right == "l" ? "NO [NONEXISTENT]" : "NO [NOPERM]", await two.Boris.TaggedAsync(string.Format(null, command, two.Box)), StringComparison.Ordinal);
        await two.GiveAsync(right);
        Assert.StartsWith("OK", await two.Boris.TaggedAsync(string.Format(null, command, two.Box)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("l", true), InlineData("r", true), InlineData("i", true), InlineData("k", true), InlineData("x", true), InlineData("a", true)]
    [InlineData("s", false), InlineData("w", false), InlineData("t", false), InlineData("e", false), InlineData("p", false)]
    public async Task MyRightsNeedsOneOfSix(string right, bool answered)
    {
        await using var two = await ShareAsync(right);
        Assert.StartsWith(answered ? "OK" : "NO [NONEXISTENT]", await two.Boris.TaggedAsync($"MYRIGHTS {two.Box}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ListNeedsLAndIsNeverRefused()
    {
        await using var two = await ShareAsync(Without("l"));
        Assert.Empty(await two.Boris.OkAsync($"LIST \"\" {two.Box}"));
        await two.GiveAsync("l");
        Assert.Single(await two.Boris.OkAsync($"LIST \"\" {two.Box}"));
    }

    [Fact]
    public async Task UnsubscribeNeedsNothing()
    {
        await using var two = await ShareAsync("l");
        await two.Boris.OkAsync($"SUBSCRIBE {two.Box}");
        await two.GiveAsync("");
        await two.Boris.OkAsync($"UNSUBSCRIBE {two.Box}");
        Assert.Empty(await two.Boris.OkAsync("LSUB \"\" Other*"));
    }

    [Fact]
    public async Task AMailboxBelowOneThatIsNotSeenIsSeenAlone()
    {
        // RFC 4314 4, LIST
        await using var two = await ShareAsync("");
        await two.Anna.OkAsync($"SETACL Box/Below {two.Boris2} l");
        var lines = await two.Boris.OkAsync($"LIST \"\" {two.Box[..^1]}*\"");
        Assert.Equal(2, lines.Count);
        Assert.Contains("\\NonExistent", lines[0], StringComparison.Ordinal);
        Assert.Contains("/Box/Below", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task CreateNeedsKAboveAndRenameXToo()
    {
        await using var two = await ShareAsync(Without("k"));
        var below = two.Box[..^1] + "/New\"";
        Assert.StartsWith("NO [NOPERM]", await two.Boris.TaggedAsync($"CREATE {below}"), StringComparison.Ordinal);
        await two.GiveAsync("k");
        Assert.StartsWith("OK", await two.Boris.TaggedAsync($"CREATE {below}"), StringComparison.Ordinal); // has "k" itself, nothing else
        Assert.StartsWith("NO [NONEXISTENT]", await two.Boris.TaggedAsync($"RENAME {below} {two.Box[..^1]}/Newer\""), StringComparison.Ordinal);
        await two.Anna.OkAsync($"SETACL Box/New {two.Boris2} lx");
        Assert.StartsWith("OK", await two.Boris.TaggedAsync($"RENAME {below} {two.Box[..^1]}/Newer\""), StringComparison.Ordinal);
        await two.GiveAsync("lrswipxtea");
        Assert.StartsWith("NO [NOPERM]", await two.Boris.TaggedAsync($"RENAME {two.Box[..^1]}/Newer\" {below}"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("i", "")]
    [InlineData("is", "\\Seen")]
    [InlineData("it", "\\Deleted")]
    [InlineData("iw", "\\Flagged $Forwarded")]
    [InlineData("istw", "\\Flagged \\Deleted \\Seen $Forwarded")]
    public async Task AppendAndCopyNeedIAndKeepTheFlagsThatMayBeSet(string rights, string kept)
    {
        await using var two = await ShareAsync(rights);
        await two.Boris.AppendAsync(two.Box, ImapClient.Message(9), "(\\Seen \\Deleted \\Flagged $Forwarded) ");
        await two.Boris.AppendAsync("INBOX", ImapClient.Message(10), "(\\Seen \\Deleted \\Flagged $Forwarded) ");
        await two.Boris.OkAsync("SELECT INBOX");
        await two.Boris.OkAsync($"COPY 1 {two.Box}");
        await two.Boris.OkAsync($"MOVE 1 {two.Box}");
        await two.GiveAsync(rights + "r");
        await ShowAsync(two.Boris, two.Box, kept);
        await ShowAsync(two.Anna, "Box", kept.Replace("\\Seen", "", StringComparison.Ordinal)); // each has \Seen for himself

        static async Task ShowAsync(ImapClient client, string box, string kept)
        {
            await client.OkAsync($"EXAMINE {box}");
            foreach (var line in (await client.OkAsync("FETCH 4:6 FLAGS")).Where(line => line.Contains("FETCH", StringComparison.Ordinal)))
                Assert.Equal(kept.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(), line.Split('(', ')')[2].Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(flag => flag != "\\Recent").Order());
        }
    }

    [Fact]
    public async Task NothingIsPutWhereIIsMissing()
    {
        await using var two = await ShareAsync(Without("i"));
        await two.Boris.AppendAsync("INBOX", ImapClient.Message(10));
        await two.Boris.OkAsync("SELECT INBOX");
        foreach (var command in (string[])[$"APPEND {two.Box} {{3+}}\r\nabc", $"COPY 1 {two.Box}", $"MOVE 1 {two.Box}"])
            Assert.StartsWith("NO [NOPERM]", await two.Boris.TaggedAsync(command), StringComparison.Ordinal);
        await two.GiveAsync("");
        Assert.StartsWith("NO [NONEXISTENT]", await two.Boris.TaggedAsync($"COPY 1 {two.Box}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ExpungeNeedsEAndCloseIsSilentWithoutIt()
    {
        await using var two = await ShareAsync("lrt");
        await two.Boris.OkAsync($"SELECT {two.Box}");
        await two.Boris.OkAsync("STORE 1:2 +FLAGS.SILENT (\\Deleted)");
        Assert.StartsWith("NO [NOPERM]", await two.Boris.TaggedAsync("EXPUNGE"), StringComparison.Ordinal);
        Assert.StartsWith("NO [NOPERM]", await two.Boris.TaggedAsync("UID EXPUNGE 1:*"), StringComparison.Ordinal);
        Assert.StartsWith("NO [NOPERM]", await two.Boris.TaggedAsync("MOVE 3 INBOX"), StringComparison.Ordinal);
        await two.Boris.OkAsync("CLOSE");
        Assert.Equal("* STATUS Box (MESSAGES 3 DELETED 2)", Assert.Single(await two.Anna.OkAsync("STATUS Box (MESSAGES DELETED)")));
        await two.GiveAsync("lre");
        await two.Boris.OkAsync($"SELECT {two.Box}");
        await two.Boris.OkAsync("EXPUNGE");
        Assert.Equal("* STATUS Box (MESSAGES 1)", Assert.Single(await two.Anna.OkAsync("STATUS Box (MESSAGES)")));
    }

    [Fact]
    public async Task StoreChangesWhatMayBeChangedAndLeavesTheRest()
    {
        await using var two = await ShareAsync("lrw");
        await two.Boris.OkAsync($"SELECT {two.Box}");
        // RFC 4314 4: no NO while one of them may be changed
        await two.Boris.OkAsync("STORE 1 +FLAGS (\\Seen \\Deleted \\Flagged)");
        await two.GiveAsync("lrsw");
        await two.Boris.OkAsync("STORE 2 +FLAGS.SILENT (\\Seen)");
        await two.GiveAsync("lrw");
        await two.Boris.OkAsync("STORE 2 FLAGS (\\Answered)"); // it is \Seen, and stays so
        Assert.StartsWith("NO [NOPERM]", await two.Boris.TaggedAsync("STORE 3 +FLAGS (\\Seen)"), StringComparison.Ordinal);
        Assert.StartsWith("NO [NOPERM]", await two.Boris.TaggedAsync("STORE 3 -FLAGS (\\Seen \\Deleted)"), StringComparison.Ordinal);
        Assert.Equal(["* 1 FETCH (FLAGS (\\Flagged))", "* 2 FETCH (FLAGS (\\Answered \\Seen))", "* 3 FETCH (FLAGS ())"],
            (await two.Boris.OkAsync("FETCH 1:3 FLAGS")).Select(line => line.Replace(" \\Recent", "", StringComparison.Ordinal).Replace("\\Recent", "", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("lr", false), InlineData("lrs", true)]
    public async Task FetchSetsSeenOnlyWithS(string rights, bool set)
    {
        await using var two = await ShareAsync(rights);
        await two.Boris.OkAsync($"SELECT {two.Box}");
        await two.Boris.OkAsync("FETCH 1 BODY[TEXT]");
        Assert.Equal(set, (await two.Boris.OkAsync("FETCH 1 FLAGS"))[^1].Contains("\\Seen", StringComparison.Ordinal));
        await two.Anna.OkAsync("EXAMINE Box");
        Assert.DoesNotContain("\\Seen", (await two.Anna.OkAsync("FETCH 1 FLAGS"))[^1], StringComparison.Ordinal);
    }

    [Theory] // RFC 4314 5.1.1, 5.2
    [InlineData("lr", "READ-ONLY", "()")]
    [InlineData("lrkxap", "READ-ONLY", "()")]
    [InlineData("lri", "READ-WRITE", "()")]
    [InlineData("lre", "READ-WRITE", "()")]
    [InlineData("lrs", "READ-ONLY", "(\\Seen)")] // example 1
    [InlineData("lrt", "READ-WRITE", "(\\Deleted)")]
    [InlineData("lrw", "READ-WRITE", "(\\Answered \\Flagged \\Draft \\*)")]
    [InlineData("lrswt", "READ-WRITE", "(\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)")]
    public async Task SelectTellsWhatMayBeChanged(string rights, string code, string flags)
    {
        await using var two = await ShareAsync(rights);
        var lines = await two.Boris.CommandAsync($"SELECT {two.Box}");
        Assert.StartsWith($"OK [{code}]", lines[^1], StringComparison.Ordinal);
        Assert.Contains(lines, line => line.StartsWith($"* OK [PERMANENTFLAGS {flags}]", StringComparison.Ordinal));
    }

    [Fact]
    public async Task RightsTakenAreTakenAtOnce()
    {
        await using var two = await ShareAsync("lrswte");
        await two.Boris.OkAsync($"SELECT {two.Box}");
        await two.GiveAsync("lrs");
        var lines = await two.Boris.CommandAsync("STORE 1 +FLAGS (\\Flagged)");
        Assert.Contains(lines, line => line.StartsWith("* OK [PERMANENTFLAGS (\\Seen)]", StringComparison.Ordinal)); // RFC 4314 5.1.1
        Assert.Contains(lines, line => line.StartsWith("* OK [READ-ONLY]", StringComparison.Ordinal));
        Assert.StartsWith("NO [NOPERM]", lines[^1], StringComparison.Ordinal);
        await two.GiveAsync("lr");
        Assert.Contains(await two.Boris.OkAsync("NOOP"), line => line.StartsWith("* OK [PERMANENTFLAGS ()]", StringComparison.Ordinal));
        await two.GiveAsync("lrw");
        Assert.Contains(await two.Boris.OkAsync("NOOP"), line => line.StartsWith("* OK [READ-WRITE]", StringComparison.Ordinal));
        await two.GiveAsync("l");
        await two.Boris.SendAsync("z NOOP\r\n");
        Assert.StartsWith("* BYE", await two.Boris.LineAsync(), StringComparison.Ordinal);
        Assert.Null(await two.Boris.TryLineAsync());
    }

    [Fact]
    public async Task WhoIdlesHearsThatHeMayNotReadAnyMore()
    {
        await using var two = await ShareAsync("lr");
        await two.Boris.OkAsync($"SELECT {two.Box}");
        await two.Boris.SendAsync("z IDLE\r\n");
        Assert.StartsWith("+", await two.Boris.LineAsync(), StringComparison.Ordinal);
        await two.GiveAsync("");
        Assert.StartsWith("* BYE", await two.Boris.LineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OthersHearWhatOneDoes()
    {
        await using var two = await ShareAsync(All);
        await two.Anna.OkAsync("SELECT Box");
        await two.Boris.OkAsync($"SELECT {two.Box}");
        await two.Boris.AppendAsync(two.Box, ImapClient.Message(4));
        Assert.Contains("* 4 EXISTS", await two.Anna.OkAsync("NOOP"));
        await two.Anna.OkAsync("STORE 1 +FLAGS.SILENT \\Flagged");
        Assert.Contains(await two.Boris.OkAsync("NOOP"), line => line.StartsWith("* 1 FETCH", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WhatTheOwnerRenamesStaysOpenAndWhatHeDeletesIsClosed()
    {
        // RFC 2180 3.3, 3.4
        await using var two = await ShareAsync(All);
        await two.Boris.OkAsync($"SELECT {two.Box}");
        await two.Anna.OkAsync("RENAME Box Boxes/One");
        Assert.Contains(await two.Boris.OkAsync("UID STORE 1 +FLAGS (\\Answered)"), line => line.StartsWith("* 1 FETCH (UID 1 FLAGS (\\Answered", StringComparison.Ordinal));
        Assert.StartsWith("NO [NONEXISTENT]", await two.Boris.TaggedAsync($"STATUS {two.Box} (MESSAGES)"), StringComparison.Ordinal);
        Assert.Single(await two.Boris.OkAsync($"STATUS {two.Box.Replace("/Box\"", "/Boxes/One\"", StringComparison.Ordinal)} (MESSAGES)"));
        await two.Anna.OkAsync("DELETE Boxes/One");
        Assert.StartsWith("* BYE", (await two.Boris.CommandAsync("NOOP"))[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnOwnerWhoIsRemovedTakesHisMailboxesFromThoseWhoReadThem()
    {
        await using var two = await ShareAsync("lrs");
        await using var idle = await fixture.SignInAsync(fixture.Directory.ListAccounts().Single(a => a.Address.ToString() == two.Boris2));
        await two.Boris.OkAsync($"SELECT {two.Box}");
        await two.Boris.OkAsync("STORE 1 +FLAGS.SILENT (\\Seen)");
        await two.Boris.OkAsync($"SUBSCRIBE {two.Box}");
        await idle.OkAsync($"SELECT {two.Box}");
        await idle.SendAsync("i IDLE\r\n");
        Assert.StartsWith("+", await idle.LineAsync(), StringComparison.Ordinal);
        Assert.Null(await fixture.Directory.RemoveAccountAsync(fixture.Directory.ListAccounts().Single(a => two.Box.Contains($"/{a.Address}/", StringComparison.Ordinal))));
        Assert.StartsWith("* BYE", await idle.LineAsync(), StringComparison.Ordinal);
        Assert.Contains(await two.Boris.CommandAsync("FETCH 1 (FLAGS)"), line => line.StartsWith("* BYE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AnAccountThatIsRemovedTakesItsRightsAlong()
    {
        await using var two = await ShareAsync("lr");
        Assert.Null(await fixture.Directory.RemoveAccountAsync(fixture.Directory.ListAccounts().Single(a => a.Address.ToString() == two.Boris2)));
        Assert.Single((await two.Anna.OkAsync("GETACL Box"))[0].Split(two.Boris2)); // it is not named
    }

    [Fact]
    public async Task TheOwnersQuotaCounts()
    {
        var anna = await fixture.AccountAsync(quota: 1000);
        var boris = await fixture.AccountAsync();
        await using var owner = await fixture.SignInAsync(anna);
        await using var guest = await fixture.SignInAsync(boris);
        await owner.OkAsync($"SETACL INBOX {boris.Address} lri");
        var box = $"\"Other Users/{anna.Address}/inbox\"";
        await guest.AppendAsync(box, ImapClient.Message(1));
        await guest.AppendAsync("INBOX", ImapClient.Message(2, new string('x', 900)));
        await guest.OkAsync("SELECT INBOX");
        foreach (var verb in (string[])["COPY", "MOVE"])
            Assert.StartsWith("NO [OVERQUOTA]", await guest.TaggedAsync($"{verb} 1 {box}"), StringComparison.Ordinal);
        Assert.StartsWith("NO [OVERQUOTA]", await guest.TaggedAsync($"APPEND {box} {{900+}}\r\n{new string('x', 900)}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task GroupsAndEverybodyAreThoseOfTheOwnersDomain()
    {
        var name = "other" + Guid.NewGuid().ToString("N")[..8] + ".test";
        Assert.True((await fixture.Directory.AddDomainAsync(name)).Ok);
        var added = await fixture.Directory.AddAccountAsync(new NewAccount("eve@" + name, Password: ImapFixture.Password, Groups: "teachers"));
        Assert.True(added.Ok);
        await using var two = await ShareAsync("");
        await two.Anna.OkAsync("SETACL Box anyone lr");
        await two.Anna.OkAsync("SETACL Box $teachers lr");
        await using var eve = await fixture.SignInAsync(added.Value);
        Assert.DoesNotContain(await eve.OkAsync("LIST \"\" *"), line => line.Contains("Box", StringComparison.Ordinal));
        Assert.StartsWith("NO [NONEXISTENT]", await eve.TaggedAsync($"SELECT {two.Box}"), StringComparison.Ordinal);
        await two.Boris.OkAsync($"SELECT {two.Box}");
    }
}
