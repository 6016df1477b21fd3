using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>Groups: addresses whose mail goes to members.</summary>
public sealed partial class UserDirectory
{
    /// <summary>Members of one group, and addresses of one list of its profile.</summary>
    internal const int MostMembers = 10_000;
    const int MostNamed = 200;

    public MailGroup? FindGroup(MailAddress address) => TryLocal(address, out var normal, out _) ? groups.GetValueOrDefault(Key(normal)) : null;

    /// <summary>Sorted by domain and local part.</summary>
    public IReadOnlyList<MailGroup> ListGroups(Domain? domain = null) =>
        [.. groups.Values.Where(group => domain is null || group.DomainId == domain.Id).OrderBy(group => group.Address.Domain, StringComparer.Ordinal).ThenBy(group => group.Address.LocalPart, StringComparer.Ordinal)];

    /// <summary>The addresses of its members, those of its own domain by their accounts; sorted.</summary>
    public IReadOnlyList<string> MembersOf(MailGroup group) =>
        [.. AccountsOf(group).Select(account => account.Address.ToString()).Concat(group.Others).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    IEnumerable<Account> AccountsOf(MailGroup group) => accountsById.Values.Select(entry => entry.Account).Where(group.HasWord);

    public async ValueTask<Result<MailGroup>> AddGroupAsync(string address, GroupProfile profile, CancellationToken cancel = default)
    {
        if (!Names.TryAddress(address, out var normal)) return Refusal.BadAddress.Because($"\"{Printable(address)}\" is not a valid address");
        if (!domains.TryGetValue(normal.Domain, out var domain)) return NoDomain(normal.Domain);
        if (domain.AliasOf is { } real) return Refusal.Invalid.Because($"{domain.Name} is an alias of {real}; add the address there");
        if (!IsWord(normal)) return Refusal.Invalid.Because($"A group cannot be called {normal.LocalPart}: its name is a word");
        var kept = Normalised(profile);
        if (!kept.Ok) return kept.Refusal;
        var created = Rounded(time.GetUtcNow());
        return await store.CommitAsync<Result<MailGroup>>(write =>
        {
            if (!DirectoryTable.HasDomain(write, domain.Id)) return NoDomain(normal.Domain);
            if (DirectoryTable.IsTaken(write, domain.Id, normal.LocalPart)) return Taken(normal);
            var group = new MailGroup(0, domain.Id, normal, [], created) { Profile = kept.Value };
            group = group with { Id = GroupTable.Add(write, group) };
            write.OnCommitted(() => groups[Key(normal)] = group);
            return group;
        }, cancel);
    }

    static bool IsWord(MailAddress address) => NormalGroups(address.LocalPart) == address.LocalPart && !address.LocalPart.Contains('+', StringComparison.Ordinal);

    /// <param name="detach">It comes from a directory elsewhere no more; its members stay.</param>
    public async ValueTask<Result<MailGroup>> SetGroupAsync(MailGroup group, GroupProfile profile, bool detach = false, CancellationToken cancel = default)
    {
        var kept = Normalised(profile);
        if (!kept.Ok) return kept.Refusal;
        if (!detach && group.Profile.Origin is { SaysName: true } origin && kept.Value.Name != group.Profile.Name)
            return Refusal.NotPossible.Because($"The name of the group {group.Address} comes from the directory {origin.Source}: change it there, or detach the group first").At("name");
        return await ChangeGroupAsync(group, (write, now) =>
        {
            var next = now with { Profile = kept.Value with { Name = detach || now.Profile.Origin is not { SaysName: true } ? kept.Value.Name : now.Profile.Name, Origin = detach ? null : now.Profile.Origin } };
            GroupTable.SetProfile(write, next);
            return next;
        }, cancel);
    }

    ValueTask<Result<MailGroup>> ChangeGroupAsync(MailGroup group, Func<WriteTransaction, MailGroup, MailGroup> change, CancellationToken cancel) => store.CommitAsync<Result<MailGroup>>(write =>
    {
        if (GroupTable.Find(write, group.Id) is not { } now) return NoGroup(group.Address.ToString());
        var next = change(write, now);
        write.OnCommitted(() => groups[Key(next.Address)] = next);
        return next;
    }, cancel);

    /// <summary>Removes the group; who was a member loses the word too.</summary>
    public async ValueTask<Refusal?> RemoveGroupAsync(MailGroup group, CancellationToken cancel = default)
    {
        if (group.Profile.Origin is { Gone: null } origin) return Refusal.NotPossible.Because($"The group {group.Address} comes from the directory {origin.Source}, and would be made again: take it out there, or detach the group first");
        if (group.Profile.Origin is null && await SetMembersAsync(group, [], [], whole: true, cancel) is { Ok: false } refused) return refused.Refusal;
        return await store.CommitAsync<Refusal?>(write =>
        {
            if (GroupTable.Find(write, group.Id) is null) return NoGroup(group.Address.ToString());
            GroupTable.Remove(write, group.Id);
            write.OnCommitted(() => groups.TryRemove(Key(group.Address), out _));
            return null;
        }, cancel);
    }

    /// <summary>Adds and removes members; of an address that is wrong nothing is changed. Who is there already, or not there, is passed over.</summary>
    /// <param name="whole">Whoever is not among <paramref name="added"/> goes.</param>
    public async ValueTask<Result<MailGroup>> SetMembersAsync(MailGroup group, IReadOnlyList<string> added, IReadOnlyList<string> removed, bool whole = false, CancellationToken cancel = default)
    {
        if (group.Profile.Origin is { } origin) return Refusal.NotPossible.Because($"Who is in the group {group.Address} is said by the directory {origin.Source}: change it there, or detach the group first").At("addresses");
        var (accountsIn, othersIn) = (new Dictionary<long, Account>(), new SortedSet<string>(StringComparer.Ordinal));
        foreach (var text in added)
        {
            if (!Names.TryAddress(text, out var address)) return Refusal.BadAddress.Because($"\"{Printable(text)}\" is not a valid address");
            if (TryLocal(address, out var local, out var domain)) address = local;
            if (Key(address) == Key(group.Address)) return Refusal.Invalid.Because($"{group.Address} cannot be a member of itself");
            // groups that a directory gives to an account would lose the word at its next sync
            if (domain is not null && domain.Id == group.DomainId && accounts.TryGetValue(Key(address), out var account) && (account.Profile.Origin?.Masters?.Contains("groups") != true || group.HasWord(account))) accountsIn[account.Id] = account;
            else if (domain is null || groups.ContainsKey(Key(address)) || Resolve(address).Ok) othersIn.Add(address.ToString());
            else return Refusal.NoSuchUser.Because($"There is nobody called {address} here");
        }
        var goes = removed.Select(text => Names.TryAddress(text, out var address) ? TryLocal(address, out var local, out _) ? Key(local) : Key(address) : text).ToHashSet(StringComparer.Ordinal);
        var before = AccountsOf(group).ToList();
        var leaving = before.Where(account => (whole && !accountsIn.ContainsKey(account.Id)) || goes.Contains(Key(account.Address))).ToList();
        var coming = accountsIn.Values.Where(account => !group.HasWord(account) && !goes.Contains(Key(account.Address))).ToList();
        var othersOut = group.Others.Where(address => (whole && !othersIn.Contains(address)) || goes.Contains(address)).ToList();
        if (before.Count - leaving.Count + coming.Count + group.Others.Count + othersIn.Count - othersOut.Count > MostMembers) return Refusal.TooMany.Because($"A group has at most {MostMembers} members");
        // pieces, so that others get in between: a person is in or out, and a request that broke off can be made again
        foreach (var piece in leaving.Select(account => (account.Id, In: false)).Concat(coming.Select(account => (account.Id, In: true))).Chunk(Batch))
            await store.CommitAsync(write =>
            {
                foreach (var (id, isIn) in piece)
                {
                    if (DirectoryTable.FindAccount(write, id) is not var (account, password, scram)) continue;
                    var words = account.Groups.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(word => !word.Equals(group.Word, StringComparison.OrdinalIgnoreCase));
                    var next = account with { Groups = string.Join(' ', isIn ? words.Append(group.Word) : words) };
                    DirectoryTable.SetAccount(write, next, password);
                    write.OnCommitted(() => Keep(next, new(password, Open(next, scram))));
                }
                return true;
            }, cancel);
        return await ChangeGroupAsync(group, (write, now) =>
        {
            var members = new SortedSet<string>(now.Others, StringComparer.Ordinal);
            foreach (var address in othersOut)
                if (members.Remove(address)) GroupTable.RemoveMember(write, now.Id, address);
            foreach (var address in othersIn)
                if (!goes.Contains(address) && members.Add(address)) GroupTable.AddMember(write, now.Id, address);
            return now with { Others = [.. members] };
        }, cancel);
    }

    /// <summary>Whether the sender may write to the group.</summary>
    /// <param name="signedIn">As whom he has signed in, or null: a stranger.</param>
    public GroupEntry MayWriteTo(MailGroup group, MailAddress sender, Account? signedIn)
    {
        var entry = GroupEntry.No;
        if (group.Profile.Origin?.Gone is not null) return entry;
        foreach (var word in group.Profile.Senders ?? ["domain"])
        {
            var fits = word switch
            {
                "everyone" => true,
                "domain" => signedIn?.DomainId == group.DomainId,
                "members" => signedIn is null ? group.Others.Contains(sender.Key) : IsIn(group, signedIn),
                "owners" => signedIn is null ? group.Profile.Owners?.Contains(sender.Key) == true : IsOwner(group, signedIn),
                _ => SenderPattern.Matches(word, sender, isMember: false),
            };
            if (!fits) continue;
            if (signedIn is not null || word == "everyone") return GroupEntry.Yes;
            entry = GroupEntry.IfProven;
        }
        return entry;
    }

    bool MaySendAs(MailGroup group, Account account) => group.Profile.Origin?.Gone is null && (group.Profile.SendAs ?? ["owners"]).Any(word => word switch
    {
        "members" => IsIn(group, account),
        "owners" => IsOwner(group, account),
        _ => SenderPattern.Matches(word, account.Address, isMember: false),
    });

    /// <summary>Whether the account is a member, by another group too.</summary>
    public bool IsIn(MailGroup group, Account account) =>
        group.HasWord(account) || group.Others.Contains(account.Address.ToString()) || (group.Others.Count > 0 && Resolve(group.Address) is { Ok: true, Value: var targets } && targets.Any(target => target.Account?.Id == account.Id));

    public bool IsOwner(MailGroup group, Account account) =>
        group.Profile.Owners is { } owners ? owners.Contains(account.Address.ToString()) : domains.TryGetValue(group.Address.Domain, out var domain) && Administrator(domain)?.Id == account.Id;

    void CollectGroup(MailGroup group, int depth, Search search)
    {
        if (search.Group is not null && group.Profile.Origin?.Gone is not null) return;
        var (outer, returnTo) = (search.Group, search.ReturnTo);
        search.Group ??= group;
        // RFC 5321 3.9.2: what a list sends on comes back to who keeps it
        search.ReturnTo = group.OwnerAddress;
        foreach (var account in AccountsOf(group)) Collect(account.Address, null, group.Address, depth + 1, search);
        CollectAll(group.Others, group.Address, depth, search);
        (search.Group, search.ReturnTo) = (outer, returnTo);
    }

    /// <summary>The group whose owners the address leads to, or null.</summary>
    MailGroup? OwnedBy(MailAddress address) =>
        address.LocalPart.EndsWith(MailGroup.OwnerEnd, StringComparison.Ordinal) ? groups.GetValueOrDefault(Key(address with { LocalPart = address.LocalPart[..^MailGroup.OwnerEnd.Length] })) : null;

    static Result<GroupProfile> Normalised(GroupProfile profile)
    {
        Refusal? wrong = null;
        if (profile.Name?.Length > 200 || profile.Description?.Length > 500 || profile.Name?.Any(char.IsControl) == true) return Refusal.Invalid.Because("A group's name has at most 200 characters in one line, and its description 500");
        var normal = profile with
        {
            Name = string.IsNullOrEmpty(profile.Name) ? null : profile.Name,
            Description = string.IsNullOrEmpty(profile.Description) ? null : profile.Description,
            Senders = Words(profile.Senders, "senders", "everyone, domain, members, owners, an address or @domain", "everyone", "domain", "members", "owners"),
            SendAs = Words(profile.SendAs, "sendAs", "members, owners or an address", "members", "owners"),
            Owners = List(profile.Owners, "owners", "an address as in anna@example.org", text => Names.TryAddress(text, out var address) ? Key(address) : null, ref wrong),
            Hidden = profile.Hidden == true ? true : null,
        };
        if (profile.Owners?.Count > MostNamed || profile.Senders?.Count > MostNamed || profile.SendAs?.Count > MostNamed) wrong ??= Refusal.Invalid.Because($"A list of a group has at most {MostNamed} entries");
        return wrong is null ? normal : wrong;

        IReadOnlyList<string>? Words(IReadOnlyList<string>? list, string name, string kind, params string[] known) =>
            List(list, name, kind, text => Array.Find(known, word => word.Equals(text.Trim(), StringComparison.OrdinalIgnoreCase)) ?? (SenderPattern.Normal(text) is { } pattern && pattern != SenderPattern.Members ? pattern : null), ref wrong);
    }

    public static Refusal NoGroup(string address) => Refusal.NoSuchThing.Because($"There is no group {Printable(address)}; list them with: cbamail group list");
}
