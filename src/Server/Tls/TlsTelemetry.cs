namespace CbaMail.Tls;

/// <summary>Log messages of certificates: event ids from 1100.</summary>
static partial class TlsTelemetry
{
    [LoggerMessage(1100, LogLevel.Information, "made a self-signed certificate for {Hostname}: {File}")]
    public static partial void MadeCertificate(ILogger log, string hostname, string file);
}
