using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>An account to add.</summary>
/// <param name="Address">As written.</param>
/// <param name="Password">Clear text, or null or empty: nobody can sign in until a password is set.</param>
/// <param name="Quota">Bytes; null is the domain's default.</param>
/// <param name="PasswordHash">A hash in place of <paramref name="Password"/>, from another server: see <see cref="PasswordSchemes"/>.</param>
/// <param name="Enabled">Whether its owner may sign in.</param>
/// <param name="Scram">Of the password that <paramref name="PasswordHash"/> is the hash of, where it is known.</param>
public sealed record NewAccount(
    string Address, string Name = "", string? Password = null, long? Quota = null, Role Role = Role.User, string Groups = "", string? PasswordHash = null, bool Enabled = true, ScramSecret? Scram = null)
{
    public AccountProfile Profile { get; init; } = AccountProfile.None;

    /// <summary>By which it is made; null: that of its domain, where it is a user; "": none.</summary>
    public string? Template { get; init; }
}

/// <summary>What to change in an account; null leaves a thing as it is.</summary>
/// <param name="Profile">What becomes of the profile as it is when the change is made: who has looked at it before does not undo what others did meanwhile.</param>
public sealed record AccountChange(string? Name = null, string? Password = null, long? Quota = null, Role? Role = null, string? Groups = null, bool? Enabled = null, Func<AccountProfile, AccountProfile>? Profile = null)
{
    /// <summary>A hash in place of a password, from another server.</summary>
    public string? PasswordHash { get; init; }

    /// <summary>Asked in the commit of the change: false where what let somebody make it holds no more.</summary>
    public Func<bool>? StillMay { get; init; }
}

public sealed partial class UserDirectory
{
    /// <summary>Rows in one piece of work for the committer, so that others get in between.</summary>
    const int Batch = 250;

    // ---- domains

    /// <param name="aliasOf">A domain of ours: every address of the new one means the same one there.</param>
    public async ValueTask<Result<Domain>> AddDomainAsync(string name, long defaultQuota = 0, string? catchAll = null, CancellationToken cancel = default, string? aliasOf = null, DomainProfile? profile = null)
    {
        if (!Names.TryDomain(name, out var key)) return Refusal.Invalid.Because($"\"{Printable(name)}\" is not a domain name; write it as in example.org");
        // RFC 5321 2.3.5, RFC 1123 2.1: others refuse mail from and to it
        if (key.Contains('_', StringComparison.Ordinal)) return Refusal.Invalid.Because($"\"{Printable(name)}\" cannot have mail: domains of addresses consist of letters, digits and hyphens");
        if (CheckQuota(defaultQuota) is { } badQuota) return badQuota;
        if (catchAll is not null && !Names.TryAddress(catchAll, out _)) return Refusal.BadAddress.Because($"\"{Printable(catchAll)}\" is not a valid address");
        if (aliasOf is not null)
        {
            if (FindDomain(aliasOf) is not { } real) return NoDomain(aliasOf);
            if (real.AliasOf is { } first) return Refusal.Invalid.Because($"{real.Name} is an alias itself; name {first}");
            if (catchAll is not null) return Refusal.Invalid.Because("A domain alias has no catch-all of its own: that of its domain holds");
            aliasOf = real.Name;
        }
        var created = time.GetUtcNow();
        var added = await store.CommitAsync(write =>
        {
            if (aliasOf is not null && !domains.ContainsKey(aliasOf)) return null;
            if (DirectoryTable.AddDomain(write, key, catchAll, defaultQuota, created, aliasOf) is not { } id) return null;
            var domain = new Domain(id, key, catchAll, defaultQuota, Rounded(created)) { AliasOf = aliasOf, Profile = profile ?? DomainProfile.None };
            if (profile is not null) DirectoryTable.SetDomain(write, domain);
            write.OnCommitted(() => domains[key] = domain);
            return domain;
        }, cancel);
        return added is not null ? added : Refusal.AlreadyExists.Because($"The domain {key} is there already");
    }

