using CbaMail.Storage;

namespace CbaMail.Reports;

/// <summary>What a report is about.</summary>
public enum ReportKind { Dmarc, Tls }

/// <summary>A report that we have sent.</summary>
/// <param name="Destination">Address or URL.</param>
public sealed record SentReport(long Id, DateTimeOffset At, ReportKind Kind, string Domain, string ReportId, string Destination, long Bytes);

/// <summary>A destination from which reports came back.</summary>
public sealed record ReturnedReports(string Address, int Failures, DateTimeOffset Last, string Reply);

/// <summary>The rows of reports sent, and of what came back: all their SQL.</summary>
static class SentTable
{
    public static void Add(WriteTransaction write, DateTimeOffset at, ReportKind kind, string domain, string reportId, string destination, string messageId, long bytes) =>
        write.Prepare("INSERT INTO report_sent (at, kind, domain, report_id, destination, message_id, bytes) VALUES (?,?,?,?,?,?,?)")
            .Bind(1, at).Bind(2, (long)kind).Bind(3, domain).Bind(4, reportId).Bind(5, destination).Bind(6, messageId).Bind(7, bytes).Run();

    public static List<SentReport> List(ReadTransaction read, string? domain, int limit)
    {
        using var row = read.Prepare("SELECT id, at, kind, domain, report_id, destination, bytes FROM report_sent WHERE ?1 IS NULL OR domain=?1 ORDER BY id DESC LIMIT ?2").Bind(1, domain).Bind(2, (long)limit);
        var all = new List<SentReport>();
        while (row.Step()) all.Add(new SentReport(row.Int64(0), row.Time(1), (ReportKind)row.Int32(2), row.String(3), row.String(4), row.String(5), row.Int64(6)));
        return all;
    }

    /// <summary>Where the report with this Message-ID went, or null.</summary>
    public static string? DestinationOf(WriteTransaction write, string messageId)
    {
        if (messageId.Length == 0) return null;
        using var row = write.Prepare("SELECT destination FROM report_sent WHERE message_id=?").Bind(1, messageId);
        return row.Step() ? row.String(0) : null;
    }

    public static void RemoveBefore(WriteTransaction write, DateTimeOffset before) => write.Prepare("DELETE FROM report_sent WHERE at<?").Bind(1, before).Run();

    public static void AddFailure(WriteTransaction write, string address, DateTimeOffset at, string reply) =>
        write.Prepare("INSERT INTO report_address (address, failures, last, reply) VALUES (?,1,?,?) ON CONFLICT (address) DO UPDATE SET failures=failures+1, last=excluded.last, reply=excluded.reply")
            .Bind(1, address).Bind(2, at).Bind(3, reply).Run();

    public static void Forgive(WriteTransaction write, DateTimeOffset before) => write.Prepare("DELETE FROM report_address WHERE last<?").Bind(1, before).Run();

    public static List<ReturnedReports> Returned(ReadTransaction read)
    {
        using var row = read.Prepare("SELECT address, failures, last, reply FROM report_address ORDER BY address");
        var all = new List<ReturnedReports>();
        while (row.Step()) all.Add(new ReturnedReports(row.String(0), row.Int32(1), row.Time(2), row.String(3)));
        return all;
    }
}
