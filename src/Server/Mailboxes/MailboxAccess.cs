using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Mailboxes;

/// <summary>Where a name leads in somebody's view: to whose mailboxes, and by which name there. Whether one is there is another matter.</summary>
/// <param name="OwnerId">An account, or with a minus the domain whose public folders these are.</param>
/// <param name="Name">As the owner calls it.</param>
/// <param name="Prefix">What stands before it in the view; empty for one's own.</param>
public readonly record struct Place(long OwnerId, string Name, string Prefix)
{
    public bool IsOwn => Prefix.Length == 0;
}

/// <summary>A mailbox as somebody sees it.</summary>
/// <param name="Name">In his view.</param>
/// <param name="IsOwn">In his own namespace.</param>
public sealed record Access(Mailbox Mailbox, string Name, Rights Rights, bool IsOwn)
{
    /// <summary>Whose \Seen counts (<see cref="Mailbox.ReaderOf"/>).</summary>
    public long Reader { get; init; }

    public bool Has(Rights all) => (Rights & all) == all;

    /// <summary>The flags that may be set or taken away (RFC 4314 4).</summary>
    public MessageFlags Flags => FlagsOf(Rights);

    public bool Keywords => Has(Rights.Write);

    public static MessageFlags FlagsOf(Rights rights) =>
        ((rights & Rights.Seen) != 0 ? MessageFlags.Seen : 0) | ((rights & Rights.DeleteMessages) != 0 ? MessageFlags.Deleted : 0)
        | ((rights & Rights.Write) != 0 ? MessageFlags.Answered | MessageFlags.Flagged | MessageFlags.Draft : 0);
}

/// <summary>
/// The one place that leads from a name in somebody's view to a mailbox and what he may do with it (RFC 2342, RFC 4314): his own mailboxes,
/// those of others below one prefix, those of his domain below another.
/// </summary>
/// <param name="others">The level above the mailboxes of others, or empty: they cannot be seen.</param>
/// <param name="common">The level above the public folders of the domain, or empty.</param>
public sealed class MailboxAccess(UserDirectory directory, string others, string common)
{
    /// <summary>The identifier that stands for everybody in the owner's domain.</summary>
    public const string Anyone = "anyone";

    /// <summary>Null where no mailbox can be: the levels above others' mailboxes, and owners that are not there.</summary>
    public Place? Locate(Account viewer, string name)
    {
        if (Below(name, common) is { } folder) return folder.Length == 0 ? null : new Place(-viewer.DomainId, folder, common + MailboxName.Separator);
        if (Below(name, others) is not { } rest) return new Place(viewer.Id, name, "");
        // a local part may hold a "/": the first levels that are somebody's address are it
        for (var end = rest.IndexOf(MailboxName.Separator); end > 0; end = rest.IndexOf(MailboxName.Separator, end + 1))
            if (MailAddress.TryParse(rest.AsSpan(0, end), out var address) && directory.FindAccount(address) is { } owner && end + 1 < rest.Length)
                return owner.Id == viewer.Id ? null : new Place(owner.Id, rest[(end + 1)..], Prefix(owner));
        return null;
    }

    /// <summary>What is below a prefix, empty for itself; null elsewhere.</summary>
    static string? Below(string name, string prefix)
    {
        if (prefix.Length == 0 || !name.StartsWith(prefix, StringComparison.Ordinal)) return null;
        return name.Length == prefix.Length ? "" : name[prefix.Length] == MailboxName.Separator ? name[(prefix.Length + 1)..] : null;
    }

    string Prefix(Account owner) => $"{others}{MailboxName.Separator}{owner.Address}{MailboxName.Separator}";

    /// <summary>What stands before the names of an owner's mailboxes in the view, or null: they cannot be in it.</summary>
    string? PrefixOf(Account viewer, long ownerId)
    {
        if (ownerId == viewer.Id) return "";
        if (ownerId < 0) return ownerId == -viewer.DomainId && common.Length > 0 ? common + MailboxName.Separator : null;
        return others.Length > 0 && directory.GetAccount(ownerId) is { } owner ? Prefix(owner) : null;
    }

    /// <summary>The mailbox of that name; null where none is, or where the viewer has no right at all: the two are not to be told apart (RFC 4314 6).</summary>
    public Access? Find(MailReader reader, Account viewer, string name)
    {
        var found = Locate(viewer, name);
        if (found is { } place && reader.Find(place.OwnerId, place.Name) is { } mailbox)
        {
            var rights = RightsOf(reader, mailbox, viewer);
            if (rights != Rights.None) return Seen(reader, viewer, mailbox, place.Prefix + mailbox.Name, rights, place.IsOwn);
        }
        // one's own of such a name, from before there were prefixes
        return found is not { IsOwn: true } && reader.Find(viewer.Id, name) is { } own ? new Access(own, own.Name, RightsOf(reader, own, viewer), IsOwn: true) : null;
    }

