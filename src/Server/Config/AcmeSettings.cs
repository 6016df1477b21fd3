namespace CbaMail.Config;

/// <summary>How the authority checks that a name is ours.</summary>
public enum AcmeChallenge
{
    /// <summary>HTTP-01 where the server listens for HTTP, else TLS-ALPN-01; after a failure the other one.</summary>
    Any,
    /// <summary>A file over HTTP at port 80.</summary>
    Http01,
    /// <summary>A handshake of TLS at port 443.</summary>
    TlsAlpn01,
}

/// <summary>The keys of ACME: certificates that the server gets and renews by itself. It begins with <c>agree-terms: yes</c>.</summary>
public sealed record AcmeSettings
{
    /// <summary>The authority's directory. Default: Let's Encrypt.</summary>
    public string Directory { get; init; } = "https://acme-v02.api.letsencrypt.org/directory";

    /// <summary>Where the authority writes to when something is wrong. Default: nobody is named.</summary>
    public string? Email { get; init; }

    /// <summary>You agree to the authority's terms of service. Without it nothing is asked of it. Default no.</summary>
    public bool AgreeTerms { get; init; }

    /// <summary>Identifier of an account that the authority has opened for you elsewhere (external account binding), with <c>eab-key</c>. Default: none.</summary>
    public string? EabKeyId { get; init; }

    /// <summary>The key that belongs to <c>eab-key-id</c>, in base64url as the authority shows it. Default: none.</summary>
    public string? EabKey { get; init; }

    /// <summary>Names for the certificate of this host beside its own; always asked for. Default: none.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>
    /// Whether each mail domain gets a certificate for those of mail., autoconfig., autodiscover. and mta-sts. that lead here: clients and
    /// MTA-STS ask for them. A name that leads elsewhere is left out. Default yes.
    /// </summary>
    public bool Domains { get; init; } = true;

    /// <summary>How names are checked; one can be chosen where a firewall lets only one port in. Default any.</summary>
    public AcmeChallenge Challenge { get; init; } = AcmeChallenge.Any;

    /// <summary>PEM file with the roots to trust when speaking with the authority; for one's own authority and for tests. Default: those of the system.</summary>
    public string? TrustRoot { get; init; }

    /// <summary>The part of a certificate's life after which it is renewed, unless the authority says when (RFC 9773). Default 0.67: works for 90 days and for 6.</summary>
    public double RenewAfter { get; init; } = 0.67;

    /// <summary>The first pause after a failure; it doubles with each further one, up to a day. Default 5 minutes.</summary>
    public TimeSpan Retry { get; init; } = TimeSpan.FromMinutes(5);
}
