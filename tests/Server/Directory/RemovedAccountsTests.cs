using CbaMail.Directory;
using CbaMail.Envelope;
using Xunit;

namespace CbaMail.Tests.Server.Directory;

/// <summary>Accounts that are removed, brought back, renamed, and what a domain allows.</summary>
public sealed class RemovedAccountsTests
{
    static MailAddress Address(string text) => MailAddress.TryParse(text, out var address) ? address : throw new ArgumentException(text);

    [Fact]
    public async Task A_removed_account_is_nobody_and_comes_back_as_it_was()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var gone = new List<long>();
        fixture.Users.AccountRemoving += (_, account) => gone.Add(account.Id);
        var anna = await fixture.AddAsync("anna@example.test", "right");
        Assert.Null(await fixture.Users.PutAwayAsync(anna));
        foreach (var restart in new[] { false, true })
        {
            if (restart) await fixture.RestartAsync();
            Assert.Equal("5.1.1", fixture.Resolve("anna@example.test"));
            Assert.False((await fixture.Users.SignInAsync("anna@example.test", "right", default)).Ok);
            Assert.Equal(0, fixture.Users.AccountCount);
            Assert.Equal("anna@example.test", Assert.Single(fixture.Users.ListRemoved()).Address.ToString());
        }
        Assert.Equal(404, (await fixture.Users.SetAccountAsync(anna, new AccountChange(Name: "x"))).Refusal!.HttpStatus);
        var back = await fixture.Users.BringBackAsync(anna.Id, null);
        Assert.Equal((anna.Id, "anna@example.test"), (back.Value!.Id, back.Value.Address.ToString()));
        await fixture.RestartAsync();
        Assert.True((await fixture.Users.SignInAsync("anna@example.test", "right", default)).Ok);
        Assert.Empty(fixture.Users.ListRemoved());
        Assert.Empty(gone);
    }

    [Fact]
    public async Task The_address_of_a_removed_account_is_free_and_then_it_comes_back_under_another()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var first = await fixture.AddAsync("anna@example.test", "first");
        await fixture.Users.PutAwayAsync(first);
        var second = await fixture.AddAsync("anna@example.test", "second");
        await fixture.Users.PutAwayAsync(second);
        var third = await fixture.AddAsync("anna@example.test", "third");
        Assert.Equal(409, (await fixture.Users.BringBackAsync(first.Id, null)).Refusal!.HttpStatus);
        Assert.True((await fixture.Users.BringBackAsync(first.Id, "anna1@example.test")).Ok);
        Assert.True((await fixture.Users.SignInAsync("anna1@example.test", "first", default)).Ok);
        Assert.True((await fixture.Users.SignInAsync("anna@example.test", "third", default)).Ok);
        Assert.Equal(third.Id, fixture.Users.FindAccount(Address("anna@example.test"))!.Id);
    }

    [Fact]
    public async Task When_its_time_is_over_it_is_gone_with_what_belongs_to_it()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var gone = new List<long>();
        fixture.Users.AccountRemoving += (_, account) => gone.Add(account.Id);
        var (anna, boris) = (await fixture.AddAsync("anna@example.test"), await fixture.AddAsync("boris@example.test"));
        await fixture.Users.PutAwayAsync(anna);
        var removed = fixture.Users.ListRemoved()[0].Removed;
        Assert.Equal(0, await fixture.Users.PurgeAsync(removed));
        Assert.Equal(1, await fixture.Users.PurgeAsync(removed.AddMilliseconds(1)));
        Assert.Equal([anna.Id], gone);
        // a domain that goes takes those with it that nobody could bring back any more
        await fixture.Users.PutAwayAsync(boris);
        Assert.Null(await fixture.Users.RemoveDomainAsync("example.test"));
        Assert.Equal([anna.Id, boris.Id], gone);
    }

    [Fact]
    public async Task A_renamed_account_keeps_its_password_and_its_old_address_leads_to_it()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        await fixture.Users.AddDomainAsync("other.test");
        var anna = await fixture.AddAsync("anna@example.test", "right");
        var renamed = await fixture.Users.RenameAsync(anna, "Anna.New@other.test", keepAlias: true);
        Assert.Equal((anna.Id, "anna.new@other.test"), (renamed.Value!.Id, renamed.Value.Address.ToString()));
        foreach (var restart in new[] { false, true })
        {
            if (restart) await fixture.RestartAsync();
            Assert.Equal("anna.new@other.test", fixture.Resolve("anna@example.test"));
            Assert.True((await fixture.Users.SignInAsync("anna.new@other.test", "right", default)).Ok);
            Assert.False((await fixture.Users.SignInAsync("anna@example.test", "right", default)).Ok);
        }
        var boris = await fixture.AddAsync("boris@example.test");
        Assert.Equal(409, (await fixture.Users.RenameAsync(boris, "anna@example.test", keepAlias: true)).Refusal!.HttpStatus);
        Assert.True((await fixture.Users.RenameAsync(boris, "bob@example.test", keepAlias: false)).Ok);
        Assert.Equal("5.1.1", fixture.Resolve("boris@example.test"));
    }

    [Fact]
    public async Task A_domain_has_no_more_than_it_is_allowed()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        await fixture.Users.SetDomainAsync("example.test", 100, null, profile: old => old with { MaxAccounts = 3, MaxAliases = 1, MaxQuota = 500, TotalQuota = 1000 });
        var results = await fixture.Users.AddAccountsAsync([new("a@example.test"), new("b@example.test", Quota: 501), new("c@example.test", Quota: 0), new("d@example.test", Quota: 500), new("e@example.test", Quota: 401), new("f@example.test"), new("g@example.test")]);
        Assert.Equal([true, false, false, true, false, true, false], results.Select(result => result.Ok));
        var a = results[0].Value!;
        Assert.Equal(409, (await fixture.Users.SetAccountAsync(a, new AccountChange(Quota: 450))).Refusal!.HttpStatus);
        Assert.True((await fixture.Users.SetAccountAsync(a, new AccountChange(Quota: 400))).Ok);
        Assert.True((await fixture.Users.AddAliasAsync("x@example.test", ["a@example.test"])).Ok);
        Assert.True((await fixture.Users.AddAliasAsync("x@example.test", ["d@example.test"])).Ok);
        Assert.Equal(409, (await fixture.Users.AddAliasAsync("y@example.test", ["a@example.test"])).Refusal!.HttpStatus);
        // those that were put away do not count
        await fixture.Users.PutAwayAsync(a);
        Assert.True((await fixture.Users.AddAccountAsync(new("h@example.test"))).Ok);
        Assert.Equal(409, (await fixture.Users.BringBackAsync(a.Id, null)).Refusal!.HttpStatus);
    }

    [Fact]
    public async Task What_names_an_address_follows_its_owner_to_another_one()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var (anna, boris) = (await fixture.AddAsync("anna@example.test"), await fixture.AddAsync("boris@example.test"));
        await fixture.Users.AddAliasAsync("both@example.test", ["anna@example.test", "boris@example.test"]);
        Assert.True((await fixture.Users.SetPolicyAsync("boris@example.test", new MailPolicy { Forward = ["anna@example.test", "far@elsewhere.test"], SendAs = ["anna@example.test"] })).Ok);
        var group = (await fixture.Users.AddGroupAsync("team@example.test", new GroupProfile { Owners = ["anna@example.test"] })).Value!;
        Assert.True((await fixture.Users.RenameAsync(anna, "a@example.test", keepAlias: false)).Ok);

        foreach (var restart in new[] { false, true })
        {
            if (restart) await fixture.RestartAsync();
            var users = fixture.Users;
            Assert.Equal(["a@example.test", "boris@example.test"], users.FindAlias(Address("both@example.test"))!.Targets);
            var policy = users.GetAccount(boris.Id)!.Policy;
            Assert.Equal(["a@example.test", "far@elsewhere.test"], policy.Forward!);
            Assert.Equal(["a@example.test"], policy.SendAs!);
            Assert.Equal(["a@example.test"], users.FindGroup(group.Address)!.Profile.Owners!);
        }
    }
}
