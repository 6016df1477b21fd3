namespace CbaMail.Smtp.Server.Commands;

/// <summary>RSET (RFC 5321 4.1.1.5): ends the transaction; greeting and sign-in stay.</summary>
static class RsetCommand
{
    public static ValueTask Run(SmtpSession session, string arguments)
    {
        if (arguments.Length > 0)
        {
            session.SyntaxError(501, "5.5.4", "RSET takes no argument");
            return ValueTask.CompletedTask;
        }
        session.Reset();
        session.Reply(250, "2.0.0", "Forgotten");
        return ValueTask.CompletedTask;
    }
}
