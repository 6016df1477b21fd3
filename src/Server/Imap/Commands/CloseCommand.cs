namespace CbaMail.Imap.Commands;

/// <summary>CLOSE (RFC 9051 6.4.1) expunges without telling, HIGHESTMODSEQ neither (RFC 7162 3.2.8); UNSELECT (RFC 3691, RFC 9051 6.4.2) does not expunge.</summary>
internal static class CloseCommand
{
    public static ValueTask<Outcome> Close(ImapSession session, ref ImapReader arguments)
    {
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        return CloseAsync(session, session.Selected!);
    }

    public static ValueTask<Outcome> Unselect(ImapSession session, ref ImapReader arguments)
    {
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        session.Deselect();
        return new(Outcome.Done);
    }

    static async ValueTask<Outcome> CloseAsync(ImapSession session, SelectedMailbox mailbox)
    {
        // RFC 4314 4: without the right nothing is expunged, and nothing said
        if (mailbox.Can(Mailboxes.Rights.Expunge)) await session.PatientlyAsync(session.Mail.ExpungeAsync(mailbox.Id, null, session.Cancel));
        session.Deselect();
        return Outcome.Done;
    }
}
