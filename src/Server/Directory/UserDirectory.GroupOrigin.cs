using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>Groups that come from a directory elsewhere.</summary>
public sealed partial class UserDirectory
{
    /// <summary>Does what a directory wants with a group, in one commit. Owners, senders and what else it does not say stay.</summary>
    /// <param name="record">Told in the same transaction: the group as it is then; null where it was removed.</param>
    public ValueTask<Result<MailGroup>> ApplyAsync(GroupDeed deed, Action<WriteTransaction, MailGroup?> record, CancellationToken cancel) => store.CommitAsync<Result<MailGroup>>(write =>
    {
        var before = deed.Id == 0 ? null : GroupTable.Find(write, deed.Id);
        if (deed.Id != 0 && before is null) return NoGroup(deed.Address.ToString());
        if (before is not null && before.Profile.Origin?.Source != deed.Origin.Source) return Taken(before.Address); // detached meanwhile
        if (deed.Remove)
        {
            GroupTable.Remove(write, before!.Id);
            record(write, null);
            write.OnCommitted(() => groups.TryRemove(Key(before.Address), out _));
            return before;
        }
        if (!domains.TryGetValue(deed.Address.Domain, out var domain) || !DirectoryTable.HasDomain(write, domain.Id)) return NoDomain(deed.Address.Domain);
        if (!IsWord(deed.Address)) return Refusal.Invalid.Because($"A group cannot be called {deed.Address.LocalPart}: its name is a word");
        if (deed.Members?.Count > MostMembers) return Refusal.TooMany.Because($"A group has at most {MostMembers} members");
        var moves = before is not null && before.Address.Key != deed.Address.Key;
        if (moves) LeaveAlias(write, domain, deed.Address, before!.Address);
        if ((moves || before is null) && DirectoryTable.IsTaken(write, domain.Id, deed.Address.LocalPart)) return Taken(deed.Address);
        var kept = Normalised((before?.Profile ?? GroupProfile.None) with { Name = deed.Origin.SaysName ? deed.Name : before?.Profile.Name, Origin = deed.Origin });
        if (!kept.Ok) return kept.Refusal;
        var next = (before ?? new MailGroup(0, domain.Id, deed.Address, [], Rounded(time.GetUtcNow()))) with { DomainId = domain.Id, Address = deed.Address, Profile = kept.Value };
        if (before is null) next = next with { Id = GroupTable.Add(write, next) };
        else GroupTable.SetProfile(write, next);
        if (moves)
        {
            GroupTable.SetAddress(write, next);
            write.OnCommitted(() => groups.TryRemove(Key(before!.Address), out _));
            Follow(write, before!.Address, next.Address);
            // mail for the address of before goes on, and nobody writes by it in the group's name
            var alias = new Alias(0, before.DomainId, before.Address, [next.Address.ToString()], Rounded(time.GetUtcNow())) { Profile = new AliasProfile { MaySend = false } };
            if (DirectoryTable.AddAlias(write, alias) is { } number) write.OnCommitted(() => Keep(alias with { Id = number }));
        }
        if (deed.Members is { } members)
        {
            foreach (var address in next.Others.Except(members, StringComparer.Ordinal)) GroupTable.RemoveMember(write, next.Id, address);
            foreach (var address in members.Except(next.Others, StringComparer.Ordinal)) GroupTable.AddMember(write, next.Id, address);
        }
        next = GroupTable.Find(write, next.Id)!; // its own name may have stood in its lists
        record(write, next);
        write.OnCommitted(() => groups[Key(next.Address)] = next);
        return next;
    }, cancel);
}
