using System.Collections.Concurrent;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>
/// Domains, accounts and aliases: held in memory (a few hundred bytes each), written through to their tables.
/// Look-ups are synchronous and never touch the disk; the deeds are in UserDirectory.Deeds.cs.
/// </summary>
public sealed partial class UserDirectory
{
    /// <summary>How deep aliases may lead to aliases.</summary>
    const int DeepestAlias = 10;
    /// <summary>How many targets one address may have in all.</summary>
    const int MostTargets = 10_000;

    readonly Store store;
    readonly TimeProvider time;
    readonly PasswordHashing hashing;
    readonly ConcurrentDictionary<string, Domain> domains = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<string, Account> accounts = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<long, Entry> accountsById = new();
    readonly ConcurrentDictionary<string, Alias> aliases = new(StringComparer.Ordinal);

    /// <summary>Reads everything from the store.</summary>
    public UserDirectory(Store store, TimeProvider time, PasswordHashing? hashing = null)
    {
        this.store = store;
        this.time = time;
        this.hashing = hashing ?? new PasswordHashing(time);
        using var read = store.Read();
        foreach (var domain in DirectoryTable.Domains(read)) domains[domain.Name] = domain;
        foreach (var (account, password) in DirectoryTable.Accounts(read)) Keep(account, password);
        foreach (var alias in DirectoryTable.Aliases(read)) aliases[Key(alias.Address)] = alias;
    }

    sealed record Entry(Account Account, string Password);

    internal Store Store => store;
    internal TimeProvider Time => time;

    /// <summary>Runs in the transaction that adds an account; upper rooms make its mailboxes there.</summary>
    public event Action<WriteTransaction, Account>? AccountAdding;
    /// <summary>Runs in the transaction that removes an account.</summary>
    public event Action<WriteTransaction, Account>? AccountRemoving;

    public int DomainCount => domains.Count;
    public int AccountCount => accountsById.Count;

    public Domain? FindDomain(string name) =>
        domains.TryGetValue(name, out var domain) ? domain : Names.TryDomain(name, out var key) ? domains.GetValueOrDefault(key) : null;

    /// <summary>The account of exactly this address, without "+" detail, alias or catch-all.</summary>
    public Account? FindAccount(MailAddress address) =>
        Names.TryAddress(address, out var normal) ? accounts.GetValueOrDefault(Key(normal)) : null;

    public Account? GetAccount(long id) => accountsById.GetValueOrDefault(id)?.Account;

    public Alias? FindAlias(MailAddress address) =>
        Names.TryAddress(address, out var normal) ? aliases.GetValueOrDefault(Key(normal)) : null;

    /// <summary>Whether the address is in one of our domains, be there somebody or not.</summary>
    public bool IsLocal(MailAddress address) => FindDomain(address.Domain) is not null;

    /// <summary>Whether a sign-in with a password is possible at all.</summary>
    public bool HasPassword(Account account) => accountsById.GetValueOrDefault(account.Id) is { Password.Length: > 0 };

    /// <summary>The crypt(3) hash of the account, or "": for exports.</summary>
    internal string PasswordHash(long id) => accountsById.GetValueOrDefault(id)?.Password ?? "";

    public IReadOnlyList<Domain> ListDomains() => [.. domains.Values.OrderBy(domain => domain.Name, StringComparer.Ordinal)];

    /// <summary>Sorted by domain and local part.</summary>
    /// <param name="domain">Only of this domain, or null.</param>
    public IReadOnlyList<Account> ListAccounts(Domain? domain = null) =>
        [.. accountsById.Values.Select(entry => entry.Account).Where(account => domain is null || account.DomainId == domain.Id)
            .OrderBy(account => account.Address.Domain, StringComparer.Ordinal).ThenBy(account => account.Address.LocalPart, StringComparer.Ordinal)];

    public IReadOnlyList<Alias> ListAliases(Domain? domain = null) =>
        [.. aliases.Values.Where(alias => domain is null || alias.DomainId == domain.Id)
            .OrderBy(alias => alias.Address.Domain, StringComparer.Ordinal).ThenBy(alias => alias.Address.LocalPart, StringComparer.Ordinal)];

