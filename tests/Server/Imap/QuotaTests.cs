using CbaMail.Directory;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>RFC 9208: quota roots of one's own and of others, QUOTASET, what an expunge would free.</summary>
[Collection("imap")]
public sealed class QuotaTests(ImapFixture fixture)
{
    [Fact]
    public async Task OnesOwnRootHasNoName()
    {
        await using var anna = await fixture.SignInAsync(await fixture.AccountAsync(quota: 512 * 1024));
        Assert.Equal(["* QUOTAROOT INBOX \"\"", "* QUOTA \"\" (STORAGE 0 512)"], await anna.OkAsync("GETQUOTAROOT INBOX"));
        Assert.Equal(["* QUOTA \"\" (STORAGE 0 512)"], await anna.OkAsync("GETQUOTA \"\""));
        Assert.StartsWith("NO [NONEXISTENT]", await anna.TaggedAsync("GETQUOTA \"#user/anna\""), StringComparison.Ordinal);
        // RFC 9208 4.1.2: of a mailbox that is to be made
        Assert.Equal(["* QUOTAROOT Nowhere \"\"", "* QUOTA \"\" (STORAGE 0 512)"], await anna.OkAsync("GETQUOTAROOT Nowhere"));
        Assert.StartsWith("NO [NONEXISTENT]", await anna.TaggedAsync("GETQUOTAROOT \"Other Users/nobody@example.test/x\""), StringComparison.Ordinal);
        foreach (var wrong in (string[])["GETQUOTA", "GETQUOTAROOT", "SETQUOTA \"\"", "SETQUOTA \"\" (STORAGE)", "SETQUOTA \"\" (STORAGE -1)", "SETQUOTA \"\" (STORAGE 1 STORAGE 2)"])
            Assert.StartsWith("BAD", await anna.TaggedAsync(wrong), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithoutALimitNothingIsNamed()
    {
        // RFC 9208 4.2.1
        await using var anna = await fixture.SignInAsync(await fixture.AccountAsync());
        Assert.Equal(["* QUOTA \"\" ()"], await anna.OkAsync("GETQUOTA \"\""));
    }

    [Fact]
    public async Task OnlyAdministratorsSetQuotas()
    {
        var (anna, boris) = (await fixture.AccountAsync(quota: 512 * 1024), await fixture.AccountAsync());
        await using var user = await fixture.SignInAsync(anna);
        Assert.StartsWith("NO [NOPERM]", await user.TaggedAsync("SETQUOTA \"\" (STORAGE 1024)"), StringComparison.Ordinal);
        Assert.StartsWith("NO [NONEXISTENT]", await user.TaggedAsync($"SETQUOTA {boris.Address} (STORAGE 1024)"), StringComparison.Ordinal);

        Assert.True((await fixture.Directory.SetAccountAsync(boris, new AccountChange(Role: Role.DomainAdmin))).Ok);
        await using var admin = await fixture.SignInAsync(boris);
        Assert.Equal([$"* QUOTA \"{anna.Address}\" (STORAGE 0 1024)"], await admin.OkAsync($"SETQUOTA {anna.Address} (STORAGE 1024)"));
        Assert.Equal(["* QUOTA \"\" (STORAGE 0 1024)"], await user.OkAsync("GETQUOTA \"\""));
        Assert.StartsWith("NO [CANNOT]", await admin.TaggedAsync($"SETQUOTA {anna.Address} (MESSAGE 10)"), StringComparison.Ordinal);
        // RFC 9208 4.1.3: what is not named is not limited any more
        Assert.Equal([$"* QUOTA \"{anna.Address}\" ()"], await admin.OkAsync($"SETQUOTA {anna.Address} ()"));
        Assert.StartsWith("NO [NONEXISTENT]", await admin.TaggedAsync("SETQUOTA nobody@example.test (STORAGE 1)"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ASharedMailboxCountsToItsOwner()
    {
        var (anna, boris) = (await fixture.AccountAsync(quota: 512 * 1024), await fixture.AccountAsync(quota: 99 * 1024));
        await using var owner = await fixture.SignInAsync(anna);
        await using var guest = await fixture.SignInAsync(boris);
        Assert.StartsWith("NO [NONEXISTENT]", await guest.TaggedAsync($"GETQUOTA {anna.Address}"), StringComparison.Ordinal);
        await owner.OkAsync($"SETACL INBOX {boris.Address} lri");
        var box = $"\"Other Users/{anna.Address}/INBOX\"";
        await guest.AppendAsync(box, ImapClient.Message(1));
        Assert.Equal([$"* QUOTAROOT {box} \"{anna.Address}\"", $"* QUOTA \"{anna.Address}\" (STORAGE 1 512)"], await guest.OkAsync($"GETQUOTAROOT {box}"));
        Assert.Equal([$"* QUOTA \"{anna.Address}\" (STORAGE 1 512)"], await guest.OkAsync($"GETQUOTA {anna.Address}"));
        Assert.Equal(["* QUOTA \"\" (STORAGE 0 99)"], await guest.OkAsync("GETQUOTA \"\""));
    }

    [Fact]
    public async Task StatusTellsWhatAnExpungeWouldFree()
    {
        // RFC 9208 4.1.4
        await using var anna = await fixture.InboxAsync(3);
        await anna.OkAsync("STORE 1:2 +FLAGS.SILENT (\\Deleted)");
        var size = ImapClient.Message(1).Length;
        Assert.Equal([$"* STATUS INBOX (MESSAGES 3 DELETED 2 DELETED-STORAGE {2 * size})"], await anna.OkAsync("STATUS INBOX (MESSAGES DELETED DELETED-STORAGE)"));
        Assert.Contains($"* STATUS INBOX (DELETED-STORAGE {2 * size})", await anna.OkAsync("LIST \"\" INBOX RETURN (STATUS (DELETED-STORAGE))"));
    }
}
