using System.Text;
using CbaMail.Envelope;
using CbaMail.Sasl;
using CbaMail.Tests.Server.Directory;
using Xunit;

namespace CbaMail.Tests.Server.Sasl;

/// <summary>OAUTHBEARER (RFC 7628) and XOAUTH2: whole conversations, with an issuer that knows two tokens.</summary>
public sealed class BearerTests
{
    sealed class Issuer : ITokenCheck
    {
        public string? Scope => "mail";
        public string? Configuration => "https://id.example.test/.well-known/openid-configuration";

        public ValueTask<Result<string>> CheckAsync(string token, CancellationToken cancel) => new(token switch
        {
            "annas" => "anna@example.test",
            "strangers" => "stranger@elsewhere.test",
            "later" => Refusal.Unavailable,
            _ => new Result<string>(null!, Refusal.SignInFailed),
        });
    }

    static string Heard(string? challenge) => Encoding.UTF8.GetString(Convert.FromBase64String(challenge!));

    [Fact]
    public async Task Is_offered_where_something_checks_tokens()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        Assert.DoesNotContain("OAUTHBEARER", Door.Of(fixture).Mechanisms(Door.Visitor()));
        Assert.Null(Door.Of(fixture).Start("XOAUTH2", Door.Visitor()));
        Assert.Superset(new HashSet<string> { "OAUTHBEARER", "XOAUTH2" }, Door.Of(fixture, new Issuer()).Mechanisms(Door.Visitor()).ToHashSet());
    }

    [Theory]
    [InlineData("OAUTHBEARER", "n,a=anna@example.test,\u0001host=mail.example.test\u0001port=143\u0001auth=Bearer annas\u0001\u0001", true)] // RFC 7628 4.1
    [InlineData("OAUTHBEARER", "n,,\u0001auth=bearer annas\u0001\u0001", true)]
    [InlineData("OAUTHBEARER", "y,,\u0001auth=Bearer annas\u0001\u0001", true)]
    [InlineData("OAUTHBEARER", "n,a=boris@example.test,\u0001auth=Bearer annas\u0001\u0001", false)] // another's
    [InlineData("OAUTHBEARER", "n,,\u0001auth=Bearer wrong\u0001\u0001", false)]
    [InlineData("OAUTHBEARER", "n,,\u0001auth=Bearer strangers\u0001\u0001", false)]
    [InlineData("OAUTHBEARER", "n,,\u0001auth=Basic annas\u0001\u0001", false)]
    [InlineData("OAUTHBEARER", "n,,\u0001\u0001", false)]                                       // RFC 7628 3.1: a question for the configuration
    [InlineData("XOAUTH2", "user=anna@example.test\u0001auth=Bearer annas\u0001\u0001", true)]
    [InlineData("XOAUTH2", "user=boris@example.test\u0001auth=Bearer annas\u0001\u0001", false)]
    [InlineData("XOAUTH2", "user=anna@example.test\u0001auth=Bearer annasx\u0001\u0001", false)]
    public async Task A_token_is_for_its_owner(string mechanism, string message, bool right)
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        await fixture.AddAsync("anna@example.test");
        await fixture.AddAsync("boris@example.test");
        var conversation = Door.Of(fixture, new Issuer()).Start(mechanism, Door.Visitor())!;
        var reply = await conversation.BeginAsync(Door.Said(message), default);
        if (right)
        {
            Assert.Equal("anna@example.test", reply.Result!.Value.Value!.Address.ToString());
            return;
        }
        // RFC 7628 3.2.2, 3.2.3: why, in JSON; then the client says ^A, and hears the refusal
        var why = Heard(reply.Challenge);
        Assert.Contains(mechanism == "XOAUTH2" ? "\"status\":\"400\"" : "\"status\":\"invalid_token\"", why, StringComparison.Ordinal);
        Assert.Contains("\"scope\":\"mail\"", why, StringComparison.Ordinal);
        Assert.Contains("openid-configuration", why, StringComparison.Ordinal);
        reply = await conversation.RespondAsync(Door.Said("\u0001"), default);
        Assert.Equal(Refusal.SignInFailed, reply.Result!.Value.Refusal);
    }

    [Fact]
    public async Task An_issuer_that_cannot_be_asked_is_no_wrong_token()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var conversation = Door.Of(fixture, new Issuer()).Start("OAUTHBEARER", Door.Visitor())!;
        Assert.Contains("temporarily_unavailable", Heard((await conversation.BeginAsync(Door.Said("n,,\u0001auth=Bearer later\u0001\u0001"), default)).Challenge), StringComparison.Ordinal);
        Assert.Equal(Refusal.Unavailable, (await conversation.RespondAsync(Door.Said("\u0001"), default)).Result!.Value.Refusal);
    }

    [Theory]
    [InlineData("OAUTHBEARER", "")]
    [InlineData("OAUTHBEARER", "n,,")]
    [InlineData("OAUTHBEARER", "n,,\u0001auth=Bearer annas\u0001")]
    [InlineData("OAUTHBEARER", "p=tls-exporter,,\u0001auth=Bearer annas\u0001\u0001")] // RFC 7628 3.1: without channel binding
    [InlineData("OAUTHBEARER", "n,anna@example.test,\u0001auth=Bearer annas\u0001\u0001")]
    [InlineData("OAUTHBEARER", "n,,\u0001auth=Bearer annas\u0001auth=Bearer annas\u0001\u0001")]
    [InlineData("OAUTHBEARER", "n,,\u0001auth=Bearer an nas\u0001\u0001")]
    [InlineData("OAUTHBEARER", "n,,\u0001=Bearer annas\u0001\u0001")]
    [InlineData("XOAUTH2", "user=\u0001auth=Bearer annas\u0001\u0001")]
    [InlineData("XOAUTH2", "auth=Bearer annas\u0001\u0001")]
    public async Task What_is_no_message_is_malformed(string mechanism, string message)
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        await fixture.AddAsync("anna@example.test");
        Assert.True((await Door.Of(fixture, new Issuer()).Start(mechanism, Door.Visitor())!.BeginAsync(Door.Said(message), default)).IsMalformed);
    }
}
