using System.Formats.Asn1;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CbaMail.Net;

/// <summary>
/// Channel bindings of TLS (RFC 5056): what both ends can name and a man in the middle, who has two connections, cannot make equal.
/// <c>tls-unique</c> is not among them: it is not defined for TLS 1.3, and broken before without extended master secrets (RFC 9266 1).
/// </summary>
static class ChannelBindings
{
    // RFC 9266 2
    static readonly byte[] label = "EXPORTER-Channel-Binding"u8.ToArray();
    const int ExporterBytes = 32;

    public static byte[]? Of(SslStream tls, string type) => type switch
    {
        "tls-server-end-point" => tls.LocalCertificate is X509Certificate2 own ? EndPoint(own) : null,
        "tls-exporter" => Exporter(tls),
        _ => null,
    };

    /// <summary>RFC 5929 4.1: the certificate, hashed by the hash of its signature; SHA-256 for MD5 and SHA-1. Null where a signature has none.</summary>
    internal static byte[]? EndPoint(X509Certificate2 certificate)
    {
        var algorithm = certificate.SignatureAlgorithm.Value switch
        {
            "1.2.840.113549.1.1.4" or "1.2.840.113549.1.1.5" or "1.2.840.10045.4.1" or "1.2.840.10040.4.3" => HashAlgorithmName.SHA256,
            "1.2.840.113549.1.1.11" or "1.2.840.10045.4.3.2" or "2.16.840.1.101.3.4.3.2" => HashAlgorithmName.SHA256,
            "1.2.840.113549.1.1.12" or "1.2.840.10045.4.3.3" => HashAlgorithmName.SHA384,
            "1.2.840.113549.1.1.13" or "1.2.840.10045.4.3.4" => HashAlgorithmName.SHA512,
            "1.2.840.113549.1.1.10" => Pss(certificate.RawData),
            _ => default,
        };
        return algorithm.Name is null ? null : CryptographicOperations.HashData(algorithm, certificate.RawDataMemory.Span);
    }

    // RFC 4055 3.1: RSASSA-PSS names its hash in its parameters; SHA-1 is the default
    static HashAlgorithmName Pss(byte[] certificate)
    {
        try
        {
            var fields = new AsnReader(certificate, AsnEncodingRules.DER).ReadSequence();
            fields.ReadEncodedValue(); // tbsCertificate
            var signature = fields.ReadSequence();
            signature.ReadObjectIdentifier();
            var parameters = signature.ReadSequence();
            var tag = new Asn1Tag(TagClass.ContextSpecific, 0);
            if (!parameters.HasData || !parameters.PeekTag().HasSameClassAndValue(tag)) return HashAlgorithmName.SHA256;
            return parameters.ReadSequence(tag).ReadSequence().ReadObjectIdentifier() switch
            {
                "2.16.840.1.101.3.4.2.2" => HashAlgorithmName.SHA384,
                "2.16.840.1.101.3.4.2.3" => HashAlgorithmName.SHA512,
                "2.16.840.1.101.3.4.2.1" or "1.3.14.3.2.26" => HashAlgorithmName.SHA256,
                _ => default,
            };
        }
        catch (AsnContentException)
        {
            return default;
        }
    }

    // RFC 9266 4.2: before TLS 1.3 only with an extended master secret, which nobody tells us of
    static byte[]? Exporter(SslStream tls) => tls.SslProtocol == SslProtocols.Tls13 ? OpenSsl.Export(tls, label, ExporterBytes) : null;
}
