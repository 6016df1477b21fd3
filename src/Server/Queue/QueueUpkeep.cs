using CbaMail.Correspondents;
using CbaMail.Storage;

namespace CbaMail.Queue;

/// <summary>Behind everybody's back: writes down what was refused, and removes what is no longer kept.</summary>
sealed class QueueUpkeep(MailQueue queue, CorrespondentBook correspondents, TimeProvider time, ILogger<MailQueue> log) : BackgroundService
{
    static readonly TimeSpan Gather = TimeSpan.FromSeconds(3);
    static readonly TimeSpan Sweep = TimeSpan.FromMinutes(10);
    static readonly TimeSpan First = TimeSpan.FromMinutes(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        EveryAsync(async cancel =>
        {
            await queue.Trail.WaitAsync(cancel);
            await Task.Delay(Gather, time, cancel);
            await queue.Trail.FlushAsync(cancel);
        }, stoppingToken),
        EveryAsync(PruneAsync, stoppingToken));

    TimeSpan pause = First;
    bool isSealed;

    async Task PruneAsync(CancellationToken cancel)
    {
        await Task.Delay(pause, time, cancel);
        pause = Sweep;
        if (!isSealed) await queue.Bounces.SealAsync(cancel);
        isSealed = true;
        await queue.Trail.PruneAsync(cancel);
        await queue.Suppressions.PruneAsync(cancel);
        await correspondents.PruneAsync(cancel);
    }

    async Task EveryAsync(Func<CancellationToken, Task> work, CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await work(cancel);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                if (StoreTrouble.Of(error) is null) QueueTelemetry.UpkeepFailed(log, error); // of a full disk the store has told the log
                await Task.WhenAny(Task.Delay(First, time, cancel));
            }
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try { await queue.Trail.FlushAsync(cancellationToken); }
        catch (Exception error) when (StoreTrouble.Of(error) is not null || error is OperationCanceledException) { QueueTelemetry.UpkeepFailed(log, error); }
    }
}
