using CbaMail.Directory;
using CbaMail.Mailboxes;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>LIST (RFC 9051 6.3.9, RFC 5258) where names and levels are odd; public folders in everybody's list.</summary>
[Collection("imap")]
public sealed class ListCornerTests(ImapFixture fixture)
{
    static string Quoted(string name) => "\"" + name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";

    [Fact]
    public async Task EveryPrintableCharacterMayStandInANameButTheWildcards()
    {
        await using var anna = await fixture.SignInAsync(await fixture.AccountAsync());
        for (var c = ' '; c <= '~'; c++)
        {
            if (c == '/') continue;
            var name = c == '&' ? "n&-m" : $"n{c}m"; // RFC 3501 5.1.3
            if (c is '%' or '*')
            {
                Assert.StartsWith("NO [CANNOT]", await anna.TaggedAsync($"CREATE {Quoted(name)}"), StringComparison.Ordinal);
                continue;
            }
            await anna.OkAsync($"CREATE {Quoted(name)}");
            await anna.OkAsync($"SUBSCRIBE {Quoted(name)}");
            await anna.OkAsync($"EXAMINE {Quoted(name)}");
            Assert.Single(await anna.OkAsync($"LIST \"\" {Quoted(name)}"));
            Assert.Single(await anna.OkAsync($"LSUB \"\" {Quoted(name)}"));
            Assert.Single(await anna.OkAsync($"GETACL {Quoted(name)}"));
            Assert.Single(await anna.OkAsync($"STATUS {Quoted(name)} (MESSAGES)"));
            await anna.OkAsync("UNSELECT");
            await anna.OkAsync($"RENAME {Quoted(name)} renamed");
            await anna.OkAsync("DELETE renamed");
        }
    }

