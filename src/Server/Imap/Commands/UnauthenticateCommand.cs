namespace CbaMail.Imap.Commands;

/// <summary>UNAUTHENTICATE (RFC 8437): back to before the sign-in, for those who keep connections for many people.</summary>
internal static class UnauthenticateCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        session.SignOut();
        return new(Outcome.Done);
    }
}
