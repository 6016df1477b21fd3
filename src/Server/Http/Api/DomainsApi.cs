using CbaMail.Authorization;
using CbaMail.Directory;
using CbaMail.Storage;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/domains</summary>
static class DomainsApi
{
    sealed record NewDomain(string Name, long? Quota = null, string? CatchAll = null, string? AliasOf = null);
    sealed record DomainChange(long? Quota = null, string? CatchAll = null);

    /// <param name="Name">In DNS (A-labels).</param>
    /// <param name="Display">For people (U-labels).</param>
    /// <param name="Quota">Of new accounts, in bytes; 0 is none.</param>
    sealed record DomainView(string Name, string Display, int Accounts, int Aliases, long Quota, string? CatchAll, string? AliasOf, DateTimeOffset Created);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/domains", Permissions.DomainsRead, About.Asked, "Domains", ListAsync) { IsList = true, Query = ["search"], Gives = typeof(DomainView) },
        new("POST", "/domains", Permissions.DomainsCreate, About.Server, "Take in a domain", Requests.With<NewDomain>(AddAsync)) { Takes = typeof(NewDomain), Gives = typeof(DomainView), CanRehearse = true },
        new("GET", "/domains/{domain}", Permissions.DomainsRead, About.Domain, "One domain", Requests.WithDomain((context, domain) => context.JsonAsync(Show(context, domain)))) { Gives = typeof(DomainView) },
        new("PATCH", "/domains/{domain}", Permissions.DomainsWrite, About.Domain, "Change a domain", Requests.With<DomainChange>(SetAsync)) { Takes = typeof(DomainChange), Gives = typeof(DomainView), CanRehearse = true },
        new("DELETE", "/domains/{domain}", Permissions.DomainsCreate, About.Domain, "Remove a domain that has no accounts and aliases", Requests.WithDomain(RemoveAsync)) { CanRehearse = true },
    ];

    static DomainView Show(HttpContext context, Domain domain)
    {
        var directory = context.Room<UserDirectory>();
        return new(domain.Name, Names.Show(domain.Name), directory.CountAccounts(domain), directory.ListAliases(domain).Count, domain.DefaultQuota, domain.CatchAll, domain.AliasOf, domain.Created);
    }

    static Task ListAsync(HttpContext context)
    {
        var (caller, search) = (context.Caller(), context.Asked("search"));
        var seen = context.Room<UserDirectory>().ListDomains().Where(domain => caller.May(Permissions.DomainsRead, domain)
            && (search is null || domain.Name.Contains(search, StringComparison.OrdinalIgnoreCase) || Names.Show(domain.Name).Contains(search, StringComparison.OrdinalIgnoreCase)));
        return context.ListAsync(seen, domain => domain.Name, domain => Show(context, domain));
    }

    static async Task AddAsync(HttpContext context, NewDomain wanted)
    {
        var added = await context.Room<UserDirectory>().AddDomainAsync(
            wanted.Name, wanted.Quota ?? 0, string.IsNullOrEmpty(wanted.CatchAll) ? null : wanted.CatchAll, context.RequestAborted, string.IsNullOrEmpty(wanted.AliasOf) ? null : wanted.AliasOf);
        if (added.Ok && !Rehearsal.IsOn)
        {
            context.Room<Tls.Acme.AcmeRenewals>().Look();
            await context.Room<SigningKeys>().EnsureAsync(added.Value, context.RequestAborted); // its first message is to be signed
        }
        await context.ResultAsync(added, domain => Show(context, domain), 201);
    }

    static async Task SetAsync(HttpContext context, DomainChange change)
    {
        var changed = await context.Room<UserDirectory>().SetDomainAsync(context.Part("domain"), change.Quota, change.CatchAll, context.RequestAborted);
        await context.ResultAsync(changed, domain => Show(context, domain));
    }

    static async Task RemoveAsync(HttpContext context, Domain domain)
    {
        if (await context.Room<UserDirectory>().RemoveDomainAsync(domain.Name, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new { name = domain.Name });
    }
}
