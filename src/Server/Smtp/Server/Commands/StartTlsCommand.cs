using System.Security.Authentication;

namespace CbaMail.Smtp.Server.Commands;

/// <summary>STARTTLS (RFC 3207).</summary>
static class StartTlsCommand
{
    public static IEnumerable<string> Announce(SmtpSession session) => session.Connection.IsSecure ? [] : ["STARTTLS"];

    public static async ValueTask Run(SmtpSession session, string arguments)
    {
        if (arguments.Length > 0)
        {
            session.SyntaxError(501, "5.5.4", "STARTTLS takes no argument");
            return;
        }
        if (session.Connection.IsSecure)
        {
            session.SyntaxError(503, "5.5.1", "TLS has begun already"); // RFC 3207 4.2
            return;
        }
        // CVE-2011-0411: what stands behind STARTTLS was put there by somebody in between
        if (session.Connection.HasBufferedInput())
        {
            SmtpTelemetry.Injected(session.Parts.Log, session.Connection.Id, session.Connection.Remote.Address);
            session.Reply(503, "5.5.1", "Nothing may follow STARTTLS before the handshake");
            session.End();
            return;
        }
        session.Reply(220, "2.0.0", "Go ahead");
        await session.Connection.Output.FlushAsync(CancellationToken.None);
        try
        {
            await session.Connection.StartTlsAsync(CancellationToken.None);
            session.StartedTls();
        }
        catch (AuthenticationException e)
        {
            SmtpTelemetry.Closed(session.Parts.Log, session.Connection.Id, session.Connection.Remote.Address, "TLS: " + e.Message);
            session.Connection.Abort();
            session.End();
        }
    }
}
