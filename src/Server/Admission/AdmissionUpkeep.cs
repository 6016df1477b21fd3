using CbaMail.Storage;

namespace CbaMail.Admission;

/// <summary>What happens without anybody waiting for it: letters to those who have asked for a new password, word of who waits, and forgetting.</summary>
sealed class AdmissionUpkeep(Store store, SignUps signUps, PasswordResets resets, TimeProvider time, ILogger<AdmissionUpkeep> log) : BackgroundService
{
    static readonly TimeSpan Every = TimeSpan.FromMinutes(1), Remembered = TimeSpan.FromDays(90);

    protected override Task ExecuteAsync(CancellationToken stopping) => Task.WhenAll(resets.WorkAsync(Failed, stopping), KeepAsync(stopping));

    void Failed(Exception e) => AdmissionTelemetry.Failed(log, e);

    async Task KeepAsync(CancellationToken stopping)
    {
        await Task.Yield();
        var swept = DateTimeOffset.MinValue;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await signUps.TellAsync(stopping);
                var now = time.GetUtcNow();
                if (now - swept >= TimeSpan.FromHours(1))
                {
                    await store.CommitAsync(write =>
                    {
                        AdmissionTable.ForgetInvitations(write, now - Remembered);
                        RecoveryTable.ForgetBefore(write, now, now.ToUnixTimeSeconds() / 86_400);
                        return true;
                    }, stopping);
                    swept = now;
                }
                await signUps.NewsAsync(Every, stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                if (StoreTrouble.Of(e) is null) Failed(e); // of the store's troubles the log knows already
                await Task.Delay(Every, time, CancellationToken.None).WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}

/// <summary>Log messages of admission: event ids from 9500.</summary>
static partial class AdmissionTelemetry
{
    [LoggerMessage(9500, LogLevel.Error, "A letter of the server could not be made")]
    public static partial void Failed(ILogger log, Exception surprise);
}
