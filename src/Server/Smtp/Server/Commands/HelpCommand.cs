namespace CbaMail.Smtp.Server.Commands;

/// <summary>HELP (RFC 5321 4.1.1.8), from the table.</summary>
static class HelpCommand
{
    public static ValueTask Run(SmtpSession session, string arguments)
    {
        if (arguments.Length > 0)
        {
            if (SmtpCommands.Find(arguments, session.Protocol) is { } row) session.Reply(214, "2.0.0", row.Syntax);
            else session.SyntaxError(504, "5.5.4", "There is no such command");
            return ValueTask.CompletedTask;
        }
        var on = SmtpCommands.Of(session.Protocol);
        var verbs = SmtpCommands.Rows.Where(row => row.On.HasFlag(on)).Select(row => row.Verb).Chunk(8).Select(some => string.Join(' ', some));
        session.Reply(214, "2.0.0", "Commands:\n" + string.Join('\n', verbs));
        return ValueTask.CompletedTask;
    }
}
