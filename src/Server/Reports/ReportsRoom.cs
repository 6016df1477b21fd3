namespace CbaMail.Reports;

/// <summary>
/// Reports: what servers tell each other about mail, beside the mail.
///
/// Sent: aggregate reports of DMARC (RFC 7489 7.2; counted by <see cref="AggregateCounts"/>, sent by <see cref="AggregateSending"/>) and reports on
/// TLS (RFC 8460; counted by Delivery, sent by <see cref="TlsSending"/> and <see cref="ReportPosting"/>). Received: both of them and complaints
/// (RFC 5965), at addresses that every domain here has (<see cref="ReportIntake"/>), read after their 250 (<see cref="ReportReader"/>,
/// <see cref="Complaints"/>). <see cref="ReportRun"/> is the clock.
///
/// Does not: judge mail (Inbound tells what it found), print what is to be published (domain dns), send reports of single failures (they carry
/// people's mail to strangers, and hardly anybody sends them any more).
///
/// Rules that a change must keep:
/// - A message that arrives costs a look into a dictionary; commits are of many messages.
/// - What was counted is removed in the commit that queues its report: none is sent twice, and none is lost.
/// - No report to anybody who has not agreed (RFC 7489 7.1); the sizes that owners set are kept.
/// - All that strangers can make grow has a bound: counters by domain and in all, mail that cannot be read, rows of a report, reports.
/// - What is not proven to come from its sender is shown as such, and has no effect on anything.
/// </summary>
public static class ReportsRoom
{
    public static IServiceCollection AddReports(this IServiceCollection services) => services
        .AddSingleton<AggregateCounts>()
        .AddSingleton<ReportPost>()
        .AddSingleton<AggregateSending>()
        .AddSingleton<TlsSending>()
        .AddSingleton<ReportPosting>()
        .AddSingleton<ReportIntake>()
        .AddSingleton<Complaints>()
        .AddSingleton<ReportReader>()
        .AddSingleton<ReceivedReports>()
        .AddSingleton(ReportMailTable.Holder)
        .AddSingleton<ReportRun>()
        .AddHostedService(provider => provider.GetRequiredService<ReportRun>());
}
