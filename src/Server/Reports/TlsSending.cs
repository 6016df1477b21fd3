using System.Buffers;
using System.Globalization;
using System.Text;
using CbaMail.Dns;
using CbaMail.Envelope;
using CbaMail.MailAuth.Reports;
using CbaMail.Storage;

namespace CbaMail.Reports;

/// <summary>
/// The daily reports on TLS (RFC 8460): to each domain that mail went to and that has a record at _smtp._tls, by mail and by https, as the record
/// says. Domains without one are asked for once a day, and their counters then go.
/// </summary>
public sealed class TlsSending(Store store, ReportPost post, IResolver resolver, TimeProvider time, ILogger<TlsSending> log)
{
    // RFC 8460 3: a report goes to every URI; more than these nobody needs
    const int MaxUris = 5;

    /// <summary>As <see cref="AggregateSending.SendAsync(string?, bool, bool, CancellationToken)"/>.</summary>
    public async Task<(IReadOnlyList<ReportSending> Done, bool Again)> SendAsync(string? domain, bool today, bool trial, CancellationToken cancel)
    {
        var (now, again) = (time.GetUtcNow(), false);
        var done = new List<ReportSending>();
        var silenced = post.Silenced();
        foreach (var (day, name) in Subjects(AggregateCounts.Day(now) + (today ? 1 : 0), domain))
        {
            List<TlsReportEntry> entries;
            using (var read = store.Read()) entries = TlsReportTable.OfDay(read, day, name);
            var (sending, later) = await SendAsync(day, name, entries, silenced, trial, now, cancel);
            again |= later;
            if (sending is null) continue;
            done.Add(sending);
            if (!trial && !later) log.Sent("TLS", name, sending.Messages, string.Join(", ", sending.Destinations), sending.Problem ?? "-");
        }
        return (done, again);
    }

    List<(long Day, string Domain)> Subjects(long before, string? domain)
    {
        using var read = store.Read();
        return [.. TlsReportTable.Days(read).Where(day => day < before).SelectMany(day => TlsReportTable.OfDay(read, day, domain).Select(entry => (day, entry.Key.Domain)).Distinct())];
    }

    async Task<(ReportSending? Sending, bool Later)> SendAsync(long day, string domain, List<TlsReportEntry> entries, HashSet<string> silenced, bool trial, DateTimeOffset now, CancellationToken cancel)
    {
        var nothing = new ReportSending(ReportKind.Tls, domain, DateOnly.FromDateTime(DateTime.UnixEpoch.AddDays(day)), entries.Sum(entry => entry.Success + entry.Failure), [], null);
        var answer = await resolver.TxtAsync("_smtp._tls." + domain, cancel);
        if (answer.Status == DnsStatus.Failed && now < DateTimeOffset.UnixEpoch.AddDays(day + 2)) return (nothing with { Problem = "DNS does not say who wants it; asked again later" }, true);
        if (TlsReportRecord.Find(answer.Records) is not { } record)
        {
            if (!trial) await RemoveAsync(day, domain, cancel);
            return (null, false);
        }

        var report = Report(day, domain, entries, now);
        var mails = new List<OutgoingReport>();
        var urls = new List<string>();
        var problems = new List<string>();
        foreach (var uri in record.Uris.Take(MaxUris))
        {
            if (uri.Address is null) urls.Add(uri.Text);
            else if (!MailAddress.TryParse(uri.Address, out var to)) problems.Add($"{uri.Address} is no address that can be written to");
            else if (silenced.Contains(to.Key)) problems.Add($"{to} returned the last reports");
            else mails.Add(Write(report, domain, to, now));
        }
        var sending = nothing with { Destinations = [.. mails.Select(mail => mail.To.ToString()), .. urls], Problem = problems.Count > 0 ? string.Join("; ", problems) : null };
        if (trial) return (sending with { File = Encoding.UTF8.GetString(TlsReportJson.Write(report)) }, false);
        var body = urls.Count > 0 ? ReportContainer.Gzip(TlsReportJson.Write(report)) : [];
        await post.SendAsync(mails, write =>
        {
            foreach (var url in urls) ReportPostTable.Add(write, url, domain, report.Id, body, now);
            TlsReportTable.Remove(write, day, domain);
        }, cancel);
        return (sending, false);
    }

    async Task RemoveAsync(long day, string domain, CancellationToken cancel) => await store.CommitAsync(write =>
    {
        TlsReportTable.Remove(write, day, domain);
        return true;
    }, cancel);

    /// <summary>Where nothing is sent, counters of earlier days are of no use.</summary>
    internal async Task DropAsync(CancellationToken cancel)
    {
        var before = AggregateCounts.Day(time.GetUtcNow()) - 1;
        using (var read = store.Read())
            if (!TlsReportTable.Days(read).Exists(day => day < before)) return;
        await store.CommitAsync(write =>
        {
            TlsReportTable.RemoveBefore(write, before);
            return true;
        }, cancel);
    }

    TlsReport Report(long day, string domain, List<TlsReportEntry> entries, DateTimeOffset now)
    {
        var begin = DateTimeOffset.UnixEpoch.AddDays(day);
        var end = begin.AddDays(1).AddSeconds(-1);
        var from = post.From;
        // RFC 8460 4.4: report-id is unique with the organization
        var id = string.Create(CultureInfo.InvariantCulture, $"{begin:yyyy-MM-dd}T00:00:00Z_{domain}_{Guid.NewGuid().ToString("N").AsSpan(0, 8)}");
        return new TlsReport(post.Organization, begin, end < now ? end : now, from.ToString(), id, [.. entries.Select(Policy)]);
    }

    static TlsPolicyReport Policy(TlsReportEntry entry) => new(
        entry.Key.Kind switch { TlsPolicyKind.Sts => TlsPolicyType.Sts, TlsPolicyKind.Tlsa => TlsPolicyType.Tlsa, _ => TlsPolicyType.NoPolicyFound },
        Lines(entry.Key.Policy), entry.Key.PolicyDomain, Lines(entry.Key.Exchanges), entry.Success, entry.Failure,
        [.. entry.Failures.Select(failure => new TlsFailure(failure.Result, failure.Count)
        {
            SendingIp = failure.Source is { Length: > 0 } source ? source : null,
            ReceivingHost = failure.Host is { Length: > 0 } host ? host : null,
            ReceivingIp = failure.Address is { Length: > 0 } address ? address : null,
            ReasonCode = failure.Reason is { Length: > 0 } reason ? reason : null,
        })]);

    static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    OutgoingReport Write(TlsReport report, string domain, MailAddress to, DateTimeOffset now)
    {
        var from = post.From;
        var id = $"{Guid.NewGuid():N}@{from.Domain}";
        var buffer = new ArrayBufferWriter<byte>();
        new ReportMail(from.Domain, domain, report.Start, report.End, report.Id).WriteTls(buffer, from.ToString(), to.ToString(), id, now, report);
        return new OutgoingReport(ReportKind.Tls, domain, report.Id, to, id, buffer.WrittenMemory);
    }
}
