namespace CbaMail.Imap.Commands;

/// <summary>GETQUOTA and GETQUOTAROOT (RFC 9208 4.1): one root an account, without a name.</summary>
internal static class QuotaCommand
{
    public static ValueTask<Outcome> Get(ImapSession session, ref ImapReader arguments)
    {
        arguments.Space();
        var root = arguments.Astring();
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        if (root.Length > 0) return new(Outcome.No("No such quota root", "NONEXISTENT"));
        Write(session);
        return new(Outcome.Done);
    }

    public static ValueTask<Outcome> GetRoot(ImapSession session, ref ImapReader arguments)
    {
        arguments.Space();
        var name = arguments.Mailbox();
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        if (session.Refusing(session.Find(name), Mailboxes.Rights.Read, out _) is { } refusal) return new(refusal); // RFC 9208 4.1.3
        session.Writer.Write("* QUOTAROOT "u8).Mailbox(name).Write(" \"\"\r\n"u8);
        Write(session);
        return new(Outcome.Done);
    }

    // RFC 9208 5.1: STORAGE counts in units of 1024 octets
    static void Write(ImapSession session)
    {
        var account = session.Context.Directory.GetAccount(session.Account.Id) ?? session.Account;
        long bytes;
        using (var reader = session.Mail.Read()) bytes = reader.Usage(account.Id).Bytes;
        session.Writer.Write("* QUOTA \"\" ("u8);
        if (account.Quota > 0) session.Writer.Write("STORAGE "u8).Write((bytes + 1023) / 1024).Space().Write((account.Quota + 1023) / 1024);
        session.Writer.Write(")\r\n"u8);
    }
}
