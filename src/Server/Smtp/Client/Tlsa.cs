using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CbaMail.Dns;

namespace CbaMail.Smtp.Client;

/// <summary>What a TLSA record says of a certificate (RFC 6698 2.1), as SMTP reads it (RFC 7672 3.1).</summary>
public static class Tlsa
{
    public const byte Anchor = 2; // DANE-TA
    public const byte End = 3; // DANE-EE
    public const byte Whole = 0;
    public const byte Key = 1;

    /// <summary>
    /// The records to go by. Usages 0 and 1 are not for SMTP (RFC 7672 3.1.3); what is not well formed or not known is passed over;
    /// of several digests of one usage and selector the strongest counts (RFC 7671 9).
    /// </summary>
    public static IReadOnlyList<TlsaRecord> Usable(IEnumerable<TlsaRecord> records)
    {
        var good = records.Where(IsUsable).ToList();
        return [.. good.Where(record => record.Matching == 0 || good.TrueForAll(other =>
            other.Matching == 0 || (other.Usage, other.Selector) != (record.Usage, record.Selector) || other.Matching <= record.Matching))];
    }

    static bool IsUsable(TlsaRecord record) => record is { Usage: Anchor or End, Selector: Whole or Key } && record.Matching switch
    {
        0 => record.Selector == Whole ? Certificate(record) is not null : PublicKey(record) is not null,
        1 => record.Data.Length == SHA256.HashSizeInBytes,
        2 => record.Data.Length == SHA512.HashSizeInBytes,
        _ => false,
    };

    /// <summary>RFC 6698 2.1.2, 2.1.3.</summary>
    public static bool Fits(TlsaRecord record, X509Certificate2 certificate)
    {
        ReadOnlySpan<byte> selected = record.Selector == Whole ? certificate.RawData : certificate.PublicKey.ExportSubjectPublicKeyInfo();
        return record.Matching switch
        {
            0 => selected.SequenceEqual(record.Data.Span),
            1 => SHA256.HashData(selected).AsSpan().SequenceEqual(record.Data.Span),
            _ => SHA512.HashData(selected).AsSpan().SequenceEqual(record.Data.Span),
        };
    }

    /// <summary>The certificate that a record brings whole, or null.</summary>
    public static X509Certificate2? Certificate(TlsaRecord record)
    {
        if (record is not { Selector: Whole, Matching: 0 }) return null;
        try { return X509CertificateLoader.LoadCertificate(record.Data.Span); }
        catch (CryptographicException) { return null; }
    }

    /// <summary>The key that a record brings whole, or null.</summary>
    public static PublicKey? PublicKey(TlsaRecord record)
    {
        if (record is not { Selector: Key, Matching: 0 }) return null;
        try { return System.Security.Cryptography.X509Certificates.PublicKey.CreateFromSubjectPublicKeyInfo(record.Data.Span, out var read) is { } key && read == record.Data.Length ? key : null; }
        catch (CryptographicException) { return null; }
    }

    /// <summary>As zone files write it (RFC 6698 2.2).</summary>
    public static string Text(TlsaRecord record) => $"{record.Usage} {record.Selector} {record.Matching} {Convert.ToHexStringLower(record.Data.Span)}";
}
