namespace CbaMail.Imap.Commands;

/// <summary>RENAME (RFC 9051 6.3.6): with all that is below; INBOX gives its messages to the new name and stays.</summary>
internal static class RenameCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.Space();
        var from = arguments.Mailbox();
        var sentFrom = arguments.OldName;
        arguments.Space();
        var to = arguments.Mailbox();
        // RFC 9051 6.3.6: where either is kept in another form, OLDNAME has the existing name as it was sent
        var oldName = sentFrom ?? (arguments.OldName is null ? null : from);
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        if (to.EndsWith('/')) to = to[..^1];
        if (MailboxName.WhyNot(to) is { } reason) return new(Outcome.No(reason, "CANNOT"));
        if (to.StartsWith(from + "/", StringComparison.Ordinal) && from != "INBOX") return new(Outcome.No("A mailbox cannot go below itself", "CANNOT"));
        return RenameAsync(session, from, to, oldName);
    }

    static async ValueTask<Outcome> RenameAsync(ImapSession session, string from, string to, string? oldName)
    {
        if (session.SettleSource(from, out var source) is { } gone) return gone;
        if (session.Settle(to, out var target) is { } refusal) return refusal;
        if (source.OwnerId != target.OwnerId) return Outcome.No("A mailbox stays with its owner; copy the messages instead", "CANNOT");
        session.Watch?.Own(target.Prefix + target.Name);
        var renamed = await session.PatientlyAsync(session.Mail.RenameAsync(source.OwnerId, source.Name, target.Name, session.Cancel));
        if (!renamed.Ok) return Outcome.No(renamed.Refusal);
        ListLine.Correlate(session, target.Prefix + renamed.Value.Name, oldName);
        return Outcome.Done;
    }
}
