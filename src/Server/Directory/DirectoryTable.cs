using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Directory;

/// <summary>All SQL of the directory (Storage/Schema/0001_directory.sql, 0011_policies.sql, 0015_scram.sql, 0021_authorization.sql, 0023_removed_accounts.sql, 0029_groups.sql).</summary>
internal static class DirectoryTable
{
    const string DomainColumns = "SELECT d.id, d.name, d.catch_all, d.default_quota, d.created, a.name, d.policy, d.profile FROM domain d LEFT JOIN domain a ON a.id = d.alias_of";

    const string AccountColumns = """
        SELECT a.id, a.domain_id, a.local, d.name, a.name, a.role, a.quota, a.groups, a.enabled, a.created, a.password, a.policy, a.scram, a.profile
        FROM account a JOIN domain d ON d.id = a.domain_id
        """;

    const string AliasColumns = "SELECT a.id, a.domain_id, a.local, d.name, a.targets, a.created, a.policy, a.profile FROM alias a JOIN domain d ON d.id = a.domain_id";

    public static List<Domain> Domains(ReadTransaction read) => All(read.Prepare(DomainColumns), Domain);

    public static List<(Account Account, string Password, byte[]? Scram)> Accounts(ReadTransaction read) => All(read.Prepare(AccountColumns + " WHERE a.removed IS NULL"), Account);

    public static List<Alias> Aliases(ReadTransaction read) => All(read.Prepare(AliasColumns), Alias);

    // ---- one row as the transaction sees it: with what others have changed in the same batch and nobody else knows yet

    public static Domain? FindDomain(WriteTransaction write, long id) =>
        All(write.Prepare(DomainColumns + " WHERE d.id = ?").Bind(1, id), Domain) is [var domain] ? domain : null;

    public static (Account Account, string Password, byte[]? Scram)? FindAccount(WriteTransaction write, long id) =>
        All(write.Prepare(AccountColumns + " WHERE a.id = ? AND a.removed IS NULL").Bind(1, id), Account) is [var account] ? account : null;

    /// <summary>One that was put away; its local part is followed by LF and its number.</summary>
    public static (Account Account, string Password, byte[]? Scram)? FindRemoved(WriteTransaction write, long id) =>
        All(write.Prepare(AccountColumns + " WHERE a.id = ? AND a.removed IS NOT NULL").Bind(1, id), Account) is [var account] ? account : null;

    public static List<RemovedAccount> Removed(ReadTransaction read) => All(
        read.Prepare("SELECT a.id, a.local, d.name, a.name, a.role, a.removed FROM account a JOIN domain d ON d.id = a.domain_id WHERE a.removed IS NOT NULL ORDER BY a.removed DESC, a.id DESC"),
        rows => new RemovedAccount(rows.Int64(0), new(rows.String(1).Split('\n')[0], rows.String(2)), rows.String(3), Roles.Parse(rows.String(4)) ?? Role.User, rows.Time(5)));

    public static List<long> RemovedOf(WriteTransaction write, long domainId) =>
        All(write.Prepare("SELECT id FROM account WHERE domain_id = ? AND removed IS NOT NULL").Bind(1, domainId), rows => rows.Int64(0));

    public static List<(long Id, AccountProfile Profile)> RemovedProfiles(ReadTransaction read) =>
        All(read.Prepare("SELECT id, profile FROM account WHERE removed IS NOT NULL AND profile <> '{}'"), rows => (rows.Int64(0), AccountProfile.FromJson(rows.String(1))));

    /// <param name="removed">When it was put away, or null.</param>
    public static void SetAddress(WriteTransaction write, long id, long domainId, string local, DateTimeOffset? removed) =>
        write.Prepare("UPDATE account SET domain_id = ?, local = ?, removed = ? WHERE id = ?").Bind(1, domainId).Bind(2, local).Bind(3, removed).Bind(4, id).Run();

