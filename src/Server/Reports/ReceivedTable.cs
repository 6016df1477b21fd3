using CbaMail.MailAuth;
using CbaMail.MailAuth.Dmarc;
using CbaMail.MailAuth.Reports;
using CbaMail.Storage;

namespace CbaMail.Reports;

/// <summary>A report that somebody sent us.</summary>
/// <param name="Policy">The policy as the sender found it.</param>
/// <param name="Author">Domain that sent it, as far as proven; else empty.</param>
/// <param name="Trusted">Somebody is proven to have sent it; of TLS by a signature.</param>
/// <param name="Passed">Messages, of TLS sessions.</param>
public sealed record ReceivedReport(
    long Id, ReportKind Kind, DateTimeOffset Arrived, string Domain, string Organization, string Email, string ReportId, DateTimeOffset First, DateTimeOffset Last,
    string Policy, string Author, bool Trusted, long Passed, long Failed);

/// <summary>What one server sent in the name of a domain, as one report or several tell it.</summary>
/// <param name="Address">Empty: those beyond the number that is kept of a report.</param>
public sealed record ReportedSource(
    string Address, string HeaderFrom, long Messages, long Passed, long DkimAligned, long SpfAligned, long Quarantined, long Rejected, string EnvelopeFrom, string Results, string Reasons)
{
    /// <summary>The server's name, where it was asked for and is known.</summary>
    public string? Name { get; init; }
}

/// <summary>TLS sessions to a domain, as one report or several tell it.</summary>
/// <param name="Result">The word of RFC 8460 4.3 for what failed; empty: they succeeded.</param>
public sealed record ReportedSessions(string Policy, string PolicyDomain, string Result, long Sessions, string Host, string Source, string Reason);

/// <summary>The rows of reports of others: all their SQL.</summary>
static class ReceivedTable
{
    /// <summary>Records of one report that are kept, those with most messages; the rest is one sum.</summary>
    public const int MaxRows = 1000;

    const int MaxText = 500;

    /// <returns>Its id; null where it is there already: some send them twice.</returns>
    public static long? Add(WriteTransaction write, ReceivedReport report)
    {
        var added = write.Prepare("INSERT INTO report (kind, arrived, domain, organization, email, report_id, first, last, policy, author, trusted, passed, failed) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) "
            // what a proven sender says goes before what somebody else has said under its name
            + "ON CONFLICT (kind, domain, organization, report_id) DO UPDATE SET arrived=excluded.arrived, email=excluded.email, first=excluded.first, last=excluded.last, policy=excluded.policy, "
            + "author=excluded.author, trusted=excluded.trusted, passed=excluded.passed, failed=excluded.failed WHERE excluded.trusted > report.trusted")
            .Bind(1, (long)report.Kind).Bind(2, report.Arrived).Bind(3, report.Domain).Bind(4, report.Organization).Bind(5, report.Email).Bind(6, report.ReportId)
            .Bind(7, report.First).Bind(8, report.Last).Bind(9, report.Policy).Bind(10, report.Author).Bind(11, report.Trusted).Bind(12, report.Passed).Bind(13, report.Failed).Run();
        if (added == 0) return null;
        var id = write.Prepare("SELECT id FROM report WHERE kind=? AND domain=? AND organization=? AND report_id=?")
            .Bind(1, (long)report.Kind).Bind(2, report.Domain).Bind(3, report.Organization).Bind(4, report.ReportId).Scalar()!.Value;
        RemoveRows(write, id);
        return id;
    }

    static void RemoveRows(WriteTransaction write, long id)
    {
        write.Prepare("DELETE FROM report_source WHERE report_id=?").Bind(1, id).Run();
        write.Prepare("DELETE FROM report_session WHERE report_id=?").Bind(1, id).Run();
    }

