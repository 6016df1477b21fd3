namespace CbaMail.Config;

/// <summary>The keys of reports on mail: those that are sent to owners of other domains, and those that others send about ours.</summary>
public sealed record ReportSettings
{
    /// <summary>
    /// Whether a day's results of DMARC are reported to owners of domains that ask for it (RFC 7489 7.2): without such reports nobody
    /// dares to publish a policy. Default yes; no in the evaluation profile.
    /// </summary>
    public bool? SendDmarc { get; init; }

    /// <summary>Whether a day's TLS connections are reported to domains that ask for it (RFC 8460). Default yes; no in the evaluation profile.</summary>
    public bool? SendTls { get; init; }

    /// <summary>
    /// The sender of reports. It should be of a domain here, so that it is signed and passes DMARC. Default: <c>dmarc-reports@</c> the
    /// domain here that <c>hostname</c> belongs to, else the first one.
    /// </summary>
    public string From { get; init; } = "";

    /// <summary>Who reports, for people. Default: the domain of <c>from</c>.</summary>
    public string Organization { get; init; } = "";

    /// <summary>How many different results are counted for one domain in a day; what comes beyond is left out of its report. Default 10,000.</summary>
    public int RowsPerDomain { get; init; } = 10_000;

    /// <summary>The same for all domains together, kept in the database for at most two days. Default 200,000.</summary>
    public int Rows { get; init; } = 200_000;

    /// <summary>Returned reports after which an address gets no more for 30 days. Default 5.</summary>
    public int DeadAfter { get; init; } = 5;

    /// <summary>Whether mail for the addresses below is read. Default yes.</summary>
    public bool Receive { get; init; } = true;

    /// <summary>
    /// Names under which each domain here takes reports of DMARC; where no account or alias has the name, nobody else gets them.
    /// Default dmarc-reports.
    /// </summary>
    public IReadOnlyList<string> DmarcNames { get; init; } = ["dmarc-reports"];

    /// <summary>The same for reports on TLS. Default tls-reports.</summary>
    public IReadOnlyList<string> TlsNames { get; init; } = ["tls-reports"];

    /// <summary>
    /// Names that take complaints from providers (feedback loops, RFC 5965). Mail for abuse@ goes to an administrator as well. Default fbl, abuse.
    /// </summary>
    public IReadOnlyList<string> ComplaintNames { get; init; } = ["fbl", "abuse"];

    /// <summary>How long reports of others, complaints and the list of reports sent are kept. Default 400 days.</summary>
    public TimeSpan Keep { get; init; } = TimeSpan.FromDays(400);

    /// <summary>The most reports of others that are kept; those that nothing vouches for go first, then the oldest. Default 50,000.</summary>
    public int MostReports { get; init; } = 50_000;

    /// <summary>
    /// Octets of mail to these addresses that could not be read and is kept to be looked at; beyond it the oldest goes. Strangers write here,
    /// and nobody's quota holds them. Default 256 MB.
    /// </summary>
    public long MostUnread { get; init; } = 256L << 20;

    internal bool SendsDmarc(bool evaluation) => SendDmarc ?? !evaluation;
    internal bool SendsTls(bool evaluation) => SendTls ?? !evaluation;
}