    /// <param name="catchAll">Null leaves it, "" removes it.</param>
    /// <param name="profile">What becomes of its profile; null leaves it.</param>
    public async ValueTask<Result<Domain>> SetDomainAsync(string name, long? defaultQuota, string? catchAll, CancellationToken cancel = default, Func<DomainProfile, DomainProfile>? profile = null)
    {
        if (FindDomain(name) is not { } domain) return NoDomain(name);
        if (CheckQuota(defaultQuota) is { } badQuota) return badQuota;
        if (catchAll is { Length: > 0 } && !Names.TryAddress(catchAll, out _)) return Refusal.BadAddress.Because($"\"{Printable(catchAll)}\" is not a valid address");
        var changed = await store.CommitAsync(write =>
        {
            if (DirectoryTable.FindDomain(write, domain.Id) is not { } old) return null;
            var next = old with { DefaultQuota = defaultQuota ?? old.DefaultQuota, CatchAll = catchAll is null ? old.CatchAll : catchAll.Length == 0 ? null : catchAll, Profile = profile?.Invoke(old.Profile) ?? old.Profile };
            DirectoryTable.SetDomain(write, next);
            write.OnCommitted(() => domains[next.Name] = next);
            return next;
        }, cancel);
        return changed is not null ? changed : NoDomain(name);
    }

    public async ValueTask<Refusal?> RemoveDomainAsync(string name, CancellationToken cancel = default)
    {
        if (FindDomain(name) is not { } domain) return NoDomain(name);
        var done = await store.CommitAsync(write =>
        {
            if (!DirectoryTable.MayRemoveDomain(write, domain.Id)) return false;
            foreach (var removed in DirectoryTable.RemovedOf(write, domain.Id)) Purge(write, removed);
            if (!DirectoryTable.RemoveDomain(write, domain.Id)) return false;
            foreach (var template in ListTemplates().Where(template => template.Domain == domain.Name)) Remove(write, template.Name);
            DkimKeyTable.RemoveAll(write, domain.Id);
            LogoTable.Remove(write, domain.Id);
            DomainRemoving?.Invoke(write, domain);
            write.OnCommitted(() =>
            {
                domains.TryRemove(domain.Name, out _);
                DomainRemoved?.Invoke(domain);
            });
            return true;
        }, cancel);
        return done ? null : Refusal.Conflict.Because($"The domain {domain.Name} still has accounts, aliases, groups, resources, lists or domains that are aliases of it; remove them first");
    }

    // ---- accounts

    public async ValueTask<Result<Account>> AddAccountAsync(NewAccount account, CancellationToken cancel = default) =>
        (await AddAccountsAsync([account], inBulk: false, progress: null, cancel))[0];

    /// <summary>Adds many, each for itself: a refusal of one hinders no other. Hashing runs on the queue for imports, commits in batches.</summary>
    /// <returns>One result an account, in order.</returns>
    public ValueTask<IReadOnlyList<Result<Account>>> AddAccountsAsync(IReadOnlyList<NewAccount> accounts, CancellationToken cancel = default) =>
        AddAccountsAsync(accounts, inBulk: true, progress: null, cancel);

    internal async ValueTask<IReadOnlyList<Result<Account>>> AddAccountsAsync(
        IReadOnlyList<NewAccount> accounts, bool inBulk, Action<int>? progress, CancellationToken cancel)
    {
        var results = new Result<Account>[accounts.Count];
        for (var start = 0; start < accounts.Count; start += Batch)
        {
            var end = Math.Min(start + Batch, accounts.Count);
            var hashes = await HashAllAsync(accounts, start, end, inBulk, () => progress?.Invoke(1), cancel);
            var first = start;
            var created = time.GetUtcNow();
            await store.CommitAsync(write =>
            {
                for (var i = first; i < end; i++)
                    results[i] = Add(write, accounts[i], hashes[i - first], created);
                return true;
            }, cancel);
        }
        return results;
    }

    async ValueTask<Result<PasswordSecrets>[]> HashAllAsync(
        IReadOnlyList<NewAccount> accounts, int start, int end, bool inBulk, Action done, CancellationToken cancel)
    {
        var hashes = new Result<PasswordSecrets>[end - start];
        var waiting = new List<Task>();
        for (var i = start; i < end; i++)
        {
            var account = accounts[i];
            var password = account.Password;
            if (account is { PasswordHash.Length: > 0, Scram: { } scram }) hashes[i - start] = new PasswordSecrets(account.PasswordHash, scram); // made here
            else if (account.PasswordHash is { Length: > 0 } given && !TryKept(given, out password, out hashes[i - start])) { }
            else if (string.IsNullOrEmpty(password)) hashes[i - start] = PasswordSecrets.None;
            else if (CheckPassword(password) is { } refusal) hashes[i - start] = refusal;
            else if (Precheck(account) is { } known) hashes[i - start] = known; // no 28 ms for one that will be refused
            else { waiting.Add(HashOneAsync(password, i - start)); continue; }
            done();
        }
        await Task.WhenAll(waiting);
        return hashes;

        async Task HashOneAsync(string password, int slot)
        {
            hashes[slot] = await hashing.SecretsAsync(password, inBulk, cancel);
            done();
        }
    }

