using CbaMail.Config;
using CbaMail.Directory;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

[Collection("imap")]
public sealed class DisabledCapabilitiesTests(ImapFixture fixture)
{
    [Fact]
    public async Task What_is_disabled_is_neither_announced_nor_enabled()
    {
        await using var client = fixture.Connect(fixture.Settings with { Imap = new ImapSettings { DisabledCapabilities = ["condstore", "IDLE", "APPENDLIMIT", "AUTH=LOGIN"] } });
        var words = (await client.LineAsync()).Split(' ', ']');
        foreach (var gone in new[] { "CONDSTORE", "IDLE", "AUTH=LOGIN" }) Assert.DoesNotContain(gone, words);
        Assert.DoesNotContain(words, word => word.StartsWith("APPENDLIMIT", StringComparison.Ordinal));
        Assert.Contains("AUTH=PLAIN", words);
        var account = await fixture.AccountAsync();
        await client.OkAsync($"LOGIN {account.Address} \"{ImapFixture.Password}\"");
        Assert.Equal(["* ENABLED"], await client.OkAsync("ENABLE CONDSTORE"));
    }

    [Fact]
    public async Task What_is_disabled_for_an_account_is_left_out_from_its_sign_in_on()
    {
        var account = await fixture.AccountAsync();
        Assert.True((await fixture.Directory.SetPolicyAsync(account.Address.ToString(), new MailPolicy { DisabledCapabilities = ["qresync", "NOTIFY"] })).Ok);
        await using var client = fixture.Connect();
        Assert.Contains(" QRESYNC ", await client.LineAsync(), StringComparison.Ordinal);
        var said = await client.TaggedAsync($"LOGIN {account.Address} \"{ImapFixture.Password}\"");
        Assert.StartsWith("OK [CAPABILITY ", said, StringComparison.Ordinal);
        Assert.DoesNotContain("QRESYNC", said, StringComparison.Ordinal);
        Assert.DoesNotContain("NOTIFY", said, StringComparison.Ordinal);
        Assert.Equal(["* ENABLED CONDSTORE"], await client.OkAsync("ENABLE QRESYNC CONDSTORE"));
        Assert.DoesNotContain("QRESYNC", Assert.Single(await client.OkAsync("CAPABILITY")), StringComparison.Ordinal);

        var other = await fixture.AccountAsync();
        await using var others = fixture.Connect();
        await others.LineAsync();
        Assert.Contains(" QRESYNC ", await others.TaggedAsync($"LOGIN {other.Address} \"{ImapFixture.Password}\""), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_names_of_capabilities_can_be_disabled()
    {
        var account = await fixture.AccountAsync();
        var refused = await fixture.Directory.SetPolicyAsync(account.Address.ToString(), new MailPolicy { DisabledCapabilities = ["no such"] });
        Assert.Equal("disabled-capabilities: \"no such\" is not the name of a capability as in QRESYNC", refused.Refusal?.Sentence);
    }
}
