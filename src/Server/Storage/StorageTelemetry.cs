namespace CbaMail.Storage;

/// <summary>Log messages of the engine: 8000-8099.</summary>
static partial class StorageTelemetry
{
    [LoggerMessage(8000, LogLevel.Error, "A batch of {Count} commits failed and was undone; its callers were told")]
    public static partial void CommitFailed(ILogger log, int count, Exception error);

    [LoggerMessage(8002, LogLevel.Error, "What was to happen after a commit failed; the commit itself is durable")]
    public static partial void AfterCommit(ILogger log, Exception error);

    [LoggerMessage(8010, LogLevel.Error, "No new mail is taken: {Why}. Reading and deleting go on; mail is taken again by itself")]
    public static partial void TakesNoMail(ILogger log, string why);

    [LoggerMessage(8011, LogLevel.Warning, "New mail is taken again; {Free} MiB are free")]
    public static partial void TakesMail(ILogger log, long free);

    [LoggerMessage(8012, LogLevel.Warning, "The store could not be closed tidily; the next start sorts it out")]
    public static partial void NotClosed(ILogger log, Exception error);

    [LoggerMessage(8013, LogLevel.Error, "{Sentence}")]
    public static partial void NoSecrets(ILogger log, string sentence);

    [LoggerMessage(8001, LogLevel.Warning, "Pack {Pack} could not be cut back to {From}; what stands there up to {To} is passed over")]
    public static partial void NotCutOff(ILogger log, int pack, long from, long to, Exception error);
}
