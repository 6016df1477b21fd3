using System.Formats.Asn1;
using System.Security.Cryptography;

namespace CbaMail.MailAuth.Dkim;

/// <summary>A key that signatures are verified with. Safe to be used by several at once.</summary>
public sealed class DkimPublicKey : IDisposable
{
    /// <summary>RFC 8301 3.2: what is shorter is never accepted.</summary>
    public const int LeastBits = 1024;
    // Every signature that names such a key costs us its verification; RFC 6376 3.3.3 asks for 2048, people have 4096
    const int MostBits = 8192;
    const int MostExponentBytes = 8;

    readonly RSA? rsa;
    readonly Ed25519Key? ed25519;

    DkimPublicKey(RSA? rsa, Ed25519Key? ed25519, int bits) => (this.rsa, this.ed25519, Bits) = (rsa, ed25519, bits);

    /// <summary>Length of the key.</summary>
    public int Bits { get; }

    /// <summary>Reads the key of a record; null and a reason where it cannot be used.</summary>
    /// <exception cref="PlatformNotSupportedException">An Ed25519 key, and the system has no libcrypto.</exception>
    public static DkimPublicKey? Read(DkimAlgorithm algorithm, ReadOnlySpan<byte> key, out string problem)
    {
        problem = "";
        if (algorithm == DkimAlgorithm.Ed25519Sha256)
        {
            // RFC 8463 4.2: the bare 32 octets
            if (key.Length == Ed25519Key.Length) return new(null, Ed25519Key.Public(key), 256);
            problem = "an Ed25519 key has 32 octets";
            return null;
        }

        var rsa = RSA.Create();
        try
        {
            // RFC 6376 3.6.1 says RSAPublicKey (RFC 8017 A.1.1); what everybody publishes is a SubjectPublicKeyInfo around it
            var content = new AsnReader(key.ToArray(), AsnEncodingRules.BER).ReadSequence();
            int read;
            if (content.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence)) rsa.ImportSubjectPublicKeyInfo(key, out read);
            else rsa.ImportRSAPublicKey(key, out read);
            var parameters = rsa.ExportParameters(false);
            problem = read != key.Length ? "something stands behind the key"
                : rsa.KeySize < LeastBits ? $"an RSA key of {rsa.KeySize} bits is too short"
                : rsa.KeySize > MostBits ? $"an RSA key of {rsa.KeySize} bits is too long"
                : parameters.Exponent!.Length > MostExponentBytes ? "the exponent of the RSA key is too large"
                : "";
            if (problem.Length == 0) return new(rsa, null, rsa.KeySize);
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException)
        {
            problem = "it is no RSA key";
        }

        rsa.Dispose();
        return null;
    }

    /// <summary>Whether the signature is this key's over a SHA-256 hash.</summary>
    public bool Verify(ReadOnlySpan<byte> hash, ReadOnlySpan<byte> signature)
    {
        // RFC 8463 3: the hash is what Ed25519 signs, as a message of 32 octets
        if (ed25519 is not null) return ed25519.Verify(hash, signature);
        try
        {
            return rsa!.VerifyHash(hash, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }
        catch (CryptographicException)
        {
            return false; // e.g. a signature longer than the key: no signature of it
        }
    }

    public void Dispose()
    {
        rsa?.Dispose();
        ed25519?.Dispose();
    }
}
