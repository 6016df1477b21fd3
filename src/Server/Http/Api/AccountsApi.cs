using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using CbaMail.Admission;
using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/accounts</summary>
static class AccountsApi
{
    /// <param name="Quota">Bytes; 0 is none.</param>
    /// <param name="Domains">Names: what a domain administrator has beside his own.</param>
    /// <param name="Courses">What a course manager has.</param>
    /// <param name="Granted">Permissions beyond those of the role.</param>
    /// <param name="Withheld">Permissions of the role that are taken away.</param>
    /// <param name="Generate">Make a password; the answer has it, this once.</param>
    /// <param name="MustChangePassword">A browser's session can do nothing before its owner has taken a password of his own.</param>
    /// <param name="Detach">It comes from a directory elsewhere (LDAP) no more: from now on it is an account of this server.</param>
    /// <param name="Template">What it begins with where nothing is said, when it is made; without one its domain's, and "" is none.</param>
    /// <param name="PasswordHash">Of another server, in place of a password; docs/en/sign-in.md names the forms.</param>
    sealed record AccountFields(
        string? Address = null, string? Name = null, long? Quota = null, string? Role = null, string? Groups = null, bool? Enabled = null, string? Password = null, bool Generate = false,
        [property: NullMeans("[]")] IReadOnlyList<string>? Domains = null, [property: NullMeans("[]")] IReadOnlyList<string>? Courses = null, [property: NullMeans("[]")] IReadOnlyList<string>? Granted = null, [property: NullMeans("[]")] IReadOnlyList<string>? Withheld = null, string? PasswordHash = null, bool? MustChangePassword = null, bool Detach = false, string? Template = null) : AccountDetails
    {
        /// <summary>An address elsewhere by which its owner gets back in; "" is none.</summary>
        [NullMeans("\"\"")] public string? Recovery { get; init; }
    }

    /// <param name="Bytes">In its mailboxes; not in lists.</param>
    /// <param name="Password">That was generated just now.</param>
    sealed record AccountView(
        string Address, string Name, string Role, long Quota, long? Bytes, long? Messages, string Groups, bool Enabled, bool HasPassword, DateTimeOffset Created,
        IReadOnlyList<string>? Domains, IReadOnlyList<string>? Courses, IReadOnlyList<string>? Granted, IReadOnlyList<string>? Withheld, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Password = null, bool MustChangePassword = false)
    {
        /// <summary>Elsewhere (LDAP), that it comes from.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Directory { get; init; }
        public string? Recovery { get; init; }

        /// <summary>What is to be known of what was done.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public IReadOnlyList<string>? Warnings { get; init; }

        /// <summary>The card with the password, in HTML, where <c>?print=</c> asked for it.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Page { get; init; }
        public DateTimeOffset? Expires { get; init; }
        public int? ExpiryNoticeDays { get; init; }
        public IReadOnlyList<string> Tags { get; init; } = [];
        public JsonObject Attributes { get; init; } = [];
        public string? Language { get; init; }
        public string? Zone { get; init; }
        public IReadOnlyList<Identity> Identities { get; init; } = [];
    }

    /// <param name="To">The new address.</param>
    /// <param name="Alias">Mail for the old address goes on to it; yes where nothing is said.</param>
    sealed record Renaming(string To, bool Alias = true);

    /// <param name="Address">Another than it had, or null.</param>
    sealed record BringBack(string? Address = null);

    /// <param name="Until">When it goes for good.</param>
    sealed record RemovedView(long Id, string Address, string Name, DateTimeOffset Removed, DateTimeOffset Until);

