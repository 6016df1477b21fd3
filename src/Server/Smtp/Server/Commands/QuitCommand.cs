namespace CbaMail.Smtp.Server.Commands;

/// <summary>QUIT (RFC 5321 4.1.1.10).</summary>
static class QuitCommand
{
    public static ValueTask Run(SmtpSession session, string arguments)
    {
        if (arguments.Length > 0)
        {
            session.SyntaxError(501, "5.5.4", "QUIT takes no argument");
            return ValueTask.CompletedTask;
        }
        session.Reset(); // RFC 5321 4.1.1.10: a transaction that is open is given up
        session.Reply(221, "2.0.0", session.Parts.Settings.Hostname + " says goodbye");
        session.End();
        return ValueTask.CompletedTask;
    }
}
