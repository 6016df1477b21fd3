using CbaMail.Directory;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>What an administrator forbids to an account or a domain.</summary>
[Collection("imap")]
public sealed class ForbiddenProtocolTests(ImapFixture fixture)
{
    [Fact]
    public async Task An_account_that_may_not_use_IMAP_is_told_so_after_the_right_password_alone()
    {
        var account = await fixture.AccountAsync();
        async Task SetAsync(params string[]? protocols) => Assert.True((await fixture.Directory.SetPolicyAsync(account.Address.ToString(), new MailPolicy { ForbiddenProtocols = protocols })).Ok);
        await SetAsync("IMAP", "pop3");
        await using var client = fixture.Connect();
        await client.LineAsync();
        Assert.StartsWith("NO [AUTHENTICATIONFAILED]", await client.TaggedAsync($"LOGIN {account.Address} wrong"), StringComparison.Ordinal);
        Assert.Equal("NO [AUTHORIZATIONFAILED] This account may not use IMAP; ask its administrator", await client.TaggedAsync($"LOGIN {account.Address} \"{ImapFixture.Password}\""));
        await client.OkAsync("LANGUAGE ru");
        Assert.Equal("NO [AUTHORIZATIONFAILED] Этой учётной записи нельзя пользоваться IMAP; обратитесь к администратору", await client.TaggedAsync($"LOGIN {account.Address} \"{ImapFixture.Password}\""));
        await SetAsync("submission");
        await client.OkAsync($"LOGIN {account.Address} \"{ImapFixture.Password}\"");
    }

    [Fact]
    public async Task Only_protocols_can_be_forbidden()
    {
        var account = await fixture.AccountAsync();
        var refused = await fixture.Directory.SetPolicyAsync(account.Address.ToString(), new MailPolicy { ForbiddenProtocols = ["smtp"] });
        Assert.Equal("forbidden-protocols: \"smtp\" is not imap, pop3, submission or web", refused.Refusal?.Sentence);
    }
}
