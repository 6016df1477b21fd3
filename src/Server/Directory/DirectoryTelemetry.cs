namespace CbaMail.Directory;

/// <summary>Log messages of the directory: event ids from 7100.</summary>
static partial class DirectoryTelemetry
{
    [LoggerMessage(7100, LogLevel.Information, "made the DKIM key {Selector} of {Domain}")]
    public static partial void MadeDkimKey(ILogger log, string selector, string domain);

    [LoggerMessage(7101, LogLevel.Information, "mail of {Domain} is signed with the key {Selector} from now on: its record is published")]
    public static partial void SignsWith(ILogger log, string domain, string selector);

    [LoggerMessage(7102, LogLevel.Information, "the DKIM key {Name} is needed no more: its record may be removed from DNS")]
    public static partial void DkimKeyGone(ILogger log, string name);

    [LoggerMessage(7103, LogLevel.Error, "the DKIM keys of {Domain} are not looked after for now; it is tried again")]
    public static partial void DkimSurprise(ILogger log, string domain, Exception error);

    [LoggerMessage(7111, LogLevel.Error, "removed accounts whose time is over could not be purged; it is tried again in an hour")]
    public static partial void PurgeSurprise(ILogger log, Exception error);

    [LoggerMessage(7110, LogLevel.Information, "{Count} removed accounts are gone for good: their time to be brought back is over")]
    public static partial void Purged(ILogger log, int count);
}