    /// <summary>Whether a hash of another server turns out to be a password in clear text, to be hashed here; otherwise it is kept as it is, or refused.</summary>
    static bool TryKept(string hash, out string? password, out Result<PasswordSecrets> kept)
    {
        var read = PasswordSchemes.Read(hash);
        password = read.Ok ? read.Value.Clear : null;
        kept = read.Ok ? new PasswordSecrets(read.Value.Hash, null) : read.Refusal;
        return password is not null;
    }

    /// <summary>What refuses the account before its password is looked at.</summary>
    internal Refusal? Precheck(NewAccount account)
    {
        if (!Names.TryAddress(account.Address, out var address)) return Refusal.BadAddress.Because($"\"{Printable(account.Address)}\" is not a valid address");
        if (!domains.TryGetValue(address.Domain, out var domain)) return NoDomain(address.Domain);
        if (domain.AliasOf is { } real) return Refusal.Invalid.Because($"{domain.Name} is an alias of {real}; add the account there");
        if (accounts.ContainsKey(Key(address)) || aliases.ContainsKey(Key(address)) || groups.ContainsKey(Key(address))) return Taken(address);
        return TemplateOf(account, domain) is { Ok: false, Refusal: var refusal } ? refusal : CheckName(account.Name) ?? CheckQuota(account.Quota);
    }

    /// <summary>Adds an account within a commit of somebody else's; the password of <paramref name="wanted"/> is not looked at.</summary>
    internal Result<Account> Add(WriteTransaction write, NewAccount wanted, Result<PasswordSecrets> hash, DateTimeOffset created)
    {
        if (Precheck(wanted) is { } refusal) return refusal;
        if (!hash.Ok) return hash.Refusal;
        if (!Names.TryAddress(wanted.Address, out var address) || !domains.TryGetValue(address.Domain, out var domain) || !DirectoryTable.HasDomain(write, domain.Id))
            return NoDomain(wanted.Address);
        var template = TemplateOf(wanted, domain).Value; // checked just now
        var quota = wanted.Quota ?? template?.Quota ?? domain.DefaultQuota;
        if (Exceeds(write, domains.GetValueOrDefault(domain.Name) ?? domain, quota) is { } exceeds) return exceeds;
        var account = new Account(0, domain.Id, address, wanted.Name.Trim(), wanted.Role, quota, NormalGroups(wanted.Groups.Length > 0 ? wanted.Groups : template?.Groups ?? ""), wanted.Enabled, Rounded(created))
        { Profile = template?.Below(wanted.Profile, Rounded(created)) ?? wanted.Profile };
        // whoever signs in elsewhere (OpenID Connect) has no password to change
        if (hash.Value.Hash.Length == 0) account = account with { Profile = account.Profile with { MustChangePassword = wanted.Profile.MustChangePassword } };
        if (DirectoryTable.AddAccount(write, account, hash.Value.Hash) is not { } id) return Taken(address);
        account = account with { Id = id };
        if (template?.Policy is { } policy) DirectoryTable.SetPolicy(write, account = account with { Policy = policy });
        SetScram(write, account, hash.Value.Scram);
        Announce(write, account, added: true);
        write.OnCommitted(() => Keep(account, hash.Value));
        return account;
    }

