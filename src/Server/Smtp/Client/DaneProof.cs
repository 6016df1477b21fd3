using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CbaMail.Dns;

namespace CbaMail.Smtp.Client;

/// <summary>
/// DANE (RFC 7672): the certificate or what signed it stands in DNS, secured by DNSSEC.
///
/// DANE-EE(3) names the server's own key or certificate: neither names nor dates count (RFC 7672 3.1.1). DANE-TA(2) names an
/// authority: the chain up to it must hold and the certificate be for one of the names (RFC 7672 3.1.2). The authority is to be
/// in what the server sends; one that the record brings whole, certificate or bare key, need not be (RFC 7671 5.2).
/// </summary>
/// <param name="BaseDomain">The TLSA base domain (RFC 7672 2.2.3), which is SNI too (RFC 7672 8.1).</param>
/// <param name="Names">For DANE-TA(2): the base domain and those that securely led to it (RFC 7672 3.2.2).</param>
/// <param name="Records">Usable ones only.</param>
public sealed record DaneProof(string BaseDomain, Names Names, IReadOnlyList<TlsaRecord> Records) : CertificateProof
{
    public override string ServerName => BaseDomain;

    public bool Equals(DaneProof? other) => other is not null && BaseDomain == other.BaseDomain && Names.Equals(other.Names)
        && Records.Count == other.Records.Count && Records.All(record => other.Records.Any(theirs => Tlsa.Text(theirs) == Tlsa.Text(record)));

    public override int GetHashCode() => HashCode.Combine(BaseDomain, Records.Count);

    public override ProofResult Judge(X509Certificate2 certificate, IReadOnlyList<X509Certificate2> sent, DateTimeOffset now)
    {
        if (Records.Any(record => record.Usage == Tlsa.End && Tlsa.Fits(record, certificate))) return ProofResult.Proven("dane-ee");
        var anchors = Records.Where(record => record.Usage == Tlsa.Anchor).ToList();
        return anchors.Count > 0 ? Anchored(certificate, sent, anchors, now) : new ProofResult(TlsFailure.ValidationFailure, $"the certificate fits none of the {Records.Count} TLSA records of {BaseDomain}");
    }

    ProofResult Anchored(X509Certificate2 certificate, IReadOnlyList<X509Certificate2> sent, List<TlsaRecord> anchors, DateTimeOffset now)
    {
        var whole = anchors.Select(Tlsa.Certificate).OfType<X509Certificate2>().ToList();
        List<X509Certificate2> others = [.. sent, .. whole];
        using var chain = Build(certificate, others, others.Where(IsSelfIssued).Concat(whole), now);
        var elements = chain.ChainElements;
        var at = 1;
        while (at < elements.Count && !anchors.Exists(record => Tlsa.Fits(record, elements[at].Certificate))) at++;
        if (at < elements.Count) return Fault(elements, at + 1) ?? Named(certificate);
        var signer = anchors.Select(Tlsa.PublicKey).OfType<PublicKey>().FirstOrDefault(key => Signed(certificate, others, elements[^1].Certificate, key, now));
        return signer is not null
            ? Fault(elements, elements.Count) ?? Named(certificate)
            : new ProofResult(TlsFailure.ValidationFailure, $"no certificate of the chain fits one of the {anchors.Count} TLSA records of {BaseDomain}");
    }

    static bool IsSelfIssued(X509Certificate2 certificate) => certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);

    static ProofResult? Fault(X509ChainElementCollection elements, int count) => elements.Take(count).Select(Fault).FirstOrDefault(fault => fault is not null);

    ProofResult Named(X509Certificate2 certificate) =>
        Names.All.Any(name => certificate.MatchesHostname(name, allowWildcards: true, allowCommonName: true)) ? ProofResult.Proven("dane-ta") : Mismatch(certificate, Names.All);

    /// <summary>
    /// RFC 7671 5.2.2: whether the last of the chain is signed by a key that only DNS has brought. The framework checks signatures by
    /// certificates, so the key is dressed as one: the issuer's name, the key, and a signature that nobody looks at.
    /// </summary>
    static bool Signed(X509Certificate2 certificate, List<X509Certificate2> others, X509Certificate2 last, PublicKey key, DateTimeOffset now)
    {
        var request = new CertificateRequest(last.IssuerName, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        using var any = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var dressed = request.Create(last.IssuerName, X509SignatureGenerator.CreateForECDsa(any), now.AddDays(-1), now.AddDays(1), [1]);
        using var chain = Build(certificate, [.. others, dressed], [dressed], now);
        var elements = chain.ChainElements;
        var at = 1;
        while (at < elements.Count && !elements[at].Certificate.RawData.AsSpan().SequenceEqual(dressed.RawData)) at++;
        return at < elements.Count && Fault(elements, at) is null;
    }
}
