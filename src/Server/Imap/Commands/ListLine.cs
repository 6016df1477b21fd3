using CbaMail.Mailboxes;

namespace CbaMail.Imap.Commands;

/// <summary>A LIST response that nobody asked for: of a mailbox that is opened or whose name is kept in another form (RFC 9051 6.3.2, 6.3.9.7), or has changed (RFC 5465 5.4).</summary>
internal static class ListLine
{
    /// <param name="attributes">With their backslashes, separated by a space.</param>
    /// <param name="oldName">The name by which the client knows it, or null.</param>
    public static void Write(ImapWriter writer, string attributes, string name, string? oldName = null)
    {
        writer.Write("* LIST ("u8).Write(attributes).Write(") \"/\" "u8).Mailbox(name);
        // RFC 9051 6.3.9.7
        if (oldName is not null) writer.Write(" (\"OLDNAME\" ("u8).Mailbox(oldName).Write("))"u8);
        writer.EndLine();
    }

    /// <summary>What LIST (...) RETURN (SUBSCRIBED CHILDREN SPECIAL-USE) would say: accurate, as RFC 9051 6.3.2 and RFC 5465 5.5 want it.</summary>
    public static string Attributes(ImapSession session, MailReader reader, Access access)
    {
        // by what the session sees: what is below may be hidden, and a subscription is one's own
        return Attributes(ListEntry.Of(session.Context.Access.All(reader, session.Viewer()), reader.LostSubscriptions(session.Account.Id)).FirstOrDefault(one => one.Name == access.Name));
    }

    public static string Attributes(ListEntry? entry)
    {
        var text = entry is { HasChildren: true } ? "\\HasChildren" : "\\HasNoChildren";
        if (entry is { Subscribed: true }) text += " \\Subscribed";
        return entry?.SpecialUse is { } use ? $"{text} {use}" : text;
    }

    /// <summary>A client of IMAP4rev2 hears of the name under which it finds again what it has named (RFC 9051 6.3.4, 6.3.6).</summary>
    public static void Correlate(ImapSession session, string name, string? oldName)
    {
        if (oldName is null || !session.Dialect.Rev2) return;
        using var reader = session.Mail.Read();
        if (session.Find(reader, name) is { } access) Write(session.Writer, Attributes(session, reader, access), access.Name, oldName);
    }
}
