using CbaMail.Config;

namespace CbaMail.Directory;

/// <summary>Removes for good, once an hour, the accounts whose time to be brought back is over.</summary>
sealed class RemovedUpkeep(UserDirectory directory, Settings settings, TimeProvider time, ILogger<RemovedUpkeep> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromHours(1), time);
        do
        {
            try
            {
                var count = await directory.PurgeAsync(time.GetUtcNow() - settings.Accounts.KeepRemoved, stopping);
                if (count > 0) DirectoryTelemetry.Purged(log, count);
            }
            catch (Exception e) when (Storage.StoreTrouble.Of(e) is not null)
            {
                // the store has told the log; in an hour again
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                DirectoryTelemetry.PurgeSurprise(log, e); // no surprise here stops the mail
            }
        }
        while (await timer.WaitForNextTickAsync(stopping));
    }
}
