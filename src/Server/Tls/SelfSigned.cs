using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CbaMail.Config;

namespace CbaMail.Tls;

/// <summary>The certificate that the server makes for itself where it has no other: ECDSA P-256, once, kept in <c>DATA/tls</c>.</summary>
static class SelfSigned
{
    /// <summary>The one that is kept, or a new one where that is over or for another name.</summary>
    public static ServedCertificate Get(Settings settings, TimeProvider time, ILogger log)
    {
        var directory = Path.Combine(settings.Data, "tls");
        var (file, keyFile) = (Path.Combine(directory, "self-signed.pem"), Path.Combine(directory, "self-signed.key"));
        if (File.Exists(file) && File.Exists(keyFile) && Kept(file, keyFile) is { } kept
            // also one from the future: the clock has been set back, and no client would take it
            && kept.Expires > time.GetUtcNow().AddDays(30) && kept.Begins <= time.GetUtcNow() && kept.Leaf.MatchesHostname(settings.Hostname)) return kept;
        System.IO.Directory.CreateDirectory(directory);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256); // measured.md 6: signs in 0.04 ms where RSA-2048 takes 0.75
        using var made = Make(settings.Hostname, key, time.GetUtcNow());
        WriteSecret(keyFile, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(file, made.ExportCertificatePem());
        TlsTelemetry.MadeCertificate(log, settings.Hostname, file);
        return Read(file, keyFile);
    }

    static ServedCertificate Read(string file, string key) =>
        ServedCertificate.FromPem(File.ReadAllText(file), File.ReadAllText(key), CertificateSource.SelfSigned, file);

    // a power cut between the two files leaves a pair that does not fit: it is ours, so it is made again
    static ServedCertificate? Kept(string file, string key)
    {
        try { return Read(file, key); }
        catch (Exception e) when (e is CryptographicException or ArgumentException) { return null; }
    }

    static X509Certificate2 Make(string hostname, ECDsa key, DateTimeOffset now)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        if (!hostname.Equals("localhost", StringComparison.OrdinalIgnoreCase)) names.AddDnsName(hostname);
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        var request = new CertificateRequest(new X500DistinguishedName("CN=" + hostname), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(820)); // below the 825 days that Apple's systems accept
    }

    static void WriteSecret(string path, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var stream = new FileStream(path, options);
        stream.Write(System.Text.Encoding.ASCII.GetBytes(text));
    }
}
