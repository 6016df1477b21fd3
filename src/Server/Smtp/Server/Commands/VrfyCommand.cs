namespace CbaMail.Smtp.Server.Commands;

/// <summary>VRFY and EXPN (RFC 5321 3.5): nobody is told who is here; RCPT answers that to those who bring mail (RFC 5321 7.3).</summary>
static class VrfyCommand
{
    public static ValueTask Run(SmtpSession session, string arguments)
    {
        if (arguments.Length == 0) session.SyntaxError(501, "5.5.4", "Say VRFY and an address");
        else session.Reply(252, "2.1.5", "Not told here; a message to the address will be tried");
        return ValueTask.CompletedTask;
    }

    public static ValueTask Expand(SmtpSession session, string arguments)
    {
        session.SyntaxError(502, "5.5.1", "EXPN is not offered here");
        return ValueTask.CompletedTask;
    }
}
