namespace CbaMail.Imap.Commands;

/// <summary>CAPABILITY (RFC 9051 6.1.1).</summary>
internal static class CapabilityCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        session.Writer.Write("* CAPABILITY "u8).Write(ImapCommands.Capabilities(session)).EndLine();
        return new(Outcome.Done);
    }
}