    /// <summary>A mailbox as it is in the viewer's view, or null: it is not in it.</summary>
    public Access? Of(MailReader reader, Account viewer, Mailbox mailbox) =>
        PrefixOf(viewer, mailbox.AccountId) is { } prefix && RightsOf(reader, mailbox, viewer) is not Rights.None and var rights
            ? Seen(reader, viewer, mailbox, prefix + mailbox.Name, rights, mailbox.AccountId == viewer.Id) : null;

    static Access Seen(MailReader reader, Account viewer, Mailbox mailbox, string name, Rights rights, bool isOwn)
    {
        var whose = mailbox.ReaderOf(viewer.Id);
        return new Access(reader.As(mailbox, whose), name, rights, isOwn) { Reader = whose };
    }

    /// <summary>Every mailbox in the view that can be listed: l (RFC 4314 4, LIST).</summary>
    public List<Access> All(MailReader reader, Account viewer)
    {
        var all = new List<Access>();
        foreach (var mailbox in reader.Mailboxes(viewer.Id)) all.Add(new(mailbox, mailbox.Name, RightsOf(reader, mailbox, viewer), IsOwn: true));
        if (others.Length + common.Length == 0) return all;
        var seen = new HashSet<long>(all.Select(access => access.Mailbox.Id));
        var names = new HashSet<string>(all.Select(access => access.Name), StringComparer.Ordinal);
        foreach (var mailbox in Shared(reader, viewer))
        {
            if (!seen.Add(mailbox.Id) || PrefixOf(viewer, mailbox.AccountId) is not { } prefix) continue;
            var rights = RightsOf(reader, mailbox, viewer);
            if ((rights & Rights.Lookup) != 0 && names.Add(prefix + mailbox.Name)) all.Add(Seen(reader, viewer, mailbox, prefix + mailbox.Name, rights, isOwn: false));
        }
        return all;
    }

    IEnumerable<Mailbox> Shared(MailReader reader, Account viewer)
    {
        if (common.Length > 0 && MayAdminister(viewer))
            foreach (var mailbox in reader.Mailboxes(-viewer.DomainId)) yield return mailbox;
        foreach (var identifier in Identifiers(viewer).Concat(directory.ListsOf?.Invoke(viewer) ?? []))
            foreach (var id in AclTable.Naming(reader.Transaction, identifier))
                if (reader.Mailbox(id) is { } mailbox) yield return mailbox;
    }

    static bool MayAdminister(Account viewer) => viewer.Role is Role.Admin or Role.DomainAdmin;

    static IEnumerable<string> Identifiers(Account viewer) =>
        viewer.Groups.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(group => "$" + group).Prepend(Anyone).Prepend(viewer.Address.ToString());

    /// <summary>What the viewer may do: all as owner where nothing else is said, else what the list gives him and does not take (RFC 4314 2).</summary>
    public Rights RightsOf(MailReader reader, Mailbox mailbox, Account viewer) => RightsOf(mailbox, mailbox.IsShared ? AclTable.Of(reader.Transaction, mailbox.Id) : [], viewer);

    Rights RightsOf(Mailbox mailbox, List<AclEntry> entries, Account viewer)
    {
        var isOwner = mailbox.AccountId == viewer.Id;
        var isLord = isOwner || mailbox.AccountId == -viewer.DomainId && MayAdminister(viewer); // of a domain's folders
        if (!mailbox.IsShared) return isLord ? Rights.All : Rights.None;
        var own = viewer.Address.ToString();
        var inDomain = DomainOf(mailbox.AccountId) == viewer.DomainId; // groups and "anyone" are those of the owner's domain
        var given = isLord && !(isOwner && entries.Exists(entry => entry.Identifier == own)) ? Rights.All : Rights.None;
        var taken = Rights.None;
        IReadOnlyList<string>? lists = null;
        foreach (var (identifier, rights) in entries)
        {
            var negative = identifier.StartsWith('-');
            var name = negative ? identifier.AsSpan(1) : identifier;
            if (name.StartsWith("$list:")) // members of a list, whatever their domain
            {
                lists ??= directory.ListsOf?.Invoke(viewer) ?? [];
                if (!lists.Contains(identifier)) continue;
            }
            else if (!name.SequenceEqual(own) && !(inDomain && (name.SequenceEqual(Anyone) || name.StartsWith("$") && IsIn(viewer, name[1..])))) continue;
            if (negative) taken |= rights;
            else given |= rights;
        }
        return given & ~taken | (isLord ? Rights.Kept : Rights.None);
    }