    public static void AddSources(WriteTransaction write, long id, IReadOnlyList<AggregateRow> rows)
    {
        var ordered = rows.OrderByDescending(row => row.Count).ToList();
        var sequence = 0;
        foreach (var row in ordered.Take(MaxRows))
            Insert(row.Source?.ToString() ?? "", row.Count, row.Disposition, row.DkimAligned, row.SpfAligned, row.HeaderFrom, row.EnvelopeFrom, string.Join("; ", row.Reasons.Select(reason => reason.Comment is { } more ? $"{reason.Type} ({more})" : reason.Type)), Results(row));
        foreach (var rest in ordered.Skip(MaxRows).GroupBy(row => (row.Disposition, row.DkimAligned, row.SpfAligned)))
            Insert("", rest.Sum(row => row.Count), rest.Key.Disposition, rest.Key.DkimAligned, rest.Key.SpfAligned, "", "", "", "");

        void Insert(string source, long count, DmarcPolicy disposition, bool dkim, bool spf, string from, string envelope, string reasons, string results) =>
            write.Prepare("INSERT INTO report_source (report_id, seq, source, count, disposition, dkim, spf, header_from, envelope_from, reasons, results) VALUES (?,?,?,?,?,?,?,?,?,?,?)")
                .Bind(1, id).Bind(2, (long)sequence++).Bind(3, source).Bind(4, count).Bind(5, (long)disposition).Bind(6, dkim).Bind(7, spf)
                .Bind(8, ReportReader.Cut(from)).Bind(9, ReportReader.Cut(envelope)).Bind(10, ReportReader.Cut(reasons, MaxText)).Bind(11, ReportReader.Cut(results, MaxText)).Run();
    }

    static string Results(AggregateRow row) => string.Join(", ",
        row.Spf.Select(spf => $"spf={spf.Result.Word()} {spf.Domain}").Concat(row.Dkim.Select(dkim => $"dkim={dkim.Result.Word()} {dkim.Domain}{(dkim.Selector is { } selector ? $" ({selector})" : "")}")));

    public static void AddSessions(WriteTransaction write, long id, IReadOnlyList<TlsPolicyReport> policies)
    {
        var sequence = 0;
        foreach (var policy in policies)
        {
            var type = policy.Type switch { TlsPolicyType.Tlsa => "tlsa", TlsPolicyType.Sts => "sts", _ => "no-policy-found" };
            if (policy.Successes > 0) Insert("", policy.Successes, "", "", "");
            foreach (var failure in policy.Details.OrderByDescending(detail => detail.Sessions))
                Insert(failure.Result.Length > 0 ? failure.Result : "unknown", failure.Sessions, failure.ReceivingHost ?? "", failure.SendingIp ?? "", failure.ReasonCode ?? failure.AdditionalInformation ?? "");
            // some tell failures in the sum alone
            if (policy.Failures > 0 && policy.Details.Count == 0) Insert("unknown", policy.Failures, "", "", "");

            void Insert(string result, long count, string host, string source, string reason)
            {
                if (sequence >= MaxRows) return;
                write.Prepare("INSERT INTO report_session (report_id, seq, policy, policy_domain, result, count, host, source, reason) VALUES (?,?,?,?,?,?,?,?,?)")
                    .Bind(1, id).Bind(2, (long)sequence++).Bind(3, type).Bind(4, ReportReader.Cut(policy.Domain)).Bind(5, ReportReader.Cut(result)).Bind(6, count)
                    .Bind(7, ReportReader.Cut(host)).Bind(8, ReportReader.Cut(source)).Bind(9, ReportReader.Cut(reason, MaxText)).Run();
            }
        }
    }

    /// <summary>Removes some of what is old, and of what is too much: first what nothing vouches for.</summary>
    public static int Prune(WriteTransaction write, DateTimeOffset before, int most)
    {
        var gone = new List<long>();
        using (var row = write.Prepare("SELECT id FROM report WHERE arrived<? LIMIT 100").Bind(1, before))
            while (row.Step()) gone.Add(row.Int64(0));
        if (gone.Count == 0 && (write.Prepare("SELECT count(*) FROM report").Scalar() ?? 0) is var count && count > most)
            using (var row = write.Prepare("SELECT id FROM report ORDER BY trusted, id LIMIT ?").Bind(1, Math.Min(100, count - most)))
                while (row.Step()) gone.Add(row.Int64(0));
        foreach (var id in gone)
        {
            RemoveRows(write, id);
            write.Prepare("DELETE FROM report WHERE id=?").Bind(1, id).Run();
        }
        return gone.Count;
    }

