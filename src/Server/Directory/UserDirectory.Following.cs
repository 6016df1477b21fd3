using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Directory;

public sealed partial class UserDirectory
{
    /// <summary>Runs in the transaction that gives an account another address: from which, to which. Not where it is put away or brought back.</summary>
    public event Action<WriteTransaction, MailAddress, MailAddress>? AddressMoving;

    /// <summary>
    /// What names an address that somebody leaves names his new one: targets of aliases, lists of policies, groups, catch-alls. Else who gets the old address
    /// would get with it what was meant for its owner before. Found in memory and changed as the transaction sees it, for others may move with it.
    /// </summary>
    void Follow(WriteTransaction write, MailAddress old, MailAddress now)
    {
        var (from, to) = (old.ToString(), now.ToString());
        foreach (var known in aliases.Values.Where(alias => alias.Targets.Contains(from) || alias.Policy.Names(from)))
        {
            if (DirectoryTable.FindAlias(write, known.DomainId, known.Address.LocalPart) is not { } alias) continue;
            var next = alias with { Targets = MailPolicy.Following(alias.Targets, from, to)!, Policy = alias.Policy.Following(from, to) };
            DirectoryTable.SetAlias(write, next);
            DirectoryTable.SetPolicy(write, next);
            write.OnCommitted(() => Keep(next));
        }
        foreach (var (id, entry) in accountsById)
        {
            if (!entry.Account.Policy.Names(from) || DirectoryTable.FindAccount(write, id) is not var (account, password, scram)) continue;
            var next = account with { Policy = account.Policy.Following(from, to) };
            DirectoryTable.SetPolicy(write, next);
            var secrets = new PasswordSecrets(password, Open(account, scram));
            write.OnCommitted(() => Keep(next, secrets));
        }
        foreach (var known in groups.Values.Where(group => group.Others.Contains(from) || group.Profile.Names(from)))
        {
            if (GroupTable.Find(write, known.Id) is not { } group) continue;
            if (group.Others.Contains(from))
            {
                GroupTable.RemoveMember(write, group.Id, from);
                GroupTable.AddMember(write, group.Id, to);
            }
            GroupTable.SetProfile(write, group with { Profile = group.Profile.Following(from, to) });
            var next = GroupTable.Find(write, group.Id)!;
            write.OnCommitted(() => groups[Key(next.Address)] = next);
        }
        foreach (var known in domains.Values.Where(domain => domain.AliasOf is null && (domain.CatchAll == from || domain.Policy.Names(from))))
        {
            if (DirectoryTable.FindDomain(write, known.Id) is not { } domain) continue;
            var next = domain with { CatchAll = domain.CatchAll == from ? to : domain.CatchAll, Policy = domain.Policy.Following(from, to) };
            DirectoryTable.SetDomain(write, next);
            DirectoryTable.SetPolicy(write, next);
            write.OnCommitted(() => domains[next.Name] = next);
        }
        AddressMoving?.Invoke(write, old, now);
    }
}
