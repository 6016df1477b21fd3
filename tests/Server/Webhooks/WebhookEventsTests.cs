using CbaMail.Webhooks;
using Xunit;

namespace CbaMail.Tests.Server.Webhooks;

/// <summary>How events are called, who wants them, and how they are signed.</summary>
public class WebhookEventsTests
{
    [Theory]
    [InlineData("POST /api/v1/accounts", "account.created")]
    [InlineData("PATCH /api/v1/accounts/{address}", "account.changed")]
    [InlineData("DELETE /api/v1/accounts/{address}", "account.removed")]
    [InlineData("POST /api/v1/accounts/{address}/rename", "account.rename")]
    [InlineData("POST /api/v1/aliases", "alias.created")]
    [InlineData("PATCH /api/v1/policies/{subject}", "policy.changed")]
    [InlineData("POST /api/v1/courses/{course}/import", "course.import")]
    [InlineData("DELETE /api/v1/courses/{course}/participants/{address}", "course.participant.removed")]
    [InlineData("DELETE /api/v1/mailboxes", "mailbox.removed")]
    public void A_change_is_called_by_its_path(string action, string name) => Assert.Equal(name, WebhookEvents.NameOf(action));

    [Theory]
    [InlineData("*", "account.created", true)]
    [InlineData("account.*", "account.created", true)]
    [InlineData("account.created", "account.created", true)]
    [InlineData("account.*", "accountant.created", false)]
    [InlineData("account", "account.created", false)]
    public void A_pattern_fits_by_its_beginning(string pattern, string name, bool fits) => Assert.Equal(fits, WebhookEvents.Fits(pattern, name));

    // worked out with: printf '1700000000.{}' | openssl dgst -sha256 -hmac secret
    [Fact]
    public void The_signature_covers_time_and_body()
    {
        var signature = WebhookPosting.Sign("secret"u8.ToArray(), 1700000000, "{}"u8);
        Assert.Equal("t=1700000000,v1=b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163", signature);
        Assert.NotEqual(signature, WebhookPosting.Sign("secret"u8.ToArray(), 1700000001, "{}"u8));
    }
}
