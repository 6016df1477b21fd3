using System.Globalization;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>An account that was removed and is still there.</summary>
/// <param name="Address">That it had.</param>
public sealed record RemovedAccount(long Id, MailAddress Address, string Name, Role Role, DateTimeOffset Removed);

/// <summary>Removing for a while, bringing back, and renaming: the mail stays where it is, under the account's number.</summary>
public sealed partial class UserDirectory
{
    /// <summary>
    /// Runs in the transaction that gives an account another address: upper rooms write what they keep by address anew. Of a removed one the new
    /// address is one that nobody can have.
    /// </summary>
    public event Action<WriteTransaction, Account, MailAddress>? AccountRenaming;

    /// <summary>Takes the account away and keeps its mail; its address is free at once.</summary>
    public async ValueTask<Refusal?> PutAwayAsync(Account account, CancellationToken cancel = default)
    {
        if (StillThere(GetAccount(account.Id) ?? account) is { } there) return there;
        var now = time.GetUtcNow();
        var done = await store.CommitAsync(write =>
        {
            if (DirectoryTable.FindAccount(write, account.Id) is not var (current, _, _)) return false;
            PutAway(write, current, now);
            return true;
        }, cancel);
        return done ? null : Refusal.NoSuchUser;
    }

    void PutAway(WriteTransaction write, Account current, DateTimeOffset now)
    {
        var away = current.Address with { LocalPart = current.Address.LocalPart + "\n" + current.Id.ToString(CultureInfo.InvariantCulture) };
        DirectoryTable.SetAddress(write, current.Id, current.DomainId, away.LocalPart, now);
        AccountRenaming?.Invoke(write, current, away);
        SignInChanging?.Invoke(write, current);
        write.OnCommitted(() => Forget(current));
    }

    /// <summary>Those that can be brought back, the last removed first.</summary>
    public IReadOnlyList<RemovedAccount> ListRemoved()
    {
        using var read = store.Read();
        return DirectoryTable.Removed(read);
    }

    /// <param name="to">Another address than it had, or null.</param>
    public async ValueTask<Result<Account>> BringBackAsync(long id, string? to, CancellationToken cancel = default)
    {
        if (ListRemoved().FirstOrDefault(one => one.Id == id) is not { } removed) return NoRemoved(id);
        if (!Names.TryAddress(to ?? removed.Address.ToString(), out var address)) return Refusal.BadAddress.Because($"\"{Printable(to!)}\" is not a valid address");
        if (!domains.TryGetValue(address.Domain, out var domain)) return NoDomain(address.Domain);
        if (domain.AliasOf is { } real) return Refusal.Invalid.Because($"{domain.Name} is an alias of {real}; add the account there");
        return await store.CommitAsync<Result<Account>>(write =>
        {
            if (DirectoryTable.FindRemoved(write, id) is not var (account, password, scram)) return NoRemoved(id);
            if (DirectoryTable.IsTaken(write, domain.Id, address.LocalPart))
                return Refusal.AlreadyExists.Because($"The address {address} has been given to somebody else meanwhile; bring the account back under another: cbamail account undelete {id} --as NEW@{domain.Name}").At("address");
            if (Exceeds(write, domain, account.Quota) is { } refusal) return refusal;
            return Move(write, account, new(password, Open(account with { Address = removed.Address }, scram)), domain, address);
        }, cancel);
    }

