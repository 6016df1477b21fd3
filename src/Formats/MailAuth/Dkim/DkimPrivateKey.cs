using System.Formats.Asn1;
using System.Security.Cryptography;

namespace CbaMail.MailAuth.Dkim;

/// <summary>
/// A key that signs. Load it once and keep it: reading an RSA key costs a good part of a signature. Safe to be used by several at once.
/// </summary>
public sealed class DkimPrivateKey : IDisposable
{
    const string RsaOid = "1.2.840.113549.1.1.1";
    const string Ed25519Oid = "1.3.101.112";   // RFC 8410 3

    readonly RSA? rsa;
    readonly Ed25519Key? ed25519;
    readonly byte[] seed = [];

    DkimPrivateKey(RSA rsa) => this.rsa = rsa;

    DkimPrivateKey(byte[] seed) => (this.seed, ed25519) = (seed, Ed25519Key.Private(seed));

    public DkimAlgorithm Algorithm => rsa is null ? DkimAlgorithm.Ed25519Sha256 : DkimAlgorithm.RsaSha256;

    /// <summary>Length of the key.</summary>
    public int Bits => rsa?.KeySize ?? 256;

    /// <summary>A new key: RSA of 2048 bits, which is what fits a record and all accept (RFC 8301 3.2), or Ed25519.</summary>
    public static DkimPrivateKey Create(DkimAlgorithm algorithm) =>
        algorithm == DkimAlgorithm.RsaSha256 ? new(RSA.Create(2048)) : new(RandomNumberGenerator.GetBytes(Ed25519Key.Length));

    /// <summary>Reads a key: RSA as PKCS #1 or PKCS #8, Ed25519 as PKCS #8, all in PEM.</summary>
    /// <exception cref="FormatException">With a sentence that says what is wrong and what to do.</exception>
    public static DkimPrivateKey FromPem(ReadOnlySpan<char> pem)
    {
        if (!PemEncoding.TryFind(pem, out var fields)) throw new FormatException("The private key is not in PEM: it must begin with \"-----BEGIN PRIVATE KEY-----\" or \"-----BEGIN RSA PRIVATE KEY-----\".");
        var label = pem[fields.Label].ToString();
        var der = Convert.FromBase64String(pem[fields.Base64Data].ToString());
        try
        {
            return label switch
            {
                "RSA PRIVATE KEY" => FromRsa(rsa => rsa.ImportRSAPrivateKey(der, out _)),
                "PRIVATE KEY" => FromPkcs8(der),
                "ENCRYPTED PRIVATE KEY" => throw new FormatException("The private key is encrypted: decrypt it first (openssl pkey -in key.pem -out plain.pem)."),
                _ => throw new FormatException($"The PEM holds a \"{label}\", not a private key."),
            };
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException)
        {
            throw new FormatException($"The private key cannot be read: {e.Message}", e);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(der);
        }
    }

    static DkimPrivateKey FromRsa(Action<RSA> import)
    {
        var rsa = RSA.Create();
        import(rsa);
        // RFC 8301 3.2: nobody accepts what a shorter key signs
        if (rsa.KeySize >= DkimPublicKey.LeastBits) return new(rsa);
        throw new FormatException($"The RSA key has {rsa.KeySize} bits; signatures need {DkimPublicKey.LeastBits} at least, and 2048 is usual.");
    }

    static DkimPrivateKey FromPkcs8(byte[] der)
    {
        // RFC 5958 2: version, algorithm, key
        var info = new AsnReader(der, AsnEncodingRules.BER).ReadSequence();
        info.ReadInteger();
        var oid = info.ReadSequence().ReadObjectIdentifier();
        if (oid == RsaOid) return FromRsa(rsa => rsa.ImportPkcs8PrivateKey(der, out _));
        if (oid != Ed25519Oid) throw new FormatException($"The private key is neither RSA nor Ed25519 (its algorithm is {oid}): DKIM knows no other.");
        // RFC 8410 7: an octet string within the octet string
        return new(new AsnReader(info.ReadOctetString(), AsnEncodingRules.BER).ReadOctetString());
    }

    /// <summary>The key as PKCS #8 in PEM.</summary>
    public string ToPem()
    {
        if (rsa is not null) return rsa.ExportPkcs8PrivateKeyPem() + "\n";
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(0);
            using (writer.PushSequence()) writer.WriteObjectIdentifier(Ed25519Oid);
            using (writer.PushOctetString()) writer.WriteOctetString(seed);
        }

        return PemEncoding.WriteString("PRIVATE KEY", writer.Encode()) + "\n";
    }

    /// <summary>The text of the TXT record to publish (RFC 6376 3.6.1, RFC 8463 4); longer than one string of DNS may be.</summary>
    public string Record() =>
        $"v=DKIM1; k={Algorithm.KeyType()}; p={Convert.ToBase64String(rsa is null ? ed25519!.PublicBytes() : rsa.ExportSubjectPublicKeyInfo())}";

    /// <summary>The signature over a SHA-256 hash.</summary>
    public byte[] Sign(ReadOnlySpan<byte> hash) =>
        rsa is null ? ed25519!.Sign(hash) : rsa.SignHash(hash, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    public void Dispose()
    {
        rsa?.Dispose();
        ed25519?.Dispose();
        CryptographicOperations.ZeroMemory(seed);
    }
}
