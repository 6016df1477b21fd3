namespace CbaMail.Imap.Commands;

/// <summary>NAMESPACE (RFC 2342, RFC 9051 6.3.10): one personal namespace, one of what other users share, one of public folders.</summary>
internal static class NamespaceCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        session.Writer.Write("* NAMESPACE ((\"\" \"/\"))"u8);
        foreach (var prefix in (string[])[session.Settings.OtherUsers, session.Settings.PublicFolders])
        {
            if (prefix.Length == 0) session.Writer.Write(" NIL"u8);
            else session.Writer.Write(" (("u8).String(System.Text.Encoding.UTF8.GetBytes(session.Dialect.Utf8 ? prefix + "/" : MailboxName.Encode(prefix + "/"))).Write(" \"/\"))"u8);
        }
        session.Writer.EndLine();
        return new(Outcome.Done);
    }
}
