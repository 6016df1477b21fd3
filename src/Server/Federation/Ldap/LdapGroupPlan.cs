using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Ldap;

namespace CbaMail.Federation.Ldap;

/// <summary>One thing to be done with a group.</summary>
sealed record LdapGroupStep(string Kind, MailAddress Address, string What, GroupDeed Deed, MailGroup? Before);

/// <summary>
/// What brings the groups that come from a directory to what it says. An address that somebody has here is never taken; who is in a group is known by the
/// names of entries, and groups in groups by theirs.
/// </summary>
sealed class LdapGroupPlan
{
    public List<LdapGroupStep> Steps { get; } = [];
    public List<string> Collisions { get; } = [];
    public List<string> Reasons { get; } = [];
    public int Entries { get; private set; }
    public int Unchanged { get; private set; }

    /// <summary>Groups that would take no mail any more, of how many that do.</summary>
    public int Losing { get; private set; }
    public int Mine { get; private set; }

    /// <param name="people">Everybody whom the directory has.</param>
    /// <param name="homes">The addresses that they have here, by what never changes of them.</param>
    public static LdapGroupPlan Make(LdapSource source, UserDirectory directory, IReadOnlyList<LdapEntry> entries, IReadOnlyList<LdapPerson> people, IReadOnlyDictionary<string, MailAddress> homes, DateTimeOffset now)
    {
        var plan = new LdapGroupPlan();
        if (!source.Mapping.HasMailGroups) return plan;
        var mine = directory.ListGroups().Where(group => group.Profile.Origin?.Source == source.Name).DistinctBy(group => group.Profile.Origin!.Id).ToDictionary(group => group.Profile.Origin!.Id, StringComparer.Ordinal);
        plan.Mine = mine.Values.Count(group => group.Profile.Origin!.Gone is null);
        var read = new List<LdapGroup>();
        foreach (var entry in entries)
        {
            var (group, leftOut) = source.Mapping.ReadGroup(entry);
            if (group is not null) read.Add(group);
            else if (leftOut is not null) plan.Reasons.Add(leftOut);
        }
        read = [.. read.DistinctBy(group => group.Id)];
        plan.Entries = read.Count;
        var present = read.Select(group => group.Id).ToHashSet(StringComparer.Ordinal);
        var settled = plan.Settle(source, directory, read, mine, present, homes.Values.Select(address => address.Key).ToHashSet(StringComparer.Ordinal));

        var known = new Dictionary<string, MailAddress>(StringComparer.Ordinal);
        foreach (var person in people)
        {
            if (!homes.TryGetValue(person.Id, out var home)) continue;
            known[LdapName.Plain(person.Name)] = home;
            if (person.Uid is { } uid) known.TryAdd("uid " + uid, home);
        }
        foreach (var (group, address, _) in settled) known.TryAdd(LdapName.Plain(group.Name), address);
        foreach (var (group, address, before) in settled) plan.Compare(source, directory, group, address, before, known);

        var kept = settled.Select(one => one.Before?.Id).ToHashSet();
        foreach (var group in mine.Values.Where(group => !present.Contains(group.Profile.Origin!.Id) && !kept.Contains(group.Id))) plan.Gone(source, group, now);
        return plan;
    }

