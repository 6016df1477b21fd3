using CbaMail.Envelope;
using CbaMail.Federation.Ldap;

namespace CbaMail.Courses.Sources;

/// <summary>People of groups in a directory of the settings (LDAP): each rule names a group, and what its members are in the run.</summary>
sealed class LdapReader(IServiceProvider services) : IRosterReader
{
    public string Kind => "ldap";

    LdapSource? Find(string? name) => name is null ? null : services.GetService<LdapSources>()?.Find(name);

    public Refusal? Problem(RosterProfile profile, bool hasSecret)
    {
        if (Find(profile.Directory) is null) return Refusal.NoSuchThing.Because($"There is no directory {ParticipantFile.Shown(profile.Directory ?? "")}; they stand in the settings below directory.ldap").At("directory");
        if (profile.Rules is not { Count: > 0 }) return Refusal.Invalid.Because("A source of a directory needs the groups that are followed").At("rules");
        return null;
    }

    public async Task<Result<RosterPeople>> ReadAsync(RosterSource source, string secret, bool whole, CancellationToken cancel)
    {
        if (Find(source.Profile.Directory) is not { } directory) return Problem(source.Profile, hasSecret: false)!;
        try
        {
            var gathering = new RosterGathering();
            var rules = source.Profile.Rules!;
            var groups = await directory.MembersAsync([.. rules.Select(rule => rule.From)], cancel);
            for (var i = 0; i < rules.Count; i++)
            {
                var role = CourseWords.TryRole(rules[i].Role ?? "student", out var found) ? found : CourseRole.Student;
                foreach (var person in groups[i].Members)
                    gathering.Add(person.Address?.ToString(), person.Name, person.Display, role, rules[i].Group is { Length: > 0 } group ? [group] : [], person.Enabled, person.Language);
                foreach (var missing in groups[i].Missing) gathering.Note(missing, $"{ParticipantFile.Shown(missing)} has no entry that is meant, and is left out");
            }
            return gathering.People(saysGroups: rules.Any(rule => rule.Group is { Length: > 0 }));
        }
        catch (LdapTrouble trouble)
        {
            return Refusal.Unavailable.Because($"The directory {directory.Name} cannot be read: {trouble.Message}");
        }
    }
}
