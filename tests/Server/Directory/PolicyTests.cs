using CbaMail.Directory;
using CbaMail.Envelope;
using Xunit;

namespace CbaMail.Tests.Server.Directory;

public sealed class PolicyTests
{
    static MailAddress Address(string text) => MailAddress.TryParse(text, out var address) ? address : throw new ArgumentException(text);

    static async Task<DirectoryFixture> NewAsync(params (string Subject, MailPolicy Policy)[] policies)
    {
        var fixture = await DirectoryFixture.NewAsync();
        await fixture.AddAsync("anna@example.test");
        await fixture.AddAsync("boris@example.test");
        await fixture.AddAsync("archive@example.test");
        Assert.True((await fixture.Users.AddDomainAsync("example.org", aliasOf: "example.test")).Ok);
        Assert.True((await fixture.Users.AddDomainAsync("branch.test")).Ok);
        foreach (var (subject, policy) in policies) Assert.Null((await fixture.Users.SetPolicyAsync(subject, policy)).Refusal?.Sentence);
        return fixture;
    }

    [Fact]
    public async Task A_domain_alias_stands_for_its_domain()
    {
        await using var fixture = await NewAsync();
        Assert.Equal("anna@example.test|x", fixture.Resolve("Anna+x@EXAMPLE.org"));
        var anna = fixture.Users.FindAccount(Address("anna@example.test"))!;
        Assert.True(fixture.Users.MaySendAs(anna, Address("anna@example.org")));
        Assert.False(fixture.Users.MaySendAs(anna, Address("boris@example.org")));
        await fixture.RestartAsync();
        Assert.Equal("boris@example.test", fixture.Resolve("boris@example.org"));
        Assert.NotNull((await fixture.Users.AddDomainAsync("third.test", aliasOf: "example.org")).Refusal);
        Assert.NotNull((await fixture.Users.AddAccountAsync(new NewAccount("x@example.org"))).Refusal);
        Assert.NotNull(await fixture.Users.RemoveDomainAsync("example.test"));
        Assert.Null(await fixture.Users.RemoveDomainAsync("example.org"));
    }

    [Fact]
    public async Task Of_many_who_change_one_policy_nobody_loses_his_part()
    {
        await using var fixture = await NewAsync();
        var changes = Enumerable.Range(0, 20).Select(async i => await fixture.Users.ChangePolicyAsync(
            "anna@example.test", policy => policy with { BlockedSenders = [.. policy.BlockedSenders ?? [], $"s{i}@example.org"] }));
        Assert.All(await Task.WhenAll(changes), changed => Assert.True(changed.Ok));
        Assert.Equal(20, fixture.Users.FindAccount(Address("anna@example.test"))!.Policy.BlockedSenders!.Count);
        var refused = await fixture.Users.ChangePolicyAsync("anna@example.test", _ => Refusal.Invalid.Because("not this"));
        Assert.Equal("not this", refused.Refusal!.Sentence);
        Assert.Equal(20, fixture.Users.FindAccount(Address("anna@example.test"))!.Policy.BlockedSenders!.Count);
    }

    [Fact]
    public async Task Mail_is_forwarded_and_a_copy_stays_unless_said()
    {
        await using var fixture = await NewAsync(("anna@example.test", new() { Forward = ["far@elsewhere.test", "BORIS@example.org"] }));
        Assert.Equal("anna@example.test remote:far@elsewhere.test boris@example.test", fixture.Resolve("anna@example.test"));
        await fixture.Users.SetPolicyAsync("anna@example.test", new() { Forward = ["far@elsewhere.test"], KeepCopy = false });
        await fixture.RestartAsync();
        Assert.Equal("remote:far@elsewhere.test", fixture.Resolve("anna@example.test"));
        Assert.Equal("anna@example.test", fixture.Users.Resolve(Address("anna@example.test")).Value![0].Via!.ToString());
    }

    [Fact]
    public async Task Mail_that_would_go_in_a_circle_stays()
    {
        await using var fixture = await NewAsync(
            ("anna@example.test", new() { Forward = ["boris@example.test"], KeepCopy = false }), ("boris@example.test", new() { Forward = ["anna@example.test"], KeepCopy = false }));
        Assert.Equal("anna@example.test", fixture.Resolve("anna@example.test"));
    }

    [Fact]
    public async Task Copies_are_made_for_an_account_and_for_a_domain()
    {
        await using var fixture = await NewAsync(("example.test", new() { BccIncoming = ["archive@example.test"] }), ("boris@example.test", new() { BccIncoming = ["far@elsewhere.test"] }));
        Assert.Equal("anna@example.test archive@example.test", fixture.Resolve("anna@example.test"));
        Assert.Equal("boris@example.test remote:far@elsewhere.test archive@example.test", fixture.Resolve("boris@example.test"));
        Assert.Equal("archive@example.test", fixture.Resolve("archive@example.test"));
    }

