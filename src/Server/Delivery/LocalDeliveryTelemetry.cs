namespace CbaMail.Delivery;

/// <summary>Log messages of placing mail: event ids from 4500.</summary>
static partial class LocalDeliveryTelemetry
{
    [LoggerMessage(4500, LogLevel.Information, "{Order}: message {MessageId} from {Sender} by {Origin} placed: {Mailboxes} mailboxes, {Queued} queued, {Size} bytes")]
    public static partial void Delivered(ILogger log, string order, string? messageId, string sender, string origin, int mailboxes, int queued, int size);

    [LoggerMessage(4501, LogLevel.Debug, "{Order}: refused for now: {Cause}")]
    public static partial void Refused(ILogger log, string order, string cause);

    [LoggerMessage(4504, LogLevel.Information, "The time of {Account} is over: it is disabled")]
    public static partial void Expired(ILogger log, Envelope.MailAddress account);

    [LoggerMessage(4506, LogLevel.Error, "Accounts whose time is over could not be looked after; it is tried again in a minute")]
    public static partial void ExpirySurprise(ILogger log, Exception error);

    [LoggerMessage(4505, LogLevel.Error, "{Order}: placed, but {Sender} could not be told who is away")]
    public static partial void NotAnswered(ILogger log, Exception error, string order, string sender);

    [LoggerMessage(4503, LogLevel.Information, "{Order}: bounce of the copy for {Recipient} of mailing {Mailing}: {Action}, {Cause}, counted={Counted}: {Reply}")]
    public static partial void BounceRead(ILogger log, string order, string recipient, long mailing, string action, string cause, bool counted, string reply);

    [LoggerMessage(4502, LogLevel.Error, "{Order}: placed, but {Sender}, who asked for it, could not be told")]
    public static partial void NotTold(ILogger log, Exception error, string order, string sender);
}
