using CbaMail.Storage;

namespace CbaMail.Reports;

/// <summary>The kind of a policy (RFC 8460 4.2 policy-type).</summary>
public enum TlsPolicyKind { NoPolicyFound, Sts, Tlsa }

/// <summary>A policy under which connections were made.</summary>
/// <param name="Domain">The recipients' domain, in A-labels: whom the report goes to.</param>
/// <param name="PolicyDomain">Where the policy stands: the domain, or the TLSA base domain (RFC 8460 1.1).</param>
/// <param name="Policy">RFC 8460 4.2 policy-string, a line each.</param>
/// <param name="Exchanges">RFC 8460 4.2 mx-host, a line each.</param>
public sealed record TlsReportKey(string Domain, TlsPolicyKind Kind, string PolicyDomain, string Policy, string Exchanges)
{
    /// <summary>As it stands in a report.</summary>
    public string KindText => Kind switch { TlsPolicyKind.Sts => "sts", TlsPolicyKind.Tlsa => "tlsa", _ => "no-policy-found" };
}

/// <summary>Failures of one sort (RFC 8460 4.3).</summary>
/// <param name="Result">result-type.</param>
/// <param name="Source">sending-mta-ip; may be empty.</param>
/// <param name="Host">receiving-mx-hostname.</param>
/// <param name="Address">receiving-ip.</param>
/// <param name="Reason">failure-reason-code: a sentence.</param>
public sealed record TlsFailureDetail(string Result, string Source, string Host, string Address, string Reason, long Count);

/// <summary>What happened under one policy on one day.</summary>
public sealed record TlsReportEntry(TlsReportKey Key, long Success, long Failure, IReadOnlyList<TlsFailureDetail> Failures);

/// <summary>Counters of connections by day and policy, for TLS-RPT (RFC 8460). Days are numbers since 1970, of UTC.</summary>
public static class TlsReportTable
{
    public static void Add(WriteTransaction write, long day, TlsReportKey key, long success, long failure, IEnumerable<TlsFailureDetail> failures)
    {
        write.Prepare("INSERT INTO tls_report (day, domain, kind, policy_domain, policy, exchanges, success, failure) VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (day, domain, kind, policy_domain, policy, exchanges) DO UPDATE SET success=success+excluded.success, failure=failure+excluded.failure")
            .Bind(1, day).Bind(2, key.Domain).Bind(3, (long)key.Kind).Bind(4, key.PolicyDomain).Bind(5, key.Policy).Bind(6, key.Exchanges).Bind(7, success).Bind(8, failure).Run();
        long id = 0;
        foreach (var detail in failures)
        {
            if (id == 0)
                id = write.Prepare("SELECT id FROM tls_report WHERE day=? AND domain=? AND kind=? AND policy_domain=? AND policy=? AND exchanges=?")
                    .Bind(1, day).Bind(2, key.Domain).Bind(3, (long)key.Kind).Bind(4, key.PolicyDomain).Bind(5, key.Policy).Bind(6, key.Exchanges).Scalar() ?? 0;
            write.Prepare("INSERT INTO tls_report_failure (report_id, result, source, host, address, reason, count) VALUES (?,?,?,?,?,?,?) ON CONFLICT (report_id, result, source, host, address) DO UPDATE SET count=count+excluded.count, reason=excluded.reason")
                .Bind(1, id).Bind(2, detail.Result).Bind(3, detail.Source).Bind(4, detail.Host).Bind(5, detail.Address).Bind(6, detail.Reason).Bind(7, detail.Count).Run();
        }
    }

    /// <summary>Days that have counters, the oldest first.</summary>
    public static List<long> Days(ReadTransaction read)
    {
        using var row = read.Prepare("SELECT DISTINCT day FROM tls_report ORDER BY day");
        var days = new List<long>();
        while (row.Step()) days.Add(row.Int64(0));
        return days;
    }

    /// <summary>What one day brought, ordered by domain; of one domain where it is given.</summary>
    public static List<TlsReportEntry> OfDay(ReadTransaction read, long day, string? domain = null)
    {
        using var row = read.Prepare("SELECT id, domain, kind, policy_domain, policy, exchanges, success, failure FROM tls_report WHERE day=?1 AND (?2 IS NULL OR domain=?2) ORDER BY domain, id")
            .Bind(1, day).Bind(2, domain);
        var entries = new List<TlsReportEntry>();
        while (row.Step())
            entries.Add(new TlsReportEntry(new TlsReportKey(row.String(1), (TlsPolicyKind)row.Int32(2), row.String(3), row.String(4), row.String(5)),
                row.Int64(6), row.Int64(7), Failures(read, row.Int64(0))));
        return entries;
    }

    static List<TlsFailureDetail> Failures(ReadTransaction read, long id)
    {
        using var row = read.Prepare("SELECT result, source, host, address, reason, count FROM tls_report_failure WHERE report_id=? ORDER BY count DESC").Bind(1, id);
        var all = new List<TlsFailureDetail>();
        while (row.Step()) all.Add(new TlsFailureDetail(row.String(0), row.String(1), row.String(2), row.String(3), row.String(4), row.Int64(5)));
        return all;
    }

    /// <summary>Removes what one day brought of one domain.</summary>
    public static void Remove(WriteTransaction write, long day, string domain)
    {
        write.Prepare("DELETE FROM tls_report_failure WHERE report_id IN (SELECT id FROM tls_report WHERE day=? AND domain=?)").Bind(1, day).Bind(2, domain).Run();
        write.Prepare("DELETE FROM tls_report WHERE day=? AND domain=?").Bind(1, day).Bind(2, domain).Run();
    }

    /// <summary>Removes days before the given one, once they have been reported.</summary>
    public static void RemoveBefore(WriteTransaction write, long day)
    {
        write.Prepare("DELETE FROM tls_report_failure WHERE report_id IN (SELECT id FROM tls_report WHERE day<?)").Bind(1, day).Run();
        write.Prepare("DELETE FROM tls_report WHERE day<?").Bind(1, day).Run();
    }
}
