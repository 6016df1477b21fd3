using System.Text;
using CbaMail.Envelope;
using CbaMail.Net;
using CbaMail.Sasl;

namespace CbaMail.Smtp.Server.Commands;

/// <summary>AUTH (RFC 4954): on the submission ports, under TLS, or over loopback in the evaluation profile.</summary>
static class AuthCommand
{
    static readonly Reply Cancelled = new(501, "5.7.0", "Given up"); // RFC 4954 4
    static readonly Reply Malformed = new(501, "5.5.2", "This is not what the mechanism expects");

    public static IEnumerable<string> Announce(SmtpSession session) =>
        session.Parts.SignIn.Mechanisms(session.Connection) is { Count: > 0 } mechanisms ? ["AUTH " + string.Join(' ', mechanisms)] : [];

    public static async ValueTask Run(SmtpSession session, string arguments)
    {
        var space = arguments.IndexOf(' ', StringComparison.Ordinal);
        var mechanism = space < 0 ? arguments : arguments[..space];
        if (Refuse(session, mechanism) is { } wrong)
        {
            session.SyntaxError(wrong.Code, wrong.Status, wrong.Text);
            return;
        }
        if (session.Parts.SignIn.Start(mechanism, session.Connection) is not { } conversation)
        {
            session.SyntaxError(504, "5.5.4", "This mechanism is not offered"); // RFC 4954 4
            return;
        }
        var initial = space < 0 ? null : Encoding.ASCII.GetBytes(arguments[(space + 1)..]);
        var reply = await conversation.BeginAsync(initial, session.Connection.Closed);
        var responses = new LineReader(session.Connection, SaslExchange.MaxResponse);
        while (reply.Challenge is { } challenge)
        {
            session.Reply(334, "", challenge);
            var status = await responses.ReadAsync(session.Limits.CommandTimeout);
            if (status is not LineStatus.Line)
            {
                Interrupted(session, status);
                return;
            }
            if (responses.Line.Span.SequenceEqual("*"u8))
            {
                session.FailSignIn(Cancelled);
                return;
            }
            reply = await conversation.RespondAsync(responses.Line, session.Connection.Closed);
        }
        if (reply.Result is not { } result) session.FailSignIn(Malformed);
        else if (!result.Ok) session.FailSignIn(Reply.Of(result.Refusal));
        else
        {
            session.SignedIn(result.Value, mechanism.ToUpperInvariant());
            session.Reply(235, "2.7.0", "Signed in"); // RFC 4954 6
        }
    }

    static Reply? Refuse(SmtpSession session, string mechanism)
    {
        if (mechanism.Length == 0) return new Reply(501, "5.5.4", "Say AUTH and a mechanism");
        if (session.Account is not null) return new Reply(503, "5.5.1", "Somebody has signed in already"); // RFC 4954 4
        if (session.Transaction is not null) return new Reply(503, "5.5.1", "Not while a message is open");
        // RFC 4954 4 and 6: the password must not cross the wire in clear text
        return session.Parts.SignIn.IsAllowed(session.Connection) ? null : new Reply(538, "5.7.11", "Start TLS first");
    }

    static void Interrupted(SmtpSession session, LineStatus status)
    {
        switch (status)
        {
            case LineStatus.TooLong: session.SyntaxError(500, "5.5.6", "The response is too long"); break; // RFC 4954 4
            case LineStatus.BareLineEnd: session.FailSignIn(Malformed); break;
            case LineStatus.TimedOut: session.Close("4.4.2", "Nothing was heard for too long", "timeout"); break;
            case LineStatus.Stopping: session.Close("4.3.2", "The server is being stopped; try again later", "server stops"); break;
            default: session.End(); break;
        }
    }
}
