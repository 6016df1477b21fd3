using CbaMail.Config;
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
}
