using CbaMail.Config;

namespace CbaMail.Warmup;

/// <summary>
/// Warmup: what a process does for the first time takes it milliseconds longer, because types are loaded and code is found only then. So the server is its
/// own first user: as soon as it serves, it builds a second house in memory, plays a mail program there (<see cref="ImapDialogue"/>), and takes it down again.
///
/// Does not: touch the data directory, listen, answer anybody, delay the start. Where there is no memory to write to, or something fails, nothing is warm, and that is all.
///
/// Rules to keep: once a process; less than half a second of CPU; no more than a few MB stay behind (docs/en/performance.md); no dialogue that
/// needs the network, or that costs what it costs each time, such as the hash of a password.
/// </summary>
public static class WarmupRoom
{
    /// <param name="build">Builds all rooms over a data directory without starting them.</param>
    public static IServiceCollection AddWarmup(this IServiceCollection services, Func<Settings, WebApplication> build) =>
        services.AddHostedService(provider => new WarmUp(provider.GetRequiredService<Settings>(), build, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<WarmUp>>()));
}