    /// <summary>
    /// The mailbox of an owner that a "+" detail names (RFC 5233), in any case and with "." for "/", if whoever writes may send mail to it (RFC 4314 2.1, p):
    /// one of ours by the list as ever, a stranger by what "anyone" may. A mailbox without a list takes no such mail.
    /// </summary>
    /// <param name="author">The account of ours that writes, or null.</param>
    internal Mailbox? Posting(List<Mailbox> all, Func<long, List<AclEntry>> list, string detail, long? author)
    {
        if (all.Find(mailbox => Same(mailbox.Name, detail) || Same(mailbox.Name.Replace(MailboxName.Separator, '.'), detail)) is not { IsShared: true } found) return null;
        var entries = list(found.Id);
        var rights = author is { } id && directory.GetAccount(id) is { } account ? RightsOf(found, entries, account) : Rights.None;
        if (author is null || directory.GetAccount(author.Value)?.DomainId != DomainOf(found.AccountId))
            rights |= entries.Find(entry => entry.Identifier == Anyone).Rights & ~entries.Find(entry => entry.Identifier == "-" + Anyone).Rights;
        return (rights & Rights.Post) != 0 ? found : null;

        static bool Same(string name, string other) => name.Equals(other, StringComparison.OrdinalIgnoreCase);
    }

    static bool IsIn(Account viewer, ReadOnlySpan<char> group)
    {
        foreach (var range in viewer.Groups.AsSpan().Split(' '))
            if (viewer.Groups.AsSpan()[range].SequenceEqual(group)) return true;
        return false;
    }

    long DomainOf(long ownerId) => ownerId < 0 ? -ownerId : directory.GetAccount(ownerId)?.DomainId ?? 0;

    /// <summary>What the viewer may do with the nearest mailbox above a place; for the first level all of his own, and of the domain's if he administers it (RFC 4314 4, CREATE).</summary>
    public Rights RightsAbove(MailReader reader, Account viewer, Place place)
    {
        foreach (var name in MailboxName.Above(place.Name).Reverse())
            if (reader.Find(place.OwnerId, name) is { } above) return RightsOf(reader, above, viewer);
        return place.OwnerId == viewer.Id || place.OwnerId == -viewer.DomainId && MayAdminister(viewer) ? Rights.All : Rights.None;
    }

    /// <summary>The list as GETACL shows it: the owner first, with all rights where nothing else is said.</summary>
    public IReadOnlyList<AclEntry> List(MailReader reader, Mailbox mailbox)
    {
        var entries = AclTable.Of(reader.Transaction, mailbox.Id);
        if (directory.GetAccount(mailbox.AccountId)?.Address.ToString() is not { } owner) return entries;
        var at = entries.FindIndex(entry => entry.Identifier == owner);
        var first = new AclEntry(owner, at < 0 ? Rights.All : entries[at].Rights | Rights.Kept);
        if (at >= 0) entries.RemoveAt(at);
        return [first, .. entries];
    }

    /// <summary>The identifier in the form in which it is kept (RFC 4314 3); a name without domain is one of the owner's.</summary>
    public Result<string> Identifier(Mailbox mailbox, string identifier)
    {
        var name = identifier.Normalize(System.Text.NormalizationForm.FormKC); // SASLprep (RFC 4013 2.2)
        var negative = name.StartsWith('-');
        if (negative) name = name[1..];
        if (name.Length is 0 or > 255 || name.Any(c => char.IsControl(c) || c == ' ')) return Refusal.Invalid.Because("This is not an identifier");
        var sign = negative ? "-" : "";
        if (name.Equals(Anyone, StringComparison.OrdinalIgnoreCase)) return sign + Anyone;
        if (name.Equals("anonymous", StringComparison.OrdinalIgnoreCase)) return Refusal.NotPossible.Because("Nobody signs in as anonymous here");
        if (name[0] == '$') return name.Length == 1 ? Refusal.Invalid.Because("A group needs a name behind the $") : new Result<string>(sign + name, null);
        if (!name.Contains('@') && directory.ListDomains().FirstOrDefault(domain => domain.Id == DomainOf(mailbox.AccountId)) is { } home) name += "@" + home.Name;
        return MailAddress.TryParse(name, out var address) && directory.FindAccount(address) is { } account
            ? sign + account.Address : Refusal.NoSuchUser.Because($"There is no account {name}");
    }

    /// <summary>Whether the identifier is the mailbox's owner.</summary>
    public bool IsOwner(Mailbox mailbox, string identifier) => directory.GetAccount(mailbox.AccountId)?.Address.ToString() == identifier;
}
