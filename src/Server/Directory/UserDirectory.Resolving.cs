using System.Diagnostics.CodeAnalysis;
using CbaMail.Envelope;

namespace CbaMail.Directory;

public sealed partial class UserDirectory
{
    /// <summary>
    /// Who gets mail for an address of a local domain: account and what it forwards to, "+" detail, aliases (to any depth below 10, each
    /// target once), the next server of a relay domain, catch-all; and who gets copies by policy. A domain alias stands for its domain.
    /// NoSuchDomain where the domain is not ours, NoSuchUser where nobody is. A disabled account still gets mail: it cannot sign in.
    /// </summary>
    /// <param name="poster">Who sends to it: then mailboxes of the domain itself that he may post to are found too.</param>
    public Result<IReadOnlyList<Target>> Resolve(MailAddress address, Poster? poster = null)
    {
        if (!TryLocal(address, out var normal, out var domain)) return Refusal.NoSuchDomain;
        // the common case without the machinery
        if (accounts.TryGetValue(Key(normal), out var direct) && direct.Policy.IsEmpty && domain.Policy.BccIncoming is null) return new([new Target(direct, null, null)], null);
        var search = new Search { Poster = poster };
        Collect(normal, detail: null, via: null, depth: 0, search);
        // two who forward to one another and keep nothing: the mail stays with the first
        if (search.Found.Count == 0 && search.Fallback is { } account) search.Found.Add(new(account, null, null));
        if (search.IsTooMany) return TooMany;
        return search.Found.Count > 0 ? search.Found : search.IsSendOnly ? SendOnly : Refusal.NoSuchUser;
    }

    // RFC 3463 3.3: X.2.1 mailbox disabled, not accepting messages
    static readonly Refusal SendOnly = new(550, "5.2.1", "CANNOT", 403, "This address sends only; nobody reads what is sent to it");

    static readonly Refusal TooMany = Refusal.TooMany.Because($"This address leads to more than {MostTargets} others");

    /// <summary>Whether the domain is ours: the address in its form for comparison, where a domain alias has been replaced by its domain.</summary>
    bool TryLocal(MailAddress address, [NotNullWhen(true)] out MailAddress? normal, [NotNullWhen(true)] out Domain? domain)
    {
        domain = null;
        if (!Names.TryAddress(address, out normal) || !domains.TryGetValue(normal.Domain, out domain)) return false;
        if (domain.AliasOf is not { } real) return true;
        normal = normal with { Domain = real };
        return domains.TryGetValue(real, out domain);
    }

    /// <summary>What the address stands for by the recipient map, or itself; once, not in a chain.</summary>
    public MailAddress Map(MailAddress address)
    {
        if (mappings.IsEmpty || !Names.TryAddress(address, out var normal)) return address;
        if (!mappings.TryGetValue(Key(normal), out var mapping) && !mappings.TryGetValue("@" + normal.Domain, out mapping)) return address;
        if (mapping.Target.StartsWith('@')) return address with { Domain = mapping.Target[1..] };
        return MailAddress.TryParse(mapping.Target, out var target) ? target : address;
    }

    sealed class Search
    {
        public List<Target> Found { get; } = [];
        public Poster? Poster { get; init; }
        public HashSet<string> Seen { get; } = [];
        public HashSet<string> Taken { get; } = [];
        /// <summary>The first account that only forwards.</summary>
        public Account? Fallback { get; set; }
        /// <summary>It led to an account that receives nothing.</summary>
        public bool IsSendOnly { get; set; }
        /// <summary>It leads to more than one message is sent to: nobody gets it, rather than some.</summary>
        public bool IsTooMany { get; set; }
        /// <summary>The outermost group on the way.</summary>
        public MailGroup? Group { get; set; }
        /// <summary>Where what goes by the innermost one comes back to.</summary>
        public MailAddress? ReturnTo { get; set; }

        public void Add(Target target) => Found.Add(Group is null ? target : target with { Group = Group, ReturnTo = ReturnTo });
    }

