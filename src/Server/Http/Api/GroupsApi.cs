using CbaMail.Authorization;
using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/groups</summary>
static class GroupsApi
{
    /// <param name="Senders">everyone, domain, members, owners, addresses, @domain; an empty list is what it is without one: domain.</param>
    /// <param name="Owners">Who gets bounces and mail for NAME-owner@; none: the administrator.</param>
    /// <param name="SendAs">Who may write in its name: members, owners, addresses; none: owners.</param>
    /// <param name="Hidden">Strangers are told that nobody is there.</param>
    /// <param name="Detach">It comes from a directory elsewhere (LDAP) no more: from now on it is a group of this server, with the members that it has.</param>
    record GroupFields(string? Name = null, string? Description = null, IReadOnlyList<string>? Senders = null, IReadOnlyList<string>? Owners = null, IReadOnlyList<string>? SendAs = null, bool? Hidden = null, bool Detach = false)
    {
        public GroupProfile Apply(GroupProfile old) => old with
        {
            Name = Name ?? old.Name,
            Description = Description ?? old.Description,
            Senders = Senders ?? old.Senders,
            Owners = Owners ?? old.Owners,
            SendAs = SendAs ?? old.SendAs,
            Hidden = Hidden ?? old.Hidden,
        };
    }

    /// <param name="Members">Addresses that are in it from the start.</param>
    sealed record NewGroup(string Address, IReadOnlyList<string>? Members = null) : GroupFields;

    /// <param name="Directory">The directory elsewhere that says what it is called and who is in it; null: it is this server's own.</param>
    /// <param name="Gone">Since when it is there no more, and nobody may write to it.</param>
    sealed record GroupView(string Address, string? Name, string? Description, int Members, IReadOnlyList<string> Senders, IReadOnlyList<string> Owners, IReadOnlyList<string> SendAs, bool Hidden, DateTimeOffset Created, string? Directory, DateTimeOffset? Gone);

    sealed record Members(IReadOnlyList<string> Addresses);

    sealed record Member(string Address);

