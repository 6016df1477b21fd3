using System.Net.Security;

namespace CbaMail.Tls;

/// <summary>
/// Tls: the certificate that the server shows. From the settings' PEM files, or made by itself (ECDSA P-256, for
/// "localhost" and the host name), once, and kept in <c>DATA/tls</c>, so that a client that was told to trust it goes on doing so.
///
/// Does not: ask a certificate authority (an issue of its own), check certificates of others (Smtp.Client does).
/// Rules to keep: TLS 1.2 and later only (RFC 8996); no renegotiation; a private key is readable by its owner alone.
/// Upper rooms and Net see only the framework's delegate.
/// </summary>
public static class TlsRoom
{
    public static IServiceCollection AddTls(this IServiceCollection services)
    {
        services.AddSingleton<Certificates>();
        services.AddSingleton<ServerOptionsSelectionCallback>(p => p.GetRequiredService<Certificates>().SelectAsync);
        return services;
    }
}