    [Fact]
    public async Task A_relay_domain_takes_every_name_and_keeps_its_own()
    {
        await using var fixture = await NewAsync(("branch.test", new() { RelayTo = "192.0.2.7:2525" }));
        await fixture.AddAsync("here@branch.test");
        Assert.Equal("here@branch.test", fixture.Resolve("here@branch.test"));
        Assert.Equal("remote:postmaster@branch.test", fixture.Resolve("postmaster@branch.test"));
        var target = Assert.Single(fixture.Users.Resolve(Address("who@branch.test")).Value!);
        Assert.Equal("who@branch.test", target.Remote!.ToString());
        Assert.Null(target.Via); // a relay changes no reverse-path
    }

    [Fact]
    public async Task A_name_may_be_lent()
    {
        await using var fixture = await NewAsync(("boris@example.test", new() { SendAs = ["anna@example.test", "@branch.test"] }));
        var boris = fixture.Users.FindAccount(Address("boris@example.test"))!;
        Assert.True(fixture.Users.MaySendAs(boris, Address("anna@example.test")));
        Assert.True(fixture.Users.MaySendAs(boris, Address("whoever@branch.test")));
        Assert.False(fixture.Users.MaySendAs(boris, Address("archive@example.test")));
        Assert.False(fixture.Users.MaySendAs(boris, Address("anna@elsewhere.test")));
    }

    [Fact]
    public async Task The_recipient_map_changes_addresses_before_anything_else()
    {
        await using var fixture = await NewAsync();
        Assert.True((await fixture.Users.SetMappingAsync("Old@Example.test", "anna@example.test")).Ok);
        Assert.True((await fixture.Users.SetMappingAsync("@old.test", "@example.test")).Ok);
        await fixture.RestartAsync();
        Assert.Equal("anna@example.test", fixture.Users.Map(Address("OLD@example.test")).ToString());
        Assert.Equal("boris+x@example.test", fixture.Users.Map(Address("boris+x@old.test")).ToString());
        Assert.Equal("boris@example.test", fixture.Users.Map(Address("boris@example.test")).ToString());
        Assert.NotNull((await fixture.Users.SetMappingAsync("a@x.test", "@y.test")).Refusal);
        Assert.Null(await fixture.Users.RemoveMappingAsync("@OLD.test"));
        Assert.Equal("boris@old.test", fixture.Users.Map(Address("boris@old.test")).ToString());
    }

    public static TheoryData<string, string, MailPolicy> Wrong => new()
    {
        { "example.test", "forward is set for an account", new() { Forward = ["a@b.test"] } },
        { "anna@example.test", "relay-to is set for a domain", new() { RelayTo = "mx" } },
        { "anna@example.test", "forward: \"nonsense\"", new() { Forward = ["nonsense"] } },
        { "anna@example.test", "allowed-senders: \"*\"", new() { AllowedSenders = ["*"] } },
        { "anna@example.test", "send-as: \"members\"", new() { SendAs = ["members"] } },
        { "example.test", "relay-to: \"host:99999\"", new() { RelayTo = "host:99999" } },
        { "example.test", "footer-html needs footer-text", new() { FooterHtml = "<p>" } },
        { "nobody@example.test", "There is no domain, account or alias nobody@example.test", new() },
    };

    [Theory, MemberData(nameof(Wrong))]
    public async Task What_is_wrong_is_said(string subject, string sentence, MailPolicy policy)
    {
        await using var fixture = await NewAsync();
        Assert.StartsWith(sentence, (await fixture.Users.SetPolicyAsync(subject, policy)).Refusal!.Sentence);
    }

    [Theory]
    [InlineData("members", "x@example.test", true, true)]
    [InlineData("members", "x@example.test", false, false)]
    [InlineData("@example.org", "Anna@Example.ORG", false, true)]
    [InlineData("@example.org", "anna@sub.example.org", false, false)]
    [InlineData("@*.example.org", "anna@sub.example.org", false, true)]
    [InlineData("@*.example.org", "anna@example.org", false, false)]
    [InlineData("ANNA@example.org", "anna@EXAMPLE.org", false, true)]
    [InlineData("anna@example.org", null, false, false)]
    public void Patterns_match(string pattern, string? sender, bool member, bool matches) =>
        Assert.Equal(matches, SenderPattern.Matches(SenderPattern.Normal(pattern)!, sender is null ? null : Address(sender), member));
}
