using CbaMail.Config;
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
        routes.MapGet("/v1/domains/{name}/dns", context => WithAsync(context, domain => context.JsonAsync(Records(domain, context.Room<Settings>()))));
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
        if (added.Ok) context.Room<Tls.Acme.AcmeRenewals>().Look();
        await context.ResultAsync(added, domain => Show(context, domain), 201);
    }

    static async Task SetAsync(HttpContext context)
    {
        if (await context.ReadAsync<DomainChange>() is not { } change) return;
        var changed = await context.Room<UserDirectory>().SetDomainAsync(context.Part("name"), change.Quota, change.CatchAll, context.RequestAborted);
        await context.ResultAsync(changed, domain => Show(context, domain));
    }

    static Task WithAsync(HttpContext context, Func<Domain, Task> deed)
    {
        var name = context.Part("name");
        return context.Room<UserDirectory>().FindDomain(name) is { } domain
            ? deed(domain)
            : context.RefuseAsync(Refusal.NoSuchDomain.Because($"There is no domain {name}; list them with: cbamail domain list"));
    }

    sealed record DnsRecord(string Name, string Type, string Value);

    /// <summary>What the domain should publish for this server.</summary>
    static IReadOnlyList<DnsRecord> Records(Domain domain, Settings settings)
    {
        var host = settings.Hostname;
        return
        [
            new($"{domain.Name}.", "MX", $"10 {host}."), // RFC 5321 5.1
            new($"{domain.Name}.", "TXT", "\"v=spf1 mx -all\""), // RFC 7208 4.5
            new($"_dmarc.{domain.Name}.", "TXT", $"\"v=DMARC1; p=quarantine; rua=mailto:postmaster@{domain.Name}\""), // RFC 7489 6.3
            // RFC 6186 3.1, 3.2; RFC 8314 5.1: implicit TLS is what clients shall find
            new($"_submissions._tcp.{domain.Name}.", "SRV", $"0 1 465 {host}."),
            new($"_submission._tcp.{domain.Name}.", "SRV", $"10 1 587 {host}."),
            new($"_imaps._tcp.{domain.Name}.", "SRV", $"0 1 993 {host}."),
            new($"_imap._tcp.{domain.Name}.", "SRV", $"10 1 143 {host}."),
        ];
    }
}
