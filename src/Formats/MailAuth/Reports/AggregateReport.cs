using System.Net;
using CbaMail.MailAuth.Dmarc;

namespace CbaMail.MailAuth.Reports;

/// <summary>An aggregate report of DMARC (RFC 7489 7.2, its XML in appendix C): what a receiver saw of a domain's mail.</summary>
/// <param name="Organization">Who writes it.</param>
/// <param name="Email">Whom to ask about it.</param>
/// <param name="Id">With the organization unique.</param>
/// <param name="Begin">First second of the time reported, UTC.</param>
/// <param name="End">Last second.</param>
public sealed record AggregateReport(string Organization, string Email, string Id, DateTimeOffset Begin, DateTimeOffset End, PublishedPolicy Published, IReadOnlyList<AggregateRow> Rows)
{
    public string? ExtraContact { get; init; }
    public IReadOnlyList<string> Errors { get; init; } = [];
}

/// <summary>The policy that was found (policy_published).</summary>
/// <param name="Domain">Where the record stood.</param>
public sealed record PublishedPolicy(string Domain, DmarcPolicy Policy, DmarcPolicy SubdomainPolicy, int Percent = 100)
{
    public bool StrictDkim { get; init; }
    public bool StrictSpf { get; init; }
    /// <summary>fo, as published.</summary>
    public string FailureOptions { get; init; } = "0";

    /// <summary>From what discovery found.</summary>
    public static PublishedPolicy Of(DmarcRecord record, string domain) => new(domain, record.Policy, record.SubdomainPolicy ?? record.Policy, record.Percent)
    {
        StrictDkim = record.StrictDkim,
        StrictSpf = record.StrictSpf,
        FailureOptions = string.Join(':', Enum.GetValues<DmarcFailureOptions>().Where(o => record.FailureOptions.HasFlag(o)).Select(o => o switch
        {
            DmarcFailureOptions.AllFailed => "0",
            DmarcFailureOptions.AnyFailed => "1",
            DmarcFailureOptions.Dkim => "d",
            _ => "s",
        })),
    };
}

/// <summary>Messages that had all this in common (record).</summary>
/// <param name="Source">Null where a foreign report writes no address that can be read.</param>
/// <param name="HeaderFrom">Domain of the From field.</param>
public sealed record AggregateRow(IPAddress? Source, long Count, DmarcPolicy Disposition, bool DkimAligned, bool SpfAligned, string HeaderFrom)
{
    /// <summary>Why the disposition is not the policy's.</summary>
    public IReadOnlyList<OverrideReason> Reasons { get; init; } = [];
    /// <summary>Domain of the recipients, or null.</summary>
    public string? EnvelopeTo { get; init; }
    /// <summary>Domain of the reverse-path; empty where that was empty.</summary>
    public string EnvelopeFrom { get; init; } = "";
    public IReadOnlyList<ReportedDkim> Dkim { get; init; } = [];
    public IReadOnlyList<ReportedSpf> Spf { get; init; } = [];
}

/// <summary>Why a receiver did not do as the policy asked: forwarded, sampled_out, trusted_forwarder, mailing_list, local_policy or other.</summary>
public sealed record OverrideReason(string Type, string? Comment = null);

/// <summary>A signature and what became of it.</summary>
public sealed record ReportedDkim(string Domain, string? Selector, AuthResult Result, string? HumanResult = null);

/// <summary>What SPF said.</summary>
/// <param name="Helo">The identity was the HELO name, not the reverse-path.</param>
public sealed record ReportedSpf(string Domain, AuthResult Result, bool Helo = false);
