using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>Accounts that come from a directory elsewhere: signing in there, what may not be changed here, and what is brought from there.</summary>
public sealed partial class UserDirectory
{
    /// <summary>Who is asked about their passwords; set once, before anybody signs in.</summary>
    public IPasswordKeeper? Keeper { get; set; }

    async ValueTask<Result<Account>> SignInElsewhereAsync(Account account, string password, CancellationToken cancel)
    {
        if (!IsOpen(account) || password.Length == 0) return Refusal.SignInFailed;
        if (Keeper is null) return NoKeeper(account.Profile.Origin!);
        var right = await Keeper.CheckAsync(account, password, cancel);
        if (!right.Ok) return right.Refusal;
        // it may have been disabled while the directory was asked
        return right.Value && GetAccount(account.Id) is { } now && IsOpen(now) ? now : Refusal.SignInFailed;
    }

    /// <summary>Nobody here of that name, and perhaps somebody there.</summary>
    async ValueTask<Result<Account>?> WelcomeAsync(string user, string password, CancellationToken cancel) =>
        Keeper is not null && password.Length > 0 && Names.TryAddress(user, out var address) && domains.ContainsKey(address.Domain) && !aliases.ContainsKey(Key(address)) ? await Keeper.WelcomeAsync(address, password, cancel) : null;

    internal static Refusal NoKeeper(AccountOrigin origin) => Away.Because($"The directory {origin.Source} that keeps this password is not in the settings of this server any more; ask its administrator");

    /// <summary>Passwords cannot be checked for now (RFC 4954 4: 454 4.7.0).</summary>
    public static readonly Refusal Away = new(454, "4.7.0", "UNAVAILABLE", 503, "The directory that keeps this password does not answer; try again later");

    /// <summary>What of a change is not to be made here, or null.</summary>
    static Refusal? Mastered(Account account, AccountChange change)
    {
        if (account.Profile.Origin is not { } origin || change.Profile?.Invoke(account.Profile) is { Origin: null }) return null;
        bool Masters(string what) => origin.Masters?.Contains(what) == true;
        if (change.Password is not null || change.PasswordHash is not null) return Refusal.NotPossible.Because($"The password of {account.Address} is kept by the directory {origin.Source}: change it there, or detach the account first").At("password");
        if (change.Name is not null && change.Name.Trim() != account.Name && Masters("name")) return Refusal.NotPossible.Because($"The name of {account.Address} comes from the directory {origin.Source}: change it there, or detach the account first").At("name");
        if (change.Quota is { } quota && quota != account.Quota && Masters("quota")) return Refusal.NotPossible.Because($"The quota of {account.Address} comes from the directory {origin.Source}: change it there, or detach the account first").At("quota");
        if (change.Groups is not null && NormalGroups(change.Groups) != account.Groups && Masters("groups")) return Refusal.NotPossible.Because($"The groups of {account.Address} come from the directory {origin.Source}: change them there, or detach the account first").At("groups");
        return change.Enabled == true && origin.Off == true ? Refusal.NotPossible.Because($"The directory {origin.Source} has disabled {account.Address}: enable it there, or detach the account first").At("enabled") : null;
    }

    static Refusal? AddressKeptElsewhere(Account account) =>
        account.Profile.Origin is { } origin ? Refusal.NotPossible.Because($"The address {account.Address} comes from the directory {origin.Source}: change it there, or detach the account first").At("address") : null;

    static Refusal? StillThere(Account account) =>
        account.Profile.Origin is { Gone: null } origin ? Refusal.NotPossible.Because($"{account.Address} comes from the directory {origin.Source}, and would be made again: take it out there, or detach the account first") : null;

