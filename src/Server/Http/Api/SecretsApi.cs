using CbaMail.Storage;

namespace CbaMail.Http.Api;

/// <summary>/v1/secrets: the key that secrets in the database are encrypted by.</summary>
static class SecretsApi
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost("/v1/secrets/renew", async context =>
    {
        if (await context.Room<Secrets>().RenewAsync(context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new { renewed = true });
    });
}
