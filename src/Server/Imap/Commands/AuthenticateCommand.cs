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
        if (!session.MaySignIn) return new(Outcome.No("Start TLS first: a password in clear text is not taken", "PRIVACYREQUIRED"));
        if (session.Context.SignIn.Start(mechanism, session.Connection) is not { } conversation) return new(Outcome.No("This mechanism is not offered", "CANNOT"));
        return ConverseAsync(session, conversation, mechanism, initial);
    }

    static async ValueTask<Outcome> ConverseAsync(ImapSession session, SaslConversation conversation, string mechanism, byte[]? initial)
    {
        var reply = await conversation.BeginAsync(initial, session.Cancel);
        while (reply.Challenge is { } challenge)
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
            reply = await conversation.RespondAsync(session.Text.Memory, session.Cancel);
        }
        return reply.Result is { } result ? LoginCommand.Answer(session, result, mechanism) : Outcome.Bad("The response is not what this mechanism sends");
    }
}
