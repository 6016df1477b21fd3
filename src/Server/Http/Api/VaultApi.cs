using CbaMail.Authorization;
using CbaMail.Mailboxes;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/vault</summary>
static class VaultApi
{
    /// <param name="Freed">Bytes.</param>
    /// <param name="Copied">Bytes that had to be written anew.</param>
    /// <param name="Waits">What it waits for, in a sentence, or null.</param>
    /// <param name="Forgotten">Rows of the history of expunged messages.</param>
    sealed record Collected(int Packs, long Freed, long Copied, int Kept, int Held, string? Waits, long Forgotten);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("POST", "/vault/collect", Permissions.Maintenance, About.Server, "Give back the space of removed mail now", CollectAsync) { Gives = typeof(Collected) },
    ];

    static async Task CollectAsync(HttpContext context)
    {
        var report = await context.Room<PackRewriting>().CollectAsync(hurried: true, context.RequestAborted);
        var forgotten = await context.Room<ExpungeHistory>().PruneAsync(context.RequestAborted);
        await context.JsonAsync(new Collected(report.Removed, report.Freed, report.Copied, report.Kept, report.Held, report.Waits, forgotten));
    }
}