    /// <summary>Names that exist in each domain here although nobody has them; a room above sets them at the start.</summary>
    public IReadOnlySet<string> ServedNames { get; set; } = new HashSet<string>();

    /// <summary>Whether "name+folder" of a domain leads to a mailbox of its own, and whoever sends may post to it; a room above answers. Accounts and aliases come first.</summary>
    public Func<Domain, string, string, Poster, bool>? IsFolder { get; set; }

    /// <summary>Whether a room above answers mail for the address; accounts and groups come first.</summary>
    public Func<MailAddress, bool>? IsServed { get; set; }

    /// <summary>What else stands for an account where rights to mailboxes are given, beside its address and groups; a room above answers.</summary>
    public Func<Account, IReadOnlyList<string>>? ListsOf { get; set; }

    void Collect(MailAddress address, string? detail, MailAddress? via, int depth, Search search)
    {
        if (domains.TryGetValue(address.Domain, out var domain) && domain.AliasOf is { } real)
        {
            address = address with { Domain = real };
            domain = domains.GetValueOrDefault(real);
        }
        if (depth > DeepestAlias || !search.Seen.Add(Key(address))) return;
        if (search.Found.Count >= MostTargets)
        {
            search.IsTooMany = true;
            return;
        }
        if (domain is null)
        {
            if (search.Taken.Add(Key(address))) search.Add(new(null, null, address, via));
            return;
        }

        if (Take(address, detail, depth, search, domain)) return;
        // RFC 5233 4: "anna+shop" is "anna" with the detail "shop"; an account that is really called so came first
        var plus = address.LocalPart.IndexOf('+');
        if (plus > 0 && Take(address with { LocalPart = address.LocalPart[..plus] }, address.LocalPart[(plus + 1)..], depth, search, domain)) return;
        if (plus > 0 && search.Poster is { } poster && IsFolder?.Invoke(domain, address.LocalPart[..plus], address.LocalPart[(plus + 1)..], poster) == true)
        {
            var folders = new Account(-domain.Id, domain.Id, address with { LocalPart = address.LocalPart[..plus] }, "", Role.User, 0, "", true, default);
            if (search.Taken.Add(Key(address))) search.Found.Add(new(folders, address.LocalPart[(plus + 1)..], null));
            return;
        }
        if (domain.Policy.RelayTo is not null)
        {
            if (search.Taken.Add(Key(address))) search.Found.Add(new(null, null, address));
            return;
        }
        if (OwnedBy(address) is { } group)
        {
            if (group.Profile.Owners is { } owners) CollectAll(owners, address, depth, search);
            else if (Administrator(domain) is { } keeper && search.Taken.Add(Key(keeper.Address))) search.Add(new(keeper, null, null));
            return;
        }
        // RFC 5321 4.5.1: postmaster is always there; RFC 2142 5 asks the same of abuse
        if (address.LocalPart is "postmaster" or "abuse" && Administrator(domain) is { } administrator)
        {
            if (search.Taken.Add(Key(administrator.Address))) search.Found.Add(new(administrator, null, null));
            return;
        }
        // read by a room of the server, whoever else gets it or not
        if (ServedNames.Contains(address.LocalPart))
        {
            search.Found.Add(Target.Nobody);
            return;
        }
        if (domain.CatchAll is { } catchAll && MailAddress.TryParse(catchAll, out var target)) Collect(target, null, address, depth + 1, search);
    }

