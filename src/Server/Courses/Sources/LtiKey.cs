using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Courses.Sources;

/// <summary>The key by which this server proves to learning platforms what it is (LTI 1.3 security framework 1.0, section 5): made when it is first needed.</summary>
public sealed class LtiKey(Store store, Secrets secrets, TimeProvider time)
{
    const string Purpose = "lti key";
    const int Bits = 2048;
    static readonly TimeSpan Validity = TimeSpan.FromMinutes(5);

    /// <summary>The public half as a set of keys (RFC 7517 5), for platforms to read.</summary>
    public async ValueTask<Result<string>> PublishedAsync(CancellationToken cancel)
    {
        var key = await GetAsync(cancel);
        return key.Ok ? $$"""{"keys":[{{key.Value.Public}}]}""" : key.Refusal;
    }

    async ValueTask<Result<(string Kid, string Public, byte[] Secret)>> GetAsync(CancellationToken cancel)
    {
        using (var read = store.Read())
            if (RosterSourceTable.Key(read.Prepare) is { } known) return known;
        if (secrets.Problem is { } locked) return locked;
        using var made = RSA.Create(Bits);
        var half = made.ExportParameters(includePrivateParameters: false);
        var (e, n) = (Base64Url.EncodeToString(half.Exponent), Base64Url.EncodeToString(half.Modulus));
        // RFC 7638 3: named by its own digest
        var kid = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes($$"""{"e":"{{e}}","kty":"RSA","n":"{{n}}"}""")));
        var open = $$"""{"kty":"RSA","use":"sig","alg":"RS256","kid":"{{kid}}","e":"{{e}}","n":"{{n}}"}""";
        var secret = made.ExportPkcs8PrivateKey();
        return await store.CommitAsync<Result<(string, string, byte[])>>(write =>
        {
            if (RosterSourceTable.Key(write.Prepare) is { } other) return other; // two needed it at once
            var box = secrets.Seal(write, Purpose, secret);
            RosterSourceTable.SetKey(write, kid, open, box, time.GetUtcNow());
            return (kid, open, box);
        }, cancel);
    }

    /// <summary>A signed assertion that we are a client.</summary>
    public async ValueTask<Result<string>> AssertAsync(string client, string audience, CancellationToken cancel)
    {
        var key = await GetAsync(cancel);
        if (!key.Ok) return key.Refusal;
        var secret = secrets.Open(Purpose, key.Value.Secret);
        if (!secret.Ok) return secret.Refusal;
        using var rsa = RSA.Create();
        rsa.ImportPkcs8PrivateKey(secret.Value, out _);
        var now = time.GetUtcNow();
        var text = $"{Part(new { alg = "RS256", typ = "JWT", kid = key.Value.Kid })}.{Part(new { iss = client, sub = client, aud = audience, iat = now.ToUnixTimeSeconds(), exp = (now + Validity).ToUnixTimeSeconds(), jti = Guid.NewGuid().ToString("N") })}";
        return $"{text}.{Base64Url.EncodeToString(rsa.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}"; // RFC 7518 3.3
    }

    static string Part(object value) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));
}
