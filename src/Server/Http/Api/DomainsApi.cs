using System.Text.Json.Serialization;
using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/domains</summary>
static class DomainsApi
{
    /// <param name="CatchAll">"" ends it.</param>
    /// <param name="MaxAccounts">Accounts that it may have; null or -1 takes the limit away, as with all of them.</param>
    /// <param name="MaxQuota">The largest quota of one account, in bytes.</param>
    /// <param name="TotalQuota">What all quotas may come to, in bytes.</param>
    /// <param name="OwnAliases">Whether people may make aliases for themselves: none, approval (names that they choose wait for an administrator) or free.</param>
    /// <param name="ForwardTo">Where people may forward to by themselves: here, @domain, @*.domain, anywhere; an empty list is nowhere.</param>
    /// <param name="Template">Of accounts, that its new users are made by; "" is none.</param>
    /// <param name="MaxOwnAliases">How many of them each; 20 where nothing is said.</param>
    record DomainChange(
        long? Quota = null, [property: NullMeans("\"\"")] string? CatchAll = null, [property: NullMeans("\"\"")] string? Description = null, [property: NullMeans("[]")] IReadOnlyList<string>? Tags = null, [property: NullMeans("-1")] int? MaxAccounts = null, [property: NullMeans("-1")] int? MaxAliases = null,
        [property: NullMeans("-1")] long? MaxQuota = null, [property: NullMeans("-1")] long? TotalQuota = null, OwnAliases? OwnAliases = null, [property: NullMeans("-1")] int? MaxOwnAliases = null, [property: NullMeans("[]")] IReadOnlyList<string>? ForwardTo = null, [property: NullMeans("\"\"")] string? Template = null)
    {
        /// <summary>closed: nobody comes in by himself; invited: by invitation; approval: also without, once somebody says yes.</summary>
        public string? SignUp { get; init; }

        /// <summary>Whether managers of courses may invite people.</summary>
        public bool? CourseInvitations { get; init; }

        /// <summary>Whether a new password may be had by the recovery address.</summary>
        public bool? PasswordReset { get; init; }

        internal bool Limits => (MaxAccounts, MaxAliases, MaxQuota, TotalQuota) is not (null, null, null, null);

        internal static string? ForwardWord(string word) => word is "here" or "anywhere" ? word : SenderPattern.Normal(word ?? "") is { } pattern && pattern[0] == '@' ? pattern : null;

        internal DomainProfile Apply(DomainProfile old) => old with
        {
            Template = Template is null ? old.Template : Template.Length == 0 ? null : Template,
            Description = Description is null ? old.Description : Description.Length == 0 ? null : Description,
            Tags = Tags is null ? old.Tags : Tags.Count == 0 ? null : [.. Tags.Distinct()],
            OwnAliases = OwnAliases ?? old.OwnAliases,
            MaxOwnAliases = MaxOwnAliases is null ? old.MaxOwnAliases : MaxOwnAliases < 0 ? null : MaxOwnAliases,
            ForwardTo = ForwardTo is null ? old.ForwardTo : ForwardTo.Count == 0 ? null : [.. ForwardTo.Select(word => ForwardWord(word)!).Distinct()],
            MaxAccounts = MaxAccounts is null ? old.MaxAccounts : MaxAccounts < 0 ? null : MaxAccounts,
            MaxAliases = MaxAliases is null ? old.MaxAliases : MaxAliases < 0 ? null : MaxAliases,
            MaxQuota = MaxQuota is null ? old.MaxQuota : MaxQuota < 0 ? null : MaxQuota,
            TotalQuota = TotalQuota is null ? old.TotalQuota : TotalQuota < 0 ? null : TotalQuota,
            SignUp = SignUp is null ? old.SignUp : SignUp == "invited" ? null : SignUp,
            CourseInvitations = CourseInvitations ?? old.CourseInvitations,
            PasswordReset = PasswordReset ?? old.PasswordReset,
        };
    }

    /// <param name="AliasOf">The domain that it is another name of.</param>
    sealed record NewDomain(string Name, string? AliasOf = null) : DomainChange;

