namespace CbaMail.Tls;

/// <summary>Log messages of certificates: event ids from 1100.</summary>
static partial class TlsTelemetry
{
    [LoggerMessage(1100, LogLevel.Information, "made a self-signed certificate for {Hostname}: {File}")]
    public static partial void MadeCertificate(ILogger log, string hostname, string file);

    [LoggerMessage(1101, LogLevel.Information, "the certificate in {File} is in use, valid until {Expires}")]
    public static partial void TookFile(ILogger log, string file, DateTimeOffset expires);

    [LoggerMessage(1102, LogLevel.Error, "tls: {Problem}")]
    public static partial void NotTaken(ILogger log, string problem);
}
