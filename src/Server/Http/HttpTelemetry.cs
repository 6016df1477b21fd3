namespace CbaMail.Http;

/// <summary>Log messages of HTTP: event ids from 9000.</summary>
static partial class HttpTelemetry
{
    [LoggerMessage(9000, LogLevel.Error, "{Method} {Path} failed")]
    public static partial void Failed(ILogger log, string method, string path, Exception surprise);

    [LoggerMessage(9001, LogLevel.Debug, "{Method} {Path}: {Status}")]
    public static partial void Answered(ILogger log, string method, string path, int status);
}