    /// <param name="KeptDays">For so long it can be brought back; 0: it is gone.</param>
    sealed record PutAway(long Id, string Address, int KeptDays);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/removed-accounts", Permissions.AccountsRead, About.Asked, "Accounts that can be brought back", ListRemovedAsync) { Gives = typeof(RemovedView[]) },
        new("POST", "/removed-accounts/{id:long}/restore", Permissions.AccountsWrite, About.Asked, "Bring an account back with all its mail", Requests.With<BringBack>(BringBackAsync)) { Takes = typeof(BringBack), Gives = typeof(AccountView) },
        new("DELETE", "/removed-accounts/{id:long}", Permissions.AccountsWrite, About.Asked, "Remove it for good", PurgeAsync) { Gives = typeof(NumberDone) },
        new("POST", "/accounts/{address}/rename", Permissions.AccountsWrite, About.Account, "Give an account another address; its mail stays", Requests.With<Renaming>((context, wanted) => Requests.WithAccount((_, account) => RenameAsync(context, account, wanted))(context))) { Takes = typeof(Renaming), Gives = typeof(AccountView), CanRehearse = true },
        new("GET", "/accounts", Permissions.AccountsRead, About.Asked, "Accounts", ListAsync) { IsList = true, Query = ["domain", "search", "role", "enabled", "group", "tag"], Gives = typeof(AccountView) },
        new("POST", "/accounts", Permissions.AccountsWrite, About.Asked, "Make an account", Requests.With<AccountFields>(AddAsync)) { Takes = typeof(AccountFields), Gives = typeof(AccountView), CanRehearse = true, Query = ["print"] },
        new("POST", "/accounts/import", Permissions.AccountsWrite, About.Asked, "Make accounts from a table, CSV or XLSX: JSON lines, the summary last; as HTML the cards with new passwords", AccountImportApi.RunAsync) { TakesType = "text/csv", Streams = true, CanRehearse = true, Query = AccountImportApi.Query, Gives = typeof(ImportSummary) },
        new("GET", "/accounts/export", Permissions.AccountsRead, About.Asked, "Accounts as a table that can be imported", ExportAsync) { Query = ["domain"], Streams = true, GivesType = "text/csv" },
        new("GET", "/accounts/{address}", Permissions.AccountsRead, About.Account, "One account", Requests.WithAccount((context, account) => context.JsonAsync(Show(context, account, usage: true)))) { Gives = typeof(AccountView) },
        new("PATCH", "/accounts/{address}", Permissions.AccountsWrite, About.Account, "Change an account", Requests.With<AccountFields>((context, wanted) => Requests.WithAccount((_, account) => SetAsync(context, account, wanted))(context))) { Takes = typeof(AccountFields), Gives = typeof(AccountView), CanRehearse = true, Query = ["print"] },
        new("DELETE", "/accounts/{address}", Permissions.AccountsWrite, About.Account, "Remove an account; for a while it can be brought back, but with now=true it and its mail are gone", Requests.WithAccount(RemoveAsync)) { CanRehearse = true, Query = ["now"], Gives = typeof(PutAway) },
    ];

    static AccountView Show(HttpContext context, Account account, bool usage = false, string? password = null)
    {
        var (directory, profile) = (context.Room<UserDirectory>(), account.Profile);
        var (bytes, messages) = usage ? Usage(context, account) : ((long?)null, (long?)null);
        return new(
            account.Address.ToString(), account.Name, Roles.Show(account.Role), account.Quota, bytes, messages, account.Groups, account.Enabled, directory.HasPassword(account), account.Created,
            profile.Domains is null ? null : [.. directory.ListDomains().Where(domain => profile.Domains.Contains(domain.Id)).Select(domain => domain.Name)],
            profile.Courses is null ? null : [.. context.Room<CourseRegister>().List().Where(course => profile.Courses.Contains(course.Id)).Select(course => course.Slug)],
            profile.Granted, profile.Withheld, password, profile.MustChangePassword == true)
        {
            Directory = profile.Origin?.Source,
            Recovery = profile.Recovery,
            Page = password is not null && context.Asked("print") is not null
                ? CredentialSheet.Html(context, CredentialSheet.LanguageOf(context), [new(account.Address.ToString(), account.Name, password, profile.MustChangePassword == true)]) : null,
            Expires = profile.Expires,
            ExpiryNoticeDays = profile.ExpiryNoticeDays,
            Tags = profile.Tags ?? [],
            Attributes = profile.Attributes?.DeepClone().AsObject() ?? [],
            Language = profile.Language,
            Zone = profile.Zone,
            Identities = profile.Identities ?? [],
        };
    }

    static (long? Bytes, long? Messages) Usage(HttpContext context, Account account)
    {
        using var read = context.Room<MailStore>().Read();
        return read.Usage(account.Id);
    }

    /// <summary>Those that the caller may see, of the domain that is asked for.</summary>
    static IEnumerable<Account> Seen(HttpContext context, Domain? domain)
    {
        var caller = context.Caller();
        return context.Room<UserDirectory>().ListAccounts(domain).Where(account => caller.May(Permissions.AccountsRead, account));
    }

    static async Task ListAsync(HttpContext context)
    {
        if (await DomainAsync(context) is not (true, var domain)) return;
        var (search, group, role, enabled, tag) = (context.Asked("search"), context.Asked("group"), context.Asked("role"), context.Asked("enabled"), context.Asked("tag"));
        if (role is not null && Roles.Parse(role) is null) { await context.RefuseAsync(NoRole(role)); return; }
        if (enabled is not (null or "true" or "false")) { await context.RefuseAsync(Refusal.Invalid.Because("enabled is true or false").At("enabled")); return; }
        var found = Seen(context, domain).Where(account =>
            (search is null || account.Name.Contains(search, StringComparison.OrdinalIgnoreCase) || account.Address.ToString().Contains(search, StringComparison.OrdinalIgnoreCase))
            && (group is null || account.Groups.Split(' ').Contains(group, StringComparer.OrdinalIgnoreCase))
            && (tag is null || account.Profile.Tags?.Contains(tag) == true)
            && (role is null || account.Role == Roles.Parse(role)) && (enabled is null || account.Enabled == (enabled == "true")));
        await context.ListAsync(found, account => account.Address.Domain + "\u0001" + account.Address.LocalPart, account => Show(context, account));
    }

    // everybody sees himself; a domain is named by those who see more
    static Task<(bool Go, Domain? Domain)> DomainAsync(HttpContext context) => context.DomainOfQueryAsync(Permissions.AccountsRead);

    static async Task ExportAsync(HttpContext context)
    {
        if (await DomainAsync(context) is not (true, var domain)) return;
        context.Response.ContentType = "text/csv; charset=utf-8";
        await context.Response.WriteAsync("address,name,password,quota,groups\n");
        foreach (var account in Seen(context, domain))
            await context.Response.WriteAsync($"{Field(account.Address.ToString())},{Field(account.Name)},,{account.Quota},{Field(account.Groups)}\n");
    }

    // RFC 4180 2.6, 2.7
    static string Field(string text) => text.AsSpan().IndexOfAny(",;\"\r\n\t") < 0 ? text : "\"" + text.Replace("\"", "\"\"") + "\"";

    static async Task AddAsync(HttpContext context, AccountFields wanted)
    {
        var directory = context.Room<UserDirectory>();
        if (Names.TryAddress(wanted.Address ?? "", out var address) && directory.FindDomain(address.Domain) is { } domain && context.Forbids(Permissions.AccountsWrite, domain) is { } forbidden)
        {
            await context.RefuseAsync(forbidden);
            return;
        }
        var details = wanted.Apply(AccountProfile.None, null, directory);
        if (!details.Ok) { await context.RefuseAsync(details.Refusal); return; }
        var (role, office, refusal) = Office(context, wanted);
        if (refusal is not null) { await context.RefuseAsync(refusal); return; }
        if (TwoPasswords(wanted) is { } twice) { await context.RefuseAsync(twice); return; }
        var password = wanted.Generate ? Passwords.Generate() : wanted.Password;
        var added = await directory.AddAccountAsync(
            new(wanted.Address ?? "", wanted.Name ?? "", password, wanted.Quota, role ?? Role.User, wanted.Groups ?? "", wanted.PasswordHash, wanted.Enabled ?? true) { Profile = office(details.Value), Template = wanted.Template }, context.RequestAborted);
        if (added.Ok && wanted.Generate && CredentialSheet.IsWanted(context)) await CredentialSheet.AnswerAsync(context, [new(added.Value.Address.ToString(), added.Value.Name, password!, added.Value.Profile.MustChangePassword == true)]);
        else await context.ResultAsync(added, account => Show(context, account, password: wanted.Generate ? password : null) with { Warnings = context.Warnings(WithoutPassword(context, account)) }, 201);
    }

    /// <summary>Where nobody signs in by an issuer elsewhere, an account without a password is nobody's.</summary>
    static IEnumerable<Refusal> WithoutPassword(HttpContext context, Account account) =>
        context.Room<UserDirectory>().HasPassword(account) || context.Room<Settings>().Oidc.Issuer.Length > 0 || account.Profile.Origin is not null ? []
        : [Refusal.Invalid.Because($"{account.Address} has no password: nobody can sign in as it before one is set")];

    static async Task SetAsync(HttpContext context, Account account, AccountFields wanted)
    {
        if (wanted.Address is not null && wanted.Address != account.Address.ToString()) { await context.RefuseAsync(Refusal.NotPossible.Because("An address cannot be changed here").At("address")); return; }
        var directory = context.Room<UserDirectory>();
        if (wanted.Template is not null) { await context.RefuseAsync(Refusal.NotPossible.Because("A template counts when an account is made, and not later").At("template")); return; }
        var details = wanted.Apply(account.Profile, account, directory);
        if (!details.Ok) { await context.RefuseAsync(details.Refusal); return; }
        var (role, office, refusal) = Office(context, wanted);
        if (refusal is not null) { await context.RefuseAsync(refusal); return; }
        if (TwoPasswords(wanted) is { } twice) { await context.RefuseAsync(twice); return; }
        var password = wanted.Generate ? Passwords.Generate() : wanted.Password;
        var changed = await directory.SetAccountAsync(
            account, new(wanted.Name, password, wanted.Quota, role, wanted.Groups, wanted.Enabled ?? Reopened(context, account, details.Value), Next) { PasswordHash = wanted.PasswordHash }, context.RequestAborted);
        await context.ResultAsync(changed, now => Show(context, now, usage: true, password: wanted.Generate ? password : null));

        AccountProfile Next(AccountProfile now) => office(wanted.Apply(now, account, directory) is { Ok: true, Value: var next } ? next : now);
    }

    // one whose time was over gets more of it
    static bool? Reopened(HttpContext context, Account account, AccountProfile next) =>
        account is { Enabled: false, Profile.Expires: { } over } && next.Expires != over && over <= context.Room<TimeProvider>().GetUtcNow() ? true : null;

    /// <summary>What is to be administered; it takes a permission of its own to give.</summary>
    static (Role? Role, Func<AccountProfile, AccountProfile> Apply, Refusal? Refusal) Office(HttpContext context, AccountFields wanted)
    {
        Role? role = null;
        List<Domain?> domains = [];
        List<Result<Course>> courses = [];
        if (wanted.Role is not null && (role = Roles.Parse(wanted.Role)) is null) return Refused(NoRole(wanted.Role));
        var gives = role is not (null or Role.User) || (wanted.Domains, wanted.Courses, wanted.Granted, wanted.Withheld) is not (null, null, null, null);
        if (gives && !context.Caller().MayEverywhere(Permissions.RolesWrite)) return Refused(Requests.MayNot(Permissions.RolesWrite));
        var unknown = (wanted.Granted ?? []).Concat(wanted.Withheld ?? []).Select(name => name ?? "").FirstOrDefault(name => Permissions.Find(name) is null);
        if (unknown is not null) return Refused(Refusal.Invalid.Because($"\"{unknown}\" is no permission; they are in docs/en/permissions.md").At("granted"));
        if (wanted.Domains is { } names)
        {
            domains = [.. names.Select(name => context.Room<UserDirectory>().FindDomain(name ?? ""))];
            if (domains.IndexOf(null) is >= 0 and var i) return Refused(Requests.NoDomain(names[i]).At("domains"));
        }
        if (wanted.Courses is { } slugs)
        {
            courses = [.. slugs.Select(slug => context.Room<CourseRegister>().Find(slug ?? ""))];
            if (courses.FindIndex(course => !course.Ok) is >= 0 and var i) return Refused(courses[i].Refusal!.At("courses"));
        }
        string? recovery = null;
        if (wanted.Recovery is { Length: > 0 } elsewhere)
        {
            var normal = Recovery.Normal(elsewhere, Names.TryAddress(wanted.Address ?? (context.Request.RouteValues.ContainsKey("address") ? context.Part("address") : ""), out var own) ? own : new("", ""));
            if (!normal.Ok) return Refused(normal.Refusal.At("recovery"));
            recovery = normal.Value;
        }
        var now = context.Room<TimeProvider>().GetUtcNow();
        return (role, profile => profile with
        {
            Domains = wanted.Domains is null ? profile.Domains : Listed(domains.Select(domain => domain!.Id)),
            Courses = wanted.Courses is null ? profile.Courses : Listed(courses.Select(course => course.Value!.Id)),
            Granted = wanted.Granted is null ? profile.Granted : Listed(wanted.Granted),
            Withheld = wanted.Withheld is null ? profile.Withheld : Listed(wanted.Withheld),
            MustChangePassword = wanted.MustChangePassword is not { } must ? profile.MustChangePassword : must ? true : null,
            MustChangeSince = wanted.MustChangePassword is not { } still ? profile.MustChangeSince : still ? profile.MustChangeSince ?? now : null,
            Recovery = wanted.Recovery is null ? profile.Recovery : recovery,
            Origin = wanted.Detach ? null : profile.Origin,
        }, null);

        static (Role?, Func<AccountProfile, AccountProfile>, Refusal?) Refused(Refusal refusal) => (null, profile => profile, refusal);

        static IReadOnlyList<T>? Listed<T>(IEnumerable<T> list) => list.Distinct().ToList() is { Count: > 0 } some ? some : null;
    }

    static Refusal? TwoPasswords(AccountFields wanted) =>
        (wanted.Generate ? 1 : 0) + (wanted.Password is null ? 0 : 1) + (wanted.PasswordHash is null ? 0 : 1) > 1 ? Refusal.Invalid.Because("Give one of password, passwordHash and generate").At("password") : null;

    static Refusal NoRole(string role) => Refusal.Invalid.Because($"\"{role}\" is no role; choose user, course-manager, domain-admin or admin").At("role");

    static async Task RemoveAsync(HttpContext context, Account account)
    {
        var keep = context.Asked("now") == "true" ? TimeSpan.Zero : context.Room<Settings>().Accounts.KeepRemoved;
        var directory = context.Room<UserDirectory>();
        var refusal = keep > TimeSpan.Zero ? await directory.PutAwayAsync(account, context.RequestAborted) : await directory.RemoveAccountAsync(account, context.RequestAborted);
        if (refusal is not null) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new PutAway(account.Id, account.Address.ToString(), (int)keep.TotalDays));
    }

    /// <summary>Those of domains whose accounts the caller may change, and as with them of no role that is not below his own.</summary>
    static IEnumerable<RemovedAccount> SeenRemoved(HttpContext context)
    {
        var (caller, directory) = (context.Caller(), context.Room<UserDirectory>());
        return directory.ListRemoved().Where(one => directory.FindDomain(one.Address.Domain) is { } domain && caller.May(Permissions.AccountsWrite, domain)
            && caller.StandsAbove(Permissions.AccountsWrite, one.Role));
    }

    static Task ListRemovedAsync(HttpContext context)
    {
        var keep = context.Room<Settings>().Accounts.KeepRemoved;
        return context.JsonAsync(SeenRemoved(context).Select(one => new RemovedView(one.Id, one.Address.ToString(), one.Name, one.Removed, one.Removed + keep)).ToList());
    }

    /// <summary>The number of the path, where it is one that the caller may change; otherwise the answer is given.</summary>
    static async ValueTask<long?> RemovedAsync(HttpContext context)
    {
        var id = long.Parse(context.Part("id"), CultureInfo.InvariantCulture);
        if (SeenRemoved(context).Any(one => one.Id == id)) return id;
        await context.RefuseAsync(Refusal.NoSuchUser.Because($"There is no removed account {id}; list them with: cbamail account removed"));
        return null;
    }

    static async Task BringBackAsync(HttpContext context, BringBack wanted)
    {
        if (await RemovedAsync(context) is not { } id || await MayMoveToAsync(context, wanted.Address) is false) return;
        await context.ResultAsync(await context.Room<UserDirectory>().BringBackAsync(id, string.IsNullOrEmpty(wanted.Address) ? null : wanted.Address, context.RequestAborted), account => Show(context, account, usage: true));
    }

    static async Task PurgeAsync(HttpContext context)
    {
        if (await RemovedAsync(context) is not { } id) return;
        if (await context.Room<UserDirectory>().PurgeAsync(id, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new NumberDone(id));
    }

    static async Task RenameAsync(HttpContext context, Account account, Renaming wanted)
    {
        if (await MayMoveToAsync(context, wanted.To) is false) return;
        await context.ResultAsync(await context.Room<UserDirectory>().RenameAsync(account, wanted.To ?? "", wanted.Alias, context.RequestAborted), now => Show(context, now, usage: true));
    }

    // into a domain that is the caller's as well
    static async ValueTask<bool> MayMoveToAsync(HttpContext context, string? to)
    {
        if (!Names.TryAddress(to ?? "", out var address) || context.Room<UserDirectory>().FindDomain(address.Domain) is not { } domain || context.Forbids(Permissions.AccountsWrite, domain) is not { } forbidden) return true;
        await context.RefuseAsync(forbidden);
        return false;
    }
}
