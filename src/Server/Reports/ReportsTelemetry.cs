namespace CbaMail.Reports;

/// <summary>Every log message about reports (event ids 6100-6199).</summary>
public static partial class ReportsTelemetry
{
    [LoggerMessage(6101, LogLevel.Information, "{Kind} report on {Domain} ({Count} counted) to {Destinations}; problem: {Problem}")]
    public static partial void Sent(this ILogger log, string kind, string domain, long count, string destinations, string problem);

    [LoggerMessage(6102, LogLevel.Error, "reports: a round failed and will be tried again")]
    public static partial void RoundFailed(this ILogger log, Exception cause);

    [LoggerMessage(6103, LogLevel.Information, "report on {Domain} posted to {Url}: {Reply}")]
    public static partial void Posted(this ILogger log, string domain, string url, string reply);

    [LoggerMessage(6104, LogLevel.Information, "{Kind} report of {Organization} on {Domain}: {Passed} passed, {Failed} failed; sent by {Author}, trusted: {Trusted}")]
    public static partial void Received(this ILogger log, string kind, string organization, string domain, long passed, long failed, string author, bool trusted);

    [LoggerMessage(6105, LogLevel.Warning, "mail for {Recipient} from <{Sender}> is no report that can be read: {Problem}")]
    public static partial void NotRead(this ILogger log, string recipient, string sender, string problem);

    [LoggerMessage(6106, LogLevel.Warning, "complaint ({Type}) of {Author} about mail of {Sender} to {Recipient}: {Effect}")]
    public static partial void Complained(this ILogger log, string type, string author, string sender, string recipient, string effect);

    [LoggerMessage(6107, LogLevel.Information, "a report came back from {Address}: {Reply}")]
    public static partial void CameBack(this ILogger log, string address, string reply);
}
