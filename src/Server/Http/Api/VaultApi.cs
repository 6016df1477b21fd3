using CbaMail.Authorization;
using CbaMail.Mailboxes;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/vault</summary>
static class VaultApi
{
    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("POST", "/vault/collect", Permissions.Maintenance, About.Server, "Give back the space of removed mail now", CollectAsync),
    ];

    static async Task CollectAsync(HttpContext context)
    {
        var report = await context.Room<PackRewriting>().CollectAsync(hurried: true, context.RequestAborted);
        var forgotten = await context.Room<ExpungeHistory>().PruneAsync(context.RequestAborted);
        await context.JsonAsync(new { packs = report.Removed, freed = report.Freed, copied = report.Copied, kept = report.Kept, held = report.Held, waits = report.Waits, forgotten });
    }
}
