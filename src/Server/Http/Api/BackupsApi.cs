using System.Threading.Channels;
using CbaMail.Authorization;
using CbaMail.Backup;
using CbaMail.Envelope;

namespace CbaMail.Http.Api;

/// <summary>
/// POST /api/v1/backups: a snapshot into a directory of this machine; POST /api/v1/restores: one account out of a snapshot.
/// JSON lines go: {"done","of"} as it gets on, the summary last. Both end when the client goes away.
/// </summary>
static class BackupsApi
{
    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("POST", "/backups", Permissions.Maintenance, About.Server, "Write a snapshot into a directory of the server's machine: JSON lines, the summary last", BackUpAsync) { Takes = typeof(BackupOrder), Streams = true, Gives = typeof(BackupSummary) },
        new("GET", "/backups", Permissions.Maintenance, About.Server, "Snapshots in a directory of the server's machine, oldest first", ListAsync) { Query = ["directory"], Gives = typeof(SnapshotInfo[]) },
        new("POST", "/restores", Permissions.Maintenance, About.Server, "Take one account out of a snapshot: JSON lines, the summary last", RestoreAsync) { Takes = typeof(AccountRestoreOrder), Streams = true, Gives = typeof(AccountRestoreSummary) },
    ];

    static Task ListAsync(HttpContext context) => Path.IsPathFullyQualified(context.Asked("directory") ?? "")
        ? context.ResultAsync(Listing.Of(context.Asked("directory")!), snapshots => snapshots)
        : context.RefuseAsync(Refusal.Invalid.Because("The directory must be an absolute path").At("directory"));

    static async Task BackUpAsync(HttpContext context)
    {
        if (await context.ReadAsync<BackupOrder>() is not { } order) return;
        if (!Path.IsPathFullyQualified(order.Directory ?? "")) await context.RefuseAsync(400, "The directory must be an absolute path");
        else if (order.Keep < 1) await context.RefuseAsync(400, "At least one snapshot must be kept");
        else await WorkAsync(context, progress => context.Room<Backups>().RunAsync(order, progress, context.RequestAborted));
    }

    static async Task RestoreAsync(HttpContext context)
    {
        if (await context.ReadAsync<AccountRestoreOrder>() is not { } order) return;
        if (!Path.IsPathFullyQualified(order.Directory ?? "")) await context.RefuseAsync(400, "The directory must be an absolute path");
        else if (string.IsNullOrEmpty(order.Account)) await context.RefuseAsync(400, "The account to restore is missing");
        else await WorkAsync(context, progress => context.Room<AccountRestore>().RunAsync(order, progress, context.RequestAborted));
    }

    static async Task WorkAsync<T>(HttpContext context, Func<Action<long, long>, Task<Result<T>>> deed) where T : notnull
    {
        // the work must not wait for a client that reads slowly: only the newest figure is kept
        var progress = Channel.CreateBounded<(long Done, long Of)>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        context.StartLines();
        var work = Task.Run(RunAsync);
        await foreach (var (done, of) in progress.Reader.ReadAllAsync(context.RequestAborted))
        {
            await context.LineAsync(new Progress(done, of));
            await Task.WhenAny(work, Task.Delay(TimeSpan.FromMilliseconds(100), context.Room<TimeProvider>(), context.RequestAborted));
        }
        var result = await work;
        await context.LineAsync(result.Ok ? result.Value : new { error = context.Say(result.Refusal!) });

        async Task<Result<T>> RunAsync()
        {
            try { return await deed((done, of) => progress.Writer.TryWrite((done, of))); }
            finally { progress.Writer.Complete(); }
        }
    }
}
