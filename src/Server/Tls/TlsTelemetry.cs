namespace CbaMail.Tls;

/// <summary>Log messages of certificates: event ids from 1100.</summary>
static partial class TlsTelemetry
{
    [LoggerMessage(1100, LogLevel.Information, "made a self-signed certificate for {Hostname}: {File}")]
    public static partial void MadeCertificate(ILogger log, string hostname, string file);

    [LoggerMessage(1101, LogLevel.Information, "the certificate in {File} is in use, valid until {Expires:yyyy-MM-dd HH:mm}")]
    public static partial void TookFile(ILogger log, string file, DateTimeOffset expires);

    [LoggerMessage(1103, LogLevel.Information, "account at {Directory}: {Account}")]
    public static partial void Registered(ILogger log, string directory, string account);

    [LoggerMessage(1104, LogLevel.Information, "new certificate for {Names}, valid until {Expires:yyyy-MM-dd HH:mm}; to be renewed at {Renew:yyyy-MM-dd HH:mm}")]
    public static partial void Issued(ILogger log, string names, DateTimeOffset expires, DateTimeOffset renew);

    [LoggerMessage(1105, LogLevel.Warning, "no certificate for {Group}: {Problem} (attempt {Attempts}; the next one at {Next:yyyy-MM-dd HH:mm})")]
    public static partial void NotIssued(ILogger log, string group, string problem, int attempts, DateTimeOffset next);

    [LoggerMessage(1106, LogLevel.Warning, "goes on without {Names}: {Problem}")]
    public static partial void LeftOut(ILogger log, string names, string problem);

    [LoggerMessage(1107, LogLevel.Error, "certificates are not looked after for now; it is tried again")]
    public static partial void AcmeSurprise(ILogger log, Exception error);

    [LoggerMessage(1102, LogLevel.Error, "tls: {Problem}")]
    public static partial void NotTaken(ILogger log, string problem);
}
