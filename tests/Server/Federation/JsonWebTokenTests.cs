using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CbaMail.Federation;
using Xunit;

namespace CbaMail.Tests.Server.Federation;

/// <summary>Signed tokens (RFC 7519) and the keys that check them (RFC 7517, RFC 7518).</summary>
public sealed class JsonWebTokenTests
{
    static string Part(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    static string Token(string header, string claims, Func<byte[], byte[]> sign)
    {
        var text = $"{Part(header)}.{Part(claims)}";
        return $"{text}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(text)))}";
    }

    static IReadOnlyList<SigningKey> Keys(params object[] keys) => SigningKey.Of(JsonSerializer.SerializeToElement(new { keys }));

    static object Public(RSA key, string? alg = null, string use = "sig")
    {
        var parameters = key.ExportParameters(false);
        return new { kty = "RSA", kid = "a", use, alg, n = Base64Url.EncodeToString(parameters.Modulus), e = Base64Url.EncodeToString(parameters.Exponent) };
    }

    [Theory]
    [InlineData("RS256", false)]
    [InlineData("RS512", false)]
    [InlineData("PS384", true)]
    public void An_RSA_key_checks_what_it_signed(string algorithm, bool pss)
    {
        using var key = RSA.Create(2048);
        var hash = new HashAlgorithmName("SHA" + algorithm[2..]);
        var token = JsonWebToken.Parse(Token($$"""{"alg":"{{algorithm}}","kid":"a"}""", """{"sub":"anna"}""", data => key.SignData(data, hash, pss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1)))!;
        Assert.True(Assert.Single(Keys(Public(key))).HasSigned(token));
        Assert.False(Assert.Single(Keys(Public(key, alg: "RS384"))).HasSigned(token)); // it is for another algorithm
        using var other = RSA.Create(2048);
        Assert.False(Assert.Single(Keys(Public(other))).HasSigned(token));
        token.Signed[^1] ^= 1;
        Assert.False(Assert.Single(Keys(Public(key))).HasSigned(token));
    }

    [Fact]
    public void A_key_of_a_curve_checks_with_its_own_hash_only()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var q = key.ExportParameters(false).Q;
        var set = Keys(new { kty = "EC", crv = "P-256", x = Base64Url.EncodeToString(q.X), y = Base64Url.EncodeToString(q.Y) });
        string Signed(string algorithm, HashAlgorithmName hash) => Token($$"""{"alg":"{{algorithm}}"}""", "{}", data => key.SignData(data, hash));
        Assert.True(set[0].HasSigned(JsonWebToken.Parse(Signed("ES256", HashAlgorithmName.SHA256))!));
        Assert.False(set[0].HasSigned(JsonWebToken.Parse(Signed("ES384", HashAlgorithmName.SHA384))!));
        Assert.False(set[0].HasSigned(JsonWebToken.Parse(Signed("RS256", HashAlgorithmName.SHA256))!));
        // no point of the curve
        Assert.False(Keys(new { kty = "EC", crv = "P-256", x = Base64Url.EncodeToString(q.Y), y = Base64Url.EncodeToString(q.X) })[0].HasSigned(JsonWebToken.Parse(Signed("ES256", HashAlgorithmName.SHA256))!));
    }

    [Fact]
    public void A_public_key_is_never_taken_for_a_secret()
    {
        using var key = RSA.Create(2048);
        foreach (var secret in new[] { key.ExportSubjectPublicKeyInfo(), Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem()), key.ExportParameters(false).Modulus! })
            Assert.False(Keys(Public(key))[0].HasSigned(JsonWebToken.Parse(Token("""{"alg":"HS256"}""", "{}", data => HMACSHA256.HashData(secret, data)))!));
        Assert.False(Keys(Public(key))[0].HasSigned(JsonWebToken.Parse(Token("""{"alg":"none"}""", "{}", _ => [0]))!));
    }

    [Fact]
    public void Keys_for_other_purposes_and_weak_ones_are_passed_over()
    {
        using var weak = RSA.Create(1024);
        using var key = RSA.Create(2048);
        Assert.Empty(Keys(Public(weak), Public(key, use: "enc"), new { kty = "oct", k = "AAAA" }, new { kty = "EC", crv = "P-999", x = "AA", y = "AA" }, 7, new { kty = "RSA", n = "%", e = "AQAB" }));
        Assert.Empty(SigningKey.Of(JsonSerializer.SerializeToElement("no set")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a.b")]
    [InlineData("e30.e30.")]
    [InlineData("e30.e30.AAAA")]                  // no algorithm
    [InlineData("eyJhbGciOiJSUzI1NiJ9.W10.AAAA")] // claims are a list
    [InlineData("eyJhbGciOiJSUzI1NiJ9.e30.AA=")]
    public void What_is_no_signed_token_is_none(string text) => Assert.Null(JsonWebToken.Parse(text));

    [Fact]
    public void What_must_be_understood_and_what_is_said_twice_is_refused()
    {
        Assert.Null(JsonWebToken.Parse(Token("""{"alg":"RS256","crit":["b64"],"b64":false}""", "{}", _ => [1])));
        Assert.Null(JsonWebToken.Parse(Token("""{"alg":"RS256"}""", """{"aud":"other","aud":"cbamail"}""", _ => [1])));
        Assert.Null(JsonWebToken.Parse(Token("""{"alg":"RS256"}""", $"{{\"a\":\"{new string('x', 20_000)}\"}}", _ => [1])));
    }

    [Fact]
    public void Claims_are_found_by_their_whole_names_first_and_then_by_parts()
    {
        var claims = JsonSerializer.SerializeToElement(new Dictionary<string, object> { ["https://x.test/groups"] = new[] { "a" }, ["realm_access"] = new { roles = new[] { "b", "c" } }, ["scope"] = "mail files", ["scp"] = "no" });
        Assert.Equal(["a"], Claims.Texts(claims, "https://x.test/groups")!);
        Assert.Equal(["b", "c"], Claims.Texts(claims, "realm_access.roles")!);
        Assert.Null(Claims.Texts(claims, "realm_access.none"));
        Assert.True(Claims.HasScope(claims, "files"));
        Assert.False(Claims.HasScope(claims, "mai"));
    }
}
