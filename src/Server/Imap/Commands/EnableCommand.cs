namespace CbaMail.Imap.Commands;

/// <summary>ENABLE (RFC 5161, RFC 9051 6.3.1): what is not known is passed over.</summary>
internal static class EnableCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        var names = new List<string>();
        arguments.Space();
        do names.Add(arguments.Keyword());
        while (!arguments.Failed && arguments.Take((byte)' ') && !arguments.AtEnd);
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));

        var disabled = session.Disabled();
        var enabled = "";
        foreach (var name in names.Distinct())
        {
            if (Dialect.Name(name) is not { } known || disabled.Contains(name)) continue;
            if (name is "CONDSTORE" or "QRESYNC") session.EnableCondStore(); // RFC 7162 3.2.3
            session.Dialect.Enable(name);
            if (name == "IMAP4REV2") session.Selected?.ForgetRecent();
            if (name == "METADATA") session.Metadata ??= new MetadataNews(session); // RFC 5464 4.4
            enabled += " " + known;
        }
        session.Writer.Write("* ENABLED"u8).Write(enabled).EndLine();
        return new(Outcome.Done);
    }
}
