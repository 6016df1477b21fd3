using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace CbaMail.Federation;

/// <summary>A public key of the issuer (RFC 7517) and what it may check: RS, PS and ES of RFC 7518. There is no secret key among them, and "none" is none.</summary>
/// <param name="Only">The one algorithm it is for, or null.</param>
sealed record SigningKey(string? Id, string? Only, RSAParameters? Rsa, ECParameters? Ec)
{
    const int MostKeys = 64;

    /// <summary>Those of a key set that we can use; others are passed over.</summary>
    public static IReadOnlyList<SigningKey> Of(JsonElement set)
    {
        if (set.ValueKind != JsonValueKind.Object || !set.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array) return [];
        return [.. keys.EnumerateArray().Take(MostKeys).Where(key => key.ValueKind == JsonValueKind.Object).Select(Read).OfType<SigningKey>()];
    }

    static SigningKey? Read(JsonElement key)
    {
        if (JsonWebToken.Text(key, "use") is not (null or "sig")) return null;
        var (id, only) = (JsonWebToken.Text(key, "kid"), JsonWebToken.Text(key, "alg"));
        switch (JsonWebToken.Text(key, "kty"))
        {
            // RFC 7518 3.3: 2048 bits at least; an enormous one would cost us time
            case "RSA" when Number(key, "n") is { Length: >= 256 and <= 1024 } n && Number(key, "e") is { Length: > 0 and <= 8 } e:
                return new(id, only, new RSAParameters { Modulus = n, Exponent = e }, null);
            case "EC" when Curve(JsonWebToken.Text(key, "crv")) is { } curve && Number(key, "x") is { } x && Number(key, "y") is { } y:
                return new(id, only, null, new ECParameters { Curve = curve, Q = new ECPoint { X = x, Y = y } });
            default: return null;
        }
    }

    static byte[]? Number(JsonElement key, string name) => JsonWebToken.Text(key, name) is { Length: > 0 } text && Base64Url.IsValid(text) ? Base64Url.DecodeFromChars(text) : null;

    static ECCurve? Curve(string? name) => name switch
    {
        "P-256" => ECCurve.NamedCurves.nistP256,
        "P-384" => ECCurve.NamedCurves.nistP384,
        "P-521" => ECCurve.NamedCurves.nistP521,
        _ => null,
    };

    /// <summary>Whether this key has signed the token, by an algorithm of its kind.</summary>
    public bool HasSigned(JsonWebToken token)
    {
        if (Only is not null && Only != token.Algorithm) return false;
        try
        {
            switch (token.Algorithm)
            {
                case "RS256" or "RS384" or "RS512" or "PS256" or "PS384" or "PS512" when Rsa is { } parameters:
                    using (var rsa = RSA.Create(parameters))
                        return rsa.VerifyData(token.Signed, token.Signature, Hash(token.Algorithm), token.Algorithm[0] == 'R' ? RSASignaturePadding.Pkcs1 : RSASignaturePadding.Pss);
                case "ES256" or "ES384" or "ES512" when Ec is { } parameters && Fits(token.Algorithm, parameters.Q.X!.Length):
                    using (var ec = ECDsa.Create(parameters))
                        return ec.VerifyData(token.Signed, token.Signature, Hash(token.Algorithm));
                default: return false;
            }
        }
        catch (CryptographicException)
        {
            return false; // a point off its curve, a number that is none
        }
    }

    // RFC 7518 3.4: each with its own curve
    static bool Fits(string algorithm, int size) => (algorithm, size) is ("ES256", 32) or ("ES384", 48) or ("ES512", 66);

    static HashAlgorithmName Hash(string algorithm) => algorithm[2..] switch { "256" => HashAlgorithmName.SHA256, "384" => HashAlgorithmName.SHA384, _ => HashAlgorithmName.SHA512 };
}
