using CbaMail.Envelope;
using CbaMail.Ldap;

namespace CbaMail.Federation.Ldap;

/// <summary>Somebody in a group of a directory, wherever his address is.</summary>
/// <param name="Address">Null: he has none.</param>
sealed record LdapMember(string Name, MailAddress? Address, string? Display, bool Enabled, string? Language);

/// <summary>Who is in a group, groups in it included.</summary>
/// <param name="Missing">Members who have no entry that is meant.</param>
sealed record LdapMembership(IReadOnlyList<LdapMember> Members, IReadOnlyList<string> Missing);

/// <summary>Reads the members of groups, for those who follow groups and not accounts.</summary>
static class LdapMembers
{
    const int MostGroups = 200;

    /// <param name="groups">Their distinguished names.</param>
    /// <exception cref="LdapTrouble">The directory cannot be read, or has no such group: nobody is to be shut out by a wrong name.</exception>
    public static async Task<IReadOnlyList<LdapMembership>> MembersAsync(this LdapSource source, IReadOnlyList<string> groups, CancellationToken cancel)
    {
        await using var connection = await source.OpenAsync(cancel);
        await source.BindAsReaderAsync(connection, cancel);
        var people = new Dictionary<string, LdapEntry>(StringComparer.Ordinal);
        foreach (var entry in await source.SearchPeopleAsync(connection, cancel))
        {
            people[LdapName.Plain(entry.Name)] = entry;
            if (entry.Text("uid") is { } uid) people.TryAdd("uid " + uid, entry);
        }
        var found = new List<LdapMembership>();
        foreach (var group in groups)
        {
            var (members, missing, seen) = (new Dictionary<string, LdapMember>(StringComparer.Ordinal), new List<string>(), new HashSet<string>(StringComparer.Ordinal));
            var waiting = new Queue<string>([group]);
            while (waiting.TryDequeue(out var name))
            {
                if (!seen.Add(LdapName.Plain(name))) continue; // groups may be in each other
                if (seen.Count > MostGroups) throw new LdapTrouble($"{connection.Server}: more than {MostGroups} groups are in {group}");
                var entry = await source.FindGroupAsync(connection, name, cancel) ?? (seen.Count == 1 ? throw new LdapTrouble($"{connection.Server} has no group {group}") : null);
                if (entry is null) { missing.Add(name); continue; }
                foreach (var value in source.Mapping.MembersOf(entry))
                    if (people.TryGetValue(LdapMapping.MemberKey(value), out var person)) members.TryAdd(LdapMapping.MemberKey(value), source.Mapping.ReadMember(person));
                    else if (value.Contains('=', StringComparison.Ordinal)) waiting.Enqueue(value);
                    else missing.Add(value);
            }
            found.Add(new([.. members.Values], missing));
        }
        return found;
    }
}
