namespace CbaMail.Storage;

/// <summary>Log messages of the engine: 8000-8099.</summary>
static partial class StorageTelemetry
{
    [LoggerMessage(8000, LogLevel.Error, "A batch of {Count} commits failed and was undone; its callers were told")]
    public static partial void CommitFailed(ILogger log, int count, Exception error);

    [LoggerMessage(8002, LogLevel.Error, "What was to happen after a commit failed; the commit itself is durable")]
    public static partial void AfterCommit(ILogger log, Exception error);

    [LoggerMessage(8001, LogLevel.Warning, "Pack {Pack} could not be cut back to {From}; what stands there up to {To} is passed over")]
    public static partial void NotCutOff(ILogger log, int pack, long from, long to, Exception error);
}