    /// <param name="Name">In DNS (A-labels).</param>
    /// <param name="Display">For people (U-labels).</param>
    /// <param name="Quota">Of new accounts, in bytes; 0 is none.</param>
    sealed record DomainView(string Name, string Display, int Accounts, int Aliases, long Quota, string? CatchAll, string? AliasOf, DateTimeOffset Created,
        string? Description, IReadOnlyList<string> Tags, int? MaxAccounts, int? MaxAliases, long? MaxQuota, long? TotalQuota, OwnAliases OwnAliases, int? MaxOwnAliases, IReadOnlyList<string> ForwardTo,
        string SignUp, bool CourseInvitations, bool PasswordReset, string? Template)
    {
        /// <summary>What the change leaves open.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public IReadOnlyList<string>? Warnings { get; init; }
    }

    sealed record DomainGone(string Name);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/domains", Permissions.DomainsRead, About.Asked, "Domains", ListAsync) { IsList = true, Query = ["search", "tag"], Gives = typeof(DomainView) },
        new("POST", "/domains", Permissions.DomainsCreate, About.Server, "Take in a domain", Requests.With<NewDomain>(AddAsync)) { Takes = typeof(NewDomain), Gives = typeof(DomainView), CanRehearse = true },
        new("GET", "/domains/{domain}", Permissions.DomainsRead, About.Domain, "One domain", Requests.WithDomain((context, domain) => context.JsonAsync(Show(context, domain)))) { Gives = typeof(DomainView) },
        new("PATCH", "/domains/{domain}", Permissions.DomainsWrite, About.Domain, "Change a domain", Requests.With<DomainChange>(SetAsync)) { Takes = typeof(DomainChange), Gives = typeof(DomainView), CanRehearse = true },
        new("DELETE", "/domains/{domain}", Permissions.DomainsCreate, About.Domain, "Remove a domain that has no accounts and aliases", Requests.WithDomain(RemoveAsync)) { CanRehearse = true, Gives = typeof(DomainGone) },
    ];

    static DomainView Show(HttpContext context, Domain domain)
    {
        var directory = context.Room<UserDirectory>();
        return new(domain.Name, Names.Show(domain.Name), directory.CountAccounts(domain), directory.ListAliases(domain).Count, domain.DefaultQuota, domain.CatchAll, domain.AliasOf, domain.Created,
            domain.Profile.Description, domain.Profile.Tags ?? [], domain.Profile.MaxAccounts, domain.Profile.MaxAliases, domain.Profile.MaxQuota, domain.Profile.TotalQuota,
            domain.Profile.OwnAliases ?? OwnAliases.None, domain.Profile.MaxOwnAliases, domain.Profile.ForwardTo ?? [],
            domain.Profile.SignUp ?? "invited", domain.Profile.CourseInvitations == true, domain.Profile.PasswordReset != false, domain.Profile.Template);
    }

    static Task ListAsync(HttpContext context)
    {
        var (caller, search, tag) = (context.Caller(), context.Asked("search"), context.Asked("tag"));
        var seen = context.Room<UserDirectory>().ListDomains().Where(domain => caller.May(Permissions.DomainsRead, domain) && (tag is null || domain.Profile.Tags?.Contains(tag) == true)
            && (search is null || domain.Name.Contains(search, StringComparison.OrdinalIgnoreCase) || Names.Show(domain.Name).Contains(search, StringComparison.OrdinalIgnoreCase)));
        return context.ListAsync(seen, domain => domain.Name, domain => Show(context, domain));
    }

    static async Task AddAsync(HttpContext context, NewDomain wanted)
    {
        if (Problem(wanted) is { } problem) { await context.RefuseAsync(problem); return; }
        if (wanted.Template is { } template && Names.TryDomain(wanted.Name ?? "", out var own) && context.Room<UserDirectory>().MayBeTemplateOf(template, own) is { } other) { await context.RefuseAsync(other); return; }
        var added = await context.Room<UserDirectory>().AddDomainAsync(
            wanted.Name ?? "", wanted.Quota ?? 0, string.IsNullOrEmpty(wanted.CatchAll) ? null : wanted.CatchAll, context.RequestAborted, string.IsNullOrEmpty(wanted.AliasOf) ? null : wanted.AliasOf, wanted.Apply(DomainProfile.None));
        if (added.Ok && !Rehearsal.IsOn)
        {
            context.Room<Tls.Acme.AcmeRenewals>().Look();
            await context.Room<SigningKeys>().EnsureAsync(added.Value, context.RequestAborted); // its first message is to be signed
        }
        await context.ResultAsync(added, domain => Show(context, domain), 201);
    }

    static async Task SetAsync(HttpContext context, DomainChange change)
    {
        // limits are those that an administrator of the domain is held to
        if (change.Limits && !context.Caller().MayEverywhere(Permissions.DomainsWrite)) { await context.RefuseAsync(Requests.MayNot(Permissions.DomainsCreate)); return; }
        if (Problem(change) is { } problem) { await context.RefuseAsync(problem); return; }
        if (change.Template is { } template && context.Room<UserDirectory>().FindDomain(context.Part("domain")) is { } domain
            && context.Room<UserDirectory>().MayBeTemplateOf(template, domain.Name) is { } other) { await context.RefuseAsync(other); return; }
        if (change.SignUp is not (null or "closed" or "invited" or "approval")) { await context.RefuseAsync(Refusal.Invalid.Because("signUp is closed, invited or approval").At("signUp")); return; }
        var changed = await context.Room<UserDirectory>().SetDomainAsync(context.Part("domain"), change.Quota, change.CatchAll, context.RequestAborted, change.Apply);
        await context.ResultAsync(changed, now => Show(context, now) with { Warnings = context.Warnings(Exceeded(context, now, change)) });
    }

    /// <summary>Limits that the change has set below what there is: nothing is taken from anybody by them.</summary>
    static IEnumerable<Refusal> Exceeded(HttpContext context, Domain domain, DomainChange change)
    {
        var (directory, limits) = (context.Room<UserDirectory>(), domain.Profile);
        if (!change.Limits || !limits.HasLimits) yield break;
        var quotas = directory.ListAccounts(domain).Select(account => account.Quota).ToList();
        if (change.MaxAccounts is not null && limits.MaxAccounts is { } accounts && quotas.Count > accounts) yield return Refusal.Conflict.Because($"{domain.Name} has {quotas.Count} accounts already, more than {accounts}: they stay, and no more can be made");
        if (change.MaxAliases is not null && limits.MaxAliases is { } most && directory.ListAliases(domain).Count is var aliases && aliases > most) yield return Refusal.Conflict.Because($"{domain.Name} has {aliases} aliases already, more than {most}: they stay, and no more can be made");
        if (change.TotalQuota is not null && limits.TotalQuota is { } total && quotas.Sum() is var given && given > total) yield return Refusal.Conflict.Because($"The quotas of {domain.Name} come to {Sizes.Show(given)} already, more than {Sizes.Show(total)}: accounts keep theirs, and no more can be given");
        if (change.MaxQuota is not null && limits.MaxQuota is { } largest && quotas.Count(quota => quota > largest) is > 0 and var larger) yield return Refusal.Conflict.Because($"Accounts of {domain.Name} with a larger quota than {Sizes.Show(largest)}, which they keep: {larger}");
        if ((change.MaxQuota, change.TotalQuota) is not (null, null) && (limits.MaxQuota, limits.TotalQuota) is not (null, null) && quotas.Count(quota => quota == 0) is > 0 and var without) yield return Refusal.Conflict.Because($"Accounts of {domain.Name} without a quota, which no limit holds until they are given one: {without}");
    }

    static Refusal? Problem(DomainChange change) => change.Description?.Length > 500 || change.Tags?.Count > 25 || change.Tags?.Any(tag => tag.Length is 0 or > 50) == true
        ? Refusal.Invalid.Because("A description has at most 500 characters, and there are at most 25 tags of 1 to 50").At("tags")
        : change.ForwardTo is { } words && (words.Count > 100 || words.Any(word => DomainChange.ForwardWord(word) is null)) ? Refusal.Invalid.Because("forwardTo is at most 100 of here, anywhere, @domain and @*.domain").At("forwardTo") : null;

    static async Task RemoveAsync(HttpContext context, Domain domain)
    {
        if (await context.Room<UserDirectory>().RemoveDomainAsync(domain.Name, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new DomainGone(domain.Name));
    }
}
