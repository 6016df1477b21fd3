namespace CbaMail.Warmup;

/// <summary>Log messages of the room: event ids from 9900.</summary>
static partial class WarmupTelemetry
{
    [LoggerMessage(9900, LogLevel.Debug, "warmed up in {Milliseconds} ms")]
    public static partial void Done(ILogger log, double milliseconds);

    [LoggerMessage(9901, LogLevel.Debug, "not warmed up: {Reason}")]
    public static partial void Failed(ILogger log, string reason);
}
