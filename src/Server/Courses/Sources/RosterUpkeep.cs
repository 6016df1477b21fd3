using System.Text.Json;
using CbaMail.Authorization;
using CbaMail.Storage;

namespace CbaMail.Courses.Sources;

/// <summary>Reads each source at its interval. What it has changed stands in the audit log, under the source's name.</summary>
sealed class RosterUpkeep(RosterBook book, AuditLog audit, TimeProvider time, ILogger<RosterUpkeep> log) : BackgroundService
{
    static readonly TimeSpan Round = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Round, time, stoppingToken);
            foreach (var source in book.All().Where(IsDue))
            {
                try
                {
                    await ReadAsync(source, stoppingToken);
                }
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    if (StoreTrouble.Of(error) is null) log.Surprise(source.Kind, source.Id, error); // the store tells of its own
                }
            }
        }
    }

    bool IsDue(RosterSource source) => source.Interval > TimeSpan.Zero && !(time.GetUtcNow() - (source.Standing.Tried ?? source.Created) < source.Interval);

    async Task ReadAsync(RosterSource source, CancellationToken cancel)
    {
        if (book.CourseOf(source) is not { } course) return;
        var done = await book.SyncAsync(course, source, rehearsal: false, force: false, cancel);
        if (!done.Ok || done.Value is { Added: 0, Updated: 0, Ended: 0 }) return;
        var counts = JsonSerializer.Serialize(new { added = done.Value.Added, updated = done.Value.Updated, ended = done.Value.Ended });
        await audit.AppendAsync(new(time.GetUtcNow(), $"roster:{source.Id}", "", "POST /api/v1/courses/{course}/rosters/{id}/sync", $"/api/v1/courses/{course.Slug}/rosters/{source.Id}/sync", 200, null, counts), cancel);
    }
}

/// <summary>Log messages of roster sources: event ids from 8150.</summary>
static partial class RosterTelemetry
{
    [LoggerMessage(8150, LogLevel.Information, "{Kind} source {Source} is read: {Added} added, {Updated} changed, {Ended} ended")]
    public static partial void Taken(this ILogger log, string kind, long source, int added, int updated, int ended);

    [LoggerMessage(8151, LogLevel.Warning, "{Kind} source {Source} is not read: {Problem}")]
    public static partial void NotTaken(this ILogger log, string kind, long source, string problem);

    [LoggerMessage(8152, LogLevel.Error, "{Kind} source {Source}: a look failed by surprise; the next one is tried at its time")]
    public static partial void Surprise(this ILogger log, string kind, long source, Exception error);
}
