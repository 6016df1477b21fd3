using System.Globalization;
using System.Text;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Ldap;

namespace CbaMail.Federation.Ldap;

/// <summary>Somebody as a directory knows him.</summary>
/// <param name="Id">What never changes.</param>
/// <param name="Name">Distinguished name.</param>
/// <param name="Display">Null: the directory says no names.</param>
/// <param name="Groups">Names of groups; null: it says none.</param>
/// <param name="Language">One that we speak, or null.</param>
sealed record LdapPerson(string Id, string Name, MailAddress Address, string? Display, long? Quota, IReadOnlyList<string>? Groups, bool Enabled, IReadOnlyList<MailAddress>? Aliases, string? Language)
{
    /// <summary>What groups that know no names of entries call him.</summary>
    public string? Uid { get; init; }
}

/// <summary>A group with an address as a directory knows it.</summary>
/// <param name="Display">Null: the directory says no names.</param>
/// <param name="Members">As <see cref="LdapMapping.MemberKey"/> has them.</param>
/// <param name="Others">Addresses of members that have no entry.</param>
sealed record LdapGroup(string Id, string Name, MailAddress Address, string? Display, IReadOnlyList<string> Members, IReadOnlyList<MailAddress> Others);

/// <summary>Where a directory has what: the settings, and behind them the preset.</summary>
sealed class LdapMapping
{
    const int MostAliases = 200, MostGroups = 500;

    readonly LdapSettings settings;
    readonly UserDirectory directory;
    readonly TimeProvider time;
    readonly string[] id, address, name, aliases, quota, groups, enabled, groupName, member, language, groupAddress, groupTitle, memberAddress;
    readonly HashSet<string> domains;

    public LdapMapping(LdapSettings settings, UserDirectory directory, TimeProvider time)
    {
        (this.settings, this.directory, this.time) = (settings, directory, time);
        domains = [.. settings.Domains.Select(one => Names.TryDomain(one, out var key) ? key : one.ToLowerInvariant())];
        var kind = settings.Preset;
        string[] Of(string key, string openldap, string active, string freeipa) =>
            (settings.Attributes.GetValueOrDefault(key) ?? (kind == LdapPreset.ActiveDirectory ? active : kind == LdapPreset.Freeipa ? freeipa : openldap)).Split([' ', ','], StringSplitOptions.RemoveEmptyEntries) is var all && all is ["none"] ? [] : all;
        id = Of("id", "entryUUID", "objectGUID", "ipaUniqueID");
        address = Of("address", "mail", "mail", "mail");
        name = Of("name", "displayName cn", "displayName cn", "displayName cn");
        aliases = Of("aliases", "mailAlternateAddress", "proxyAddresses", "mailAlternateAddress");
        quota = Of("quota", "none", "none", "none");
        groups = Of("groups", "none", "memberOf", "memberOf");
        enabled = Of("enabled", "shadowExpire", "userAccountControl", "nsAccountLock");
        language = Of("language", "preferredLanguage", "preferredLanguage", "preferredLanguage");
        groupName = Of("group-name", "cn", "cn", "cn");
        member = Of("member", "member uniqueMember memberUid", "member", "member");
        groupAddress = Of("group-address", "mail", "mail", "mail");
        groupTitle = Of("group-title", "displayName cn", "displayName cn", "displayName cn");
        memberAddress = Of("member-address", "none", "none", "none");
        Filter = Parsed(settings.Filter.Length > 0 ? settings.Filter : kind switch
        {
            LdapPreset.ActiveDirectory => "(&(objectClass=user)(!(objectClass=computer))(mail=*))",
            LdapPreset.Freeipa => "(&(objectClass=posixAccount)(mail=*))",
            _ => "(&(objectClass=inetOrgPerson)(mail=*))",
        });
        SaysMembers = settings.GroupFilter.Length > 0 ? settings.GroupFilter != "none" : kind == LdapPreset.Openldap;
        HasMailGroups = groupAddress.Length > 0 && settings.GroupFilter != "none";
        var addressed = $"(|{string.Concat(groupAddress.Select(one => $"({one}=*)"))})";
        GroupFilter = SaysMembers ? Parsed(settings.GroupFilter.Length > 0 ? settings.GroupFilter : "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))")
            : HasMailGroups ? Parsed($"(&(objectClass={(kind == LdapPreset.ActiveDirectory ? "group" : "ipausergroup")}){addressed})") : null;
        Attributes = [.. id.Concat(address).Concat(name).Concat(aliases).Concat(quota).Concat(groups).Concat(enabled).Concat(language).Append("uid").Distinct(StringComparer.OrdinalIgnoreCase)];
        GroupAttributes = [.. groupName.Concat(member).Concat(HasMailGroups ? id.Concat(groupAddress).Concat(groupTitle).Concat(memberAddress) : []).Distinct(StringComparer.OrdinalIgnoreCase)];
        Masters = [.. new[] { name.Length > 0 ? "name" : "", quota.Length > 0 ? "quota" : "", SaysGroups ? "groups" : "" }.Where(one => one.Length > 0)];
    }

