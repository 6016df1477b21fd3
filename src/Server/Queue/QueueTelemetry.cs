namespace CbaMail.Queue;

/// <summary>Log messages of the queue itself: event ids from 5100.</summary>
static partial class QueueTelemetry
{
    [LoggerMessage(5100, LogLevel.Warning, "queue: what was to be written or removed in the background waits for the next turn")]
    public static partial void UpkeepFailed(ILogger log, Exception cause);
}
