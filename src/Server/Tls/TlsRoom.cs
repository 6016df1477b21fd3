using System.Net.Security;
using CbaMail.Tls.Acme;

namespace CbaMail.Tls;

/// <summary>
/// Tls: the certificates that the server shows, a set that a handshake chooses from by name (SNI). They come from the settings' PEM files, which
/// are watched; from an authority (Acme/), which the server asks and asks again by itself; or, where there is neither, made by itself once
/// (ECDSA P-256, for "localhost" and the host name) and kept in <c>DATA/tls</c>, so that a client that was told to trust it goes on doing so.
///
/// Does not: check certificates of others (Smtp.Client does); staple OCSP: mail clients do not ask for it, and authorities that give
/// certificates of days and weeks have ended it.
/// Rules to keep: TLS 1.2 and later only (RFC 8996); no renegotiation; a private key is readable by its owner alone, in the database only
/// under Storage/Secrets; a broken new file or a failed order never takes a working certificate away; all doors take a new one for the next
/// handshake, and no session is dropped for it.
/// Upper rooms and Net see only the framework's delegates.
/// </summary>
public static class TlsRoom
{
    public static IServiceCollection AddTls(this IServiceCollection services)
    {
        services.AddSingleton<Certificates>().AddHostedService<CertificateWatch>();
        services.AddSingleton<ServerOptionsSelectionCallback>(p => p.GetRequiredService<Certificates>().SelectAsync);
        services.AddSingleton<AcmeChallenges>().AddSingleton<AcmeRenewals>().AddHostedService(p => p.GetRequiredService<AcmeRenewals>());
        return services;
    }
}
