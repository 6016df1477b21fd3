using System.Security.Cryptography.X509Certificates;

namespace CbaMail.Smtp.Client;

/// <summary>What went wrong with TLS, in the words of RFC 8460 4.3.</summary>
public enum TlsFailure
{
    StartTlsNotSupported, CertificateHostMismatch, CertificateExpired, CertificateNotTrusted, ValidationFailure,
    TlsaInvalid, DnssecInvalid, DaneRequired, StsPolicyFetchError, StsPolicyInvalid, StsWebpkiInvalid,
}

/// <summary>What a look at a certificate found: why it does not do, or by what it was proven.</summary>
/// <param name="Text">A sentence where it failed; else a word for logs, such as <c>dane-ee</c>.</param>
public readonly record struct ProofResult(TlsFailure? Failure, string Text)
{
    public static ProofResult Proven(string by) => new(null, by);
}

/// <summary>
/// What a server's certificate must show before mail goes there. Two that are equal let a connection made under one serve the other.
/// Signatures are checked by the framework's X509Chain; nothing here is cryptography of our own.
/// </summary>
public abstract record CertificateProof
{
    /// <summary>Sent as SNI (RFC 6066 3).</summary>
    public abstract string ServerName { get; }

    /// <param name="sent">What else the server has sent.</param>
    public abstract ProofResult Judge(X509Certificate2 certificate, IReadOnlyList<X509Certificate2> sent, DateTimeOffset now);

    /// <summary>The chain of a certificate as far as it can be made from what is at hand: nothing is fetched from anywhere.</summary>
    /// <param name="roots">Where chains may end; null: the system's roots.</param>
    private protected static X509Chain Build(X509Certificate2 certificate, IEnumerable<X509Certificate2> others, IEnumerable<X509Certificate2>? roots, DateTimeOffset now)
    {
        var policy = new X509ChainPolicy
        {
            DisableCertificateDownloads = true,
            RevocationMode = X509RevocationMode.NoCheck,
            VerificationTime = now.UtcDateTime,
            VerificationTimeIgnored = false,
            TrustMode = roots is null ? X509ChainTrustMode.System : X509ChainTrustMode.CustomRootTrust,
        };
        policy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid("1.3.6.1.5.5.7.3.1")); // RFC 5280 4.2.1.12: for servers
        policy.ExtraStore.AddRange(others.ToArray());
        if (roots is not null) policy.CustomTrustStore.AddRange(roots.ToArray());
        var chain = new X509Chain { ChainPolicy = policy };
        chain.Build(certificate);
        return chain;
    }

    /// <summary>Why an element of a chain does not do, leaving aside where the chain ends.</summary>
    private protected static ProofResult? Fault(X509ChainElement element)
    {
        var status = X509ChainStatusFlags.NoError;
        foreach (var one in element.ChainElementStatus) status |= one.Status;
        status &= ~(X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain);
        if (status == X509ChainStatusFlags.NoError) return null;
        var name = element.Certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);
        return (status & X509ChainStatusFlags.NotTimeValid) != 0
            ? new ProofResult(TlsFailure.CertificateExpired, $"the certificate of {name} is valid from {element.Certificate.NotBefore:yyyy-MM-dd} to {element.Certificate.NotAfter:yyyy-MM-dd} only")
            : new ProofResult(TlsFailure.CertificateNotTrusted, $"the certificate of {name} does not hold ({status})");
    }

    private protected static ProofResult Mismatch(X509Certificate2 certificate, IEnumerable<string> names) =>
        new(TlsFailure.CertificateHostMismatch, $"the certificate is of {certificate.GetNameInfo(X509NameType.DnsName, forIssuer: false)}, not of {string.Join(" or ", names)}");
}

/// <summary>A certificate of a trusted authority for one of the names (RFC 6125 6, RFC 8461 4.2).</summary>
/// <param name="Names">The first is sent as SNI.</param>
/// <param name="Word">What logs say of it.</param>
/// <param name="CommonName">Whether the name may stand in the subject where the certificate names no DNS names (RFC 6125 6.4.4).</param>
/// <param name="Roots">Trusted besides the system's.</param>
public sealed record PkixProof(Names Names, string Word = "verified", bool CommonName = true, X509Certificate2Collection? Roots = null) : CertificateProof
{
    public override string ServerName => Names.All[0];

    public override ProofResult Judge(X509Certificate2 certificate, IReadOnlyList<X509Certificate2> sent, DateTimeOffset now)
    {
        var fault = Chain(certificate, sent, null, now);
        if (fault is { Failure: TlsFailure.CertificateNotTrusted } && Roots is { Count: > 0 }) fault = Chain(certificate, sent, Roots, now);
        if (fault is { } found) return found;
        // RFC 6125 6.4.3: an asterisk stands for one whole label, the first
        return Names.All.Any(name => certificate.MatchesHostname(name, allowWildcards: true, allowCommonName: CommonName))
            ? ProofResult.Proven(Word)
            : Mismatch(certificate, Names.All);
    }

    static ProofResult? Chain(X509Certificate2 certificate, IReadOnlyList<X509Certificate2> sent, X509Certificate2Collection? roots, DateTimeOffset now)
    {
        using var chain = Build(certificate, sent, roots, now);
        foreach (var element in chain.ChainElements)
            if (Fault(element) is { } fault) return fault;
        return chain.ChainStatus.Any(status => status.Status != X509ChainStatusFlags.NoError)
            ? new ProofResult(TlsFailure.CertificateNotTrusted, "the certificate does not lead to an authority that is trusted here")
            : null;
    }
}

/// <summary>One of some certificates or keys, by SHA-256.</summary>
/// <param name="Digests">In hexadecimal, capital letters.</param>
public sealed record FingerprintProof(string Host, Names Digests) : CertificateProof
{
    public override string ServerName => Host;

    public override ProofResult Judge(X509Certificate2 certificate, IReadOnlyList<X509Certificate2> sent, DateTimeOffset now)
    {
        var whole = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(certificate.RawData));
        var key = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo()));
        return Digests.All.Contains(whole) || Digests.All.Contains(key)
            ? ProofResult.Proven("fingerprint")
            : new ProofResult(TlsFailure.CertificateNotTrusted, $"none of the fingerprints in the settings fits; the certificate has {whole}, its key {key}");
    }
}

/// <summary>A list that is equal where its entries are.</summary>
public sealed record Names(params IReadOnlyList<string> All)
{
    public bool Equals(Names? other) => other is not null && All.SequenceEqual(other.All, StringComparer.OrdinalIgnoreCase);
    public override int GetHashCode() => All.Count == 0 ? 0 : StringComparer.OrdinalIgnoreCase.GetHashCode(All[0]);
    public override string ToString() => string.Join(" ", All);
}