    bool Take(MailAddress address, string? detail, int depth, Search search, Domain domain)
    {
        if (accounts.TryGetValue(Key(address), out var account))
        {
            if (account.Policy.SendOnly == true) return search.IsSendOnly = true;
            var forward = account.Policy.Forward ?? [];
            if (forward.Count == 0 || account.Policy.KeepCopy != false)
            {
                if (search.Taken.Add(Key(address))) search.Add(new(account, string.IsNullOrEmpty(detail) ? null : detail, null));
            }
            else search.Fallback ??= account;
            CollectAll(forward, address, depth, search);
            CollectAll(account.Policy.BccIncoming, address, depth, search);
            CollectAll(domain.Policy.BccIncoming, address, depth, search);
            return true;
        }
        if (groups.TryGetValue(Key(address), out var group))
        {
            CollectGroup(group, depth, search);
            return true;
        }
        if (IsServed?.Invoke(address) == true)
        {
            if (search.Taken.Add(Key(address))) search.Add(new(null, null, null) { Served = address });
            return true;
        }
        if (!aliases.TryGetValue(Key(address), out var alias)) return false;
        if (IsOpen(alias)) CollectAll(alias.Targets, address, depth, search);
        return true;
    }

    void CollectAll(IReadOnlyList<string>? targets, MailAddress via, int depth, Search search)
    {
        foreach (var target in targets ?? [])
            if (Names.TryAddress(target, out var next)) Collect(next, null, via, depth + 1, search);
    }

    Account? Administrator(Domain domain) =>
        accountsById.Values.Select(entry => entry.Account)
            .Where(account => account.Role == Role.Admin || (account.Role == Role.DomainAdmin && account.DomainId == domain.Id))
            .OrderBy(account => account.DomainId == domain.Id ? 0 : 1).ThenBy(account => account.Id).FirstOrDefault();

    /// <summary>Whether the account may write for the owner of the address, under its own name in Sender.</summary>
    public bool MaySendOnBehalf(Account account, MailAddress address) =>
        TryLocal(address, out var normal, out _) && GetAccount(account.Id)?.Policy.SendOnBehalf is { } lent && lent.Any(pattern => SenderPattern.Matches(pattern, normal, isMember: false));

    /// <summary>As what the account may write, its own address first; of its policy as the patterns that stand there. Those with a detail are not named.</summary>
    public IReadOnlyList<string> SendersOf(Account account) =>
    [
        .. new[] { account.Address.ToString() }
            .Concat(aliases.Values.Where(alias => MaySendAs(account, alias.Address)).Select(alias => alias.Address.ToString()).Order(StringComparer.Ordinal))
            .Concat(groups.Values.Where(group => MaySendAs(group, account)).Select(group => group.Address.ToString()).Order(StringComparer.Ordinal))
            .Concat(GetAccount(account.Id)?.Policy.SendAs ?? []).Distinct(StringComparer.Ordinal).Take(MostSenders),
    ];

    const int MostSenders = 1000;

    /// <summary>Whether the account may use the address as sender: its own, with any detail, an alias that leads to it, or one that its policy lends it.</summary>
    public bool MaySendAs(Account account, MailAddress address)
    {
        if (!TryLocal(address, out var normal, out _)) return false;
        if (GetAccount(account.Id)?.Policy.SendAs is { } lent && lent.Any(pattern => SenderPattern.Matches(pattern, normal, isMember: false))) return true;
        var plus = normal.LocalPart.IndexOf('+');
        var plain = plus > 0 ? normal with { LocalPart = normal.LocalPart[..plus] } : normal;
        if (groups.TryGetValue(Key(normal), out var group)) return MaySendAs(group, account);
        if (aliases.TryGetValue(Key(normal), out var alias) && (alias.Profile.MaySend == false || !IsOpen(alias))) return false;
        if (accounts.TryGetValue(Key(normal), out var owner)) return owner.Id == account.Id;
        if (!aliases.ContainsKey(Key(normal)) && accounts.TryGetValue(Key(plain), out owner)) return owner.Id == account.Id;
        var viaAlias = aliases.ContainsKey(Key(normal)) || aliases.ContainsKey(Key(plain)) || normal.LocalPart is "postmaster" or "abuse";
        // a catch-all leads to its owner too, but whoever reads strays may not write in any name
        return viaAlias && Resolve(normal) is { Ok: true, Value: var targets } && targets.Any(target => target.Account?.Id == account.Id);
    }
}
