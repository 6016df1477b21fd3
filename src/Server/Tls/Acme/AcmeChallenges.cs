using System.Collections.Concurrent;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace CbaMail.Tls.Acme;

/// <summary>
/// The challenges that the authority may ask about right now: an answer for HTTP-01 (RFC 8555 8.3), a certificate for TLS-ALPN-01 (RFC 8737 3).
/// Both are shown by the HTTP doors; while none is under way, they cost a look at an empty table.
/// </summary>
public sealed class AcmeChallenges(TimeProvider time)
{
    /// <summary>Where the answers to HTTP-01 stand.</summary>
    public const string Path = "/.well-known/acme-challenge/";

    /// <summary>The protocol that a validation asks for (RFC 8737 6.2).</summary>
    public const string Protocol = "acme-tls/1";

    const string AcmeIdentifier = "1.3.6.1.5.5.7.1.31"; // RFC 8737 6.1

    readonly ConcurrentDictionary<string, string> answers = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<string, SslServerAuthenticationOptions> certificates = new(StringComparer.Ordinal);

    /// <summary>Whether a handshake has to be looked at.</summary>
    public bool AwaitsHandshake => !certificates.IsEmpty;

    /// <summary>What stands at <see cref="Path"/> + token; null where nobody asked for it to.</summary>
    public string? Answer(string token) => answers.GetValueOrDefault(token);

    /// <summary>For a client that asks for <see cref="Protocol"/> and this name; null where nothing is to be shown.</summary>
    public SslServerAuthenticationOptions? Handshake(string? name) => name is null ? null : certificates.GetValueOrDefault(name);

    /// <summary>Shows the answer until it is disposed.</summary>
    internal IDisposable ShowAnswer(string token, string keyAuthorization)
    {
        answers[token] = keyAuthorization;
        return new Shown(() => answers.TryRemove(token, out _));
    }

    /// <summary>Shows the certificate until it is disposed.</summary>
    internal IDisposable ShowHandshake(string name, string keyAuthorization)
    {
        var certificate = Make(name, keyAuthorization, time.GetUtcNow());
        certificates[name] = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true),
            ApplicationProtocols = [new SslApplicationProtocol(Protocol)],
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13, // RFC 8737 4
        };
        return new Shown(() => certificates.TryRemove(name, out _));
    }

    /// <summary>RFC 8737 3: self-signed, the name alone, and a critical extension with the digest of the key authorization.</summary>
    internal static X509Certificate2 Make(string name, string keyAuthorization, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + (name.Length <= 64 ? name : "challenge"), key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        var digest = SHA256.HashData(Encoding.ASCII.GetBytes(keyAuthorization));
        request.CertificateExtensions.Add(new X509Extension(new Oid(AcmeIdentifier), [4, (byte)digest.Length, .. digest], critical: true)); // an OCTET STRING
        using var made = request.CreateSelfSigned(now.AddHours(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    sealed class Shown(Action hide) : IDisposable
    {
        public void Dispose() => hide();
    }
}
