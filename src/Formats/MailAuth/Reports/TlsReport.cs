using CbaMail.MailAuth.Dmarc;

namespace CbaMail.MailAuth.Reports;

/// <summary>The TXT record at <c>_smtp._tls</c> (RFC 8460 3): who wants to hear how TLS to a domain went.</summary>
/// <param name="Uris">mailto and https, in order.</param>
public sealed record TlsReportRecord(IReadOnlyList<DmarcUri> Uris)
{
    const string Version = "TLSRPTv1";

    /// <summary>The record among those of the name; null where there is none, more than one, or none that says whom (RFC 8460 3).</summary>
    public static TlsReportRecord? Find(IEnumerable<string> texts)
    {
        Dictionary<string, string>? only = null;
        foreach (var text in texts)
        {
            if (PolicyTags.Read(text, Version) is not { } tags) continue;
            if (only is not null) return null;
            only = tags;
        }
        if (only is null || !only.TryGetValue("rua", out var rua)) return null;
        DmarcUri[] uris = [.. DmarcUri.ParseList(rua, limits: false).Where(u => u.Scheme is "mailto" or "https")];
        return uris.Length > 0 ? new TlsReportRecord(uris) : null;
    }
}

/// <summary>What policy a domain had (RFC 8460 4.2, policy-type).</summary>
public enum TlsPolicyType { NoPolicyFound, Tlsa, Sts }

/// <summary>A report on TLS (RFC 8460 4): how a day's sessions to a domain went.</summary>
/// <param name="Organization">Who sends mail and reports.</param>
/// <param name="Contact">Whom to ask about it.</param>
public sealed record TlsReport(string Organization, DateTimeOffset Start, DateTimeOffset End, string Contact, string Id, IReadOnlyList<TlsPolicyReport> Policies);

/// <summary>Sessions under one policy.</summary>
/// <param name="Strings">The policy as published: lines of an MTA-STS policy, or TLSA records.</param>
/// <param name="Domain">The domain that the policy is of.</param>
/// <param name="Hosts">Of MTA-STS its mx patterns.</param>
public sealed record TlsPolicyReport(TlsPolicyType Type, IReadOnlyList<string> Strings, string Domain, IReadOnlyList<string> Hosts, long Successes, long Failures, IReadOnlyList<TlsFailure> Details);

/// <summary>Sessions that failed for one reason.</summary>
/// <param name="Result">A word of RFC 8460 4.3, see <see cref="TlsFailures"/>; unknown ones of others are kept.</param>
public sealed record TlsFailure(string Result, long Sessions)
{
    public string? SendingIp { get; init; }
    public string? ReceivingHost { get; init; }
    public string? ReceivingHelo { get; init; }
    public string? ReceivingIp { get; init; }
    /// <summary>A URI with more, or a text.</summary>
    public string? AdditionalInformation { get; init; }
    /// <summary>The TLS library's word or alike.</summary>
    public string? ReasonCode { get; init; }
}

/// <summary>The words of RFC 8460 4.3 and 6.6 for what went wrong.</summary>
public static class TlsFailures
{
    public const string StartTlsNotSupported = "starttls-not-supported";
    public const string CertificateHostMismatch = "certificate-host-mismatch";
    public const string CertificateExpired = "certificate-expired";
    public const string CertificateNotTrusted = "certificate-not-trusted";
    public const string ValidationFailure = "validation-failure";
    public const string TlsaInvalid = "tlsa-invalid";
    public const string DnssecInvalid = "dnssec-invalid";
    public const string DaneRequired = "dane-required";
    public const string StsPolicyFetchError = "sts-policy-fetch-error";
    public const string StsPolicyInvalid = "sts-policy-invalid";
    public const string StsWebpkiInvalid = "sts-webpki-invalid";
}
