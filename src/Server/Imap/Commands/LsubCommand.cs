using CbaMail.Mailboxes;

namespace CbaMail.Imap.Commands;

/// <summary>LSUB (RFC 3501 6.3.9).</summary>
internal static class LsubCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.Space();
        var reference = arguments.Mailbox();
        arguments.Space();
        var text = arguments.ListMailbox();
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        var pattern = new ListPattern(reference, text);
        if (pattern.IsTooLong) return new(Outcome.No("The pattern is too long", "LIMIT"));
        if (text.Length == 0)
        {
            session.Writer.Write("* LSUB (\\Noselect) \"/\" \"\"\r\n"u8);
            return new(Outcome.Done);
        }
        IReadOnlyList<Access> mailboxes;
        IReadOnlyList<string> lost;
        using (var reader = session.Mail.Read()) (mailboxes, lost) = (session.Context.Access.All(reader, session.Viewer()), reader.LostSubscriptions(session.Account.Id));
        foreach (var entry in ListEntry.Of(mailboxes, lost))
        {
            if (!pattern.Matches(entry.Name)) continue;
            if (entry.Subscribed) session.Writer.Write("* LSUB () \"/\" "u8).Mailbox(entry.Name).EndLine();
            // RFC 3501 6.3.9: "%" shows a level that is not subscribed, for what is below
            else if (entry.SubscribedBelow && text.EndsWith('%')) session.Writer.Write("* LSUB (\\Noselect) \"/\" "u8).Mailbox(entry.Name).EndLine();
        }
        return new(Outcome.Done);
    }
}
