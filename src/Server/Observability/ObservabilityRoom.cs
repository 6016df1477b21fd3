namespace CbaMail.Observability;

/// <summary>
/// What the server tells about itself: log lines on standard error (StderrLog) and instruments of System.Diagnostics.Metrics
/// under the one meter "CbaMail" (dotnet-counters reads them). Each room declares its own messages and counters in its XTelemetry file,
/// with event ids from its own range: Net 1000, Smtp 2000, Imap 3000, Inbound and Delivery 4000, Queue 5000, Mailings 6000,
/// Directory and Sasl 7000, Storage and Mailboxes 8000, Http and Cli 9000. Nothing here knows a room above.
/// </summary>
public static class ObservabilityRoom
{
    /// <summary>The meter that every room's instruments belong to.</summary>
    public static readonly System.Diagnostics.Metrics.Meter Meter = new("CbaMail");

    public static IServiceCollection AddObservability(this IServiceCollection services, LogLevel level) => services
        .AddLogging(logging => logging
            .ClearProviders()
            .SetMinimumLevel(level)
            // the framework's own: what it says at Information is about requests of the status page
            .AddFilter("Microsoft", level <= LogLevel.Debug ? LogLevel.Debug : LogLevel.Warning)
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None)) // why a start failed is said in one sentence
        .AddSingleton<ILoggerProvider>(provider => new StderrLog(provider.GetRequiredService<TimeProvider>()))
        .AddHostedService<MemoryCare>();
}
