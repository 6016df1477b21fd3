using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Sasl;

namespace CbaMail.Imap.Commands;

/// <summary>LOGIN (RFC 9051 6.2.3).</summary>
internal static class LoginCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.Space();
        var user = arguments.Astring();
        arguments.Space();
        var password = arguments.Astring();
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        return SignInAsync(session, new Credentials(user, password));
    }

    static async ValueTask<Outcome> SignInAsync(ImapSession session, Credentials credentials)
    {
        // RFC 9051 6.2.3, 11.1
        if (!session.MaySignIn) return Outcome.No("Start TLS first: a password in clear text is not taken", "PRIVACYREQUIRED");
        return Answer(session, await session.Context.SignIn.TryAsync(credentials, session.Connection, session.Cancel), "LOGIN");
    }

    /// <summary>The one way in, for LOGIN and AUTHENTICATE.</summary>
    public static Outcome Answer(ImapSession session, Result<Account> result, string mechanism)
    {
        if (!result.Ok)
        {
            if (++session.FailedSignIns >= session.Settings.MaxFailedSignIns) session.Bye("Too many failed sign-ins");
            return Outcome.No(result.Refusal);
        }
        session.SignedIn(result.Value, mechanism);
        // RFC 9051 6.2.3, 7.1: saves the client a round trip
        return Outcome.Ok("CAPABILITY " + ImapCommands.Capabilities(session), "Signed in");
    }
}
