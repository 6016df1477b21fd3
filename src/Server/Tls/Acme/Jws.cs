using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace CbaMail.Tls.Acme;

/// <summary>Signed requests (RFC 7515), as RFC 8555 6.2 wants them: flattened, ES256, nonce and address in the protected header.</summary>
sealed class Jws(ECDsa key)
{
    /// <summary>The public key (RFC 7517), its members in the order that the thumbprint needs.</summary>
    public string Jwk()
    {
        var point = key.ExportParameters(false).Q;
        return $$"""{"crv":"P-256","kty":"EC","x":"{{Base64Url.EncodeToString(point.X)}}","y":"{{Base64Url.EncodeToString(point.Y)}}"}""";
    }

    /// <summary>RFC 7638 3.</summary>
    public string Thumbprint() => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Jwk())));

    /// <summary>What proves control over a challenge (RFC 8555 8.1).</summary>
    public string KeyAuthorization(string token) => token + "." + Thumbprint();

    /// <param name="account">The account's address; null to show the key instead (for newAccount).</param>
    /// <param name="payload">JSON, or "" for POST-as-GET (RFC 8555 6.3).</param>
    public string Sign(string url, string nonce, string? account, string payload)
    {
        var header = Json(json =>
        {
            json.WriteString("alg", "ES256");
            if (account is not null) json.WriteString("kid", account);
            else
            {
                json.WritePropertyName("jwk");
                json.WriteRawValue(Jwk());
            }
            json.WriteString("nonce", nonce);
            json.WriteString("url", url);
        });
        return Flat(header, payload, input => key.SignData(input, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)); // RFC 7518 3.4
    }

    /// <summary>The account key under the key that the authority gave (RFC 8555 7.3.4).</summary>
    public string Bind(string url, string keyId, ReadOnlySpan<byte> secret)
    {
        var mac = secret.ToArray();
        var header = Json(json =>
        {
            json.WriteString("alg", "HS256");
            json.WriteString("kid", keyId);
            json.WriteString("url", url);
        });
        return Flat(header, Jwk(), input => HMACSHA256.HashData(mac, input));
    }

    static string Flat(string header, string payload, Func<byte[], byte[]> sign)
    {
        var (first, second) = (Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header)), Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload)));
        var signature = Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(first + "." + second)));
        return $$"""{"protected":"{{first}}","payload":"{{second}}","signature":"{{signature}}"}""";
    }

    /// <summary>An object of JSON.</summary>
    internal static string Json(Action<Utf8JsonWriter> fields)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            fields(json);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
