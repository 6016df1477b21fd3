namespace CbaMail.Webhooks;

/// <summary>Log messages of webhooks (event ids 6200-6299).</summary>
static partial class WebhookTelemetry
{
    [LoggerMessage(6200, LogLevel.Debug, "webhook {Webhook} has taken {Event}: {Status}")]
    public static partial void Taken(this ILogger log, long webhook, string @event, int status);

    [LoggerMessage(6201, LogLevel.Information, "webhook {Webhook} did not take {Event}: {Error}; {Then}")]
    public static partial void NotTaken(this ILogger log, long webhook, string @event, string error, string then);

    [LoggerMessage(6202, LogLevel.Warning, "webhook {Webhook} ({Url}) is switched off: nothing got through since {Since}, last: {Error}")]
    public static partial void SwitchedOff(this ILogger log, long webhook, string url, DateTimeOffset since, string error);

    [LoggerMessage(6203, LogLevel.Warning, "{Most} events wait for webhook {Webhook} already: {Event} is not told to it")]
    public static partial void Overfull(this ILogger log, long webhook, int most, string @event);

    [LoggerMessage(6204, LogLevel.Error, "webhooks: a round failed and will be tried again")]
    public static partial void RoundFailed(this ILogger log, Exception cause);
}
