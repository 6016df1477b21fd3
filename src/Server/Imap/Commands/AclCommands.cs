using CbaMail.Mailboxes;

namespace CbaMail.Imap.Commands;

/// <summary>SETACL, DELETEACL, GETACL, LISTRIGHTS and MYRIGHTS (RFC 4314 3).</summary>
internal static class AclCommands
{
    public static ValueTask<Outcome> Set(ImapSession session, ref ImapReader arguments)
    {
        var (name, identifier) = Head(ref arguments);
        arguments.Space();
        var text = arguments.Astring();
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        var mode = text.StartsWith('+') ? RightsMode.Add : text.StartsWith('-') ? RightsMode.Remove : RightsMode.Set;
        // RFC 4314 3.1: a letter that is no right is never passed over
        if (!RightsText.TryParse(mode == RightsMode.Set ? text : text.AsSpan(1), out var rights, out var unknown))
            return new(Outcome.Bad(char.IsAsciiLetterUpper(unknown) ? "Rights are small letters" : $"{(char.IsAscii(unknown) && !char.IsControl(unknown) ? unknown : '?')} is not a right"));
        return SetAsync(session, name, identifier, mode, rights);
    }

    public static ValueTask<Outcome> Delete(ImapSession session, ref ImapReader arguments)
    {
        var (name, identifier) = Head(ref arguments);
        arguments.End();
        return arguments.Failed ? new(Outcome.Bad(arguments.Error!)) : DeleteAsync(session, name, identifier);
    }

    static (string Mailbox, string Identifier) Head(ref ImapReader arguments)
    {
        arguments.Space();
        var name = arguments.Mailbox();
        arguments.Space();
        return (name, arguments.Astring());
    }

    static async ValueTask<Outcome> SetAsync(ImapSession session, string name, string identifier, RightsMode mode, Rights rights)
    {
        if (session.Refusing(session.Find(name), Rights.Administer, out var access) is { } refusal) return refusal;
        var kept = session.Context.Access.Identifier(access.Mailbox, identifier);
        if (!kept.Ok) return Refused(kept.Refusal);
        var isOwner = session.Context.Access.IsOwner(access.Mailbox, kept.Value);
        return await session.Mail.SetAclAsync(access.Mailbox.Id, kept.Value, isOwner, mode, rights, session.Cancel) is { } no ? Outcome.No(no) : Outcome.Done;
    }

    static async ValueTask<Outcome> DeleteAsync(ImapSession session, string name, string identifier)
    {
        if (session.Refusing(session.Find(name), Rights.Administer, out var access) is { } refusal) return refusal;
        var kept = session.Context.Access.Identifier(access.Mailbox, identifier);
        // the entry of an account that is gone can be dropped all the same
        if (!kept.Ok && kept.Refusal.ImapCode != "NONEXISTENT") return Refused(kept.Refusal);
        return await session.Mail.DeleteAclAsync(access.Mailbox.Id, kept.Value ?? identifier, session.Cancel) is { } no ? Outcome.No(no) : Outcome.Done;
    }

    // RFC 4314 3: what is no identifier is BAD
    static Outcome Refused(Envelope.Refusal refusal) => refusal.ImapCode == "CLIENTBUG" ? Outcome.Bad(refusal.Sentence) : Outcome.No(refusal.Sentence, refusal.ImapCode == "NONEXISTENT" ? null : refusal.ImapCode);

    public static ValueTask<Outcome> Get(ImapSession session, ref ImapReader arguments)
    {
        var name = Only(ref arguments);
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        Access? found;
        IReadOnlyList<AclEntry> entries = [];
        using (var reader = session.Mail.Read())
        {
            found = session.Find(reader, name);
            if (found is not null) entries = session.Context.Access.List(reader, found.Mailbox);
        }
        if (session.Refusing(found, Rights.Administer, out var access) is { } refusal) return new(refusal);
        session.Writer.Write("* ACL "u8).Mailbox(access.Name);
        foreach (var (identifier, rights) in entries) Words(session.Writer.Space(), identifier).Space().Write(RightsText.Show(rights));
        session.Writer.EndLine();
        return new(Outcome.Done);
    }

    // RFC 4314 3.7, 2.1.1: no right is tied to another, so each stands alone, the virtual ones too
    public static ValueTask<Outcome> ListRights(ImapSession session, ref ImapReader arguments)
    {
        var (name, identifier) = Head(ref arguments);
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        if (session.Refusing(session.Find(name), Rights.Administer, out var access) is { } refusal) return new(refusal);
        var kept = session.Context.Access.Identifier(access.Mailbox, identifier);
        if (!kept.Ok) return new(Refused(kept.Refusal));
        var always = session.Context.Access.IsOwner(access.Mailbox, kept.Value) ? Rights.Kept : Rights.None;
        // RFC 4314 3.4: the identifier as the client wrote it
        Words(session.Writer.Write("* LISTRIGHTS "u8).Mailbox(access.Name).Space(), identifier).Space();
        session.Writer.Write(always == Rights.None ? "\"\"" : RightsText.Show(always));
        foreach (var letter in RightsText.Letters)
            if ((RightsText.Of(letter) & always) == 0) session.Writer.Space().Write(letter.ToString());
        session.Writer.EndLine();
        return new(Outcome.Done);
    }

    public static ValueTask<Outcome> MyRights(ImapSession session, ref ImapReader arguments)
    {
        var name = Only(ref arguments);
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        // RFC 4314 4: any of these will do
        if (session.Find(name) is not { } access || (access.Rights & Rights.Noticing) == 0) return new(SessionView.NotThere);
        session.Writer.Write("* MYRIGHTS "u8).Mailbox(access.Name).Space().Write(RightsText.Show(access.Rights)).EndLine();
        return new(Outcome.Done);
    }

    static string Only(ref ImapReader arguments)
    {
        arguments.Space();
        var name = arguments.Mailbox();
        arguments.End();
        return name;
    }

    /// <summary>An identifier: an atom where it can be, as most servers write it.</summary>
    static ImapWriter Words(ImapWriter writer, string text) =>
        text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '@' or '.' or '-' or '_' or '+' or '$' or '=') ? writer.Write(text) : writer.String(System.Text.Encoding.UTF8.GetBytes(text));
}
