namespace CbaMail.Mailings;

/// <summary>Every log message about mailings (event ids 6000-6999).</summary>
public static partial class MailingsTelemetry
{
    [LoggerMessage(6001, LogLevel.Information, "mailing {Mailing}: {Total} copies to go")]
    public static partial void RunStarted(this ILogger log, long mailing, int total);

    [LoggerMessage(6002, LogLevel.Information, "mailing {Mailing}: sent in {Seconds:0.00} s: {Delivered} delivered, {Queued} queued, {Bounced} bounced, {Skipped} skipped")]
    public static partial void RunEnded(this ILogger log, long mailing, double seconds, int delivered, int queued, int bounced, int skipped);

    [LoggerMessage(6003, LogLevel.Information, "mailing {Mailing}: stopped, its state is {State}")]
    public static partial void RunStopped(this ILogger log, long mailing, string state);

    [LoggerMessage(6004, LogLevel.Error, "mailing {Mailing}: a piece failed and will be tried again")]
    public static partial void RunFailed(this ILogger log, long mailing, Exception cause);

    [LoggerMessage(6006, LogLevel.Warning, "mailing {Mailing}: {Address} refused: {Reply}")]
    public static partial void CopyRefused(this ILogger log, long mailing, string address, string reply);

    [LoggerMessage(6020, LogLevel.Error, "letters to courses could not be gone on with; it is tried again soon")]
    public static partial void CourseLetters(this ILogger log, Exception cause);

    [LoggerMessage(6021, LogLevel.Warning, "{Count} openings and clicks of mailings came faster than they could be written, and are not counted")]
    public static partial void SightingsDropped(this ILogger log, long count);

    [LoggerMessage(6022, LogLevel.Error, "what is due by schedules could not be looked at; it is tried again soon")]
    public static partial void TimetableFailed(this ILogger log, Exception cause);

    [LoggerMessage(6007, LogLevel.Information, "demonstration: {What}")]
    public static partial void Demonstration(this ILogger log, string what);
}
