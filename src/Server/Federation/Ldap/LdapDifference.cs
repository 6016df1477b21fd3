using System.Globalization;

namespace CbaMail.Federation.Ldap;

/// <summary>One thing that a sync does or would do.</summary>
/// <param name="Kind">made, adopted, restored, changed, renamed, enabled, disabled, removed; of a group that is gone: closed.</param>
/// <param name="What">Fields that differ, or the address of before.</param>
/// <param name="Group">It is a group, and no account.</param>
public sealed record LdapChange(string Kind, string Address, string What, bool Group = false);

/// <summary>What a sync has done, or would do, with groups that have an address.</summary>
/// <param name="Entries">That the directory has.</param>
/// <param name="Closed">They are gone, and nobody may write to them.</param>
/// <param name="Losing">Groups that would be closed, or have no members any more.</param>
public sealed record LdapGroupCounts(int Entries, int Unchanged, int Made, int Changed, int Closed, int Removed, int Losing);

/// <summary>What a sync has done, or would do.</summary>
/// <param name="Entries">That the directory has.</param>
/// <param name="LeftOut">Entries that get no account.</param>
/// <param name="Losing">Accounts that can sign in and could not any more.</param>
/// <param name="Changes">At most 1,000 of them.</param>
/// <param name="Collisions">Addresses that somebody else has here, at most 200.</param>
/// <param name="Reasons">Why entries are left out, at most 50.</param>
/// <param name="Stopped">Nothing was changed: too many would be disabled.</param>
public sealed record LdapDifference(int Entries, int LeftOut, int Unchanged, int Made, int Changed, int Disabled, int Removed, int Losing,
    IReadOnlyList<LdapChange> Changes, IReadOnlyList<string> Collisions, IReadOnlyList<string> Reasons, bool Stopped, LdapGroupCounts Groups)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Entries} entries, {LeftOut} left out, {Made} made, {Changed} changed, {Disabled} disabled, {Removed} removed, {Unchanged} unchanged, {Collisions.Count} collisions; {Groups.Entries} groups, {Groups.Made} made, {Groups.Changed} changed, {Groups.Closed} closed, {Groups.Removed} removed{(Stopped ? "; stopped" : "")}");
}

/// <summary>A change that a directory has made, for the audit log: method and path as the API has them.</summary>
public sealed record LdapDeed(string Action, string Subject, int Status, string? Before, string? After);
