namespace CbaMail.Smtp.Server.Commands;

/// <summary>NOOP (RFC 5321 4.1.1.9): an argument is let pass.</summary>
static class NoopCommand
{
    public static ValueTask Run(SmtpSession session, string arguments)
    {
        session.Reply(250, "2.0.0", "Still here");
        return ValueTask.CompletedTask;
    }
}
