using System.Text;
using CbaMail.Net;
using CbaMail.Sasl;

namespace CbaMail.Pop3.Commands;

/// <summary>AUTH (RFC 5034), with an initial response. Without a mechanism it lists them, as clients from before CAPA ask.</summary>
internal static class AuthCommand
{
    public static IEnumerable<string> Announce(Pop3Session session) =>
        session.State == Pop3State.Authorization && session.MaySignIn ? ["SASL " + string.Join(' ', SaslExchange.Mechanisms)] : [];

    public static async ValueTask<Answer> Run(Pop3Session session, string argument)
    {
        var words = Pop3Line.Words(argument);
        if (words.Length == 0) return List(session);
        if (words.Length > 2) return Answer.Bad(Phrases.Malformed);
        if (SaslExchange.Start(words[0]) is not { } exchange) return Answer.No(Phrases.NoMechanism);
        if (!session.MaySignIn) return Answer.No(Phrases.StartTlsFirst);
        session.UserName = null;

        // RFC 5034 4: "=" is an initial response that is empty
        var step = words.Length == 1 ? exchange.Begin() : exchange.Initial(Encoding.ASCII.GetBytes(words[1]));
        var responses = step.Challenge is null ? null : new LineReader(session.Connection, SaslExchange.MaxResponse, session.FlushAsync);
        while (step.Challenge is { } challenge)
        {
            session.Writer.Write("+ "u8).Write(challenge).EndLine();
            var status = await responses!.ReadAsync(session.Settings.LoginTimeout);
            if (status is LineStatus.TooLong or LineStatus.BareLineEnd) return session.FailSignIn(Answer.No(Phrases.Malformed));
            if (status != LineStatus.Line)
            {
                session.Farewell(status);
                return Answer.Said;
            }
            if (responses.Line.Span.SequenceEqual("*"u8)) return session.FailSignIn(Answer.No(Phrases.Cancelled)); // RFC 5034 4
            step = exchange.Respond(responses.Line.Span);
        }
        if (step.Credentials is not { } credentials) return session.FailSignIn(Answer.No(Phrases.Malformed));
        var result = await session.Context.SignIn.TryAsync(credentials, session.Connection, session.Cancel);
        return await PasswordCommands.EnterAsync(session, result, words[0].ToUpperInvariant());
    }

    static Answer List(Pop3Session session)
    {
        session.Say(Answer.Ok(Phrases.Mechanisms));
        foreach (var mechanism in session.MaySignIn ? SaslExchange.Mechanisms : []) session.Writer.Write(mechanism).EndLine();
        session.Writer.Write(".\r\n"u8);
        return Answer.Said;
    }
}
