using CbaMail.Config;

namespace CbaMail.Imap.Commands;

/// <summary>NAMESPACE (RFC 2342, RFC 9051 6.3.10): one personal namespace, one of what other users share, one of public folders.</summary>
internal static class NamespaceCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        Tell(session);
        return new(Outcome.Done);
    }

    public static void Tell(ImapSession session)
    {
        session.Writer.Write("* NAMESPACE ((\"\" \"/\"))"u8);
        foreach (var prefix in (string[])[session.Settings.OtherUsers, session.Settings.PublicFolders])
        {
            if (prefix.Length == 0)
            {
                session.Writer.Write(" NIL"u8);
                continue;
            }
            session.Writer.Write(" (("u8);
            Name(session, prefix);
            session.Writer.Write(" \"/\""u8);
            // RFC 5255 3.4: for people to read; the prefix stays what it is
            if (session.Dialect.Language == MailLanguage.Ru && ImapPhrases.Namespace(prefix) is { } translated)
            {
                session.Writer.Write(" \"TRANSLATION\" ("u8);
                Name(session, translated);
                session.Writer.Write(")"u8);
            }
            session.Writer.Write("))"u8);
        }
        session.Writer.EndLine();
    }

    static void Name(ImapSession session, string prefix) =>
        session.Writer.String(System.Text.Encoding.UTF8.GetBytes(session.Dialect.Utf8 ? prefix + "/" : MailboxName.Encode(prefix + "/")));
}
