using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CbaMail.Config;
using CbaMail.Federation;
using CbaMail.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Federation;

/// <summary>The keys of an issuer over days: new ones are found, old ones end, and a day without the issuer is lived through.</summary>
public sealed class IssuerTests : IAsyncDisposable
{
    readonly ManualTime time = new();
    readonly HttpListener listener = new();
    readonly int port = FreePorts.One();
    readonly IssuerFetch fetch;
    readonly Issuer issuer;
    (string Id, RSA Key) current = ("first", RSA.Create(2048));
    bool away;
    int asked;

    public IssuerTests()
    {
        var settings = new Settings { Evaluation = true, Oidc = new OidcSettings { Issuer = Address, ClientId = "us", Audience = "mail" } };
        fetch = new IssuerFetch(settings, TimeProvider.System, NullLogger<IssuerFetch>.Instance);
        issuer = new Issuer(settings, fetch, time);
        listener.Prefixes.Add(Address + "/");
        listener.Start();
        _ = ServeAsync();
    }

    string Address => $"http://127.0.0.1:{port}";

    async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var context = await listener.GetContextAsync();
                if (away) context.Response.StatusCode = 502;
                else if (context.Request.RawUrl!.EndsWith("/keys", StringComparison.Ordinal))
                {
                    var parts = current.Key.ExportParameters(false);
                    await context.Response.OutputStream.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(new { keys = new[] { new { kty = "RSA", kid = current.Id, use = "sig", n = Base64Url.EncodeToString(parts.Modulus), e = Base64Url.EncodeToString(parts.Exponent) } } }));
                }
                else
                {
                    asked++;
                    await context.Response.OutputStream.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(new { issuer = Address, authorization_endpoint = Address + "/auth", token_endpoint = Address + "/token", jwks_uri = Address + "/keys" }));
                }
                context.Response.Close();
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException) { _ = e; }
    }

    JsonWebToken Token(string id, RSA key)
    {
        string Part(object one) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(one));
        var text = $"{Part(new { alg = "RS256", kid = id })}.{Part(new { iss = Address, aud = "mail", sub = "anna", exp = time.GetUtcNow().AddDays(30).ToUnixTimeSeconds() })}";
        return JsonWebToken.Parse($"{text}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}")!;
    }

    /// <returns>Whether it is good; null where nobody can say.</returns>
    async Task<bool?> IsGoodAsync((string Id, RSA Key) by)
    {
        var result = await issuer.VerifyAsync(Token(by.Id, by.Key), "mail", default);
        return result.Refusal is null ? result.Value is not null : null;
    }

    [Fact]
    public async Task New_keys_are_found_within_a_minute_and_those_that_are_gone_count_no_more()
    {
        var first = current;
        Assert.True(await IsGoodAsync(first));
        var second = current = ("second", RSA.Create(2048));
        Assert.False(await IsGoodAsync(second)); // it was asked just now
        time.Advance(TimeSpan.FromSeconds(61));
        Assert.True(await IsGoodAsync(second));
        Assert.False(await IsGoodAsync(first));
        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task Who_invents_names_of_keys_makes_no_traffic()
    {
        Assert.True(await IsGoodAsync(current));
        using var invented = RSA.Create(2048);
        for (var i = 0; i < 50; i++) Assert.False(await IsGoodAsync(($"invented {i}", invented)));
        Assert.Equal(1, asked);
        time.Advance(TimeSpan.FromSeconds(61));
        for (var i = 0; i < 50; i++) Assert.False(await IsGoodAsync(($"invented {i}", invented)));
        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task A_day_without_the_issuer_is_lived_through_and_then_nobody_is_believed_or_called_a_liar()
    {
        Assert.True(await IsGoodAsync(current));
        away = true;
        time.Advance(TimeSpan.FromHours(23));
        Assert.True(await IsGoodAsync(current));
        time.Advance(TimeSpan.FromHours(2));
        Assert.Null(await IsGoodAsync(current));
        away = false;
        time.Advance(TimeSpan.FromSeconds(6));
        Assert.True(await IsGoodAsync(current));
    }

    [Theory]
    [InlineData("http://10.0.0.1/keys")]
    [InlineData("https://10.0.0.1/keys")]
    [InlineData("https://[fd00::1]/keys")]
    [InlineData("https://169.254.169.254/latest/meta-data")]
    [InlineData("file:///etc/passwd")]
    public async Task A_configuration_that_names_an_address_inside_makes_nobody_ask_there(string inside)
    {
        using var outside = new IssuerFetch(new Settings { Oidc = new OidcSettings { Issuer = "https://203.0.113.5" } }, TimeProvider.System, NullLogger<IssuerFetch>.Instance);
        var answer = await outside.AskAsync(HttpMethod.Get, inside, null, null, default);
        Assert.Equal(IssuerFetch.Away, answer.Refusal);
    }

    public ValueTask DisposeAsync()
    {
        listener.Close();
        fetch.Dispose();
        current.Key.Dispose();
        return ValueTask.CompletedTask;
    }
}
