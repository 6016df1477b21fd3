using CbaMail.Tls;

namespace CbaMail.Http.Api;

/// <summary>/v1/tls: the certificates.</summary>
static class TlsApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/tls", context => context.JsonAsync(context.Room<Certificates>().List()));
        routes.MapPost("/v1/tls/reload", async context =>
        {
            var problems = context.Room<Certificates>().Reload(always: true);
            if (problems.Count > 0) await context.RefuseAsync(409, string.Join("; ", problems));
            else await context.JsonAsync(context.Room<Certificates>().List());
        });
    }
}
