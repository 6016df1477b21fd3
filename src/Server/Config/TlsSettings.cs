namespace CbaMail.Config;

/// <summary>
/// The keys of TLS. Without a certificate the server makes one of its own, once, and keeps it in <c>DATA/tls</c>. Files that change are
/// taken by themselves within a minute, at once with SIGHUP or <c>cbamail tls reload</c>.
/// </summary>
public sealed record TlsSettings
{
    /// <summary>PEM file with the certificate and those between it and the root. Default: none.</summary>
    public string? Certificate { get; init; }

    /// <summary>PEM file with the private key. Default: the certificate's file.</summary>
    public string? Key { get; init; }

    /// <summary>Further pairs, each with <c>certificate</c> and <c>key</c>: a client gets the one for the name that it asks for. Default: none.</summary>
    public IReadOnlyList<CertificateSettings> Certificates { get; init; } = [];

    /// <summary>Certificates from an authority, got and renewed by the server itself (ACME, as Let's Encrypt speaks it). Default: none.</summary>
    public AcmeSettings Acme { get; init; } = new();
}

/// <summary>A certificate with its key, in PEM files.</summary>
public sealed record CertificateSettings
{
    /// <summary>PEM file with the certificate and those between it and the root. Required.</summary>
    public string Certificate { get; init; } = "";

    /// <summary>PEM file with the private key. Default: the certificate's file.</summary>
    public string? Key { get; init; }
}
