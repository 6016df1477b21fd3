namespace CbaMail.Imap.Commands;

/// <summary>NAMESPACE (RFC 2342, RFC 9051 6.3.10): one personal namespace, none of others, none shared.</summary>
internal static class NamespaceCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        session.Writer.Write("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n"u8);
        return new(Outcome.Done);
    }
}
