namespace CbaMail.Storage;

/// <summary>Log messages of the engine: 8000-8099.</summary>
static partial class StorageTelemetry
{
    [LoggerMessage(8000, LogLevel.Error, "A batch of {Count} commits failed and was undone; its callers were told")]
    public static partial void CommitFailed(ILogger log, int count, Exception error);
}
