using CbaMail.Config;
using CbaMail.Storage;

namespace CbaMail.Queue;

/// <summary>
/// The queue: the durable list of mail that leaves. It knows rows and times, not how mail is sent; the workers are in Delivery.
///
/// Rules that a change must keep:
/// - A row is removed in the transaction that knows its outcome, so a crash repeats an attempt and never skips one. A worker has one
///   message between "dot sent" and "outcome durable": that is the most that a crash can send twice on a connection.
/// - Leases are in memory only (Schedule.cs): after a start everything is free again. The lease is taken before the row is read.
/// - Nothing polls: workers are started when something is ready, and one timer waits for the next that is due.
/// - Personal mail goes before mailings: in each destination's lane, and in the number of connections.
/// - The mailing ledger hears of outcomes inside the same transaction (MailQueue.Outcome).
/// - What is kept of each message for the trace is written in the commit that is made anyway (Trail); what is searched is searched by one
///   statement that walks the rows (QueueSearchTable), so that queueing pays for no index.
/// - Mail is paced by operator of mail servers (Schedule.cs, Pace.cs): what they answer slows it down and is kept over restarts.
/// - Time is TimeProvider and randomness is passed in: retry, delay and expiry are tested without waiting.
///
/// RFC 5321 4.5.4 (queueing and retrying), RFC 3461 (what DSN parameters are kept for the way on).
/// </summary>
public static class QueueRoom
{
    public static IServiceCollection AddQueue(this IServiceCollection services) => services
        .AddSingleton<MailQueue>().AddSingleton(QueueHolding.Holder)
        .AddSingleton<TraceSearch>()
        .AddSingleton(p => new TrailSeries(p.GetRequiredService<Store>(), p.GetRequiredService<MailQueue>().Trail, p.GetRequiredService<TimeProvider>()))
        .AddSingleton(p => new TrailSummary(p.GetRequiredService<Store>(), p.GetRequiredService<MailQueue>().Trail, p.GetRequiredService<TimeProvider>(), p.GetRequiredService<Settings>().Queue))
        .AddHostedService<QueueUpkeep>();
}