    public LdapFilter Filter { get; }
    /// <summary>Groups that are looked for; null: none.</summary>
    public LdapFilter? GroupFilter { get; }

    /// <summary>Whether the entries of groups say what groups an account has; else those of people do.</summary>
    public bool SaysMembers { get; }

    /// <summary>Whether groups with an address of ours are groups here.</summary>
    public bool HasMailGroups { get; }

    public IReadOnlyList<string> Attributes { get; }
    public IReadOnlyList<string> GroupAttributes { get; }
    public LdapScope Scope => settings.Scope == LdapReach.One ? LdapScope.One : LdapScope.Subtree;
    public string GroupBase => settings.GroupBase.Length > 0 ? settings.GroupBase : settings.Base;

    /// <summary>What of an account is the directory's to say.</summary>
    public IReadOnlyList<string> Masters { get; }

    bool SaysGroups => groups.Length > 0 || SaysMembers;

    // the settings were looked at when they were read
    static LdapFilter Parsed(string text) => LdapFilter.TryParse(text, out var filter, out var problem) ? filter : throw new InvalidOperationException(problem);

    /// <summary>The entry of one whose unchanging id is known.</summary>
    public LdapFilter ById(string key) => Parsed($"({id[0]}={(key.StartsWith("0x", StringComparison.Ordinal) ? LdapFilter.Escape(Convert.FromHexString(key.AsSpan(2))) : LdapFilter.Escape(key))})");

    /// <summary>Who is meant and has an address.</summary>
    public LdapFilter ByAddress(MailAddress wanted)
    {
        var text = LdapFilter.Escape(wanted.ToString());
        // where only one domain is meant, an attribute may hold the local part alone
        var local = domains.Count == 1 ? LdapFilter.Escape(wanted.LocalPart) : null;
        return Parsed($"(&{Filter.Text}(|{string.Concat(address.Select(one => $"({one}={text})" + (local is null ? "" : $"({one}={local})")))}))");
    }

    /// <summary>Somebody, or why he is left out.</summary>
    /// <param name="groupsOf">Names of groups by what their members are called there.</param>
    public (LdapPerson? Person, string? LeftOut) Read(LdapEntry entry, IReadOnlyDictionary<string, List<string>>? groupsOf)
    {
        if (IdOf(entry) is not { } key) return (null, $"{entry.Name} has no {id[0]}; may whoever reads the directory see it?");
        var (mine, elsewhere) = AddressOf(entry, address);
        if (mine is null) return (null, elsewhere is null ? $"{entry.Name} has no address" : $"{Printable(elsewhere)} is in no domain that is here and meant");
        var display = name.Length == 0 ? null : Printable(name.Select(entry.Text).FirstOrDefault(one => !string.IsNullOrWhiteSpace(one)) ?? "").Trim();
        return (new(key, entry.Name, mine, display, Quota(entry), SaysGroups ? Groups(entry, groupsOf) : null, IsEnabled(entry), aliases.Length == 0 ? null : Aliases(entry, mine), Language(entry)) { Uid = entry.Text("uid") }, null);
    }

