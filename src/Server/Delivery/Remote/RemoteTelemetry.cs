namespace CbaMail.Delivery.Remote;

/// <summary>Log messages of mail that leaves: event ids from 5000. One a recipient and attempt, keyed by the queue id.</summary>
internal static partial class RemoteTelemetry
{
    [LoggerMessage(5000, LogLevel.Information, "queue {Id}: {State} to {Recipient} by {Host} tls={Tls} from={Source}: {Reply}")]
    public static partial void Outcome(ILogger log, long id, string state, string recipient, string host, string tls, string source, string reply);

    [LoggerMessage(5001, LogLevel.Error, "queue {Id}: the outcome could not be stored; the message stays and may be sent again")]
    public static partial void NotStored(ILogger log, Exception cause, long id);

    [LoggerMessage(5002, LogLevel.Error, "queue: the worker of {Destination} stopped by surprise")]
    public static partial void Surprise(ILogger log, Exception cause, string destination);

    [LoggerMessage(5003, LogLevel.Error, "queue {Id}: content {Content} cannot be read; the message waits")]
    public static partial void ContentLost(ILogger log, long id, long content);

    [LoggerMessage(5004, LogLevel.Debug, "queue: connected to {Target} tls={Tls}")]
    public static partial void Connected(ILogger log, string target, string tls);

    [LoggerMessage(5005, LogLevel.Information, "queue: {Destination}: {Reason}")]
    public static partial void Unreachable(ILogger log, string destination, string reason);

    [LoggerMessage(5006, LogLevel.Error, "queue: the dispatcher failed and goes on")]
    public static partial void DispatcherFailed(ILogger log, Exception cause);

    [LoggerMessage(5010, LogLevel.Information, "queue: {Lane}: slowed down ({Signal}): {Reply}")]
    public static partial void Slowed(ILogger log, string lane, string signal, string reply);

    [LoggerMessage(5007, LogLevel.Information, "queue: {Target}: TLS {Result}: {Reason}")]
    public static partial void Untrusted(ILogger log, string target, string result, string reason);

    [LoggerMessage(5008, LogLevel.Information, "queue: {Domain}: MTA-STS policy fetched: {Mode} id={Id}")]
    public static partial void StsFetched(ILogger log, string domain, string mode, string id);

    [LoggerMessage(5009, LogLevel.Warning, "queue: {Domain}: MTA-STS policy not fetched: {Problem}")]
    public static partial void StsFailed(ILogger log, string domain, string problem);

    [LoggerMessage(5011, LogLevel.Error, "queue {Id}: the message leaves without signature: its key cannot sign")]
    public static partial void NotSigned(ILogger log, Exception cause, long id);
}