    public async ValueTask<Result<Account>> SetAccountAsync(Account account, AccountChange change, CancellationToken cancel = default)
    {
        if (change.Name is not null && CheckName(change.Name) is { } badName) return badName;
        if (CheckQuota(change.Quota) is { } badQuota) return badQuota;
        if (Mastered(GetAccount(account.Id) ?? account, change) is { } elsewhere) return elsewhere;
        PasswordSecrets? hash = null;
        var password = change.Password;
        if (change.PasswordHash is { } given && !TryKept(given, out password, out var kept))
        {
            if (!kept.Ok) return kept.Refusal;
            hash = kept.Value;
        }
        else if (password is { Length: > 0 })
        {
            if (CheckPassword(password) is { } refusal) return refusal;
            hash = await hashing.SecretsAsync(password, inBulk: false, cancel);
        }
        else if (password is not null) hash = PasswordSecrets.None;
        return await ChangeAsync(account.Id, entry => new(entry.Account with
        {
            Name = change.Name?.Trim() ?? entry.Account.Name,
            Quota = change.Quota ?? entry.Account.Quota,
            Role = change.Role ?? entry.Account.Role,
            Groups = change.Groups is null ? entry.Account.Groups : NormalGroups(change.Groups),
            Enabled = change.Enabled ?? entry.Account.Enabled,
            Profile = change.Profile?.Invoke(entry.Account.Profile) ?? entry.Account.Profile,
        }, hash ?? entry.Secrets), cancel, endsSessions: hash is not null || change.Enabled == false, change.StillMay);
    }

    async ValueTask<Result<Account>> ChangeAsync(long id, Func<Entry, Entry> change, CancellationToken cancel, bool endsSessions = false, Func<bool>? stillMay = null)
    {
        return await store.CommitAsync<Result<Account>>(write =>
        {
            if (DirectoryTable.FindAccount(write, id) is not var (account, password, scram)) return Refusal.NoSuchUser;
            if (stillMay?.Invoke() == false) return Refusal.Conflict.Because("The password was changed by somebody else meanwhile; sign in again");
            var before = new Entry(account, new(password, Open(account, scram)));
            var next = change(before);
            if (next.Account.Quota != account.Quota && GetDomain(account.DomainId) is { } domain && Exceeds(write, domain, next.Account.Quota, instead: account.Quota) is { } exceeds) return exceeds;
            if (!DirectoryTable.SetAccount(write, next.Account, next.Password)) return Refusal.NoSuchUser;
            if (!ReferenceEquals(next.Secrets.Scram, before.Secrets.Scram)) SetScram(write, next.Account, next.Secrets.Scram);
            if (endsSessions) SignInChanging?.Invoke(write, next.Account);
            if (next.Account.Profile.Recovery != account.Profile.Recovery) RecoveryChanging?.Invoke(write, next.Account);
            write.OnCommitted(() => Keep(next.Account, next.Secrets));
            return next.Account;
        }, cancel);
    }

    /// <summary>Removes the account with all its mail.</summary>
    public async ValueTask<Refusal?> RemoveAccountAsync(Account account, CancellationToken cancel = default)
    {
        if (StillThere(GetAccount(account.Id) ?? account) is { } there) return there;
        var done = await store.CommitAsync(write =>
        {
            if (!DirectoryTable.RemoveAccount(write, account.Id)) return false;
            Announce(write, account, added: false);
            write.OnCommitted(() => Forget(account));
            return true;
        }, cancel);
        return done ? null : Refusal.NoSuchUser;
    }

    // ---- aliases

    /// <summary>Adds targets to the alias, which is made where there is none.</summary>
    /// <param name="profile">Of a new one; null: there may be one, which keeps what it has.</param>
    public async ValueTask<Result<Alias>> AddAliasAsync(string address, IReadOnlyList<string> targets, CancellationToken cancel = default, AliasProfile? profile = null)
    {
        if (!Names.TryAddress(address, out var normal)) return Refusal.BadAddress.Because($"\"{Printable(address)}\" is not a valid address");
        if (!domains.TryGetValue(normal.Domain, out var domain)) return NoDomain(normal.Domain);
        if (domain.AliasOf is { } real) return Refusal.Invalid.Because($"{domain.Name} is an alias of {real}; add the address there");
        if (accounts.ContainsKey(Key(normal)) || groups.ContainsKey(Key(normal)) || (profile is not null && aliases.ContainsKey(Key(normal)))) return Taken(normal);
        var wanted = new List<string>();
        foreach (var target in targets)
        {
            if (!Names.TryAddress(target, out var to)) return Refusal.BadAddress.Because($"\"{Printable(target)}\" is not a valid address");
            if (Key(to) == Key(normal)) return Refusal.Invalid.Because($"{normal} cannot be its own target");
            wanted.Add(to.ToString());
        }
        if (wanted.Count == 0) return Refusal.Invalid.Because("An alias needs at least one target address");
        var created = time.GetUtcNow();
        return await store.CommitAsync<Result<Alias>>(write =>
        {
            if (!DirectoryTable.HasDomain(write, domain.Id)) return NoDomain(normal.Domain);
            var old = DirectoryTable.FindAlias(write, domain.Id, normal.LocalPart);
            var alias = new Alias(old?.Id ?? 0, domain.Id, normal, [.. (old?.Targets ?? []).Union(wanted, StringComparer.Ordinal)], old?.Created ?? Rounded(created)) { Policy = old?.Policy ?? MailPolicy.None, Profile = old?.Profile ?? profile ?? AliasProfile.None };
            if (old is not null) { if (profile is not null || !DirectoryTable.SetAlias(write, alias)) return Taken(normal); }
            else if (GetDomain(domain.Id)?.Profile.MaxAliases is { } most && DirectoryTable.CountAliases(write, domain.Id) >= most)
                return Refusal.Conflict.Because($"The domain {domain.Name} has {most} aliases already, which is all that it may have");
            else if (DirectoryTable.AddAlias(write, alias) is { } id) alias = alias with { Id = id };
            else return Taken(normal);
            write.OnCommitted(() => Keep(alias));
            return alias;
        }, cancel);
    }

