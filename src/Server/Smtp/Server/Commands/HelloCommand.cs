using System.Text;
using CbaMail.Inbound;

namespace CbaMail.Smtp.Server.Commands;

/// <summary>EHLO, HELO (RFC 5321 4.1.1.1) and LHLO (RFC 2033 4.1). Each ends a transaction that is open (RFC 5321 4.1.4).</summary>
static class HelloCommand
{
    public static ValueTask Ehlo(SmtpSession session, string arguments) => Greet(session, arguments, "EHLO", extended: true);

    public static ValueTask Helo(SmtpSession session, string arguments) => Greet(session, arguments, "HELO", extended: false);

    public static ValueTask Lhlo(SmtpSession session, string arguments) => Greet(session, arguments, "LHLO", extended: true);

    static async ValueTask Greet(SmtpSession session, string name, string verb, bool extended)
    {
        // RFC 5321 4.1.4: a name that is not true, or no domain at all, is no ground to refuse; one that is missing or two words is
        if (name.Length is 0 or > 255 || name.Contains(' ', StringComparison.Ordinal))
        {
            session.SyntaxError(501, "5.5.4", $"Say {verb} and your host name");
            return;
        }
        if (session.SpokeOn(verb)) return;
        session.Greeted(name, extended);
        if (session.Parts.Pipeline.Asks(Moment.Hello))
        {
            var verdict = await session.Parts.Pipeline.AskAsync(Moment.Hello, session.NewArrival(""), session.Connection.Closed);
            if (!verdict.IsAccept)
            {
                session.Refuse(verdict); // RFC 5321 4.1.4: no greeting then, and the client may try another
                session.ForgetGreeting();
                return;
            }
        }
        if (!extended)
        {
            session.Reply(250, "", session.Parts.Settings.Hostname);
            return;
        }
        var text = new StringBuilder(session.Parts.Settings.Hostname);
        var on = SmtpCommands.Of(session.Protocol);
        foreach (var row in SmtpCommands.Rows)
        {
            if (!row.On.HasFlag(on) || row.Announces is null) continue;
            foreach (var line in row.Announces(session)) text.Append('\n').Append(line);
        }
        session.Reply(250, "", text.ToString()); // RFC 2034 4: no enhanced code in the answer to a greeting
    }
}