    sealed record MembersDone(string Address, int Members);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/groups", Permissions.GroupsRead, About.Asked, "Groups", ListAsync) { IsList = true, Query = ["domain", "search", "member"], Gives = typeof(GroupView) },
        new("POST", "/groups", Permissions.GroupsWrite, About.Asked, "Make a group", Requests.With<NewGroup>(AddAsync)) { Takes = typeof(NewGroup), CanRehearse = true, Gives = typeof(GroupView) },
        new("GET", "/groups/{address}", Permissions.GroupsRead, About.Name, "One group", WithGroup((context, group) => context.JsonAsync(Show(context, group)))) { Gives = typeof(GroupView) },
        new("PATCH", "/groups/{address}", Permissions.GroupsWrite, About.Name, "Change a group", Requests.With<GroupFields>((context, wanted) => WithGroup((_, group) => SetAsync(context, group, wanted))(context))) { Takes = typeof(GroupFields), CanRehearse = true, Gives = typeof(GroupView) },
        new("DELETE", "/groups/{address}", Permissions.GroupsWrite, About.Name, "Remove a group", WithGroup(RemoveAsync)) { CanRehearse = true, Gives = typeof(AddressDone) },
        new("GET", "/groups/{address}/members", Permissions.GroupsRead, About.Name, "Members of a group", WithGroup((context, group) =>
            context.ListAsync(context.Room<UserDirectory>().MembersOf(group), address => address, address => new Member(address)))) { IsList = true, Gives = typeof(Member) },
        new("PUT", "/groups/{address}/members", Permissions.GroupsWrite, About.Name, "All members of a group: who is not named goes", ChangeMembers((wanted) => (wanted, [], true))) { Takes = typeof(Members), CanRehearse = true, Gives = typeof(MembersDone) },
        new("POST", "/groups/{address}/members", Permissions.GroupsWrite, About.Name, "Add members to a group", ChangeMembers((wanted) => (wanted, [], false))) { Takes = typeof(Members), CanRehearse = true, Gives = typeof(MembersDone) },
        new("DELETE", "/groups/{address}/members/{member}", Permissions.GroupsWrite, About.Name, "Remove a member from a group", WithGroup(LeaveAsync)) { CanRehearse = true, Gives = typeof(MembersDone) },
    ];

    static RequestDelegate WithGroup(Func<HttpContext, MailGroup, Task> deed) => context =>
    {
        var text = context.Part("address");
        return Names.TryAddress(text, out var address) && context.Room<UserDirectory>().FindGroup(address) is { } group ? deed(context, group) : context.RefuseAsync(UserDirectory.NoGroup(text));
    };

    static GroupView Show(HttpContext context, MailGroup group) => new(
        group.Address.ToString(), group.Profile.Name, group.Profile.Description, context.Room<UserDirectory>().MembersOf(group).Count,
        group.Profile.Senders ?? ["domain"], group.Profile.Owners ?? [], group.Profile.SendAs ?? ["owners"], group.Profile.Hidden == true, group.Created, group.Profile.Origin?.Source, group.Profile.Origin?.Gone);

    static async Task ListAsync(HttpContext context)
    {
        if (await context.DomainOfQueryAsync(Permissions.GroupsRead) is not (true, var domain)) return;
        var (caller, directory, search, member) = (context.Caller(), context.Room<UserDirectory>(), context.Asked("search"), context.Asked("member"));
        var seen = directory.ListDomains().Where(one => caller.May(Permissions.GroupsRead, one)).Select(one => one.Id).ToHashSet();
        var key = member is not null && Names.TryAddress(member, out var address) ? address.Key : null;
        await context.ListAsync(directory.ListGroups(domain).Where(group => seen.Contains(group.DomainId)
                && (search is null || group.Address.ToString().Contains(search, StringComparison.OrdinalIgnoreCase) || group.Profile.Name?.Contains(search, StringComparison.OrdinalIgnoreCase) == true)
                && (member is null || directory.MembersOf(group).Contains(key))),
            group => group.Address.Domain + "\u0001" + group.Address.LocalPart, group => Show(context, group));
    }

    static async Task AddAsync(HttpContext context, NewGroup wanted)
    {
        var directory = context.Room<UserDirectory>();
        if (Names.TryAddress(wanted.Address ?? "", out var address) && directory.FindDomain(address.Domain) is { } domain && context.Forbids(Permissions.GroupsWrite, domain) is { } refusal) { await context.RefuseAsync(refusal); return; }
        var added = await directory.AddGroupAsync(wanted.Address ?? "", wanted.Apply(GroupProfile.None), context.RequestAborted);
        if (added.Ok && wanted.Members is { Count: > 0 } members)
        {
            var filled = await directory.SetMembersAsync(added.Value, members, [], cancel: context.RequestAborted);
            if (!filled.Ok) await directory.RemoveGroupAsync(added.Value, CancellationToken.None);
            added = filled;
        }
        await context.ResultAsync(added, group => Show(context, group), 201);
    }

    static async Task SetAsync(HttpContext context, MailGroup group, GroupFields wanted) =>
        await context.ResultAsync(await context.Room<UserDirectory>().SetGroupAsync(group, wanted.Apply(group.Profile), wanted.Detach, context.RequestAborted), now => Show(context, now));

    static async Task RemoveAsync(HttpContext context, MailGroup group)
    {
        if (await context.Room<UserDirectory>().RemoveGroupAsync(group, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new AddressDone(group.Address.ToString()));
    }

    static RequestDelegate ChangeMembers(Func<IReadOnlyList<string>, (IReadOnlyList<string> Added, IReadOnlyList<string> Removed, bool Whole)> what) => Requests.With<Members>((context, wanted) => WithGroup(async (_, group) =>
    {
        if (wanted.Addresses is null) { await context.RefuseAsync(Refusal.Invalid.Because("Name the members in addresses").At("addresses")); return; }
        var (added, removed, whole) = what(wanted.Addresses);
        await DoneAsync(context, await context.Room<UserDirectory>().SetMembersAsync(group, added, removed, whole, context.RequestAborted));
    })(context));

    static async Task LeaveAsync(HttpContext context, MailGroup group)
    {
        var (directory, member) = (context.Room<UserDirectory>(), context.Part("member"));
        if (!Names.TryAddress(member, out var address) || !directory.MembersOf(group).Contains(address.ToString())) { await context.RefuseAsync(Refusal.NoSuchThing.Because($"{member} is not a member of {group.Address}")); return; }
        await DoneAsync(context, await directory.SetMembersAsync(group, [], [member], cancel: context.RequestAborted));
    }

    static Task DoneAsync(HttpContext context, Result<MailGroup> changed) =>
        context.ResultAsync(changed, group => new MembersDone(group.Address.ToString(), context.Room<UserDirectory>().MembersOf(group).Count));
}
