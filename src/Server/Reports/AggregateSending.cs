using System.Buffers;
using System.Globalization;
using System.Text;
using CbaMail.Dns;
using CbaMail.Envelope;
using CbaMail.MailAuth.Dmarc;
using CbaMail.MailAuth.Reports;
using CbaMail.Storage;

namespace CbaMail.Reports;

/// <summary>What was done with the report on one domain.</summary>
/// <param name="Destinations">Addresses or URLs that it went to.</param>
/// <param name="Problem">Why it went nowhere, or not everywhere; or null.</param>
/// <param name="File">Of a trial: the report itself.</param>
public sealed record ReportSending(ReportKind Kind, string Domain, DateOnly Day, long Messages, IReadOnlyList<string> Destinations, string? Problem, string? File = null);

/// <summary>
/// The daily reports of DMARC (RFC 7489 7.2): one for each domain and day to each address that its record names, if the address' owner agrees
/// (<see cref="ReportDestinations"/>), gzip in a mail. A record that changed within the day makes a second report, as each speaks of one policy.
/// </summary>
public sealed class AggregateSending(Store store, AggregateCounts counts, ReportPost post, IResolver resolver, TimeProvider time, ILogger<AggregateSending> log)
{

    /// <summary>Sends what there is of finished days, or, by hand, of today as well.</summary>
    /// <param name="trial">Nothing is sent or removed; the reports are in the answer.</param>
    /// <returns>What was done, and whether something is to be tried again.</returns>
    public async Task<(IReadOnlyList<ReportSending> Done, bool Again)> SendAsync(string? domain, bool today, bool trial, CancellationToken cancel)
    {
        await counts.FlushAsync(cancel);
        var (now, again) = (time.GetUtcNow(), false);
        List<AggregateSubject> subjects;
        using (var read = store.Read()) subjects = AggregateTable.Subjects(read, AggregateCounts.Day(now) + (today ? 1 : 0), domain);
        var silenced = post.Silenced();
        var done = new List<ReportSending>();
        foreach (var subject in subjects)
        {
            var (sending, later) = await SendAsync(subject, silenced, trial, now, cancel);
            again |= later;
            done.Add(sending);
            if (!trial && !later) log.Sent("DMARC", subject.Domain, subject.Messages, string.Join(", ", sending.Destinations), sending.Problem ?? "-");
        }
        if (!trial) counts.Forget();
        return (done, again);
    }

    async Task<(ReportSending Sending, bool Later)> SendAsync(AggregateSubject subject, HashSet<string> silenced, bool trial, DateTimeOffset now, CancellationToken cancel)
    {
        var day = DateOnly.FromDateTime(DateTime.UnixEpoch.AddDays(subject.Day));
        var nothing = new ReportSending(ReportKind.Dmarc, subject.Domain, day, subject.Messages, [], null);
        if (subject.Messages == 0 || DmarcRecord.Parse(subject.Record, out _) is not { } record) return (await GiveUpAsync(subject, nothing with { Problem = "nothing to report" }, trial, cancel), false);
        var answer = await ReportDestinations.AggregateAsync(record, subject.Domain, resolver, PublicSuffixList.InUse, cancel);
        if (answer.AskAgain && answer.Allowed.Count == 0 && now < DateTimeOffset.UnixEpoch.AddDays(subject.Day + 2))
            return (nothing with { Problem = "DNS does not say whether the address agrees; asked again later" }, true);

        var report = Report(subject, record, now);
        var outgoing = new List<OutgoingReport>();
        var problems = new List<string>();
        if (answer.Allowed.Count == 0) problems.Add("no address of the record agrees to get it (RFC 7489 7.1)");
        foreach (var uri in answer.Allowed)
        {
            if (!MailAddress.TryParse(uri.Address, out var to)) { problems.Add($"{uri.Address} is no address that can be written to"); continue; }
            if (silenced.Contains(to.Key)) { problems.Add($"{to} returned the last reports"); continue; }
            var message = Write(report, to, now);
            // RFC 7489 7.2.1: a limit that the owner has set
            if (uri.MaxBytes is { } most && (ulong)message.Message.Length > most) { problems.Add($"{to} takes {most} octets, the report has {message.Message.Length}"); continue; }
            outgoing.Add(message);
        }
        var sending = nothing with { Destinations = [.. outgoing.Select(message => message.To.ToString())], Problem = problems.Count > 0 ? string.Join("; ", problems) : null };
        if (trial) return (sending with { File = Encoding.UTF8.GetString(AggregateReportWriter.Write(report)) }, false);
        await post.SendAsync(outgoing, write => AggregateTable.Remove(write, subject.Id), cancel);
        return (sending, false);
    }

    async Task<ReportSending> GiveUpAsync(AggregateSubject subject, ReportSending sending, bool trial, CancellationToken cancel)
    {
        if (!trial)
            await store.CommitAsync(write =>
            {
                AggregateTable.Remove(write, subject.Id);
                return true;
            }, cancel);
        return sending;
    }

    AggregateReport Report(AggregateSubject subject, DmarcRecord record, DateTimeOffset now)
    {
        List<(string Traits, long Count)> counted;
        using (var read = store.Read()) counted = AggregateTable.Counts(read, subject.Id);
        var begin = DateTimeOffset.UnixEpoch.AddDays(subject.Day);
        var end = begin.AddDays(1).AddSeconds(-1);
        var from = post.From;
        return new AggregateReport(post.Organization, from.ToString(), string.Create(CultureInfo.InvariantCulture, $"{begin:yyyyMMdd}.{subject.Id}@{from.Domain}"), begin, end < now ? end : now,
            PublishedPolicy.Of(record, subject.Domain), [.. counted.Select(one => Traits.Row(one.Traits, one.Count)).OfType<AggregateRow>()]);
    }

    OutgoingReport Write(AggregateReport report, MailAddress to, DateTimeOffset now)
    {
        var from = post.From;
        var id = $"{Guid.NewGuid():N}@{from.Domain}";
        var buffer = new ArrayBufferWriter<byte>();
        new ReportMail(from.Domain, report.Published.Domain, report.Begin, report.End, report.Id).WriteAggregate(buffer, from.ToString(), to.ToString(), id, now, report);
        return new OutgoingReport(ReportKind.Dmarc, report.Published.Domain, report.Id, to, id, buffer.WrittenMemory);
    }
}