    /// <summary>Accounts that were put away and had come from there, by what never changes of them.</summary>
    public IReadOnlyDictionary<string, long> ListRemovedOf(string source)
    {
        using var read = store.Read();
        var found = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (id, profile) in DirectoryTable.RemovedProfiles(read))
            if (profile.Origin is { } origin && origin.Source == source) found[origin.Id] = id;
        return found;
    }

    /// <summary>Does what a directory wants, many deeds in one commit; a refusal of one hinders no other.</summary>
    /// <param name="record">Told in the same transaction of each deed that is done: its place among them, and the account as it is then.</param>
    /// <returns>A result and the aliases that others have, for each deed in order.</returns>
    public async ValueTask<IReadOnlyList<(Result<Account> Account, IReadOnlyList<MailAddress> Taken)>> ApplyAsync(IReadOnlyList<OriginDeed> deeds, Action<WriteTransaction, int, Account> record, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        return await store.CommitAsync(write =>
        {
            var results = new List<(Result<Account> Account, IReadOnlyList<MailAddress> Taken)>(deeds.Count);
            foreach (var deed in deeds)
            {
                results.Add(Apply(write, deed, now));
                if (results[^1].Account is { Ok: true, Value: { } account }) record(write, results.Count - 1, account);
            }
            return results;
        }, cancel);
    }

    (Result<Account>, IReadOnlyList<MailAddress>) Apply(WriteTransaction write, OriginDeed deed, DateTimeOffset now)
    {
        if (deed.Add is { } wanted)
        {
            var added = Add(write, wanted, PasswordSecrets.None, now);
            return added.Ok && deed.Aliases is { Count: > 0 } ? WithAliases(write, added.Value, PasswordSecrets.None, deed.Aliases) : (added, []);
        }
        var found = deed.BringBack ? DirectoryTable.FindRemoved(write, deed.Id) : DirectoryTable.FindAccount(write, deed.Id);
        if (found is not var (account, password, scram)) return (Refusal.NoSuchUser, []);
        if (deed.PutAway)
        {
            PutAway(write, account, now);
            return (account, []);
        }
        var next = deed.Change!(account);
        if (!domains.TryGetValue(next.Address.Domain, out var domain) || !DirectoryTable.HasDomain(write, domain.Id)) return (NoDomain(next.Address.Domain), []);
        var moves = deed.BringBack || account.Address.Key != next.Address.Key;
        if (moves) LeaveAlias(write, domain, next.Address, account.Address);
        if (moves && DirectoryTable.IsTaken(write, domain.Id, next.Address.LocalPart)) return (Taken(next.Address), []);
        var comes = deed.BringBack || domain.Id != account.DomainId;
        if ((comes || next.Quota != account.Quota) && Exceeds(write, domain, next.Quota, instead: comes ? null : account.Quota) is { } exceeds) return (exceeds, []);
        next = next with { DomainId = domain.Id };
        var secrets = deed.EndsPassword || deed.BringBack ? PasswordSecrets.None : new PasswordSecrets(password, Open(account, scram));
        DirectoryTable.SetAccount(write, next, secrets.Hash);
        if (moves)
        {
            Move(write, next with { DomainId = account.DomainId, Address = account.Address }, secrets, domain, next.Address);
            if (!deed.BringBack) Follow(write, account.Address, next.Address);
            // RFC 5321 leaves no trace of an address that is gone: mail for it goes on
            var alias = new Alias(0, account.DomainId, account.Address, [next.Address.ToString()], Rounded(now));
            if (!deed.BringBack && DirectoryTable.AddAlias(write, alias) is { } number) write.OnCommitted(() => aliases[Key(alias.Address)] = alias with { Id = number });
        }
        else
        {
            if (deed.EndsPassword) SetScram(write, next, null);
            write.OnCommitted(() => Keep(next, secrets));
        }
        if (deed.EndsPassword || (account.Enabled && !next.Enabled)) SignInChanging?.Invoke(write, next);
        return deed.Aliases is { } all ? WithAliases(write, next, secrets, all) : (next, []);
    }

    /// <summary>Who takes back an address that led to him needs no alias there.</summary>
    void LeaveAlias(WriteTransaction write, Domain domain, MailAddress address, MailAddress owner)
    {
        if (DirectoryTable.FindAlias(write, domain.Id, address.LocalPart) is not { Targets: [var target] } alias || target != owner.ToString()) return;
        DirectoryTable.RemoveAlias(write, alias.Id);
        write.OnCommitted(() => aliases.TryRemove(Key(address), out _));
    }

    /// <summary>Makes and removes aliases until those that the directory has made are those that it wants.</summary>
    (Result<Account>, IReadOnlyList<MailAddress>) WithAliases(WriteTransaction write, Account account, PasswordSecrets secrets, IReadOnlyList<MailAddress> wanted)
    {
        var origin = account.Profile.Origin!;
        string[] target = [account.Address.ToString()];
        var taken = new List<MailAddress>();
        var ours = new List<string>();
        foreach (var address in wanted)
        {
            if (address.Key == account.Address.Key || !domains.TryGetValue(address.Domain, out var domain)) continue;
            if (DirectoryTable.FindAlias(write, domain.Id, address.LocalPart) is { } there)
            {
                var mine = origin.Aliases?.Contains(address.ToString()) == true;
                if (!mine && !there.Targets.SequenceEqual(target)) { taken.Add(address); continue; }
                if (!there.Targets.SequenceEqual(target)) // its owner has another address now
                {
                    var moved = there with { Targets = target };
                    DirectoryTable.SetAlias(write, moved);
                    write.OnCommitted(() => aliases[Key(address)] = moved);
                }
            }
            else
            {
                var alias = new Alias(0, domain.Id, address, target, Rounded(time.GetUtcNow()));
                if (DirectoryTable.AddAlias(write, alias) is not { } number) { taken.Add(address); continue; }
                write.OnCommitted(() => aliases[Key(address)] = alias with { Id = number });
            }
            ours.Add(address.ToString());
        }
        foreach (var old in (origin.Aliases ?? []).Except(ours))
        {
            if (!Names.TryAddress(old, out var address) || !domains.TryGetValue(address.Domain, out var domain) || DirectoryTable.FindAlias(write, domain.Id, address.LocalPart) is not { } there) continue;
            DirectoryTable.RemoveAlias(write, there.Id);
            write.OnCommitted(() => aliases.TryRemove(Key(address), out _));
        }
        var next = account with { Profile = account.Profile with { Origin = origin with { Aliases = ours.Count == 0 ? null : ours } } };
        if (next.Profile.Origin.Same(origin)) return (account, taken);
        DirectoryTable.SetAccount(write, next, secrets.Hash);
        write.OnCommitted(() => Keep(next, secrets));
        return (next, taken);
    }
}
