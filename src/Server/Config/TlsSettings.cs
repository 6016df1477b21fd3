namespace CbaMail.Config;

/// <summary>The keys of TLS. Without a certificate the server makes one of its own, once, and keeps it in <c>DATA/tls</c>.</summary>
public sealed record TlsSettings
{
    /// <summary>PEM file with the certificate and those between it and the root. Default: none.</summary>
    public string? Certificate { get; init; }

    /// <summary>PEM file with the private key; the certificate's file where it is not given.</summary>
    public string? Key { get; init; }
}
