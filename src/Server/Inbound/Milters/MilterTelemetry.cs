namespace CbaMail.Inbound.Milters;

/// <summary>Log messages of milters: event ids from 4200.</summary>
static partial class MilterTelemetry
{
    [LoggerMessage(4200, LogLevel.Warning, "{Session}: milter {Milter} could not be asked: {Reason}")]
    public static partial void Failed(ILogger log, string session, string milter, string reason);

    [LoggerMessage(4201, LogLevel.Error, "Milter {Milter} has failed {Times} times in a row, at last so: {Reason}; it is left alone for {Seconds} seconds")]
    public static partial void LeftAlone(ILogger log, string milter, int times, string reason, int seconds);

    [LoggerMessage(4202, LogLevel.Information, "Milter {Milter} answers again")]
    public static partial void Back(ILogger log, string milter);

    [LoggerMessage(4203, LogLevel.Information, "{Session}: message {Id} changed by milter {Milter}: {Changes}")]
    public static partial void Changed(ILogger log, string session, string id, string milter, string changes);

    [LoggerMessage(4204, LogLevel.Warning, "{Session}: message {Id}: milter {Milter} asked for what cannot be done: {Reason}")]
    public static partial void NotDone(ILogger log, string session, string id, string milter, string reason);

    [LoggerMessage(4205, LogLevel.Debug, "Milter {Milter} speaks version {Version}, actions 0x{Actions:x}, steps 0x{Steps:x}")]
    public static partial void Agreed(ILogger log, string milter, int version, uint actions, uint steps);
}
