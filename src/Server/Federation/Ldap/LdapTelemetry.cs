using CbaMail.Envelope;

namespace CbaMail.Federation.Ldap;

/// <summary>Log messages of directories elsewhere: event ids from 7650.</summary>
static partial class LdapTelemetry
{
    [LoggerMessage(7650, LogLevel.Information, "ldap:{Name} is read: {Difference}")]
    public static partial void Synced(ILogger log, string name, string difference);

    [LoggerMessage(7651, LogLevel.Warning, "ldap:{Name} is not read: {Problem}")]
    public static partial void NotSynced(ILogger log, string name, string problem);

    [LoggerMessage(7652, LogLevel.Information, "ldap:{Name} does not take the password of {Entry}: {Result}")]
    public static partial void Refused(ILogger log, string name, string entry, string result);

    [LoggerMessage(7653, LogLevel.Warning, "ldap:{Name} judges no passwords now: {Problem}")]
    public static partial void Away(ILogger log, string name, string problem);

    [LoggerMessage(7654, LogLevel.Warning, "{Account} is let in by a password that was right before: ldap:{Name} is away")]
    public static partial void LetIn(ILogger log, MailAddress account, string name);

    [LoggerMessage(7655, LogLevel.Information, "{Account} was made at its first sign-in by ldap:{Name}")]
    public static partial void Welcomed(ILogger log, MailAddress account, string name);

    [LoggerMessage(7656, LogLevel.Error, "ldap:{Name}: a sync failed by surprise; the next one is tried at its time")]
    public static partial void Surprise(ILogger log, string name, Exception error);

    [LoggerMessage(7657, LogLevel.Warning, "ldap:{Name}: {Collision}")]
    public static partial void Collides(ILogger log, string name, string collision);
}
