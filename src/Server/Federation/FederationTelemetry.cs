using CbaMail.Envelope;

namespace CbaMail.Federation;

/// <summary>Log messages of people whom others vouch for: event ids from 7600.</summary>
static partial class FederationTelemetry
{
    [LoggerMessage(7600, LogLevel.Warning, "The issuer cannot be asked: {Url}: {Problem}")]
    public static partial void Away(ILogger log, string url, string problem);

    [LoggerMessage(7601, LogLevel.Information, "{Session}: {Account} signed in by the issuer")]
    public static partial void SignedIn(ILogger log, string session, MailAddress account);

    [LoggerMessage(7602, LogLevel.Warning, "{Session}: a sign-in by the issuer failed: {Problem}")]
    public static partial void Failed(ILogger log, string session, string problem);

    [LoggerMessage(7603, LogLevel.Information, "{Account} was made at its first sign-in by the issuer")]
    public static partial void Made(ILogger log, MailAddress account);

    [LoggerMessage(7604, LogLevel.Information, "{Account} is now {Role} by groups of the issuer")]
    public static partial void RoleSet(ILogger log, MailAddress account, string role);

    [LoggerMessage(7605, LogLevel.Information, "A token was not taken: {Problem}")]
    public static partial void TokenRefused(ILogger log, string problem);
}