    /// <summary>Says which group has which address.</summary>
    List<(LdapGroup Group, MailAddress Address, MailGroup? Before)> Settle(LdapSource source, UserDirectory directory, List<LdapGroup> read, Dictionary<string, MailGroup> mine, HashSet<string> present, HashSet<string> taken)
    {
        var settled = new List<(LdapGroup, MailAddress, MailGroup?)>();
        foreach (var same in read.GroupBy(group => group.Address.Key))
        {
            var rightful = same.Count() == 1 ? same.First() : same.FirstOrDefault(group => mine.GetValueOrDefault(group.Id)?.Address.Key == same.Key);
            if (same.Count() > 1) Collisions.Add($"{same.Count()} groups have the address {same.First().Address}: {string.Join("; ", same.Take(3).Select(group => group.Name))}");
            foreach (var group in same)
            {
                var before = mine.GetValueOrDefault(group.Id);
                if (group != rightful)
                {
                    if (before is not null) settled.Add((group, before.Address, before)); // what it is called by now is its own
                    continue;
                }
                if (before?.Address.Key == group.Address.Key) { settled.Add((group, group.Address, before)); continue; }
                // one of its own whose entry is gone and came again as another
                var there = directory.FindGroup(group.Address);
                if (before is null && there?.Profile.Origin is { } origin && origin.Source == source.Name && !present.Contains(origin.Id)) { settled.Add((group, group.Address, there)); continue; }
                var holder = directory.FindAccount(group.Address) is not null || taken.Contains(group.Address.Key) ? "an account" : there is not null ? "another group"
                    : directory.FindAlias(group.Address) is { } alias && !(before is not null && alias.Targets is [var target] && target == before.Address.ToString()) ? "an alias" : null;
                if (holder is null) { settled.Add((group, group.Address, before)); continue; }
                Collisions.Add(before is null ? $"the group {group.Address} is not made: {holder} has that address" : $"the group {before.Address} is {group.Address} now, and {holder} has that address");
                if (before is not null) settled.Add((group, before.Address, before));
            }
        }
        return settled;
    }

    void Compare(LdapSource source, UserDirectory directory, LdapGroup group, MailAddress address, MailGroup? before, Dictionary<string, MailAddress> known)
    {
        var others = group.Others.Where(one => !directory.IsLocal(one) || directory.FindAccount(one) is not null || directory.FindAlias(one) is not null || directory.FindGroup(one) is not null);
        IReadOnlyList<string>? members = [.. group.Members.Select(known.GetValueOrDefault).OfType<MailAddress>().Concat(others).Where(one => one.Key != address.Key).Select(one => one.Key).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        if (members.Count > UserDirectory.MostMembers)
        {
            Collisions.Add($"the group {address} has {members.Count} members, and {UserDirectory.MostMembers} at most are possible: they are left as they are");
            members = null;
        }
        var origin = new GroupOrigin(source.Name, group.Id, group.Display is not null);
        var name = group.Display is { Length: > 0 } display ? display : null;
        var deed = new GroupDeed(before?.Id ?? 0, address, name, origin, members);
        if (before is null) { Steps.Add(new("made", address, $"{members?.Count ?? 0} members", deed, null)); return; }
        if (before.Others.Count > 0 && members is { Count: 0 } && before.Profile.Origin!.Gone is null) Losing++;
        var differs = new List<string>();
        if (origin.SaysName && before.Profile.Name != name) differs.Add("name");
        if (members is not null && !members.SequenceEqual(before.Others, StringComparer.Ordinal)) differs.Add($"members +{members.Except(before.Others).Count()} -{before.Others.Except(members).Count()}");
        if (before.Profile.Origin != origin) differs.Add("origin");
        var moves = before.Address.Key != address.Key;
        if (differs.Count == 0 && !moves) { Unchanged++; return; }
        Steps.Add(new(before.Profile.Origin!.Gone is not null ? "restored" : moves ? "renamed" : "changed", address, moves ? $"was {before.Address}" : string.Join(", ", differs), deed, before));
    }

    void Gone(LdapSource source, MailGroup group, DateTimeOffset now)
    {
        var origin = group.Profile.Origin!;
        if (origin.Gone is not { } since)
        {
            Losing++;
            Steps.Add(new("closed", group.Address, "gone from the directory", new(group.Id, group.Address, group.Profile.Name, origin with { Gone = DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds()) }, null), group));
        }
        else if (source.Settings.RemoveAfter > TimeSpan.Zero && now - since >= source.Settings.RemoveAfter) Steps.Add(new("removed", group.Address, $"gone since {since:yyyy-MM-dd}", new(group.Id, group.Address, null, origin, null) { Remove = true }, group));
        else Unchanged++;
    }
}
