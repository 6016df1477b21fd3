namespace CbaMail.Http.Api;

/// <summary>/v1/status</summary>
static class StatusApi
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/status", async context => await context.JsonAsync(await context.Room<Health>().LookAsync(context.RequestAborted)));
}
