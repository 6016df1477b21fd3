using System.Security.Authentication;

namespace CbaMail.Imap.Commands;

/// <summary>STARTTLS (RFC 9051 6.2.1). What was sent in clear text behind it is thrown away, never parsed (CVE-2011-0411).</summary>
internal static class StartTlsCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        if (session.Connection.IsSecure) return new(Outcome.Bad("TLS has begun already"));
        return StartAsync(session);
    }

    static async ValueTask<Outcome> StartAsync(ImapSession session)
    {
        session.Input.ThrowAway();
        session.Say(Outcome.Ok(null, "Begin TLS now"));
        await session.Writer.FlushAsync(session.Cancel);
        try
        {
            await session.Connection.StartTlsAsync(session.Cancel);
        }
        catch (AuthenticationException e)
        {
            ImapTelemetry.HandshakeFailed(session.Log, session.Connection.Id, e.Message);
            session.LogOut();
            session.Connection.Abort();
            return Outcome.Silent;
        }
        session.Writer.Attach();
        session.Dialect.Reset(); // RFC 5255 7: what was chosen in clear text may have been somebody else's choice
        return Outcome.Answered; // RFC 9051 6.2.1: the client asks for the capabilities anew
    }
}
