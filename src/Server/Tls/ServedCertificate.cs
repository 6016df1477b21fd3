using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CbaMail.Tls;

/// <summary>Where a certificate comes from.</summary>
public enum CertificateSource { File, Acme, SelfSigned }

/// <summary>A certificate with its key as the doors show it; never changed, so that a handshake may hold it as long as it likes.</summary>
public sealed class ServedCertificate
{
    const string AlternativeNames = "2.5.29.17";

    ServedCertificate(X509Certificate2 leaf, X509Certificate2Collection chain, CertificateSource source, string origin)
    {
        (Leaf, Source, Origin, Issuers) = (leaf, source, origin, [.. chain]);
        Names = NamesOf(leaf);
        using var ecdsa = leaf.GetECDsaPublicKey();
        using var rsa = leaf.GetRSAPublicKey();
        IsEcdsa = ecdsa is not null;
        KeyKind = ecdsa is not null ? $"ECDSA {ecdsa.KeySize}" : rsa is not null ? $"RSA {rsa.KeySize}" : leaf.PublicKey.Oid.FriendlyName ?? "";
        // No stapling (offline): SMTP and IMAP clients do not ask for it, and authorities have ended OCSP for short lives
        var context = SslStreamCertificateContext.Create(leaf, chain, offline: true);
        Mail = Options(context);
        Web = Options(context);
        Web.ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];
    }

    public X509Certificate2 Leaf { get; }
    /// <summary>Those between it and the root, as they are sent along.</summary>
    public IReadOnlyList<X509Certificate2> Issuers { get; }
    public CertificateSource Source { get; }
    /// <summary>The file, or the group of names that the authority gave it for.</summary>
    public string Origin { get; }
    /// <summary>Lower case; <c>*.example.org</c> stands for one label (RFC 6125 6.4.3).</summary>
    public IReadOnlyList<string> Names { get; }
    public bool IsEcdsa { get; }
    public string KeyKind { get; }
    public DateTimeOffset Begins => Leaf.NotBefore;
    public DateTimeOffset Expires => Leaf.NotAfter;

    /// <summary>For the line protocols.</summary>
    public SslServerAuthenticationOptions Mail { get; }
    /// <summary>The same with what HTTPS offers (RFC 7301).</summary>
    public SslServerAuthenticationOptions Web { get; }

    /// <summary>Whether it is for a name, by an asterisk too (RFC 6125 6.4.3).</summary>
    public bool IsFor(string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return Names.Contains(name.ToLowerInvariant()) || (dot > 0 && Names.Contains("*" + name[dot..].ToLowerInvariant()));
    }

    public bool IsValidAt(DateTimeOffset now) => Begins <= now && now < Expires;

    /// <exception cref="CryptographicException">The text is no certificate, or the key is another's.</exception>
    /// <exception cref="ArgumentException">The text is no PEM.</exception>
    public static ServedCertificate FromPem(string certificates, string key, CertificateSource source, string origin)
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPem(certificates);
        using var leaf = X509Certificate2.CreateFromPem(certificates, key);
        // the issuer's certificates as they stand in the file, without the root and without the leaf
        var chain = new X509Certificate2Collection(all.Where(other => !other.RawDataMemory.Span.SequenceEqual(leaf.RawDataMemory.Span)).ToArray());
        return new(X509CertificateLoader.LoadPkcs12(leaf.Export(X509ContentType.Pkcs12), null), chain, source, origin);
    }

    static SslServerAuthenticationOptions Options(SslStreamCertificateContext context) => new()
    {
        ServerCertificateContext = context,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13, // RFC 8996: nothing older
        AllowRenegotiation = false,
        ClientCertificateRequired = false,
    };

    static List<string> NamesOf(X509Certificate2 leaf)
    {
        // a common name counts no more where there are alternative names (RFC 6125 6.4.4)
        var found = leaf.Extensions.FirstOrDefault(extension => extension.Oid?.Value == AlternativeNames);
        List<string> names = found is null ? [] : [.. new X509SubjectAlternativeNameExtension(found.RawData).EnumerateDnsNames().Select(name => name.ToLowerInvariant())];
        if (names.Count == 0 && leaf.GetNameInfo(X509NameType.SimpleName, forIssuer: false) is { Length: > 0 } common) names.Add(common.ToLowerInvariant());
        return names;
    }
}
