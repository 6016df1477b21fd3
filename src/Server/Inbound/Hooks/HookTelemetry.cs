namespace CbaMail.Inbound.Hooks;

/// <summary>Log messages of hooks: event ids from 4250.</summary>
static partial class HookTelemetry
{
    [LoggerMessage(4250, LogLevel.Warning, "{Session}: hook {Hook} could not be asked: {Reason}")]
    public static partial void Failed(ILogger log, string session, string hook, string reason);

    [LoggerMessage(4251, LogLevel.Error, "Hook {Hook} has failed {Times} times in a row, at last so: {Reason}; it is left alone for {Seconds} seconds")]
    public static partial void LeftAlone(ILogger log, string hook, int times, string reason, int seconds);

    [LoggerMessage(4252, LogLevel.Information, "Hook {Hook} answers again")]
    public static partial void Back(ILogger log, string hook);

    [LoggerMessage(4253, LogLevel.Information, "{Session}: message {Id} changed by hook {Hook}: {Changes}")]
    public static partial void Changed(ILogger log, string session, string id, string hook, string changes);

    [LoggerMessage(4254, LogLevel.Warning, "{Session}: hook {Hook} asked for what cannot be done: {Reason}")]
    public static partial void NotDone(ILogger log, string session, string hook, string reason);
}
