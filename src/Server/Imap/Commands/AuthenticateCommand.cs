using CbaMail.Sasl;

namespace CbaMail.Imap.Commands;

/// <summary>AUTHENTICATE (RFC 9051 6.2.2), with an initial response (SASL-IR, RFC 4959).</summary>
internal static class AuthenticateCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.Space();
        var mechanism = arguments.Keyword();
        byte[]? initial = null;
        if (arguments.Take((byte)' ') && !arguments.AtEnd) initial = arguments.AstringBytes().ToArray();
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        if (SaslExchange.Start(mechanism) is not { } exchange) return new(Outcome.No("This mechanism is not offered", "CANNOT"));
        if (!session.MaySignIn) return new(Outcome.No("Start TLS first: a password in clear text is not taken", "PRIVACYREQUIRED"));
        return ExchangeAsync(session, exchange, mechanism, initial);
    }

    static async ValueTask<Outcome> ExchangeAsync(ImapSession session, SaslExchange exchange, string mechanism, byte[]? initial)
    {
        var step = initial is null ? exchange.Begin() : exchange.Initial(initial);
        while (step.Challenge is { } challenge)
        {
            session.Writer.Write("+ "u8).Write(challenge).EndLine();
            session.Text.Clear();
            var status = await session.Input.ReadLineAsync(session.Text, SaslExchange.MaxResponse);
            if (status is InputStatus.TooLong or InputStatus.BareLineEnd) return Outcome.Bad("The response is too long or badly ended");
            if (status != InputStatus.Ok)
            {
                session.Farewell(status);
                session.LogOut();
                return Outcome.Silent;
            }
            // RFC 9051 6.2.2: "*" cancels, and the answer to that is BAD
            if (session.Text.Span.SequenceEqual("*"u8)) return Outcome.Bad("Cancelled as you wished");
            step = exchange.Respond(session.Text.Span);
        }
        return step.Credentials is { } credentials
            ? await LoginCommand.SignInAsync(session, credentials, mechanism)
            : Outcome.Bad("The response is not what this mechanism sends");
    }
}
