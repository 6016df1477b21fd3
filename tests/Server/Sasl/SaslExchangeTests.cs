using System.Text;
using CbaMail.Sasl;
using Xunit;

namespace CbaMail.Tests.Server.Sasl;

public class SaslExchangeTests
{
    static byte[] Base64(string text) => Encoding.ASCII.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Plain_takes_an_initial_response()
    {
        var step = new PlainExchange().Initial(Base64("\0ivan@example.test\0пароль"));
        Assert.Equal(new Credentials("ivan@example.test", "пароль"), step.Credentials);
    }

    [Fact]
    public void Plain_without_one_asks_by_an_empty_challenge()
    {
        var exchange = new PlainExchange();
        Assert.Equal("", exchange.Begin().Challenge);
        Assert.NotNull(exchange.Respond(Base64("\0a\0b")).Credentials);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("a\0b")]
    [InlineData("\0\0b")]
    [InlineData("\0a\0b\0c")]
    public void Plain_refuses_what_is_no_message(string message) => Assert.True(new PlainExchange().Respond(Base64(message)).IsMalformed);

    [Fact]
    public void Nobody_acts_for_another() =>
        Assert.Equal(new Credentials("", ""), new PlainExchange().Respond(Base64("admin\0ivan\0secret")).Credentials);

    [Fact]
    public void Login_asks_for_name_then_password()
    {
        var exchange = new LoginExchange();
        Assert.Equal("VXNlcm5hbWU6", exchange.Begin().Challenge);
        Assert.Equal("UGFzc3dvcmQ6", exchange.Respond(Base64("ivan")).Challenge);
        Assert.Equal(new Credentials("ivan", "secret"), exchange.Respond(Base64("secret")).Credentials);
    }

    [Fact]
    public void Login_takes_the_name_as_initial_response()
    {
        var exchange = new LoginExchange();
        Assert.Equal("UGFzc3dvcmQ6", exchange.Initial(Base64("ivan")).Challenge);
        Assert.Equal(new Credentials("ivan", ""), exchange.Respond(""u8).Credentials);
    }

    [Theory]
    [InlineData("!!!!")]
    [InlineData("AGE")]
    [InlineData("AGEA YmI=")]
    [InlineData("AGEAYg==x")]
    public void Bad_base64_is_malformed(string text) => Assert.True(new PlainExchange().Respond(Encoding.ASCII.GetBytes(text)).IsMalformed);

    [Fact]
    public void A_password_is_not_printed() => Assert.Equal("ivan", new Credentials("ivan", "secret").ToString());
}
