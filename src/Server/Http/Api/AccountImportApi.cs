using System.Threading.Channels;
using CbaMail.Admission;
using CbaMail.Authorization;
using CbaMail.Courses;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Http.Api;

/// <summary>
/// POST /api/v1/accounts/import: a table comes (CSV or XLSX), JSON lines go: {"done","of"} as it gets on, the summary last. Whoever accepts HTML gets
/// the cards with the passwords that were made in place of them; with ?print= they are a field of the summary.
/// </summary>
static class AccountImportApi
{
    const int LargestFile = 64 << 20;

    /// <summary>What may stand behind "?".</summary>
    public static readonly IReadOnlyList<string> Query = ["sheet", "print", "must-change"];

    /// <param name="Page">The cards, in HTML.</param>
    sealed record PrintedSummary(int Added, int Changed, int Unchanged, int Failed, IReadOnlyList<RowError> Errors, string Page);

    public static async Task RunAsync(HttpContext context)
    {
        if (context.Asked("must-change") is not (null or "true" or "false")) { await context.RefuseAsync(Refusal.Invalid.Because("must-change is true or false").At("must-change")); return; }
        if (context.Asked("dry-run") is not (null or "true" or "false")) { await context.RefuseAsync(Refusal.Invalid.Because("dry-run is true or false").At("dry-run")); return; }
        if (context.Asked("print") is not (null or "ru" or "en")) { await context.RefuseAsync(Refusal.Invalid.Because("print is ru or en").At("print")); return; }
        using var file = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (await context.Request.Body.ReadAsync(buffer, context.RequestAborted) is > 0 and var count)
        {
            if (file.Length + count > LargestFile) { await context.RefuseAsync(413, "The file is larger than 64 MB; split it"); return; }
            file.Write(buffer, 0, count);
        }
        var table = file.GetBuffer().AsMemory(0, (int)file.Length);
        var import = new AccountImport(context.Room<UserDirectory>(), Path.Combine(context.Room<Store>().Path, "reports"), context.Room<TimeProvider>(), context.Room<CourseRegister>());
        if (CredentialSheet.IsWanted(context)) await PageAsync(context, import, table);
        else await LinesAsync(context, import, table);
    }

    static ImportOrder Order(HttpContext context)
    {
        var (caller, directory) = (context.Caller(), context.Room<UserDirectory>());
        return new(domain => caller.May(Permissions.AccountsWrite, domain), account => caller.May(Permissions.AccountsWrite, account), course => caller.MayCourse(Permissions.CoursesWrite, course.Id, directory.FindDomain(course.Domain)))
        {
            IsRehearsal = context.Asked("dry-run") == "true",
            Sheet = context.Asked("sheet"),
            MustChange = context.Asked("must-change") == "true",
        };
    }

    static async Task PageAsync(HttpContext context, AccountImport import, ReadOnlyMemory<byte> table)
    {
        var result = await import.RunAsync(table, null, context.RequestAborted, Order(context));
        if (!result.Ok) { await context.RefuseAsync(result.Refusal); return; }
        var note = result.Value.Failed == 0 ? "" : string.Join("\n", Told(context, result.Value).Errors.Take(1000).Select(error => $"{error.Line}: {error.Error}"));
        await CredentialSheet.AnswerAsync(context, import.Credentials, note);
        await context.Response.CompleteAsync();
        import.Told();
    }

    static async Task LinesAsync(HttpContext context, AccountImport import, ReadOnlyMemory<byte> table)
    {
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
        if (!result.Ok) await context.LineAsync(new { error = context.Say(result.Refusal) });
        else if (context.Asked("print") is not { } language) await context.LineAsync(Told(context, result.Value));
        else
        {
            var said = Told(context, result.Value);
            await context.LineAsync(new PrintedSummary(said.Added, said.Changed, said.Unchanged, said.Failed, said.Errors, CredentialSheet.Html(context, language, import.Credentials)));
            await context.Response.CompleteAsync();
            import.Told();
        }

        async Task<Result<ImportSummary>> WorkAsync()
        {
            try { return await import.RunAsync(table, (done, of) => progress.Writer.TryWrite((done, of)), context.RequestAborted, Order(context)); }
            finally { progress.Writer.Complete(); }
        }
    }

    /// <summary>With its sentences in the caller's language.</summary>
    static ImportSummary Told(HttpContext context, ImportSummary summary) =>
        summary with { Errors = [.. summary.Errors.Select(error => error.Why is { } why ? error with { Error = context.Say(why) } : error)] };
}