    /// <summary>Whether an account, an alias, a group or a resource has the address.</summary>
    public static bool IsTaken(WriteTransaction write, long domainId, string local) =>
        write.Prepare("SELECT EXISTS (SELECT 1 FROM account WHERE domain_id = ?1 AND local = ?2) OR EXISTS (SELECT 1 FROM alias WHERE domain_id = ?1 AND local = ?2) OR EXISTS (SELECT 1 FROM mail_group WHERE domain_id = ?1 AND local = ?2) OR EXISTS (SELECT 1 FROM resource WHERE domain_id = ?1 AND local = ?2) OR EXISTS (SELECT 1 FROM mail_list WHERE domain_id = ?1 AND local = ?2) OR EXISTS (SELECT 1 FROM course_address WHERE domain_id = ?1 AND local = ?2)").Bind(1, domainId).Bind(2, local).Scalar() == 1;

    /// <summary>Accounts of a domain, and what their quotas come to.</summary>
    public static (long Accounts, long Quota) Sums(WriteTransaction write, long domainId)
    {
        using var row = write.Prepare("SELECT count(*), coalesce(sum(quota), 0) FROM account WHERE domain_id = ? AND removed IS NULL").Bind(1, domainId);
        return row.Step() ? (row.Int64(0), row.Int64(1)) : default;
    }

    public static long CountAliases(WriteTransaction write, long domainId) => write.Prepare("SELECT count(*) FROM alias WHERE domain_id = ?").Bind(1, domainId).Scalar() ?? 0;

    public static Alias? FindAlias(WriteTransaction write, long domainId, string local) =>
        All(write.Prepare(AliasColumns + " WHERE a.domain_id = ? AND a.local = ?").Bind(1, domainId).Bind(2, local), Alias) is [var alias] ? alias : null;

    static List<T> All<T>(Statement statement, Func<Statement, T> row)
    {
        using var rows = statement;
        var all = new List<T>();
        while (rows.Step()) all.Add(row(rows));
        return all;
    }

    static Domain Domain(Statement rows) => new(rows.Int64(0), rows.String(1), rows.Text(2), rows.Int64(3), rows.Time(4))
    {
        AliasOf = rows.Text(5),
        Policy = MailPolicy.FromJson(rows.String(6)),
        Profile = DomainProfile.FromJson(rows.String(7)),
    };

    static (Account Account, string Password, byte[]? Scram) Account(Statement rows) => (
        new(rows.Int64(0), rows.Int64(1), new(rows.String(2), rows.String(3)), rows.String(4),
            Roles.Parse(rows.String(5)) ?? Role.User, rows.Int64(6), rows.String(7), rows.Bool(8), rows.Time(9))
        { Policy = MailPolicy.FromJson(rows.String(11)), Profile = AccountProfile.FromJson(rows.String(13)) },
        rows.String(10), rows.IsNull(12) ? null : rows.Blob(12).ToArray());

    static Alias Alias(Statement rows) => new(rows.Int64(0), rows.Int64(1), new(rows.String(2), rows.String(3)), rows.String(4).Split('\n'), rows.Time(5))
    {
        Policy = MailPolicy.FromJson(rows.String(6)),
        Profile = AliasProfile.FromJson(rows.String(7)),
    };

    /// <summary>Adds one. Its number is none that an administrator was given while it was another domain's.</summary>
    /// <returns>The id, or null where the name is taken.</returns>
    public static long? AddDomain(WriteTransaction write, string name, string? catchAll, long defaultQuota, DateTimeOffset created, string? aliasOf = null) =>
        Inserted(write, write.Prepare("""
            INSERT INTO domain (id, name, catch_all, default_quota, created, alias_of)
            VALUES (1 + (SELECT max(coalesce((SELECT max(id) FROM domain), 0), coalesce((SELECT number FROM highest_number WHERE name = 'domain'), 0), coalesce((SELECT max(value) FROM account, json_each(account.profile, '$.domains')), 0))), ?, ?, ?, ?, (SELECT id FROM domain WHERE name = ?)) ON CONFLICT DO NOTHING
            """).Bind(1, name).Bind(2, catchAll).Bind(3, defaultQuota).Bind(4, created).Bind(5, aliasOf));