    [Theory]
    [InlineData("&"), InlineData("&Jjo"), InlineData("&Jjo!"), InlineData("&AGE-"), InlineData("&2AA-"), InlineData("a&-&AGE-b")]
    public async Task WhatIsNotModifiedUtf7IsRefused(string name)
    {
        // RFC 3501 5.1.3: no base64 of what ASCII has, no loose ends, no half characters
        await using var anna = await fixture.SignInAsync(await fixture.AccountAsync());
        Assert.StartsWith("NO [CANNOT]", await anna.TaggedAsync($"CREATE {Quoted(name)}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheSameTextInTwoFormsIsOneMailbox()
    {
        // RFC 9051 5.1: NFC
        await using var anna = await fixture.SignInAsync(await fixture.AccountAsync());
        await anna.OkAsync("CREATE \"e\u0301t\u0451\"");
        Assert.StartsWith("NO [ALREADYEXISTS]", await anna.TaggedAsync("CREATE \"\u00e9t\u0435\u0308\""), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TwentyLevelsDeep()
    {
        await using var anna = await fixture.SignInAsync(await fixture.AccountAsync());
        var deep = string.Join('/', Enumerable.Range(1, 20).Select(level => $"l{level}"));
        await anna.OkAsync($"CREATE {deep}");
        Assert.Equal(20, (await anna.OkAsync("LIST \"\" l1*")).Count);
        Assert.Equal(["* LIST (\\HasChildren) \"/\" l1"], await anna.OkAsync("LIST \"\" l%"));
        Assert.Equal([$"* LIST (\\HasNoChildren) \"/\" {deep}"], await anna.OkAsync($"LIST \"{deep[..^3]}\" %"));
        await anna.OkAsync($"SUBSCRIBE {deep}");
        // RFC 5258 3.5
        Assert.Equal(["* LIST (\\HasChildren) \"/\" l1 (\"CHILDINFO\" (\"SUBSCRIBED\"))"], await anna.OkAsync("LIST (SUBSCRIBED RECURSIVEMATCH) \"\" l%"));
        Assert.Equal(["* LSUB (\\Noselect) \"/\" l1"], await anna.OkAsync("LSUB \"\" l%"));
        await anna.OkAsync("RENAME l1/l2 other");
        Assert.Equal(19, (await anna.OkAsync("LIST \"\" other*")).Count);
        await anna.OkAsync("DELETE other/l3");
        Assert.Contains(await anna.OkAsync("LIST \"\" other/%"), line => line.Contains("\\NonExistent", StringComparison.Ordinal)); // what is below stays
    }

    [Fact]
    public async Task InboxHasChildrenInAnyCase()
    {
        await using var anna = await fixture.SignInAsync(await fixture.AccountAsync());
        await anna.OkAsync("CREATE inbox/Below");
        Assert.Equal(["* LIST (\\HasChildren) \"/\" INBOX"], await anna.OkAsync("LIST \"\" iNbOx"));
        Assert.Equal(["* LIST (\\HasNoChildren) \"/\" INBOX/Below"], await anna.OkAsync("LIST \"\" INBOX/%"));
        Assert.Equal(["* MYRIGHTS INBOX/Below lrswipkxtecda"], await anna.OkAsync("MYRIGHTS Inbox/Below"));
    }

    [Fact]
    public async Task ASharedMailboxAnswersTheOptionsOfList()
    {
        Account owner = await fixture.AccountAsync(), viewer = await fixture.AccountAsync();
        await using var anna = await fixture.SignInAsync(owner);
        await using var boris = await fixture.SignInAsync(viewer);
        await anna.OkAsync($"SETACL Sent {viewer.Address} lr");
        await anna.OkAsync("SUBSCRIBE Sent");
        var sent = $"\"Other Users/{owner.Address}/Sent\"";
        // its use and its subscription are the owner's
        Assert.Equal([$"* LIST (\\HasNoChildren) \"/\" {sent}"], await boris.OkAsync($"LIST \"\" {sent} RETURN (SUBSCRIBED SPECIAL-USE CHILDREN)"));
        Assert.Empty(await boris.OkAsync("LIST (SPECIAL-USE) \"\" Other*"));
        await boris.OkAsync($"SUBSCRIBE {sent}");
        Assert.Equal([$"* LIST (\\HasNoChildren \\Subscribed) \"/\" {sent}", $"* STATUS {sent} (MESSAGES 0)"], await boris.OkAsync("LIST (SUBSCRIBED REMOTE) \"\" Other* RETURN (STATUS (MESSAGES))"));
        Assert.Contains("* LIST (\\HasChildren \\NonExistent) \"/\" \"Other Users\" (\"CHILDINFO\" (\"SUBSCRIBED\"))", await boris.OkAsync("LIST (SUBSCRIBED RECURSIVEMATCH) \"\" %"));
        await anna.OkAsync($"SETACL Sent {viewer.Address} l");
        Assert.DoesNotContain(await boris.OkAsync($"LIST \"\" {sent} RETURN (STATUS (MESSAGES))"), line => line.Contains("STATUS", StringComparison.Ordinal)); // no r
        // what is hidden later stays subscribed, and tells nothing (RFC 9051 6.3.8)
        await anna.OkAsync($"DELETEACL Sent {viewer.Address}");
        Assert.Equal([$"* LIST (\\HasNoChildren \\NonExistent \\Subscribed) \"/\" {sent}"], await boris.OkAsync("LIST (SUBSCRIBED) \"\" Other*"));
    }

    [Fact]
    public async Task PublicFoldersAreTheDomains()
    {
        var account = await fixture.AccountAsync();
        await using var anna = await fixture.SignInAsync(account);
        var domain = fixture.Directory.FindDomain("example.test")!;
        var name = "News" + Guid.NewGuid().ToString("N")[..6];
        Assert.StartsWith("NO [NOPERM]", await anna.TaggedAsync($"CREATE Public/{name}"), StringComparison.Ordinal);
        var made = await fixture.Mail.CreateAsync(-domain.Id, name, null, TestContext.Current.CancellationToken);
        Assert.True(made.Ok);
        Assert.Empty(await anna.OkAsync($"LIST \"\" Public/{name}"));
        Assert.Null(await fixture.Mail.SetAclAsync(made.Value.Id, "anyone", isOwner: false, RightsMode.Set, Rights.Lookup | Rights.Read | Rights.Insert | Rights.CreateBelow, TestContext.Current.CancellationToken));
        Assert.Single(await anna.OkAsync($"LIST \"\" Public/{name}"));
        await anna.AppendAsync($"Public/{name}", ImapClient.Message(1));
        Assert.Equal([$"* STATUS Public/{name} (MESSAGES 1)"], await anna.OkAsync($"STATUS Public/{name} (MESSAGES)"));
        Assert.Equal([$"* QUOTAROOT Public/{name}"], await anna.OkAsync($"GETQUOTAROOT Public/{name}")); // nothing limits it
        await anna.OkAsync($"CREATE Public/{name}/Below");
        Assert.Equal([$"* MYRIGHTS Public/{name}/Below lrikc"], await anna.OkAsync($"MYRIGHTS Public/{name}/Below"));
        Assert.StartsWith("NO [NOPERM]", await anna.TaggedAsync($"DELETE Public/{name}"), StringComparison.Ordinal);
        // who administers the domain has all rights
        Assert.True((await fixture.Directory.SetAccountAsync(account, new AccountChange(Role: Role.DomainAdmin))).Ok);
        await anna.OkAsync($"SETACL Public/{name} anyone lr");
        Assert.Equal([$"* ACL Public/{name} anyone lr"], await anna.OkAsync($"GETACL Public/{name}"));
        await anna.OkAsync($"CREATE Public/{name}2");
        await anna.OkAsync($"DELETE Public/{name}2");
    }

    [Fact]
    public async Task AMailboxOfOnesOwnNamedLikeAPrefixIsNotLost()
    {
        var account = await fixture.AccountAsync();
        Assert.True((await fixture.Mail.CreateAsync(account.Id, "Public/Mine", null, TestContext.Current.CancellationToken)).Ok);
        await using var anna = await fixture.SignInAsync(account);
        await anna.AppendAsync("Public/Mine", ImapClient.Message(1));
        Assert.Single(await anna.OkAsync("LIST \"\" Public/Mine"));
        await anna.OkAsync("RENAME Public/Mine Mine");
        Assert.Equal(["* STATUS Mine (MESSAGES 1)"], await anna.OkAsync("STATUS Mine (MESSAGES)"));
    }
}
