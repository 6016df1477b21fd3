using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CbaMail.Config;

namespace CbaMail.Tls;

/// <summary>The server's certificate and what TLS it speaks.</summary>
public sealed class Certificates : IDisposable
{
    readonly X509Certificate2 certificate;
    readonly SslServerAuthenticationOptions options;

    /// <exception cref="InvalidOperationException">The configured files are no certificate with its key; the message is a sentence for people.</exception>
    public Certificates(Settings settings, TimeProvider time, ILogger<Certificates> log)
    {
        X509Certificate2Collection? chain = null;
        if (settings.Tls.Certificate is { } file)
        {
            (certificate, chain) = Load(file, settings.Tls.Key ?? file);
        }
        else
        {
            certificate = SelfSigned(settings, time, log);
            IsSelfSigned = true;
        }
        options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, chain, offline: true),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13, // RFC 8996: nothing older
            AllowRenegotiation = false,
            ClientCertificateRequired = false,
        };
    }

    /// <summary>Made by the server itself: clients do not trust it unless told to.</summary>
    public bool IsSelfSigned { get; }

    public DateTimeOffset Expires => certificate.NotAfter;
    public DateTimeOffset Begins => certificate.NotBefore;
    public string Subject => certificate.GetNameInfo(X509NameType.DnsName, forIssuer: false);
    /// <summary>For Kestrel's own HTTPS.</summary>
    public X509Certificate2 Certificate => certificate;

    /// <summary>The framework's delegate: options for the name that the client asked for (RFC 6066 3).</summary>
    public ValueTask<SslServerAuthenticationOptions> SelectAsync(SslStream stream, SslClientHelloInfo hello, object? state, CancellationToken cancel) =>
        ValueTask.FromResult(options);

    static (X509Certificate2, X509Certificate2Collection?) Load(string file, string key)
    {
        try
        {
            var all = new X509Certificate2Collection();
            all.ImportFromPemFile(file);
            using var leaf = X509Certificate2.CreateFromPemFile(file, key);
            all.RemoveAt(0);
            return (X509CertificateLoader.LoadPkcs12(leaf.Export(X509ContentType.Pkcs12), null), all);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InvalidOperationException($"tls: {file} and {key} are no certificate with its private key in PEM: {e.Message}", e);
        }
    }

    static X509Certificate2 SelfSigned(Settings settings, TimeProvider time, ILogger log)
    {
        var directory = Path.Combine(settings.Data, "tls");
        var (file, keyFile) = (Path.Combine(directory, "self-signed.pem"), Path.Combine(directory, "self-signed.key"));
        if (File.Exists(file) && File.Exists(keyFile))
        {
            var (kept, _) = Load(file, keyFile);
            // also one from the future: the clock has been set back, and no client would take it
            if (kept.NotAfter > time.GetUtcNow().AddDays(30) && kept.NotBefore <= time.GetUtcNow() && kept.MatchesHostname(settings.Hostname)) return kept;
            kept.Dispose();
        }
        System.IO.Directory.CreateDirectory(directory);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256); // measured.md 6: signs in 0.04 ms where RSA-2048 takes 0.75
        using var made = Make(settings.Hostname, key, time.GetUtcNow());
        WriteSecret(keyFile, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(file, made.ExportCertificatePem());
        TlsTelemetry.MadeCertificate(log, settings.Hostname, file);
        return Load(file, keyFile).Item1;
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

    public void Dispose() => certificate.Dispose();
}
