using System.Diagnostics.CodeAnalysis;
using CbaMail.Directory;
using CbaMail.Mailboxes;

namespace CbaMail.Imap;

/// <summary>
/// The mailboxes as this session sees them: every command that names one asks here. What cannot be seen is answered
/// as if it were not there (RFC 4314 6).
/// </summary>
internal static class SessionView
{
    public static readonly Outcome NotThere = Outcome.No("No such mailbox", "NONEXISTENT");
    public static readonly Outcome NotAllowed = Outcome.No("The access control list of the mailbox does not allow it; ask its owner", "NOPERM"); // RFC 5530 3

    /// <summary>Who has signed in, as the directory knows him now.</summary>
    public static Account Viewer(this ImapSession session) => session.Context.Directory.GetAccount(session.Account.Id) ?? session.Account;

    public static Access? Find(this ImapSession session, MailReader reader, string name) =>
        session.Context.Access.Find(reader, session.Viewer(), name.EndsWith('/') ? name[..^1] : name);

    public static Access? Find(this ImapSession session, string name)
    {
        using var reader = session.Mail.Read();
        return session.Find(reader, name);
    }

    /// <summary>Why something cannot be done that needs these rights, or null.</summary>
    public static Outcome? Refusing(this ImapSession session, Access? found, Rights needed, [NotNull] out Access? access)
    {
        access = found!;
        if (found is null) return NotThere;
        if (found.Has(needed)) return null;
        return found.Has(Rights.Lookup) ? NotAllowed : NotThere;
    }

    /// <summary>Why messages cannot be put into it, or null: i (RFC 4314 4).</summary>
    public static Outcome? RefusingTarget(this ImapSession session, MailReader reader, string name, [NotNull] out Access? target)
    {
        if (session.Refusing(session.Find(reader, name), Rights.Insert, out target) is not { } refusal) return null;
        // RFC 9051 6.3.12: no TRYCREATE where it is certain that CREATE would not help
        return refusal == NotThere && session.Context.Access.Locate(session.Account, name) is { IsOwn: true }
            ? Outcome.No("No such mailbox; create it first", "TRYCREATE") : refusal;
    }

    public static Outcome? RefusingTarget(this ImapSession session, string name, [NotNull] out Access? target)
    {
        using var reader = session.Mail.Read();
        return session.RefusingTarget(reader, name, out target);
    }

    /// <summary>
    /// The same for messages that come one by one. A client that uploads names the same mailbox each time, and every look would read again
    /// what the last commit has written: one's own is known as long as no name, right or account changes.
    /// </summary>
    public static Outcome? RefusingUpload(this ImapSession session, string name, [NotNull] out Access? target)
    {
        var asOf = (name, session.Viewer(), session.Mail.RightsVersion, session.Mail.Notifier.NamesVersion); // before the look
        if (session.UploadTarget is { } known && known.AsOf == asOf)
        {
            target = known.Target;
            return null;
        }
        var refusal = session.RefusingTarget(name, out target);
        session.UploadTarget = refusal is null && target.IsOwn ? (asOf, target) : null;
        return refusal;
    }

    /// <summary>Where a new mailbox of this name is to be: k on the one above (RFC 4314 4). One refusal for all, whatever is there.</summary>
    public static Outcome? Settle(this ImapSession session, string name, out Place place)
    {
        var viewer = session.Viewer();
        place = session.Context.Access.Locate(viewer, name) ?? default;
        using var reader = session.Mail.Read();
        return place.OwnerId != 0 && (session.Context.Access.RightsAbove(reader, viewer, place) & Rights.CreateBelow) != 0
            ? null : Outcome.No("You may not make mailboxes there", "NOPERM");
    }

    /// <summary>What RENAME begins with: x (RFC 4314 4). A level that is none itself, and has some of one's own below it, will do.</summary>
    public static Outcome? SettleSource(this ImapSession session, string name, out Place place)
    {
        place = session.Context.Access.Locate(session.Viewer(), name) ?? default;
        var found = session.Find(name);
        if (found is null && place.IsOwn && place.OwnerId != 0) return null; // the store knows whether something is below
        if (session.Refusing(found, Rights.DeleteMailbox, out var access) is { } refusal) return refusal;
        place = new Place(access.Mailbox.AccountId, access.Mailbox.Name, place.Prefix ?? "");
        return null;
    }

    /// <summary>The quota that counts for messages of this owner; 0 = none.</summary>
    public static long QuotaOf(this ImapSession session, long ownerId) => session.Context.Directory.GetAccount(ownerId)?.Quota ?? 0;

    /// <summary>
    /// Finds out again what the session may do with the selected mailbox where that may have changed; tells it (RFC 4314 5.1.1),
    /// and says good-bye where it may not read any more.
    /// </summary>
    /// <returns>Whether the session goes on.</returns>
    public static bool KeepRights(this ImapSession session)
    {
        if (session.Selected is not { } selected) return true;
        var now = (session.Viewer(), session.Mail.RightsVersion);
        if (selected.RightsOf == now) return true;
        var (rights, wasReadOnly, first) = (selected.Rights, selected.IsShownReadOnly, selected.RightsOf.Viewer is null);
        using (var reader = session.Mail.Read())
        {
            if (reader.Mailbox(selected.Id) is not { } mailbox) return true; // gone: the update says so
            selected.Rights = session.Context.Access.RightsOf(reader, mailbox, now.Item1);
        }
        selected.RightsOf = now;
        if ((selected.Rights & Rights.Read) == 0)
        {
            session.Bye("You may not read the selected mailbox any more", "NOPERM");
            return false;
        }
        if (first && rights == selected.Rights || selected.IsExamined) return true;
        if (Access.FlagsOf(rights) != Access.FlagsOf(selected.Rights)) selected.WriteFlagNames(session.Writer);
        // RFC 3501 7.1: "or its access while selected has changed"
        if (wasReadOnly != selected.IsShownReadOnly) session.Writer.Ok(selected.IsShownReadOnly ? "READ-ONLY" : "READ-WRITE", "Your rights have changed");
        return true;
    }
}