    public static bool SetDomain(WriteTransaction write, Domain domain) =>
        write.Prepare("UPDATE domain SET catch_all = ?, default_quota = ?, profile = ? WHERE id = ?")
            .Bind(1, domain.CatchAll).Bind(2, domain.DefaultQuota).Bind(3, domain.Profile.ToJson()).Bind(4, domain.Id).Run() == 1;

    public static bool SetPolicy(WriteTransaction write, Domain domain) => SetPolicy(write.Prepare("UPDATE domain SET policy = ? WHERE id = ?"), domain.Policy, domain.Id);

    public static bool SetPolicy(WriteTransaction write, Account account) => SetPolicy(write.Prepare("UPDATE account SET policy = ? WHERE id = ?"), account.Policy, account.Id);

    public static bool SetPolicy(WriteTransaction write, Alias alias) => SetPolicy(write.Prepare("UPDATE alias SET policy = ? WHERE id = ?"), alias.Policy, alias.Id);

    static bool SetPolicy(Statement statement, MailPolicy policy, long id) => statement.Bind(1, policy.ToJson()).Bind(2, id).Run() == 1;

    /// <summary>Whether nobody is in it, and no other is an alias of it; those that were put away do not count.</summary>
    public static bool MayRemoveDomain(WriteTransaction write, long id) => write.Prepare("""
        SELECT NOT EXISTS (SELECT 1 FROM account WHERE domain_id = ?1 AND removed IS NULL) AND NOT EXISTS (SELECT 1 FROM alias WHERE domain_id = ?1)
        AND NOT EXISTS (SELECT 1 FROM mail_group WHERE domain_id = ?1) AND NOT EXISTS (SELECT 1 FROM resource WHERE domain_id = ?1) AND NOT EXISTS (SELECT 1 FROM mail_list WHERE domain_id = ?1) AND NOT EXISTS (SELECT 1 FROM course_address WHERE domain_id = ?1) AND NOT EXISTS (SELECT 1 FROM domain WHERE alias_of = ?1)
        """).Bind(1, id).Scalar() == 1;

    public static bool RemoveDomain(WriteTransaction write, long id) => write.Prepare("DELETE FROM domain WHERE id = ?").Bind(1, id).Run() == 1;

    public static bool HasDomain(WriteTransaction write, long id) => write.Prepare("SELECT 1 FROM domain WHERE id = ?").Bind(1, id).Scalar() == 1;

    /// <returns>The id, or null where an account or an alias has the address.</returns>
    public static long? AddAccount(WriteTransaction write, Account account, string password)
    {
        if (IsTaken(write, account.DomainId, account.Address.LocalPart)) return null;
        return Inserted(write, write.Prepare("""
            INSERT INTO account (id, domain_id, local, name, password, role, quota, groups, enabled, created, profile)
            VALUES (1 + max(coalesce((SELECT max(id) FROM account), 0), coalesce((SELECT number FROM highest_number WHERE name = 'account'), 0)), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """)
            .Bind(1, account.DomainId).Bind(2, account.Address.LocalPart).Bind(3, account.Name).Bind(4, password)
            .Bind(5, Roles.Show(account.Role)).Bind(6, account.Quota).Bind(7, account.Groups).Bind(8, account.Enabled).Bind(9, account.Created).Bind(10, account.Profile.ToJson()));
    }

