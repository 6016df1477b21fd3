using CbaMail.Envelope;

namespace CbaMail.Directory;

/// <summary>What an account may administer, in rising order: itself, the courses given to it, its domains, the server (whose owner it is).</summary>
public enum Role { User, CourseManager, DomainAdmin, Admin }

/// <param name="Name">Lower case A-labels.</param>
/// <param name="CatchAll">Address that gets mail for unknown local parts, or null.</param>
public sealed record Domain(long Id, string Name, string? CatchAll, long DefaultQuota, DateTimeOffset Created)
{
    /// <summary>The domain of ours whose addresses these are too, or null.</summary>
    public string? AliasOf { get; init; }

    public MailPolicy Policy { get; init; } = MailPolicy.None;

    public DomainProfile Profile { get; init; } = DomainProfile.None;
}

/// <param name="Address">Lower case.</param>
/// <param name="Quota">Bytes; 0 = none.</param>
public sealed record Account(long Id, long DomainId, MailAddress Address, string Name, Role Role, long Quota, string Groups, bool Enabled, DateTimeOffset Created)
{
    public MailPolicy Policy { get; init; } = MailPolicy.None;

    public AccountProfile Profile { get; init; } = AccountProfile.None;
}

/// <param name="Targets">Local or remote addresses.</param>
public sealed record Alias(long Id, long DomainId, MailAddress Address, IReadOnlyList<string> Targets, DateTimeOffset Created)
{
    public MailPolicy Policy { get; init; } = MailPolicy.None;

    public AliasProfile Profile { get; init; } = AliasProfile.None;
}

/// <summary>Who sends to an address.</summary>
/// <param name="Account">One of ours that has signed in, or null: a stranger.</param>
public readonly record struct Poster(long? Account);

/// <summary>Where mail for an address goes.</summary>
/// <param name="Account">A local account, or null for <paramref name="Remote"/>; its id with a minus is that of a domain: a mailbox of the domain's own, which <paramref name="Detail"/> names.</param>
/// <param name="Detail">What stood behind "+" in the address (RFC 5233), or null.</param>
/// <param name="Remote">An address elsewhere, by way of an alias, a forwarding or a relay domain; or null.</param>
/// <param name="Via">The address of ours that passes mail on to <paramref name="Remote"/> in the name of its owner; null where mail only passes through.</param>
public sealed record Target(Account? Account, string? Detail, MailAddress? Remote, MailAddress? Via = null)
{
    /// <summary>The group that led there, the outermost of several; or null.</summary>
    public MailGroup? Group { get; init; }

    /// <summary>The reverse-path under which it goes on by way of a group: that of the innermost one's owners; or null.</summary>
    public MailAddress? ReturnTo { get; init; }

    /// <summary>An address whose mail a room of the server answers (<see cref="UserDirectory.IsServed"/>), in its form for comparison; or null.</summary>
    public MailAddress? Served { get; init; }

    /// <summary>The address exists, and no mailbox gets its mail: a room of the server reads it.</summary>
    public static readonly Target Nobody = new(null, null, null);
}

/// <summary>An address that stands for another one, or "@domain" for all of a domain.</summary>
public sealed record RecipientMapping(string Address, string Target, DateTimeOffset Created);
