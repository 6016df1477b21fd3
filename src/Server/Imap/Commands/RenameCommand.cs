namespace CbaMail.Imap.Commands;

/// <summary>RENAME (RFC 9051 6.3.6): with all that is below; INBOX gives its messages to the new name and stays.</summary>
internal static class RenameCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.Space();
        var from = arguments.Mailbox();
        arguments.Space();
        var to = arguments.Mailbox();
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        if (to.EndsWith('/')) to = to[..^1];
        if (MailboxName.WhyNot(to) is { } reason) return new(Outcome.No(reason, "CANNOT"));
        if (to.StartsWith(from + "/", StringComparison.Ordinal) && from != "INBOX") return new(Outcome.No("A mailbox cannot go below itself", "CANNOT"));
        return RenameAsync(session, from, to);
    }

    static async ValueTask<Outcome> RenameAsync(ImapSession session, string from, string to)
    {
        var renamed = await session.Mail.RenameAsync(session.Account.Id, from, to, session.Cancel);
        return renamed.Ok ? Outcome.Done : Outcome.No(renamed.Refusal);
    }
}
