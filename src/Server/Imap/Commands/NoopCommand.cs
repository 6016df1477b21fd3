namespace CbaMail.Imap.Commands;

/// <summary>NOOP and CHECK (RFC 9051 6.1.2, RFC 3501 6.4.1): the news that follows every command is all there is to do.</summary>
internal static class NoopCommand
{
    public static ValueTask<Outcome> Check(ImapSession session, ref ImapReader arguments)
    {
        session.Selected!.IsChecked = true;
        return Run(session, ref arguments);
    }

    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.End();
        return new(arguments.Failed ? Outcome.Bad(arguments.Error!) : Outcome.Done);
    }
}
