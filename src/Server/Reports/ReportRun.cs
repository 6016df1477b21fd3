using CbaMail.Config;
using CbaMail.Storage;

namespace CbaMail.Reports;

/// <summary>What is pending for reports.</summary>
/// <param name="Lost">Messages left out since the start for there were too many different ones.</param>
public sealed record PendingReports(bool SendsDmarc, bool SendsTls, string From, DateTimeOffset Next, long Lost, IReadOnlyList<PendingReport> Reports, IReadOnlyList<WaitingPost> Posts, IReadOnlyList<ReturnedReports> Returned);

/// <summary>Counted for a report that is to be sent.</summary>
/// <param name="Count">Messages, of TLS sessions.</param>
public sealed record PendingReport(ReportKind Kind, string Domain, DateOnly Day, long Count, int Rows);

/// <summary>
/// The clock of this room: writes counters each minute, reads mail as it comes, and sends the reports on finished days once a day, at a minute
/// after midnight UTC that is drawn each day, so that not all servers of the world write to a domain at once.
/// </summary>
public sealed class ReportRun(
    Store store, AggregateCounts counts, AggregateSending aggregates, TlsSending tls, ReportPost post, ReportPosting posting, ReportIntake intake, ReportReader reader,
    Settings settings, TimeProvider time, ILogger<ReportRun> log) : BackgroundService
{
    static readonly TimeSpan Round = TimeSpan.FromMinutes(1);
    static readonly TimeSpan Again = TimeSpan.FromHours(1);
    const int FirstMinute = 5;
    const int LastMinute = 180;

    readonly SemaphoreSlim one = new(1); // by the clock or by hand, not both
    DateTimeOffset next;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var now = time.GetUtcNow();
        // after a start in mid-day what an earlier day has left goes soon
        next = now.Date == Drawn(now).Date && Drawn(now) > now ? Drawn(now) : now + Round;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var more = intake.Arrived;
                await RoundAsync(stoppingToken);
                using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
                await Task.WhenAny(more, Task.Delay(Round, time, stop.Token));
                await stop.CancelAsync();
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception error)
            {
                log.RoundFailed(error);
                await Task.WhenAny(Task.Delay(Round, time, stoppingToken));
            }
        }
        try { await counts.FlushAsync(CancellationToken.None); }
        catch (Exception error) { log.RoundFailed(error); }
    }

    static DateTimeOffset Drawn(DateTimeOffset day) => new DateTimeOffset(day.UtcDateTime.Date, TimeSpan.Zero).AddMinutes(Random.Shared.Next(FirstMinute, LastMinute));

    internal async Task RoundAsync(CancellationToken cancel)
    {
        if (store.Condition.IsFailing) return;
        await reader.ReadAsync(cancel);
        await counts.FlushAsync(cancel);
        await posting.PostAsync(cancel);
        if (time.GetUtcNow() < next) return;
        var (_, again) = await SendAsync(null, today: false, trial: false, byHand: false, cancel);
        await reader.PruneAsync(cancel);
        var now = time.GetUtcNow();
        next = again ? now + Again : Drawn(now.AddDays(1));
    }

    /// <summary>Sends what is counted.</summary>
    /// <param name="byHand">Also where the settings switch the sending off.</param>
    public async Task<(IReadOnlyList<ReportSending> Done, bool Again)> SendAsync(string? domain, bool today, bool trial, bool byHand, CancellationToken cancel)
    {
        await one.WaitAsync(cancel);
        try
        {
            var done = new List<ReportSending>();
            var again = false;
            if (byHand || settings.Reports.SendsDmarc(settings.Evaluation))
            {
                var (sent, later) = await aggregates.SendAsync(domain, today, trial, cancel);
                done.AddRange(sent);
                again |= later;
            }
            if (byHand || settings.Reports.SendsTls(settings.Evaluation))
            {
                var (sent, later) = await tls.SendAsync(domain, today, trial, cancel);
                done.AddRange(sent);
                again |= later;
            }
            else await tls.DropAsync(cancel);
            if (!trial) await posting.PostAsync(cancel);
            return (done, again);
        }
        finally
        {
            one.Release();
        }
    }

    /// <summary>What is counted and waits, today's as well.</summary>
    public async Task<PendingReports> PendingAsync(CancellationToken cancel)
    {
        await counts.FlushAsync(cancel);
        using var read = store.Read();
        var reports = AggregateTable.Subjects(read, long.MaxValue, null).Select(subject => new PendingReport(ReportKind.Dmarc, subject.Domain, Day(subject.Day), subject.Messages, subject.Rows)).ToList();
        foreach (var day in TlsReportTable.Days(read))
            reports.AddRange(TlsReportTable.OfDay(read, day).GroupBy(entry => entry.Key.Domain).Select(domain => new PendingReport(ReportKind.Tls, domain.Key, Day(day), domain.Sum(entry => entry.Success + entry.Failure), domain.Count())));
        return new PendingReports(settings.Reports.SendsDmarc(settings.Evaluation), settings.Reports.SendsTls(settings.Evaluation), post.From.ToString(), next, counts.Lost, reports, ReportPostTable.All(read), SentTable.Returned(read));
    }

    static DateOnly Day(long day) => DateOnly.FromDateTime(DateTime.UnixEpoch.AddDays(day));

    public IReadOnlyList<SentReport> Sent(string? domain, int limit)
    {
        using var read = store.Read();
        return SentTable.List(read, domain, limit);
    }
}
