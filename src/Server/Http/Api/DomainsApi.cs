using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Http.Api;

/// <summary>/v1/domains</summary>
static class DomainsApi
{
    sealed record NewDomain(string Name, long? Quota = null, string? CatchAll = null, string? AliasOf = null);
    sealed record DomainChange(long? Quota = null, string? CatchAll = null);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/domains", context => context.JsonAsync(context.Room<UserDirectory>().ListDomains().Select(domain => Show(context, domain))));
        routes.MapPost("/v1/domains", AddAsync);
        routes.MapGet("/v1/domains/{name}", context => WithAsync(context, domain => context.JsonAsync(Show(context, domain))));
        routes.MapPatch("/v1/domains/{name}", SetAsync);
        routes.MapDelete("/v1/domains/{name}", context => WithAsync(context, async domain =>
        {
            if (await context.Room<UserDirectory>().RemoveDomainAsync(domain.Name, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
            else await context.JsonAsync(new { name = domain.Name });
        }));
    }

    static object Show(HttpContext context, Domain domain)
    {
        var directory = context.Room<UserDirectory>();
        return new
        {
            name = domain.Name,
            display = Names.Show(domain.Name),
            accounts = directory.ListAccounts(domain).Count,
            aliases = directory.ListAliases(domain).Count,
            quota = domain.DefaultQuota,
            catchAll = domain.CatchAll,
            aliasOf = domain.AliasOf,
            created = domain.Created,
        };
    }

    static async Task AddAsync(HttpContext context)
    {
        if (await context.ReadAsync<NewDomain>() is not { } wanted) return;
        var added = await context.Room<UserDirectory>().AddDomainAsync(wanted.Name, wanted.Quota ?? 0, string.IsNullOrEmpty(wanted.CatchAll) ? null : wanted.CatchAll, context.RequestAborted, string.IsNullOrEmpty(wanted.AliasOf) ? null : wanted.AliasOf);
        if (added.Ok)
        {
            context.Room<Tls.Acme.AcmeRenewals>().Look();
            await context.Room<SigningKeys>().EnsureAsync(added.Value, context.RequestAborted); // its first message is to be signed
        }
        await context.ResultAsync(added, domain => Show(context, domain), 201);
    }

    static async Task SetAsync(HttpContext context)
    {
        if (await context.ReadAsync<DomainChange>() is not { } change) return;
        var changed = await context.Room<UserDirectory>().SetDomainAsync(context.Part("name"), change.Quota, change.CatchAll, context.RequestAborted);
        await context.ResultAsync(changed, domain => Show(context, domain));
    }

    internal static Task WithAsync(HttpContext context, Func<Domain, Task> deed)
    {
        var name = context.Part("name");
        return context.Room<UserDirectory>().FindDomain(name) is { } domain
            ? deed(domain)
            : context.RefuseAsync(Refusal.NoSuchDomain.Because($"There is no domain {name}; list them with: cbamail domain list"));
    }
}
