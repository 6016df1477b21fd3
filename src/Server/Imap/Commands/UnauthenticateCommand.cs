namespace CbaMail.Imap.Commands;

/// <summary>UNAUTHENTICATE (RFC 8437): back to before the sign-in, for those who keep connections for many people.</summary>
internal static class UnauthenticateCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        session.SignOut();
        return session.Connection.IsCompressed ? EndCompressionAsync(session) : new(Outcome.Done);
    }

    // RFC 8437 4.1: our last compressed line is this OK, and the client's was the command
    static async ValueTask<Outcome> EndCompressionAsync(ImapSession session)
    {
        session.Say(Outcome.Ok(null, "UNAUTHENTICATE completed"));
        await session.Writer.FlushAsync(session.Cancel);
        session.Connection.EndCompression();
        session.Writer.Attach();
        return Outcome.Answered;
    }
}
