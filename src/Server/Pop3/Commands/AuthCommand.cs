using System.Text;
using CbaMail.Net;
using CbaMail.Sasl;

namespace CbaMail.Pop3.Commands;

/// <summary>AUTH (RFC 5034), with an initial response. Without a mechanism it lists them, as clients from before CAPA ask.</summary>
internal static class AuthCommand
{
    public static IEnumerable<string> Announce(Pop3Session session) =>
        session.State == Pop3State.Authorization && session.Context.SignIn.Mechanisms(session.Connection) is { Count: > 0 } mechanisms ? ["SASL " + string.Join(' ', mechanisms)] : [];

    public static async ValueTask<Answer> Run(Pop3Session session, string argument)
    {
        var words = Pop3Line.Words(argument);
        if (words.Length == 0) return List(session);
        if (words.Length > 2) return Answer.Bad(Phrases.Malformed);
        if (!session.MaySignIn) return Answer.No(Phrases.StartTlsFirst);
        if (session.Context.SignIn.Start(words[0], session.Connection) is not { } conversation) return Answer.No(Phrases.NoMechanism);
        session.UserName = null;

        // RFC 5034 4: "=" is an initial response that is empty
        var reply = await conversation.BeginAsync(words.Length == 1 ? null : Encoding.ASCII.GetBytes(words[1]), session.Cancel);
        var responses = reply.Challenge is null ? null : new LineReader(session.Connection, SaslExchange.MaxResponse, session.FlushAsync);
        while (reply.Challenge is { } challenge)
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
            reply = await conversation.RespondAsync(responses.Line, session.Cancel);
        }
        if (reply.Result is not { } result) return session.FailSignIn(Answer.No(Phrases.Malformed));
        return await PasswordCommands.EnterAsync(session, result, words[0].ToUpperInvariant());
    }

    static Answer List(Pop3Session session)
    {
        session.Say(Answer.Ok(Phrases.Mechanisms));
        foreach (var mechanism in session.Context.SignIn.Mechanisms(session.Connection)) session.Writer.Write(mechanism).EndLine();
        session.Writer.Write(".\r\n"u8);
        return Answer.Said;
    }
}
