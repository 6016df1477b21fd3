using System.Threading.Channels;
using CbaMail.Directory;
using CbaMail.Storage;

namespace CbaMail.Http.Api;

/// <summary>POST /api/v1/accounts/import: a CSV table comes, JSON lines go: {"done","of"} as it gets on, the summary last.</summary>
static class AccountImportApi
{
    const int LargestFile = 64 << 20;

    public static async Task RunAsync(HttpContext context)
    {
        using var file = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (await context.Request.Body.ReadAsync(buffer, context.RequestAborted) is > 0 and var count)
        {
            if (file.Length + count > LargestFile) { await context.RefuseAsync(413, "The file is larger than 64 MB; split it"); return; }
            file.Write(buffer, 0, count);
        }
        var reports = Path.Combine(context.Room<Store>().Path, "reports");
        var import = new AccountImport(context.Room<UserDirectory>(), reports, context.Room<TimeProvider>());
        // the workers must not wait for a client that reads slowly: only the newest figure is kept
        var progress = Channel.CreateBounded<(int Done, int Of)>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        context.StartLines();
        var work = WorkAsync();
        await foreach (var (done, of) in progress.Reader.ReadAllAsync(context.RequestAborted))
        {
            await context.LineAsync(new Progress(done, of));
            await Task.WhenAny(work, Task.Delay(TimeSpan.FromMilliseconds(100), context.Room<TimeProvider>(), context.RequestAborted));
        }
        var result = await work;
        await context.LineAsync(result.Ok ? result.Value : new { error = context.Say(result.Refusal!) });

        async Task<Envelope.Result<ImportSummary>> WorkAsync()
        {
            try { return await import.RunAsync(file.GetBuffer().AsMemory(0, (int)file.Length), (done, of) => progress.Writer.TryWrite((done, of)), context.RequestAborted); }
            finally { progress.Writer.Complete(); }
        }
    }
}
