using CbaMail.Mailboxes;

namespace CbaMail.Http.Api;

/// <summary>/v1/vault</summary>
static class VaultApi
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost("/v1/vault/collect", CollectAsync);

    static async Task CollectAsync(HttpContext context)
    {
        var report = await context.Room<PackRewriting>().CollectAsync(hurried: true, context.RequestAborted);
        var forgotten = await context.Room<ExpungeHistory>().PruneAsync(context.RequestAborted);
        await context.JsonAsync(new { packs = report.Removed, freed = report.Freed, copied = report.Copied, kept = report.Kept, held = report.Held, waits = report.Waits, forgotten });
    }
}
