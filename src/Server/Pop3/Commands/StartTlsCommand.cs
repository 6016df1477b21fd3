using System.Security.Authentication;

namespace CbaMail.Pop3.Commands;

/// <summary>STLS (RFC 2595 4). What was sent in clear text behind it is thrown away, never parsed (CVE-2011-0411).</summary>
internal static class StartTlsCommand
{
    public static async ValueTask<Answer> Run(Pop3Session session, string argument)
    {
        if (argument.Trim(' ').Length > 0) return Answer.Bad(Phrases.NoArgument);
        var connection = session.Connection;
        if (connection.IsSecure) return Answer.Bad(Phrases.TlsAlready);
        if (session.IsUtf8) return Answer.Bad(Phrases.TlsAfterUtf8); // RFC 6856 2.1
        if (connection.Input.TryRead(out var injected)) connection.Input.AdvanceTo(injected.Buffer.End);
        session.Say(Answer.Ok(Phrases.TlsNow));
        await session.FlushAsync();
        try
        {
            await connection.StartTlsAsync(session.Cancel);
        }
        catch (AuthenticationException e)
        {
            Pop3Telemetry.HandshakeFailed(session.Log, connection.Id, e.Message);
            session.End();
            connection.Abort();
            return Answer.Said;
        }
        session.StartedTls();
        return Answer.Said;
    }
}
