namespace CbaMail.Imap.Commands;

/// <summary>DELETE (RFC 9051 6.3.5).</summary>
internal static class DeleteCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.Space();
        var name = arguments.Mailbox();
        var oldName = arguments.OldName;
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        if (name == "INBOX") return new(Outcome.No("INBOX cannot be deleted", "CANNOT"));
        return DeleteAsync(session, name.EndsWith('/') ? name[..^1] : name, oldName);
    }

    static async ValueTask<Outcome> DeleteAsync(ImapSession session, string name, string? oldName)
    {
        if (session.Refusing(session.Find(name), Mailboxes.Rights.DeleteMailbox, out var access) is { } no) return no;
        var mailbox = access.Mailbox;
        // our own selected mailbox: leave it first, else the next command would end the connection
        if (session.Selected?.Id == mailbox.Id)
        {
            session.Deselect();
            session.Writer.Ok("CLOSED", "The selected mailbox is being deleted");
        }
        session.Watch?.Own(access.Name);
        var refusal = await session.PatientlyAsync(session.Mail.DeleteAsync(mailbox.AccountId, mailbox.Name, session.Cancel));
        if (refusal is not null) return Outcome.No(refusal);
        // RFC 9051 6.3.5
        if (oldName is not null && session.Dialect.Rev2) ListLine.Write(session.Writer, "\\NonExistent", access.Name, oldName);
        return Outcome.Done;
    }
}
