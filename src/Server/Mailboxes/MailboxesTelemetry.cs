namespace CbaMail.Mailboxes;

/// <summary>Log messages of the vault: 8100-8199.</summary>
static partial class MailboxesTelemetry
{
    [LoggerMessage(8100, LogLevel.Information, "The last stop was not clean: {Contents} bodies and {Objects} large parts that had never been acknowledged were removed")]
    public static partial void Recovered(ILogger log, int contents, int objects);
}
