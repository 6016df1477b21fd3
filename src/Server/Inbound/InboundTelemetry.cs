using System.Net;

namespace CbaMail.Inbound;

/// <summary>Log messages of the doors: event ids from 4500.</summary>
static partial class InboundTelemetry
{
    [LoggerMessage(4500, LogLevel.Warning, "the list {Zone} is not believed: {Problem}")]
    public static partial void ListNotBelieved(ILogger log, string zone, string problem);

    [LoggerMessage(4501, LogLevel.Information, "{Session}: {Remote} spoke before the greeting")]
    public static partial void SpokeFirst(ILogger log, string session, IPAddress remote);

    [LoggerMessage(4502, LogLevel.Information, "{Session}: {Remote} spoke on before {Verb} was answered")]
    public static partial void SpokeOn(ILogger log, string session, IPAddress remote, string verb);

    [LoggerMessage(4503, LogLevel.Debug, "{Session}: message of {Remote} held back for {Delay}: its sender is not known here")]
    public static partial void HeldBack(ILogger log, string session, IPAddress remote, TimeSpan delay);

    [LoggerMessage(4504, LogLevel.Warning, "what was learnt of strangers could not be written; the next time")]
    public static partial void NotKept(ILogger log, Exception cause);

    [LoggerMessage(4505, LogLevel.Information, "{Session}: a bad session of {Remote}: {What}")]
    public static partial void BadSession(ILogger log, string session, IPAddress remote, string what);
}
