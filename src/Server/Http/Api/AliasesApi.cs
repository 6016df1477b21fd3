using CbaMail.Directory;

namespace CbaMail.Http.Api;

/// <summary>/v1/aliases</summary>
static class AliasesApi
{
    sealed record NewAlias(string Address, IReadOnlyList<string> Targets);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/aliases", async context =>
        {
            if (await AccountsApi.DomainOfQueryAsync(context) is not (true, var domain)) return;
            await context.JsonAsync(context.Room<UserDirectory>().ListAliases(domain).Select(Show));
        });
        routes.MapPost("/v1/aliases", async context =>
        {
            if (await context.ReadAsync<NewAlias>() is not { } wanted) return;
            await context.ResultAsync(await context.Room<UserDirectory>().AddAliasAsync(wanted.Address, wanted.Targets, context.RequestAborted), Show, 201);
        });
        routes.MapDelete("/v1/aliases/{address}", async context =>
        {
            var address = context.Part("address");
            var target = context.Request.Query["target"] is [{ Length: > 0 } one] ? one : null;
            if (await context.Room<UserDirectory>().RemoveAliasAsync(address, target, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
            else await context.JsonAsync(new { address });
        });
    }

    static object Show(Alias alias) => new { address = alias.Address.ToString(), targets = alias.Targets, created = alias.Created };
}