    // ---- for people

    const string Columns = "id, kind, arrived, domain, organization, email, report_id, first, last, policy, author, trusted, passed, failed";

    static List<ReceivedReport> Reports(Storage.Sqlite.Statement row)
    {
        var all = new List<ReceivedReport>();
        while (row.Step())
            all.Add(new ReceivedReport(row.Int64(0), (ReportKind)row.Int32(1), row.Time(2), row.String(3), row.String(4), row.String(5), row.String(6), row.Time(7), row.Time(8), row.String(9),
                row.String(10), row.Bool(11), row.Int64(12), row.Int64(13)));
        return all;
    }

    /// <summary>The newest first.</summary>
    public static List<ReceivedReport> List(ReadTransaction read, ReportKind? kind, string? domain, DateTimeOffset since, int limit)
    {
        using var row = read.Prepare($"SELECT {Columns} FROM report WHERE (?1 IS NULL OR kind=?1) AND (?2 IS NULL OR domain=?2 OR domain LIKE '%.'||?2) AND arrived>=?3 ORDER BY id DESC LIMIT ?4")
            .Bind(1, (long?)kind).Bind(2, domain).Bind(3, since).Bind(4, (long)limit);
        return Reports(row);
    }

    public static ReceivedReport? Find(ReadTransaction read, long id)
    {
        using var row = read.Prepare($"SELECT {Columns} FROM report WHERE id=?").Bind(1, id);
        return Reports(row).FirstOrDefault();
    }

    const string These = "(?1 IS NULL OR r.id=?1) AND (?2 IS NULL OR r.domain=?2 OR r.domain LIKE '%.'||?2) AND r.last>=?3 AND (?4=0 OR r.trusted=1)";

    /// <summary>Sources of one report, or of a domain's since a time; those with most that failed first.</summary>
    public static List<ReportedSource> Sources(ReadTransaction read, long? report, string? domain, DateTimeOffset since, bool trusted, int limit)
    {
        using var row = read.Prepare("SELECT s.source, s.header_from, sum(s.count), sum((s.dkim OR s.spf)*s.count), sum(s.dkim*s.count), sum(s.spf*s.count), sum((s.disposition=1)*s.count), sum((s.disposition=2)*s.count), "
            + $"min(s.envelope_from), min(s.results), max(s.reasons) FROM report_source s JOIN report r ON r.id=s.report_id WHERE {These} "
            + "GROUP BY s.source, s.header_from ORDER BY sum((NOT (s.dkim OR s.spf))*s.count) DESC, sum(s.count) DESC LIMIT ?5")
            .Bind(1, report).Bind(2, domain).Bind(3, since).Bind(4, trusted).Bind(5, (long)limit);
        var all = new List<ReportedSource>();
        while (row.Step())
            all.Add(new ReportedSource(row.String(0), row.String(1), row.Int64(2), row.Int64(3), row.Int64(4), row.Int64(5), row.Int64(6), row.Int64(7), row.String(8), row.String(9), row.String(10)));
        return all;
    }

    /// <summary>The same of TLS.</summary>
    public static List<ReportedSessions> Sessions(ReadTransaction read, long? report, string? domain, DateTimeOffset since, bool trusted, int limit)
    {
        using var row = read.Prepare($"SELECT s.policy, s.policy_domain, s.result, sum(s.count), s.host, min(s.source), max(s.reason) FROM report_session s JOIN report r ON r.id=s.report_id WHERE {These} "
            + "GROUP BY s.policy, s.policy_domain, s.result, s.host ORDER BY s.result='', sum(s.count) DESC LIMIT ?5")
            .Bind(1, report).Bind(2, domain).Bind(3, since).Bind(4, trusted).Bind(5, (long)limit);
        var all = new List<ReportedSessions>();
        while (row.Step()) all.Add(new ReportedSessions(row.String(0), row.String(1), row.String(2), row.Int64(3), row.String(4), row.String(5), row.String(6)));
        return all;
    }
}