    /// <summary>Removes one target, or the alias with all of them where <paramref name="target"/> is null or the last.</summary>
    public async ValueTask<Refusal?> RemoveAliasAsync(string address, string? target = null, CancellationToken cancel = default)
    {
        if (!Names.TryAddress(address, out var normal) || !aliases.TryGetValue(Key(normal), out var alias))
            return Refusal.NoSuchThing.Because($"There is no alias {Printable(address)}; list them with: cbamail alias list");
        var goes = target is not null && Names.TryAddress(target, out var to) ? to.ToString() : target;
        return await store.CommitAsync(write =>
        {
            if (DirectoryTable.FindAlias(write, alias.DomainId, alias.Address.LocalPart) is not { } old) return null; // somebody was quicker
            IReadOnlyList<string> left = goes is null ? [] : [.. old.Targets.Where(one => one != goes)];
            if (left.Count == old.Targets.Count) return Refusal.NoSuchThing.Because($"{old.Address} has no target {Printable(target!)}");
            if (left.Count == 0)
            {
                DirectoryTable.RemoveAlias(write, old.Id);
                write.OnCommitted(() => aliases.TryRemove(Key(normal), out _));
                return null;
            }
            var changed = old with { Targets = left };
            DirectoryTable.SetAlias(write, changed);
            write.OnCommitted(() => aliases[Key(normal)] = changed);
            return null;
        }, cancel);
    }

    // ---- rules

    static Refusal? CheckPassword(string password) =>
        Crypt.CanHash(PasswordHashing.Prepare(password)) ? null : Refusal.Invalid.Because($"A password has 1 to {Crypt.LongestPassword} bytes and no NUL");

    static Refusal? CheckName(string name) =>
        name.Length > 200 || name.Any(char.IsControl) ? Refusal.Invalid.Because("A display name has at most 200 characters, and no line breaks or control characters")
        : name.TrimStart() is ['=' or '+' or '@' or '-', ..] ? Refusal.Invalid.Because("A display name does not begin with =, +, - or @: spreadsheets would take it for a formula") : null;

    // one below nothing would be room for others in what all of a domain may come to
    static Refusal? CheckQuota(long? quota) => quota < 0 ? Refusal.Invalid.Because("A quota is a number of bytes, or 0 for none").At("quota") : null;

    internal static string NormalGroups(string groups) =>
        string.Join(' ', groups.Split([' ', ',', ';', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct(StringComparer.OrdinalIgnoreCase));

    // times are kept in milliseconds
    static DateTimeOffset Rounded(DateTimeOffset moment) => DateTimeOffset.FromUnixTimeMilliseconds(moment.ToUnixTimeMilliseconds());

    static Refusal NoDomain(string name) => Refusal.NoSuchDomain.Because($"The domain {Printable(name)} is not here; add it with: cbamail domain add {Printable(name)}");

    static Refusal Taken(MailAddress address) => Refusal.AlreadyExists.Because($"The address {address} is taken already");

    // what people typed goes into one line of a sentence
    static string Printable(string? text) => new([.. (text ?? "").Take(200).Select(c => char.IsControl(c) ? '?' : c)]);
}
