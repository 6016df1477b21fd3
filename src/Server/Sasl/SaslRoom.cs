namespace CbaMail.Sasl;

/// <summary>
/// Sasl: how people prove who they are on line protocols (RFC 4422): PLAIN (RFC 4616) and LOGIN, for SMTP's AUTH (RFC 4954)
/// and IMAP's AUTHENTICATE and LOGIN (RFC 9051 6.2).
///
/// <see cref="SaslExchange"/> is bytes only; <see cref="SignIn"/> is the deed. Does not: keep passwords (Directory),
/// know SMTP or IMAP.
/// Rules to keep: no password in clear text, but over loopback in the evaluation profile; one answer for an unknown name
/// and a wrong password; wrong ones slow down and are bounded (<see cref="LoginLimits"/>); no password reaches a log.
/// </summary>
public static class SaslRoom
{
    public static IServiceCollection AddSasl(this IServiceCollection services) => services
        .AddSingleton<LoginLimits>()
        .AddSingleton<SignIn>();
}