    /// <summary>Gives an account another address; whatever is its own stays.</summary>
    /// <param name="keepAlias">Mail for the old address goes on to it.</param>
    public async ValueTask<Result<Account>> RenameAsync(Account account, string to, bool keepAlias, CancellationToken cancel = default)
    {
        if (!Names.TryAddress(to, out var address)) return Refusal.BadAddress.Because($"\"{Printable(to)}\" is not a valid address");
        if (!domains.TryGetValue(address.Domain, out var domain)) return NoDomain(address.Domain);
        if (domain.AliasOf is { } real) return Refusal.Invalid.Because($"{domain.Name} is an alias of {real}; add the account there");
        var created = time.GetUtcNow();
        if (AddressKeptElsewhere(GetAccount(account.Id) ?? account) is { } elsewhere) return elsewhere;
        return await store.CommitAsync<Result<Account>>(write =>
        {
            if (DirectoryTable.FindAccount(write, account.Id) is not var (current, password, scram)) return Refusal.NoSuchUser;
            if (current.Address.Key == address.Key) return current;
            if (DirectoryTable.IsTaken(write, domain.Id, address.LocalPart)) return Taken(address);
            if (domain.Id != current.DomainId && Exceeds(write, domain, current.Quota) is { } refusal) return refusal;
            var secrets = new PasswordSecrets(password, Open(current, scram));
            var moved = Move(write, current, secrets, domain, address);
            Follow(write, current.Address, address);
            if (!keepAlias) return moved;
            var alias = new Alias(0, current.DomainId, current.Address, [address.ToString()], Rounded(created));
            if (DirectoryTable.AddAlias(write, alias) is not { } number) return Taken(current.Address);
            write.OnCommitted(() => aliases[Key(current.Address)] = alias with { Id = number });
            return moved;
        }, cancel);
    }

    /// <summary>Removes for good what was put away before a time.</summary>
    /// <returns>How many.</returns>
    public async ValueTask<int> PurgeAsync(DateTimeOffset before, CancellationToken cancel = default)
    {
        var count = 0;
        foreach (var removed in ListRemoved().Where(one => one.Removed < before))
            if (await PurgeAsync(removed.Id, cancel) is null) count++;
        return count;
    }

    /// <summary>Removes for good one that was put away.</summary>
    public async ValueTask<Refusal?> PurgeAsync(long id, CancellationToken cancel = default) =>
        await store.CommitAsync(write => Purge(write, id), cancel) ? null : NoRemoved(id);

    bool Purge(WriteTransaction write, long id)
    {
        if (DirectoryTable.FindRemoved(write, id) is not var (account, _, _) || !DirectoryTable.RemoveAccount(write, id)) return false;
        Announce(write, account, added: false);
        return true;
    }

    Account Move(WriteTransaction write, Account account, PasswordSecrets secrets, Domain domain, MailAddress address)
    {
        var moved = account with { DomainId = domain.Id, Address = address };
        DirectoryTable.SetAddress(write, account.Id, domain.Id, address.LocalPart, null);
        SetScram(write, moved, secrets.Scram); // sealed for its address
        AccountRenaming?.Invoke(write, account, address);
        write.OnCommitted(() =>
        {
            Forget(account);
            Keep(moved, secrets);
        });
        return moved;
    }

    /// <summary>What the domain allows and one account more would exceed, or null.</summary>
    Refusal? Exceeds(WriteTransaction write, Domain domain, long quota, long? instead = null)
    {
        var allowed = domain.Profile;
        if (!allowed.HasLimits) return null;
        var (count, total) = DirectoryTable.Sums(write, domain.Id);
        if (instead is { } old) (count, total) = (count - 1, total - old);
        if (count >= allowed.MaxAccounts) return Refusal.Conflict.Because($"The domain {domain.Name} has {allowed.MaxAccounts} accounts already, which is all that it may have");
        if (allowed.MaxQuota is { } most && (quota == 0 || quota > most)) return Refusal.Invalid.Because($"An account of {domain.Name} has a quota of at most {Config.Sizes.Show(most)}").At("quota");
        if (allowed.TotalQuota is { } all && (quota == 0 || total + quota > all)) return Refusal.Conflict.Because($"The quotas of all accounts of {domain.Name} may come to {Config.Sizes.Show(all)}, and {Config.Sizes.Show(Math.Max(0, all - total))} is left").At("quota");
        return null;
    }

    static Refusal NoRemoved(long id) => Refusal.NoSuchUser.Because($"There is no removed account {id}; list them with: cbamail account removed");
}
