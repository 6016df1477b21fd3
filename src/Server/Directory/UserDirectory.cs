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
    readonly ConcurrentDictionary<string, MailGroup> groups = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<string, RecipientMapping> mappings = new(StringComparer.Ordinal);

    readonly byte[] rewritingKey, pretenceKey;
    readonly Secrets? secrets;
    int withoutScram;

    /// <summary>Reads everything from the store.</summary>
    public UserDirectory(Store store, TimeProvider time, PasswordHashing? hashing = null, Secrets? secrets = null)
    {
        this.store = store;
        this.time = time;
        this.secrets = secrets;
        this.hashing = hashing ?? new PasswordHashing(time);
        using var read = store.Read();
        foreach (var domain in DirectoryTable.Domains(read)) domains[domain.Name] = domain;
        foreach (var (account, password, scram) in DirectoryTable.Accounts(read)) Keep(account, new(password, Open(account, scram)));
        foreach (var alias in DirectoryTable.Aliases(read)) Keep(alias);
        foreach (var template in AccountTemplateTable.All(read)) templates[template.Name] = template;
        foreach (var group in GroupTable.All(read)) groups[Key(group.Address)] = group;
        foreach (var mapping in DirectoryTable.Mappings(read)) mappings[mapping.Address] = mapping;
        rewritingKey = DirectoryTable.ServerKey(read, "srs");
        pretenceKey = DirectoryTable.ServerKey(read, "scram");
    }

    sealed record Entry(Account Account, PasswordSecrets Secrets)
    {
        public string Password => Secrets.Hash;
    }

    internal Store Store => store;
    internal TimeProvider Time => time;

    /// <summary>Runs in the transaction that adds an account; upper rooms make its mailboxes there.</summary>
    public event Action<WriteTransaction, Account>? AccountAdding;
    /// <summary>Runs in the transaction that removes an account.</summary>
    public event Action<WriteTransaction, Account>? AccountRemoving;

    /// <summary>Runs in the transaction that gives an account another password, or disables it: who is signed in is not any more.</summary>
    public event Action<WriteTransaction, Account>? SignInChanging;

    /// <summary>Runs in the transaction that gives an account another recovery address, or takes it away.</summary>
    public event Action<WriteTransaction, Account>? RecoveryChanging;

    /// <summary>Runs in the transaction that removes a domain.</summary>
    public event Action<WriteTransaction, Domain>? DomainRemoving;

    /// <summary>Runs when a domain has been removed.</summary>
    public event Action<Domain>? DomainRemoved;

    public int DomainCount => domains.Count;
    public int AccountCount => accountsById.Count;

    public Domain? FindDomain(string name) =>
        domains.TryGetValue(name, out var domain) ? domain : Names.TryDomain(name, out var key) ? domains.GetValueOrDefault(key) : null;

    Domain? GetDomain(long id) => domains.Values.FirstOrDefault(domain => domain.Id == id);

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

    public int CountAccounts(Domain domain) => accountsById.Values.Count(entry => entry.Account.DomainId == domain.Id);

    /// <summary>Sorted by domain and local part.</summary>
    /// <param name="domain">Only of this domain, or null.</param>
    public IReadOnlyList<Account> ListAccounts(Domain? domain = null) =>
        [.. accountsById.Values.Select(entry => entry.Account).Where(account => domain is null || account.DomainId == domain.Id)
            .OrderBy(account => account.Address.Domain, StringComparer.Ordinal).ThenBy(account => account.Address.LocalPart, StringComparer.Ordinal)];

    /// <summary>Those that have a time at which they end.</summary>
    public IReadOnlyList<Account> Expiring() => [.. accountsById.Values.Select(entry => entry.Account).Where(account => account.Profile.Expires is not null)];

    public IReadOnlyList<Alias> ListAliases(Domain? domain = null) =>
        [.. aliases.Values.Where(alias => domain is null || alias.DomainId == domain.Id)
            .OrderBy(alias => alias.Address.Domain, StringComparer.Ordinal).ThenBy(alias => alias.Address.LocalPart, StringComparer.Ordinal)];

    internal void Announce(WriteTransaction transaction, Account account, bool added)
    {
        if (!added) RemoveOwnAliases(transaction, account); // or they would be those of who gets its number
        (added ? AccountAdding : AccountRemoving)?.Invoke(transaction, account);
    }

    void Keep(Account account, PasswordSecrets password)
    {
        var entry = new Entry(account, password);
        withoutScram += Lacking(entry) - Lacking(accountsById.GetValueOrDefault(account.Id));
        accounts[Key(account.Address)] = account;
        accountsById[account.Id] = entry;
    }

    void Forget(Account account)
    {
        accounts.TryRemove(Key(account.Address), out _);
        if (accountsById.TryRemove(account.Id, out var entry)) withoutScram -= Lacking(entry);
    }

    static string Key(MailAddress normal) => normal.LocalPart + "@" + normal.Domain;
}
