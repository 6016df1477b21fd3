using CbaMail.Envelope;

namespace CbaMail.Directory;

/// <summary>What an account may administer.</summary>
public enum Role { User, DomainAdmin, Admin }

/// <param name="Name">Lower case A-labels.</param>
/// <param name="CatchAll">Address that gets mail for unknown local parts, or null.</param>
public sealed record Domain(long Id, string Name, string? CatchAll, long DefaultQuota, DateTimeOffset Created);

/// <param name="Address">Lower case.</param>
/// <param name="Quota">Bytes; 0 = none.</param>
public sealed record Account(long Id, long DomainId, MailAddress Address, string Name, Role Role, long Quota, string Groups, bool Enabled, DateTimeOffset Created);

/// <param name="Targets">Local or remote addresses.</param>
public sealed record Alias(long Id, long DomainId, MailAddress Address, IReadOnlyList<string> Targets, DateTimeOffset Created);

/// <summary>Where mail for an address goes.</summary>
/// <param name="Account">A local account, or null for <paramref name="Remote"/>.</param>
/// <param name="Detail">What stood behind "+" in the address (RFC 5233), or null.</param>
/// <param name="Remote">An address elsewhere, by way of an alias; or null.</param>
public sealed record Target(Account? Account, string? Detail, MailAddress? Remote);
