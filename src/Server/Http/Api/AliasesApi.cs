using CbaMail.Authorization;
using CbaMail.Directory;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/aliases</summary>
static class AliasesApi
{
    sealed record AliasView(string Address, IReadOnlyList<string> Targets, DateTimeOffset Created);

    sealed record NewAlias(string Address, IReadOnlyList<string> Targets);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/aliases", Permissions.AliasesRead, About.Asked, "Aliases", ListAsync) { IsList = true, Query = ["domain", "search"], Gives = typeof(AliasView) },
        new("POST", "/aliases", Permissions.AliasesWrite, About.Asked, "Make an alias, or add targets to one", Requests.With<NewAlias>(AddAsync)) { Takes = typeof(NewAlias), CanRehearse = true, Gives = typeof(AliasView) },
        new("DELETE", "/aliases/{address}", Permissions.AliasesWrite, About.Name, "Remove an alias, or one target of it", RemoveAsync) { Query = ["target"], CanRehearse = true, Gives = typeof(AddressDone) },
    ];

    static async Task ListAsync(HttpContext context)
    {
        if (await context.DomainOfQueryAsync(Permissions.AliasesRead) is not (true, var domain)) return;
        var (caller, directory, search) = (context.Caller(), context.Room<UserDirectory>(), context.Asked("search"));
        var seen = directory.ListDomains().Where(one => caller.May(Permissions.AliasesRead, one)).Select(one => one.Id).ToHashSet();
        await context.ListAsync(directory.ListAliases(domain).Where(alias => seen.Contains(alias.DomainId) && (search is null || alias.Address.ToString().Contains(search, StringComparison.OrdinalIgnoreCase))),
            alias => alias.Address.Domain + "\u0001" + alias.Address.LocalPart, Show);
    }

    static async Task AddAsync(HttpContext context, NewAlias wanted)
    {
        var directory = context.Room<UserDirectory>();
        if (Names.TryAddress(wanted.Address, out var address) && directory.FindDomain(address.Domain) is { } domain && context.Forbids(Permissions.AliasesWrite, domain) is { } refusal) await context.RefuseAsync(refusal);
        else await context.ResultAsync(await directory.AddAliasAsync(wanted.Address, wanted.Targets, context.RequestAborted), Show, 201);
    }

    static async Task RemoveAsync(HttpContext context)
    {
        var address = context.Part("address");
        if (await context.Room<UserDirectory>().RemoveAliasAsync(address, context.Asked("target"), context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new AddressDone(address));
    }

    static AliasView Show(Alias alias) => new(alias.Address.ToString(), [.. alias.Targets.Select(target => target.ToString()!)], alias.Created);
}
