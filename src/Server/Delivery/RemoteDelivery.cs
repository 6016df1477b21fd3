using System.Collections.Concurrent;
using CbaMail.Config;
using CbaMail.Delivery.Remote;
using CbaMail.Directory;
using CbaMail.Dns;
using CbaMail.Mailboxes;
using CbaMail.Net;
using CbaMail.Queue;

namespace CbaMail.Delivery;

/// <summary>
/// The workers of the queue: starts one where a destination has mail and a connection is free for it, and otherwise sleeps until
/// something is queued, becomes due or a worker ends. A slow destination holds its own connections and nobody else's.
/// Stopping lets each worker finish the message that it is at for a short while: a message cut off between its final dot and the reply
/// would be sent twice. What was not settled is found again at the next start.
/// </summary>
public sealed class RemoteDelivery : BackgroundService
{
    static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    readonly RemoteParts parts;
    readonly LocalDelivery? local;
    readonly UserDirectory? directory;
    readonly ConcurrentDictionary<Task, byte> running = new();

    public RemoteDelivery(MailQueue queue, MailStore mail, IResolver resolver, BounceDelivery bounces, Settings settings, TimeProvider time, ILogger<RemoteDelivery> log,
        LocalDelivery? local = null, UserDirectory? directory = null, SigningKeys? keys = null, OwnSignatures? own = null)
    {
        (this.local, this.directory) = (local, directory);
        var roots = TrustedRoots.Load(settings.Sending.TrustedRoots);
        var policies = new StsPolicies(resolver, new StsFetch(resolver, settings.Sending.MtaStsPort, roots, time, address => settings.Evaluation || settings.Sending.MtaStsPort != 443 || !Outward.IsPrivate(address)), mail.Store, time, log);
        parts = new RemoteParts(
            queue, mail, new MxLookup(resolver, settings), new TlsDemands(new DaneLookup(resolver), policies, settings, roots), new TlsReports(time), new Sources(settings, mail.Store, time), bounces, settings, time, log,
            keys is null || own is null ? null : new OutgoingSignatures(keys, own, resolver, settings, time, log));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var abort = new CancellationTokenSource();
        using var grace = stoppingToken.Register(() => abort.CancelAfter(Grace));
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                // what has left while its outcome cannot be stored would leave again and again
                if (parts.Mail.Store.Condition.IsFailing)
                {
                    await Task.Delay(TimeSpan.FromSeconds(1), parts.Time, stoppingToken);
                    continue;
                }
                // taken before looking: what happens while we look completes it
                var changed = parts.Queue.Schedule.Changed;
                await parts.Queue.FollowClockAsync();
                var due = parts.Queue.Schedule.Promote(parts.Queue.SteadyNow);
                while (parts.Queue.Schedule.Start(out var bulk) is { } lane) Start(lane, bulk, stoppingToken, abort.Token);
                await WaitAsync(changed, due, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception error)
            {
                RemoteTelemetry.DispatcherFailed(parts.Log, error);
                await Task.WhenAny(Task.Delay(TimeSpan.FromSeconds(5), parts.Time, stoppingToken));
            }
        }
        await Task.WhenAll(running.Keys);
    }

    async Task WaitAsync(Task changed, DateTimeOffset? due, CancellationToken cancel)
    {
        if (due is not { } at)
        {
            await changed.WaitAsync(cancel);
            return;
        }
        var pause = at - parts.Queue.SteadyNow;
        if (pause <= TimeSpan.Zero) return;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        // a clock that is set is noticed now and then, for the times that people see
        var timer = Task.Delay(pause < TimeSpan.FromMinutes(10) ? pause : TimeSpan.FromMinutes(10), parts.Time, stop.Token);
        await Task.WhenAny(changed, timer);
        await stop.CancelAsync();
        cancel.ThrowIfCancellationRequested();
    }

    void Start(string lane, bool bulk, CancellationToken stop, CancellationToken abort)
    {
        var task = Task.Run(async () =>
        {
            try
            {
                if (lane == MailQueue.Here && local is not null) await new LocalWorker(parts, local, directory!).RunAsync(stop);
                else await new RemoteWorker(parts, lane).RunAsync(stop, abort);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                RemoteTelemetry.Surprise(parts.Log, error, lane);
            }
            finally
            {
                parts.Queue.Schedule.End(lane, bulk);
            }
        }, CancellationToken.None);
        running.TryAdd(task, 0);
        _ = task.ContinueWith(done => running.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}
