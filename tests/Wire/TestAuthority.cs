using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CbaMail.Tests.Wire;

/// <summary>A certificate authority in the test's hands: a root, an intermediate below it, and what they issue.</summary>
internal sealed class TestAuthority
{
    /// <summary>Within the validity of what is issued unless a test says otherwise; <see cref="ManualTime"/> begins here too.</summary>
    private static readonly DateTimeOffset Begin = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly RSA rootKey = RSA.Create(2048);
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public TestAuthority(string name = "Test", DateTimeOffset? until = null)
    {
        var request = new CertificateRequest($"CN={name} Root", rootKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        Basics(request, authority: true);
        Root = X509CertificateLoader.LoadCertificate(request.CreateSelfSigned(Begin, Begin.AddYears(20)).RawData);
        var below = new CertificateRequest($"CN={name} Intermediate", key, HashAlgorithmName.SHA256);
        Basics(below, authority: true);
        Intermediate = below.Create(Root.SubjectName, X509SignatureGenerator.CreateForRSA(rootKey, RSASignaturePadding.Pkcs1), Begin, until ?? Begin.AddYears(15), Serial());
    }

    public X509Certificate2 Root { get; }
    public X509Certificate2 Intermediate { get; }

    private static byte[] Serial() => [1, .. RandomNumberGenerator.GetBytes(12)];

    private static void Basics(CertificateRequest request, bool authority)
    {
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(authority ? X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign : X509KeyUsageFlags.DigitalSignature, true));
    }

    /// <summary>A server's certificate with its key.</summary>
    public X509Certificate2 Issue(params string[] names) => Issue(names, Begin, Begin.AddYears(10));

    public X509Certificate2 Issue(string[] names, DateTimeOffset from, DateTimeOffset until)
    {
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={names[0]}", own, HashAlgorithmName.SHA256);
        Basics(request, authority: false);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names) alternatives.AddDnsName(name);
        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        using var bare = request.Create(Intermediate.SubjectName, X509SignatureGenerator.CreateForECDsa(key), from, until, Serial());
        using var whole = bare.CopyWithPrivateKey(own);
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }

    /// <summary>What a server shows: the certificate and the intermediate, never the root.</summary>
    public SslStreamCertificateContext Shown(X509Certificate2 certificate) => SslStreamCertificateContext.Create(certificate, [Intermediate], offline: true);
}