    public static bool SetAccount(WriteTransaction write, Account account, string password) =>
        write.Prepare("UPDATE account SET name = ?, password = ?, role = ?, quota = ?, groups = ?, enabled = ?, profile = ? WHERE id = ?")
            .Bind(1, account.Name).Bind(2, password).Bind(3, Roles.Show(account.Role)).Bind(4, account.Quota)
            .Bind(5, account.Groups).Bind(6, account.Enabled).Bind(7, account.Profile.ToJson()).Bind(8, account.Id).Run() == 1;

    /// <param name="scram">Under Storage/Secrets, or null.</param>
    public static void SetScram(WriteTransaction write, long id, byte[]? scram)
    {
        var statement = write.Prepare("UPDATE account SET scram = ? WHERE id = ?").Bind(2, id);
        (scram is null ? statement.Bind(1, (string?)null) : statement.Bind(1, scram)).Run();
    }

    public static bool RemoveAccount(WriteTransaction write, long id) => write.Prepare("DELETE FROM account WHERE id = ?").Bind(1, id).Run() == 1;

    /// <returns>The id, or null where an account or an alias has the address.</returns>
    public static long? AddAlias(WriteTransaction write, Alias alias)
    {
        if (IsTaken(write, alias.DomainId, alias.Address.LocalPart)) return null;
        return Inserted(write, write.Prepare("INSERT INTO alias (domain_id, local, targets, created, profile) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
            .Bind(1, alias.DomainId).Bind(2, alias.Address.LocalPart).Bind(3, string.Join('\n', alias.Targets)).Bind(4, alias.Created).Bind(5, alias.Profile.ToJson()));
    }

    public static void SetProfile(WriteTransaction write, Alias alias) =>
        write.Prepare("UPDATE alias SET profile = ? WHERE id = ?").Bind(1, alias.Profile.ToJson()).Bind(2, alias.Id).Run();

    public static bool SetAlias(WriteTransaction write, Alias alias) =>
        write.Prepare("UPDATE alias SET targets = ? WHERE id = ?").Bind(1, string.Join('\n', alias.Targets)).Bind(2, alias.Id).Run() == 1;

    public static bool RemoveAlias(WriteTransaction write, long id) => write.Prepare("DELETE FROM alias WHERE id = ?").Bind(1, id).Run() == 1;

    public static List<RecipientMapping> Mappings(ReadTransaction read) =>
        All(read.Prepare("SELECT address, target, created FROM recipient_map"), rows => new RecipientMapping(rows.String(0), rows.String(1), rows.Time(2)));

    public static void SetMapping(WriteTransaction write, RecipientMapping mapping) =>
        write.Prepare("INSERT INTO recipient_map (address, target, created) VALUES (?, ?, ?) ON CONFLICT (address) DO UPDATE SET target = excluded.target")
            .Bind(1, mapping.Address).Bind(2, mapping.Target).Bind(3, mapping.Created).Run();

    public static bool RemoveMapping(WriteTransaction write, string address) =>
        write.Prepare("DELETE FROM recipient_map WHERE address = ?").Bind(1, address).Run() == 1;

    public static byte[] ServerKey(ReadTransaction read, string name)
    {
        using var row = read.Prepare("SELECT value FROM server_key WHERE name = ?").Bind(1, name);
        return row.Step() ? row.Blob(0).ToArray() : throw new InvalidOperationException($"The key {name} is missing in the database; restore it from a backup");
    }

    static long? Inserted(WriteTransaction write, Statement statement) => statement.Run() == 1 ? write.LastInsertId : null;
}

/// <summary>Roles as they are written in the contract.</summary>
public static class Roles
{
    public static string Show(Role role) => role switch { Role.Admin => "admin", Role.DomainAdmin => "domain-admin", Role.CourseManager => "course-manager", _ => "user" };

    public static Role? Parse(string text) => text.Trim().ToLowerInvariant() switch
    {
        "admin" or "owner" => Role.Admin,
        "domain-admin" => Role.DomainAdmin,
        "course-manager" => Role.CourseManager,
        "user" => Role.User,
        _ => null,
    };
}