    /// <summary>A group with an address here, or why it is left out; neither where it has no address at all.</summary>
    public (LdapGroup? Group, string? LeftOut) ReadGroup(LdapEntry entry)
    {
        var (mine, elsewhere) = AddressOf(entry, groupAddress);
        if (mine is null) return (null, elsewhere is null ? null : $"the group {Printable(elsewhere)} is in no domain that is here and meant");
        if (IdOf(entry) is not { } key) return (null, $"{entry.Name} has no {id[0]}; may whoever reads the directory see it?");
        var display = groupTitle.Length == 0 ? null : Printable(groupTitle.Select(entry.Text).FirstOrDefault(one => !string.IsNullOrWhiteSpace(one)) ?? "").Trim();
        return (new(key, entry.Name, mine, display, [.. member.SelectMany(entry.Texts).Select(MemberKey)], [.. memberAddress.SelectMany(entry.Texts).Select(Address).OfType<MailAddress>()]), null);
    }

    /// <summary>Somebody with his first address, in whatever domain.</summary>
    public LdapMember ReadMember(LdapEntry entry) => new(entry.Name, address.SelectMany(entry.Texts).Select(Address).FirstOrDefault(one => one is not null),
        Printable(name.Select(entry.Text).FirstOrDefault(one => !string.IsNullOrWhiteSpace(one)) ?? "").Trim(), IsEnabled(entry), Language(entry));

    /// <summary>What a group calls its members.</summary>
    public IEnumerable<string> MembersOf(LdapEntry group) => member.SelectMany(group.Texts);

    /// <summary>What never changes of an entry; null where it has none.</summary>
    public string? IdOf(LdapEntry entry) => id.Select(entry.Values).FirstOrDefault(values => values.Count > 0) is [{ Length: > 0 and <= 256 } key, ..] ? Key(key) : null;

    (MailAddress? Mine, string? Elsewhere) AddressOf(LdapEntry entry, string[] attributes)
    {
        string? elsewhere = null;
        foreach (var value in attributes.SelectMany(entry.Texts))
        {
            if (Address(value) is { } parsed && IsMeant(parsed)) return (parsed, null);
            elsewhere ??= value;
        }
        return (null, elsewhere);
    }

    /// <summary>Whom a value of a group means: the name of an entry in a form to compare it by, or what is no name as "uid " and the value.</summary>
    public static string MemberKey(string value) => value.Contains('=', StringComparison.Ordinal) ? LdapName.Plain(value) : "uid " + value;

    static string Key(byte[] value) => value.All(b => b is > (byte)' ' and < 0x7F) ? Encoding.ASCII.GetString(value) : "0x" + Convert.ToHexString(value).ToLowerInvariant();

    // proxyAddresses: SMTP: is the main one, smtp: are others; X500:, sip: and their kin are no mail
    MailAddress? Address(string value)
    {
        var colon = value.IndexOf(':', StringComparison.Ordinal);
        if (colon > 0 && value.AsSpan(0, colon).IndexOf('@') < 0)
        {
            if (!value.AsSpan(0, colon).Equals("smtp", StringComparison.OrdinalIgnoreCase)) return null;
            value = value[(colon + 1)..];
        }
        if (!value.Contains('@', StringComparison.Ordinal) && domains.Count == 1) value += "@" + domains.First();
        return Names.TryAddress(value, out var parsed) ? parsed : null;
    }

    /// <summary>Whether the directory speaks for the domain of an address, and it is one of ours.</summary>
    public bool IsMeant(MailAddress one) => directory.FindDomain(one.Domain) is { AliasOf: null } domain && (domains.Count == 0 || domains.Contains(domain.Name));

    List<MailAddress> Aliases(LdapEntry entry, MailAddress mine) =>
        [.. aliases.SelectMany(entry.Texts).Select(Address).OfType<MailAddress>().Where(one => one.Key != mine.Key && IsMeant(one)).DistinctBy(one => one.Key).OrderBy(one => one.Key, StringComparer.Ordinal).Take(MostAliases)];

