namespace CbaMail.Config;

/// <summary>The keys of how mail leaves: the security of its way and what it is sent from. When and how often is in <see cref="QueueSettings"/>.</summary>
public sealed record SendingSettings
{
    /// <summary>
    /// Whether TLSA records are obeyed (DANE, RFC 7672). They count only with <c>dns.trust-authenticated</c>, as without DNSSEC anybody
    /// could write them. Default true.
    /// </summary>
    public bool Dane { get; init; } = true;

    /// <summary>Whether other domains' policies of MTA-STS are fetched and obeyed (RFC 8461). DANE goes before it. Default true.</summary>
    public bool MtaSts { get; init; } = true;

    /// <summary>The port of https://mta-sts.DOMAIN/. Default 443; other values are for tests, and then private networks may be asked, too.</summary>
    public int MtaStsPort { get; init; } = 443;

    /// <summary>
    /// PEM file with authorities that are trusted besides the system's, for the certificates of mail servers and of MTA-STS: an
    /// organisation's own. Default: none.
    /// </summary>
    public string TrustedRoots { get; init; } = "";

    /// <summary>
    /// The addresses of this machine that mail leaves from, where it has several; those of <c>queue.source-address</c> are for whatever none of
    /// these is for. Default none.
    /// </summary>
    public IReadOnlyList<SourceSettings> Sources { get; init; } = [];

    /// <summary>
    /// How many messages a new address may send on its first day, its second and so on, before providers know it; after the last one there
    /// is no bound. It holds for sources with <c>warm-up-since</c>. Default 50, 100, 200, 500, 1000, 2000, 4000, 7000, 10000, 15000, 20000,
    /// 30000, 40000, 50000.
    /// </summary>
    public IReadOnlyList<int> WarmUp { get; init; } = [50, 100, 200, 500, 1000, 2000, 4000, 7000, 10_000, 15_000, 20_000, 30_000, 40_000, 50_000];

    /// <summary>What is demanded of single domains or servers, whatever they publish; the first entry that fits counts. Default none.</summary>
    public IReadOnlyList<TlsPolicySettings> TlsPolicy { get; init; } = [];
}

/// <summary>An address that mail leaves from.</summary>
public sealed record SourceSettings
{
    /// <summary>An IP address of this machine, of either family. Required.</summary>
    public string Address { get; init; } = "";

    /// <summary>Its name in EHLO, which its reverse name should be too. Default: <c>hostname</c>.</summary>
    public string Hostname { get; init; } = "";

    /// <summary>Senders' domains that it is for, also as <c>*.example.org</c>. Default: all.</summary>
    public IReadOnlyList<string> Domains { get; init; } = [];

    /// <summary>The first day on which it sends, as in <c>2026-03-02</c>: its share grows from then on by <c>sending.warm-up</c>. Default: no warm-up.</summary>
    public string WarmUpSince { get; init; } = "";
}

/// <summary>How sure we must be of a server before mail goes there.</summary>
public enum TlsPolicy
{
    /// <summary>What the domain asks for: DANE, else MTA-STS, else as <see cref="May"/>.</summary>
    Auto,
    /// <summary>Clear text always.</summary>
    None,
    /// <summary>TLS where it is offered, with any certificate, else clear text (RFC 7435); what the domain publishes is not looked at.</summary>
    May,
    /// <summary>TLS with any certificate, or the mail waits.</summary>
    Encrypt,
    /// <summary>TLS with a certificate of a trusted authority for the server's name, or the mail waits.</summary>
    Verify,
    /// <summary>DANE where the server has TLSA records, else as <see cref="May"/>; MTA-STS is not looked at.</summary>
    Dane,
    /// <summary>DANE, or the mail waits.</summary>
    DaneOnly,
    /// <summary>TLS with one of the given certificates or keys, or the mail waits.</summary>
    Fingerprint,
}

/// <summary>What is demanded of the servers of a domain.</summary>
public sealed record TlsPolicySettings
{
    /// <summary>The recipients' domain (<c>example.org</c>), all below one (<c>*.example.org</c>), or <c>*</c>. Default <c>*</c>.</summary>
    public string Domain { get; init; } = "*";

    /// <summary>The mail server's name or the host of a route, written as <see cref="Domain"/> is. Default <c>*</c>.</summary>
    public string Mx { get; init; } = "*";

    /// <summary>Auto, None, May, Encrypt, Verify, Dane, DaneOnly or Fingerprint. Default Encrypt.</summary>
    public TlsPolicy Policy { get; init; } = TlsPolicy.Encrypt;

    /// <summary>With Verify: the names of which the certificate must have one. Default: the server's name.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>
    /// With Fingerprint: SHA-256 of the certificate or of its public key, in hexadecimal with or without colons, as
    /// <c>openssl x509 -fingerprint -sha256</c> prints it. Several let a server change its key. Default none.
    /// </summary>
    public IReadOnlyList<string> Fingerprints { get; init; } = [];
}
