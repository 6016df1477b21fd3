namespace CbaMail.Sasl;

/// <summary>
/// Sasl: how people prove who they are on line protocols (RFC 4422): PLAIN (RFC 4616), LOGIN, SCRAM (RFC 5802, RFC 7677) with channel binding
/// (RFC 5929, RFC 9266), EXTERNAL by a certificate, OAUTHBEARER (RFC 7628) and XOAUTH2, for SMTP's AUTH (RFC 4954), IMAP's AUTHENTICATE and
/// LOGIN (RFC 9051 6.2) and POP3's AUTH (RFC 5034).
///
/// <see cref="SaslExchange"/> is bytes only; <see cref="SignIn"/> is the deed, <see cref="SaslConversation"/> both, for a protocol. Tokens are judged
/// by whatever is registered as <see cref="ITokenCheck"/>. Does not: keep passwords (Directory), check certificates (Tls), know SMTP, IMAP or POP3.
/// Rules to keep: no password in clear text, but over loopback in the evaluation profile; one answer for an unknown name
/// and a wrong password; wrong ones slow down and are bounded (<see cref="LoginLimits"/>); no password reaches a log.
/// </summary>
public static class SaslRoom
{
    public static IServiceCollection AddSasl(this IServiceCollection services) => services
        .AddSingleton<LoginLimits>()
        .AddSingleton<SignIn>();
}
