using System.Net;
using CbaMail.Envelope;

namespace CbaMail.Sasl;

/// <summary>Log messages of signing in: event ids from 7500.</summary>
static partial class SaslTelemetry
{
    [LoggerMessage(7500, LogLevel.Information, "{Session}: {Account} signed in from {Remote}")]
    public static partial void SignedIn(ILogger log, string session, MailAddress account, IPAddress remote);

    [LoggerMessage(7501, LogLevel.Warning, "{Session}: wrong name or password for \"{User}\" from {Remote}")]
    public static partial void Failed(ILogger log, string session, string user, IPAddress remote);

    [LoggerMessage(7502, LogLevel.Warning, "{Session}: sign-in from {Remote} not heard: too many failures")]
    public static partial void Barred(ILogger log, string session, IPAddress remote);

    [LoggerMessage(7503, LogLevel.Information, "{Session}: {Account} may not use {Protocol} in this way, or from {Remote}: a policy or its second factor forbids it")]
    public static partial void Forbidden(ILogger log, string session, MailAddress account, string protocol, IPAddress remote);
}