    /// <summary>
    /// Who gets mail for an address of a local domain: account, "+" detail, aliases (to any depth below 10, each target once), catch-all.
    /// NoSuchDomain where the domain is not ours, NoSuchUser where nobody is. A disabled account still gets mail: it cannot sign in.
    /// </summary>
    public Result<IReadOnlyList<Target>> Resolve(MailAddress address)
    {
        if (!Names.TryAddress(address, out var normal)) return Refusal.NoSuchDomain;
        if (!domains.ContainsKey(normal.Domain)) return Refusal.NoSuchDomain;
        // the common case without the machinery
        if (accounts.TryGetValue(Key(normal), out var direct)) return new([new Target(direct, null, null)], null);
        var search = new Search();
        Collect(normal, detail: null, depth: 0, search);
        return search.Found.Count > 0 ? search.Found : Refusal.NoSuchUser;
    }

    sealed class Search
    {
        public List<Target> Found { get; } = [];
        public HashSet<string> Seen { get; } = [];
        public HashSet<string> Taken { get; } = [];
    }

    void Collect(MailAddress address, string? detail, int depth, Search search)
    {
        if (depth > DeepestAlias || search.Found.Count >= MostTargets || !search.Seen.Add(Key(address))) return;
        if (!domains.TryGetValue(address.Domain, out var domain))
        {
            if (search.Taken.Add(Key(address))) search.Found.Add(new(null, null, address));
            return;
        }

        if (Take(address, detail, depth, search)) return;
        // RFC 5233 4: "anna+shop" is "anna" with the detail "shop"; an account that is really called so came first
        var plus = address.LocalPart.IndexOf('+');
        if (plus > 0 && Take(address with { LocalPart = address.LocalPart[..plus] }, address.LocalPart[(plus + 1)..], depth, search)) return;
        // RFC 5321 4.5.1: postmaster is always there; RFC 2142 5 asks the same of abuse
        if (address.LocalPart is "postmaster" or "abuse" && Administrator(domain) is { } administrator)
        {
            if (search.Taken.Add(Key(administrator.Address))) search.Found.Add(new(administrator, null, null));
            return;
        }
        if (domain.CatchAll is { } catchAll && MailAddress.TryParse(catchAll, out var target)) Collect(target, null, depth + 1, search);
    }

    bool Take(MailAddress address, string? detail, int depth, Search search)
    {
        if (accounts.TryGetValue(Key(address), out var account))
        {
            if (search.Taken.Add(Key(address))) search.Found.Add(new(account, string.IsNullOrEmpty(detail) ? null : detail, null));
            return true;
        }
        if (!aliases.TryGetValue(Key(address), out var alias)) return false;
        foreach (var target in alias.Targets)
            if (MailAddress.TryParse(target, out var next)) Collect(next, null, depth + 1, search);
        return true;
    }

    Account? Administrator(Domain domain) =>
        accountsById.Values.Select(entry => entry.Account)
            .Where(account => account.Role == Role.Admin || (account.Role == Role.DomainAdmin && account.DomainId == domain.Id))
            .OrderBy(account => account.DomainId == domain.Id ? 0 : 1).ThenBy(account => account.Id).FirstOrDefault();

    /// <summary>Whether the account may use the address as sender: its own, with any detail, or an alias that leads to it.</summary>
    public bool MaySendAs(Account account, MailAddress address)
    {
        if (!Names.TryAddress(address, out var normal) || !domains.ContainsKey(normal.Domain)) return false;
        var plus = normal.LocalPart.IndexOf('+');
        var plain = plus > 0 ? normal with { LocalPart = normal.LocalPart[..plus] } : normal;
        if (accounts.TryGetValue(Key(normal), out var owner)) return owner.Id == account.Id;
        if (!aliases.ContainsKey(Key(normal)) && accounts.TryGetValue(Key(plain), out owner)) return owner.Id == account.Id;
        var viaAlias = aliases.ContainsKey(Key(normal)) || aliases.ContainsKey(Key(plain)) || normal.LocalPart is "postmaster" or "abuse";
        // a catch-all leads to its owner too, but whoever reads strays may not write in any name
        return viaAlias && Resolve(normal) is { Ok: true, Value: var targets } && targets.Any(target => target.Account?.Id == account.Id);
    }

    internal void Announce(WriteTransaction transaction, Account account, bool added) => (added ? AccountAdding : AccountRemoving)?.Invoke(transaction, account);

    void Keep(Account account, string password)
    {
        accounts[Key(account.Address)] = account;
        accountsById[account.Id] = new(account, password);
    }

    static string Key(MailAddress normal) => normal.LocalPart + "@" + normal.Domain;
}
