namespace CbaMail.Imap.Commands;

/// <summary>LOGOUT (RFC 9051 6.1.3): BYE comes before the tagged OK.</summary>
internal static class LogoutCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        session.Bye("Good bye");
        return new(Outcome.Done);
    }
}
