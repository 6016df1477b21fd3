namespace CbaMail.Directory;

/// <summary>Makes keys for new domains, looks for published ones, changes them in time.</summary>
sealed class DkimUpkeep(SigningKeys keys, UserDirectory directory, TimeProvider time, ILogger<DkimUpkeep> log) : BackgroundService
{
    static readonly TimeSpan Step = TimeSpan.FromSeconds(30);
    readonly Dictionary<long, DateTimeOffset> looked = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            foreach (var domain in directory.ListDomains())
            {
                try
                {
                    await OneAsync(domain, stoppingToken);
                }
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    DirectoryTelemetry.DkimSurprise(log, domain.Name, error); // the store's trouble, which it has told
                }
            }
            await Task.Delay(Step, time, stoppingToken);
        }
    }

    async Task OneAsync(Domain domain, CancellationToken cancel)
    {
        await keys.EnsureAsync(domain, cancel);
        var now = time.GetUtcNow();
        if (looked.TryGetValue(domain.Id, out var last) && now - last < keys.Interval(domain)) return;
        looked[domain.Id] = now;
        if (keys.IsDue(domain)) await keys.RotateAsync(domain, cancel);
        await keys.LookAsync(domain, cancel);
    }
}
