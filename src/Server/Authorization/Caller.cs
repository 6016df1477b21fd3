using System.Net;
using CbaMail.Directory;

namespace CbaMail.Authorization;

/// <summary>Whoever asks something of the API: the control socket, or an account by a session or by a key.</summary>
/// <param name="Account">Null at the control socket, and for keys of the server itself: both may do everything.</param>
/// <param name="Key">By which he has come, or null.</param>
/// <param name="Session">By which he has come, or null.</param>
/// <param name="Acting">Who has signed in as <paramref name="Account"/>, or null.</param>
/// <param name="From">Null at the control socket.</param>
public sealed record Caller(Account? Account, ApiKey? Key, Session? Session, Account? Acting, IPAddress? From)
{
    /// <summary>Who may open the control socket may administer (contract.md).</summary>
    public static readonly Caller ControlSocket = new(null, null, null, null, null);

    public Role Role => Account?.Role ?? Role.Admin;

    /// <summary>As the audit log names him.</summary>
    public string Name => (Account?.Address.ToString() ?? (Key is null ? "control socket" : "server"))
        + (Key is null ? "" : $" by key {Key.Id} ({Key.Name})") + (Acting is null ? "" : $", who is {Acting.Address}");

    /// <summary>Which person it is, also where he acts as another: the key of his address; else how he has come.</summary>
    public string Person => (Acting ?? Account)?.Address.Key ?? Identity;

    /// <summary>What limits of rate and idempotency keys are counted by.</summary>
    public string Identity => Key is not null ? $"key {Key.Id}" : Account is not null ? $"account {Account.Id}" : "control";

    /// <summary>How far a permission reaches for this caller.</summary>
    public Reach ReachOf(Permission permission)
    {
        if (Key is { Permissions.Count: > 0 } key && !key.Permissions.Contains(permission.Name)) return Reach.None;
        if (Account is null) return Reach.Server;
        // who acts as somebody else does what is that one's, and gives himself nothing on the way
        var profile = Account.Profile;
        if (Role != Role.Admin && profile.Withheld?.Contains(permission.Name) == true) return Reach.None;
        var reach = permission.By(Role);
        if (reach == Reach.None && profile.Granted?.Contains(permission.Name) == true) reach = Permission.Widest(Role);
        return reach;
    }

    public bool MayEverywhere(Permission permission) => ReachOf(permission) == Reach.Server;

    /// <summary>Whether the domain is one of his: his own, and those given to him.</summary>
    public bool Has(Domain domain) => Account is null || Role == Role.Admin || Account.DomainId == domain.Id || Account.Profile.Domains?.Contains(domain.Id) == true;

    public bool May(Permission permission, Domain domain) => ReachOf(permission) switch
    {
        Reach.Server => true,
        Reach.Domains => Has(domain),
        // whoever manages courses sees the domain that he is in
        Reach.Courses => permission.OnlyReads && Account!.DomainId == domain.Id,
        _ => false,
    };

    /// <summary>About an account: besides its domain, nobody changes those who stand above him, and what is one's own is one's own.</summary>
    public bool May(Permission permission, Account whom) => ReachOf(permission) switch
    {
        Reach.Server => permission.OnlyReads || StandsAbove(permission, whom.Role),
        Reach.Domains => (Account!.DomainId == whom.DomainId || Account.Profile.Domains?.Contains(whom.DomainId) == true)
            && (permission.OnlyReads || StandsAbove(permission, whom.Role) || (whom.Id == Account.Id && !IsForUsersOnly(permission))),
        Reach.Courses or Reach.Own => whom.Id == Account!.Id,
        _ => false,
    };

    /// <summary>Whether accounts of a role are his to change.</summary>
    public bool StandsAbove(Permission permission, Role role) => IsForUsersOnly(permission) ? role == Role.User : role < Role || Role == Role.Admin;

    // a key for some things is no way to all: it would have the role of whomever it gives a password of its own choice, its owner's too
    bool IsForUsersOnly(Permission permission) =>
        Key is { Permissions.Count: > 0 } key && (permission == Permissions.AccountsWrite || permission == Permissions.CredentialsWrite) && !key.Permissions.Contains(Permissions.RolesWrite.Name);

    /// <summary>Whether he may sign in as somebody; nobody rises by it.</summary>
    public bool MayActAs(Account whom) => May(Permissions.SignInAs, whom) && whom.Role <= Role;

    /// <param name="course">Its number.</param>
    /// <param name="domain">That it belongs to, or null where it is gone.</param>
    public bool MayCourse(Permission permission, long course, Domain? domain) => ReachOf(permission) switch
    {
        Reach.Server => true,
        Reach.Domains => (domain is not null && Has(domain)) || Account!.Profile.Courses?.Contains(course) == true,
        Reach.Courses => Account!.Profile.Courses?.Contains(course) == true,
        _ => false,
    };
}
