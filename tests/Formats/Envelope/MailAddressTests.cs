using CbaMail.Envelope;
using Xunit;

namespace CbaMail.Tests.Formats.Envelope;

public class MailAddressTests
{
    [Theory]
    [InlineData("ivan@example.test", "ivan", "example.test")]
    [InlineData("\"a b\\\"c\"@example.test", "a b\"c", "example.test")]
    [InlineData("иван@пример.рф", "иван", "пример.рф")]
    [InlineData("a@[192.0.2.1]", "a", "[192.0.2.1]")]
    public void Reads_and_writes_back(string text, string local, string domain)
    {
        Assert.True(MailAddress.TryParse(text, out var address));
        Assert.Equal((local, domain), (address.LocalPart, address.Domain));
        Assert.Equal(text, address.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("ivan")]
    [InlineData("@example.test")]
    [InlineData("ivan@")]
    [InlineData(".ivan@example.test")]
    [InlineData("i..van@example.test")]
    [InlineData("ivan@-example.test")]
    [InlineData("ivan@exa mple.test")]
    [InlineData("a@b@example.test")]
    [InlineData("\"open@example.test")]
    public void Refuses_what_is_none(string text) => Assert.False(MailAddress.TryParse(text, out _));
}
