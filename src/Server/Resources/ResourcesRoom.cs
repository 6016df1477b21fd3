namespace CbaMail.Resources;

/// <summary>
/// Resources: rooms and equipment with addresses. Reads invitations for them (RFC 5546, RFC 6047), keeps bookings, writes the answers.
/// Does not: deliver (Delivery gives the way out), know calendars of people. Rule to keep: a booking and its answer are one commit.
/// </summary>
public static class ResourcesRoom
{
    public static IServiceCollection AddResources(this IServiceCollection services) => services.AddSingleton<ResourceBook>().AddSingleton<Bookings>().AddHostedService<BookingUpkeep>();
}

/// <summary>Looks every hour for bookings that are over.</summary>
sealed class BookingUpkeep(Bookings bookings, TimeProvider time, ILogger<BookingUpkeep> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromHours(1), time);
        do
        {
            try { await bookings.PruneAsync(stoppingToken); }
            catch (Exception error) when (Storage.StoreTrouble.Of(error) is not null) { } // the store has told the log; in an hour again
            catch (Exception error) when (error is not OperationCanceledException) { ResourcesTelemetry.PruneSurprise(log, error); } // no surprise here stops the mail
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}

/// <summary>Log messages of resources: event ids from 9700.</summary>
static partial class ResourcesTelemetry
{
    [LoggerMessage(9700, LogLevel.Error, "Bookings that are over could not be forgotten; it is tried again in an hour")]
    public static partial void PruneSurprise(ILogger log, Exception error);
}