    long? Quota(LdapEntry entry) => quota.Select(entry.Text).FirstOrDefault(one => one is not null) is { } text && Sizes.TryParse(text, out var bytes) && bytes >= 0 ? bytes : null;

    // written as in Accept-Language: "ru, en;q=0.5"
    string? Language(LdapEntry entry) => language.Select(entry.Text).FirstOrDefault(one => one is { Length: >= 2 })?[..2].ToLowerInvariant() switch { "ru" => "ru", "en" => "en", _ => null };

    List<string> Groups(LdapEntry entry, IReadOnlyDictionary<string, List<string>>? groupsOf)
    {
        var found = new List<string>();
        foreach (var value in groups.SelectMany(entry.Texts))
        {
            var isName = value.Contains('=', StringComparison.Ordinal);
            // FreeIPA has roles and rules among them
            if (isName && (settings.GroupBase.Length > 0 ? !LdapName.IsBelow(value, settings.GroupBase) : settings.Preset == LdapPreset.Freeipa && !LdapName.Plain(value).Contains(",cn=groups,cn=accounts,", StringComparison.Ordinal))) continue;
            if ((isName ? LdapName.FirstValue(value) : value) is { } group) found.Add(group);
        }
        if (groupsOf?.GetValueOrDefault(LdapName.Plain(entry.Name)) is { } byName) found.AddRange(byName);
        if (entry.Text("uid") is { } uid && groupsOf?.GetValueOrDefault("uid " + uid) is { } byUid) found.AddRange(byUid);
        return [.. found.Select(Printable).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase).Take(MostGroups)];
    }

    /// <summary>Names of groups by the keys of their members.</summary>
    public Dictionary<string, List<string>> Members(IEnumerable<LdapEntry> groupEntries)
    {
        var found = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var entry in groupEntries)
        {
            if (groupName.Select(entry.Text).FirstOrDefault(one => !string.IsNullOrWhiteSpace(one)) is not { } called) continue;
            foreach (var value in member.SelectMany(entry.Texts))
            {
                var key = MemberKey(value);
                if (!found.TryGetValue(key, out var list)) found[key] = list = [];
                list.Add(called);
            }
        }
        return found;
    }

    bool IsEnabled(LdapEntry entry)
    {
        foreach (var attribute in enabled)
        {
            if (entry.Text(attribute) is not { } value) continue;
            var isNumber = long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number);
            var on = attribute.ToLowerInvariant() switch
            {
                "useraccountcontrol" => !isNumber || (number & 2) == 0, // ACCOUNTDISABLE
                "nsaccountlock" => !value.Equals("TRUE", StringComparison.OrdinalIgnoreCase),
                "shadowexpire" => !isNumber || number < 0 || time.GetUtcNow().ToUnixTimeSeconds() / 86_400 < number, // days since 1970
                "accountexpires" => !isNumber || number is 0 or long.MaxValue || time.GetUtcNow().ToFileTime() < number,
                "pwdaccountlockedtime" => value != "000001010000Z", // locked for good, not for a while
                _ => value.ToLowerInvariant() is not ("false" or "no" or "off" or "0" or "inactive" or "disabled" or "nologin"),
            };
            if (!on) return false;
        }
        return true;
    }

    /// <summary>The role that groups bring; null where the settings give none.</summary>
    public Role? RoleOf(IReadOnlyList<string>? inGroups) => settings.Roles.Count == 0 ? null
        : settings.Roles.Where(pair => (inGroups ?? []).Contains(pair.Key, StringComparer.OrdinalIgnoreCase)).Select(pair => Roles.Parse(pair.Value) ?? Role.User).DefaultIfEmpty(Role.User).Max();

    /// <summary>Groups as an account has them: words, so a name of several becomes one.</summary>
    public static string Words(IReadOnlyList<string> names) => UserDirectory.NormalGroups(string.Join(' ', names.Select(one => string.Join('-', one.Split([' ', ',', ';', '\t'], StringSplitOptions.RemoveEmptyEntries)))));

    static string Printable(string text) => new([.. text.Take(200).Select(c => char.IsControl(c) ? ' ' : c)]);
}
