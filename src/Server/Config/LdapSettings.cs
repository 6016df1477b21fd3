using System.Net;

namespace CbaMail.Config;

/// <summary>Where people are kept who have accounts here.</summary>
public sealed record DirectorySettings : IChecked
{
    /// <summary>Directories that are asked by LDAP; see <see cref="LdapSettings"/>. Default none.</summary>
    public IReadOnlyList<LdapSettings> Ldap { get; init; } = [];

    public string? Problem() =>
        Ldap.GroupBy(one => one.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1) is { } twice ? $"directory.ldap: two directories are called \"{twice.Key}\"" : null;
}

/// <summary>What filters and attributes a directory has by nature.</summary>
public enum LdapPreset { Openldap, ActiveDirectory, Freeipa }

/// <summary>When somebody who is new in a directory gets an account.</summary>
public enum LdapCreation
{
    /// <summary>At the next sync.</summary>
    AtOnce,
    /// <summary>When he signs in for the first time.</summary>
    SignIn,
    /// <summary>Never: accounts that are here are adopted, where that is allowed.</summary>
    Never,
}

/// <summary>A directory (LDAP, RFC 4511) whose people have accounts here: it checks their passwords, and what it says of them is brought here again and again.</summary>
public sealed record LdapSettings : IChecked
{
    /// <summary>What it is called here: letters, digits, hyphens. Accounts remember it, so it stays. Required.</summary>
    public string Name { get; init; } = "";

    /// <summary>Filters and attributes of a kind of directory, each of which may be set otherwise below: <c>openldap</c>, <c>active-directory</c>, <c>freeipa</c>. Default openldap.</summary>
    public LdapPreset Preset { get; init; }

    /// <summary>Where it listens: <c>ldaps://host</c>, <c>ldap://host</c> (StartTLS before anything is said), each with a port where it is another. Several are asked in turn until one answers. Required.</summary>
    public IReadOnlyList<string> Servers { get; init; } = [];

    /// <summary>Whether TLS is begun at an <c>ldap://</c> address. Without it passwords go in clear text, which is allowed to this machine alone (<c>ldap://127.0.0.1</c>). Default yes.</summary>
    public bool StartTls { get; init; } = true;

    /// <summary>A PEM file with the authorities that issue the servers' certificates. Default: those that this machine trusts.</summary>
    public string CaFile { get; init; } = "";

    /// <summary>As whom the directory is read: a distinguished name, or <c>name@domain</c> in Active Directory. Default: nobody (anonymously).</summary>
    public string BindDn { get; init; } = "";

    /// <summary>A file that holds the password of <c>bind-dn</c>, and nothing else. It is read each time. Default none.</summary>
    public string BindPasswordFile { get; init; } = "";

    /// <summary>Below which people are looked for, as in <c>ou=people,dc=example,dc=org</c>. Required.</summary>
    public string Base { get; init; } = "";

    /// <summary>Whether people lie anywhere below the base (<c>subtree</c>) or directly below it (<c>one</c>). Default subtree.</summary>
    public LdapReach Scope { get; init; }

    /// <summary>Who is meant (RFC 4515). Default: that of the preset, everybody who has a mail address.</summary>
    public string Filter { get; init; } = "";

    /// <summary>Below which groups are looked for. Default: the base.</summary>
    public string GroupBase { get; init; } = "";

    /// <summary>Which groups are meant; <c>none</c>: no groups are looked for, and those of <c>attributes.groups</c> count. Default: that of the preset; of active-directory and freeipa groups with a mail address.</summary>
    public string GroupFilter { get; init; } = "";

    /// <summary>
    /// Where a thing stands: <c>id</c> (what never changes), <c>address</c>, <c>name</c>, <c>aliases</c>, <c>quota</c>, <c>groups</c> (names of groups that an entry is in),
    /// <c>enabled</c>, <c>language</c> (of a new account), <c>group-name</c>, <c>member</c>; of groups with an address of their own <c>group-address</c> (default mail; <c>none</c>: there are no such groups), <c>group-title</c> (their names for people) and <c>member-address</c> (addresses of members who have no entry; default none); of several attributes, separated by spaces, the first that there is counts, and of aliases, groups, member, member-address and enabled all do. <c>none</c>: such a thing is not taken. Default: those of the preset.
    /// </summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    /// <summary>Which role a group brings: <c>{Mail Admins: admin, Deans: domain-admin}</c>; user, course-manager, domain-admin or admin. Of several the highest counts, and it ends when the group does; a higher role that was given here stays. Default: none.</summary>
    public IReadOnlyDictionary<string, string> Roles { get; init; } = new Dictionary<string, string>();

    /// <summary>Our domains that it speaks for; who has an address elsewhere is left out. Default: all.</summary>
    public IReadOnlyList<string> Domains { get; init; } = [];

    /// <summary>How often it is read. At least a minute; 0: only when it is asked for. Default 15 minutes.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>When somebody who is new gets an account: <c>at-once</c>, <c>sign-in</c> (at his first one) or <c>never</c>. Default at-once.</summary>
    public LdapCreation Create { get; init; }

