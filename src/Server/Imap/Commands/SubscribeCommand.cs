namespace CbaMail.Imap.Commands;

/// <summary>SUBSCRIBE and UNSUBSCRIBE (RFC 9051 6.3.7, 6.3.8).</summary>
internal static class SubscribeCommand
{
    public static ValueTask<Outcome> Subscribe(ImapSession session, ref ImapReader arguments) => Parse(session, ref arguments, true);
    public static ValueTask<Outcome> Unsubscribe(ImapSession session, ref ImapReader arguments) => Parse(session, ref arguments, false);

    static ValueTask<Outcome> Parse(ImapSession session, ref ImapReader arguments, bool subscribe)
    {
        arguments.Space();
        var name = arguments.Mailbox();
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        return ChangeAsync(session, name.EndsWith('/') ? name[..^1] : name, subscribe);
    }

    static async ValueTask<Outcome> ChangeAsync(ImapSession session, string name, bool subscribe)
    {
        // RFC 4314 4: what cannot be seen is as if it were not there
        if (subscribe && session.Refusing(session.Find(name), Mailboxes.Rights.Lookup, out _) is { } no) return no;
        session.Watch?.Own(name);
        var refusal = await session.Mail.SubscribeAsync(session.Account.Id, name, subscribe, session.Cancel, isOwn: session.Context.Access.Locate(session.Account, name) is { IsOwn: true });
        // RFC 9051 6.3.8: what is not subscribed cannot be unsubscribed wrongly; clients tidy up after a deletion
        return refusal is null || (!subscribe && refusal.ImapCode == "NONEXISTENT") ? Outcome.Done : Outcome.No(refusal);
    }
}
