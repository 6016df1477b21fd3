using CbaMail.Config;
using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>Calls, from time to time, what keeps the vault from growing without need. What it calls knows no clock of its own.</summary>
sealed class VaultUpkeep(PackRewriting rewriting, ExpungeHistory history, Spool spool, Settings settings, TimeProvider time, ILogger<VaultUpkeep> log) : BackgroundService
{
    static readonly TimeSpan PruneEvery = TimeSpan.FromDays(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        spool.RemoveLeftovers();
        if (settings.Storage.CollectEvery <= TimeSpan.Zero) return;
        using var timer = new PeriodicTimer(settings.Storage.CollectEvery, time);
        long? pruned = null;
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await rewriting.CollectAsync(hurried: false, stoppingToken);
                if (pruned is { } last && time.GetElapsedTime(last) < PruneEvery) continue;
                await history.PruneAsync(stoppingToken);
                pruned = time.GetTimestamp();
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                MailboxesTelemetry.UpkeepFailed(log, error); // a full disk, say: another time
            }
        }
    }
}
