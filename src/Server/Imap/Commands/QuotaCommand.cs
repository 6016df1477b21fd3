using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;

namespace CbaMail.Imap.Commands;

/// <summary>
/// GETQUOTA, GETQUOTAROOT and SETQUOTA (RFC 9208 4.1): one root an account. One's own has no name, that of another user is his address;
/// public folders have none, for nothing limits them.
/// </summary>
internal static class QuotaCommand
{
    public static ValueTask<Outcome> Get(ImapSession session, ref ImapReader arguments)
    {
        arguments.Space();
        var root = arguments.Astring();
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments));
        if (Owner(session, root) is not { } owner || !MaySee(session, owner)) return new(Outcome.No("No such quota root", "NONEXISTENT"));
        Write(session, root, owner);
        return new(Outcome.Done);
    }

    public static ValueTask<Outcome> GetRoot(ImapSession session, ref ImapReader arguments)
    {
        arguments.Space();
        var name = arguments.Mailbox();
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments));
        var found = session.Find(name);
        var ownerId = session.Account.Id;
        // RFC 9208 4.1.2: one's own need not be there yet
        if (found is not null || session.Context.Access.Locate(session.Viewer(), name) is not { IsOwn: true, OwnerId: not 0 })
        {
            // RFC 9208 6: r, for the usage tells of the messages
            if (session.Refusing(found, Rights.Read, out var access) is { } refusal) return new(refusal);
            (name, ownerId) = (access.Name, access.Mailbox.AccountId);
        }
        session.Writer.Write("* QUOTAROOT "u8).Mailbox(name);
        var owner = session.Context.Directory.GetAccount(ownerId);
        if (owner is not null) session.Writer.Space().String(Root(session, owner));
        session.Writer.EndLine();
        if (owner is not null) Write(session, Root(session, owner), owner);
        return new(Outcome.Done);
    }

    /// <summary>QUOTASET: for administrators, of the whole server or of the account's domain.</summary>
    public static ValueTask<Outcome> Set(ImapSession session, ref ImapReader arguments)
    {
        arguments.Space();
        var root = arguments.Astring();
        arguments.Space();
        arguments.Open();
        long? storage = null;
        string? unknown = null;
        if (!arguments.TakeClose())
        {
            do
            {
                var resource = arguments.Keyword();
                arguments.Space();
                var limit = arguments.Number64();
                if (resource != "STORAGE") unknown ??= resource;
                else if (storage is not null) arguments.Refuse("STORAGE is named twice");
                else storage = limit;
            }
            while (!arguments.Failed && arguments.Take((byte)' '));
            arguments.Close();
        }
        arguments.End();
        return arguments.Failed ? new(Outcome.Bad(arguments)) : SetAsync(session, root, storage, unknown);
    }

    static async ValueTask<Outcome> SetAsync(ImapSession session, string root, long? storage, string? unknown)
    {
        var owner = Owner(session, root);
        if (owner is null || !MaySee(session, owner)) return Outcome.No("No such quota root", "NONEXISTENT");
        if (!Administers(session.Viewer(), owner)) return Outcome.No("Only an administrator sets quotas", "NOPERM");
        if (unknown is not null) return Outcome.No($"{unknown} cannot be limited here", "CANNOT");
        // 0 is "no limit" in the directory: the least that can be set is a unit
        var changed = await session.Context.Directory.SetAccountAsync(owner, new AccountChange(Quota: storage is { } units ? Math.Clamp(units, 1, long.MaxValue / 1024) * 1024 : 0), session.Cancel);
        if (!changed.Ok) return Outcome.No(changed.Refusal);
        Write(session, root, changed.Value);
        return Outcome.Done;
    }

    static string Root(ImapSession session, Account owner) => owner.Id == session.Account.Id ? "" : owner.Address.ToString();

    static Account? Owner(ImapSession session, string root) =>
        root.Length == 0 ? session.Viewer() : MailAddress.TryParse(root, out var address) ? session.Context.Directory.FindAccount(address) : null;

    static bool Administers(Account viewer, Account owner) => viewer.Role == Role.Admin || (viewer.Role == Role.DomainAdmin && viewer.DomainId == owner.DomainId);

    /// <summary>Of others, what is shared to be read is seen; that somebody has an account is not told by this.</summary>
    static bool MaySee(ImapSession session, Account owner)
    {
        var viewer = session.Viewer();
        if (owner.Id == viewer.Id || Administers(viewer, owner)) return true;
        using var reader = session.Mail.Read();
        return session.Context.Access.All(reader, viewer).Exists(access => access.Mailbox.AccountId == owner.Id && access.Has(Rights.Read));
    }

    // RFC 9208 5.1: STORAGE counts in units of 1024 octets; a resource without a limit is not named (4.2.1)
    static void Write(ImapSession session, string root, Account owner)
    {
        long bytes;
        using (var reader = session.Mail.Read()) bytes = reader.Usage(owner.Id).Bytes;
        session.Writer.Write("* QUOTA "u8).String(root).Write(" ("u8);
        if (owner.Quota > 0) session.Writer.Write("STORAGE "u8).Write((bytes + 1023) / 1024).Space().Write((owner.Quota + 1023) / 1024);
        session.Writer.Write(")\r\n"u8);
    }
}
