using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CbaMail.Net;

namespace CbaMail.Tls;

/// <summary>
/// Whose client certificates are believed (SASL's EXTERNAL). A client is asked for one and may have none; one that nobody vouches for is as none,
/// so that the sign-in by a password stays.
/// </summary>
sealed class ClientTrust
{
    const string ClientAuthentication = "1.3.6.1.5.5.7.3.2"; // RFC 5280 4.2.1.12

    readonly X509Certificate2Collection authorities = [];

    /// <exception cref="InvalidOperationException">A file holds no certificates; the message is a sentence for people.</exception>
    public static ClientTrust? Of(IReadOnlyList<string> files)
    {
        if (files.Count == 0) return null;
        var trust = new ClientTrust();
        foreach (var file in files)
        {
            var before = trust.authorities.Count;
            try { trust.authorities.ImportFromPemFile(file); }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
            {
                throw new InvalidOperationException($"sign-in.client-authorities: {file} cannot be read: {e.Message.ReplaceLineEndings(" ")}", e);
            }
            if (trust.authorities.Count == before) throw new InvalidOperationException($"sign-in.client-authorities: {file} holds no certificate in PEM");
        }
        return trust;
    }

    /// <summary>The options of a handshake in which the client is asked for a certificate.</summary>
    public SslServerAuthenticationOptions Asking(SslServerAuthenticationOptions options, Connection connection) => new()
    {
        ServerCertificateContext = options.ServerCertificateContext,
        EnabledSslProtocols = options.EnabledSslProtocols,
        AllowRenegotiation = options.AllowRenegotiation,
        AllowTlsResume = false, // a ticket would bring nobody's certificate along
        ClientCertificateRequired = true, // asked for; that there is none is no failure
        CertificateChainPolicy = Policy(),
        RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
        {
            connection.ClientCertificate = errors == SslPolicyErrors.None && certificate is X509Certificate2 shown ? X509CertificateLoader.LoadCertificate(shown.RawDataMemory.Span) : null;
            return true;
        },
    };

    X509ChainPolicy Policy()
    {
        // not asked whether it was revoked: an authority of one's own that is put here seldom tells; disable the account, or take the authority away
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.AddRange(authorities);
        policy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        return policy;
    }
}