    /// <summary>Whether an account that was made here becomes the directory's where somebody there has its address. Default no: it is reported as a collision, and nothing is changed.</summary>
    public bool Adopt { get; init; }

    /// <summary>How long an account is kept, disabled, after its owner is gone from the directory; then it is removed as by hand, and can be brought back for <c>accounts.keep-removed</c>. Default 0: it is kept disabled.</summary>
    public TimeSpan RemoveAfter { get; init; }

    /// <summary>Per cent of its accounts (and at least five) that one sync may disable or lose. One that would take more changes nothing, and says so until it is confirmed by <c>--force</c>: an empty answer must not shut everybody out. Default 10.</summary>
    public int SafetyStop { get; init; } = 10;

    /// <summary>How long one request to it may take. Default 10 seconds.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Passwords that are asked about at the same time; more wait. From 1 to 64. Default 4.</summary>
    public int Connections { get; init; } = 4;

    /// <summary>How long a password that was right stays so without another look, for programs that sign in again and again. Up to an hour. Default 2 minutes.</summary>
    public TimeSpan Remember { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long a password that was right lets its owner in while no server of the directory answers. Up to 7 days. Default 0: meanwhile he is told to come again.</summary>
    public TimeSpan RememberWhileAway { get; init; }

    static readonly string[] KnownAttributes = ["id", "address", "name", "aliases", "quota", "groups", "enabled", "language", "group-name", "member", "group-address", "group-title", "member-address"];

    /// <summary>A server's address in its parts; null where it is none.</summary>
    internal static (string Host, int Port, bool Tls)? Address(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "ldap" or "ldaps" && uri.Host.Length > 0 && uri.AbsolutePath is "" or "/" && uri.Query.Length == 0 && uri.UserInfo.Length == 0
            ? (uri.Host.Trim('[', ']'), uri.Port > 0 ? uri.Port : uri.Scheme == "ldaps" ? 636 : 389, uri.Scheme == "ldaps") : null;

    public string? Problem()
    {
        if (Name.Length is 0 or > 40 || Name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))) return $"directory.ldap: \"{Name}\" is no name; letters, digits and hyphens make one";
        var at = $"directory.ldap ({Name})";
        if (Servers.Count == 0) return $"{at}: servers are missing; write them as in ldaps://ldap.example.org";
        foreach (var server in Servers)
        {
            if (Address(server) is not var (host, _, tls)) return $"{at}: \"{server}\" is no server; write it as in ldaps://ldap.example.org";
            if (!tls && !StartTls && !(IPAddress.TryParse(host, out var ip) && IPAddress.IsLoopback(ip))) return $"{at}: without TLS passwords are spoken to 127.0.0.1 alone; write ldaps://{host}, or leave start-tls on";
        }
        if (Base.Length == 0) return $"{at}: base is missing; write it as in ou=people,dc=example,dc=org";
        if (BindDn.Length > 0 && BindPasswordFile.Length == 0) return $"{at}: bind-dn needs bind-password-file"; // RFC 4513 5.1.2: a name without a password is nobody
        foreach (var (key, filter) in new[] { ("filter", Filter), ("group-filter", GroupFilter) })
            if (filter is not ("" or "none") && !CbaMail.Ldap.LdapFilter.TryParse(filter, out _, out var problem)) return $"{at}: {key} is no filter: {problem}";
        if (Filter == "none") return $"{at}: filter says who is meant; there must be one";
        if (Attributes.Keys.FirstOrDefault(key => !KnownAttributes.Contains(key)) is { } unknown) return $"{at}: attributes has no \"{unknown}\"; there are {string.Join(", ", KnownAttributes)}";
        if (Attributes.GetValueOrDefault("id") == "none" || Attributes.GetValueOrDefault("address") == "none") return $"{at}: attributes needs an id and an address";
        if (Roles.Values.FirstOrDefault(role => !OidcSettings.KnownRoles.Contains(role)) is { } noRole) return $"{at}: roles: there is no role \"{noRole}\"; there are {string.Join(", ", OidcSettings.KnownRoles)}";
        if (Interval < TimeSpan.Zero || (Interval > TimeSpan.Zero && Interval < TimeSpan.FromMinutes(1))) return $"{at}: interval is a minute at least, or 0";
        if (SafetyStop is < 0 or > 100) return $"{at}: safety-stop is between 0 and 100";
        if (Connections is < 1 or > 64) return $"{at}: connections is between 1 and 64";
        if (Timeout < TimeSpan.FromSeconds(1) || Timeout > TimeSpan.FromMinutes(2)) return $"{at}: timeout is between 1s and 2m";
        if (Remember < TimeSpan.Zero || Remember > TimeSpan.FromHours(1)) return $"{at}: remember is between 0 and 1h";
        return RememberWhileAway < TimeSpan.Zero || RememberWhileAway > TimeSpan.FromDays(7) ? $"{at}: remember-while-away is between 0 and 7d" : null;
    }
}

/// <summary>How far below its base a search goes.</summary>
public enum LdapReach { Subtree, One }
