using System.Globalization;
using System.Text.Json;
using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Mailings;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/mailings: create, check, send, and the ledger as JSON lines. Files come before, as they are, to /api/v1/mailing-files.</summary>
static class MailingsApi
{
    const int Page = 1000;

    sealed record WantedFile(string Name, string Hash);
    sealed record WantedMailing(string Course, string From, string Subject, string? Html = null, string? Text = null, IReadOnlyList<WantedFile>? Files = null);
    sealed record WantedSending(bool SkipInvalid = false);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("POST", "/mailing-files", Permissions.MailingsWrite, About.Asked, "Send a file that a mailing is to bring", KeepAsync) { TakesType = "application/octet-stream", Streams = true },
        new("GET", "/mailings", Permissions.MailingsRead, About.Asked, "Mailings", ListAsync) { Query = ["course"] },
        new("POST", "/mailings", Permissions.MailingsWrite, About.Asked, "Write a mailing", CreateAsync) { Takes = typeof(WantedMailing), Streams = true },
        new("GET", "/mailings/{id:long}", Permissions.MailingsRead, About.Mailing, "How far a mailing is", context => context.ResultAsync(context.Room<PressRoom>().Status(Id(context)), Status)),
        new("GET", "/mailings/{id:long}/preview", Permissions.MailingsRead, About.Mailing, "As somebody gets it", context => context.ResultAsync(
            context.Room<PressRoom>().Preview(Id(context), context.Asked("for")), Preview)) { Query = ["for"] },
        new("GET", "/mailings/{id:long}/check", Permissions.MailingsRead, About.Mailing, "What is wrong with it", context => context.ResultAsync(context.Room<PressRoom>().Check(Id(context)), Report)),
        new("POST", "/mailings/{id:long}/send", Permissions.MailingsWrite, About.Mailing, "Send it", SendAsync) { Takes = typeof(WantedSending) },
        new("POST", "/mailings/{id:long}/pause", Permissions.MailingsWrite, About.Mailing, "Let it rest", context => DeedAsync(context, context.Room<PressRoom>().PauseAsync)),
        new("POST", "/mailings/{id:long}/resume", Permissions.MailingsWrite, About.Mailing, "Let it go on", context => DeedAsync(context, context.Room<PressRoom>().ResumeAsync)),
        new("POST", "/mailings/{id:long}/cancel", Permissions.MailingsWrite, About.Mailing, "End it", context => DeedAsync(context, context.Room<PressRoom>().CancelAsync)),
        new("GET", "/mailings/{id:long}/ledger", Permissions.MailingsRead, About.Mailing, "What became of each copy: a JSON line each", LedgerAsync) { Streams = true },
    ];

    static long Id(HttpContext context) => long.Parse(context.Part("id"), CultureInfo.InvariantCulture);

    /// <summary>Exactly the contract's words.</summary>
    static object Status(MailingStatus status) => new
    {
        state = MailingTable.Word(status.Mailing.State),
        total = status.Counts.Total,
        rendered = status.Counts.Rendered,
        queued = status.Counts.Queued,
        delivered = status.Counts.Delivered,
        deferred = status.Counts.Deferred,
        bounced = status.Counts.Bounced,
        skipped = status.Counts.Skipped,
    };

    static object Preview(MailingPreview preview) => new
    {
        address = preview.Address,
        name = preview.Name,
        from = preview.From,
        subject = preview.Subject,
        html = preview.Html,
        text = preview.Text,
        problems = preview.Problems.Select(Problem),
    };

    static object Report(CheckReport report) => new
    {
        good = report.IsGood,
        people = report.People,
        affected = report.Affected,
        faults = report.Faults,
        problems = report.Problems.Select(Problem),
        notes = report.Notes,
    };

    static object Problem(CheckProblem problem) => new { row = problem.Line, address = problem.Address, name = problem.Name, field = problem.Field, message = problem.Message };

    static Task ListAsync(HttpContext context)
    {
        long? course = null;
        if (context.Request.Query["course"] is [{ Length: > 0 } slug])
        {
            var found = context.Room<CourseRegister>().Find(slug);
            if (!found.Ok) return context.RefuseAsync(found.Refusal);
            course = found.Value.Id;
        }
        var press = context.Room<PressRoom>();
        var (caller, directory) = (context.Caller(), context.Room<UserDirectory>());
        return context.JsonAsync(press.List(course).Where(pair => caller.MayCourse(Permissions.MailingsRead, pair.Course.Id, directory.FindDomain(pair.Course.Domain))).Select(pair => new
        {
            id = pair.Mailing.Id,
            course = pair.Course.Slug,
            state = MailingTable.Word(pair.Mailing.State),
            from = pair.Mailing.FromAddress,
            subject = pair.Mailing.Subject,
            created = pair.Mailing.Created,
            started = pair.Mailing.Started,
            finished = pair.Mailing.Finished,
        }));
    }

    static async Task KeepAsync(HttpContext context)
    {
        if (await context.BytesAsync(context.Room<Settings>().Mailings.FileBytes) is not { } bytes) return;
        await context.JsonAsync(new { hash = await context.Room<MailingFiles>().KeepAsync(bytes, context.RequestAborted), size = bytes.Length });
    }

    static async Task CreateAsync(HttpContext context)
    {
        var files = context.Room<MailingFiles>();
        if (await context.BytesAsync(context.Room<Settings>().Mailings.TemplateLength * 8L) is not { } body) return;
        WantedMailing? wanted;
        try { wanted = JsonSerializer.Deserialize<WantedMailing>(body, Reply.Json); }
        catch (JsonException e) { await context.RefuseAsync(400, $"The request is not the JSON that is expected here: {e.Message.ReplaceLineEndings(" ")}"); return; }
        if (wanted is null) { await context.RefuseAsync(400, "The request has no body"); return; }
        if (context.Room<CourseRegister>().Find(wanted.Course ?? "") is { Ok: true, Value: var course }
            && !context.Caller().MayCourse(Permissions.MailingsWrite, course.Id, context.Room<UserDirectory>().FindDomain(course.Domain)))
        {
            await context.RefuseAsync(Requests.MayNot(Permissions.MailingsWrite));
            return;
        }
        var given = new List<NewFile>();
        foreach (var file in wanted.Files ?? [])
        {
            if (!files.Has(file.Hash)) { await context.RefuseAsync(400, $"The file {file.Name} has not been sent before"); return; }
            given.Add(new(file.Name, files.Read(new MailingFile(0, file.Name, "", null, file.Hash, 0))));
        }
        var made = await context.Room<PressRoom>().CreateAsync(new(wanted.Course ?? "", wanted.From ?? "", wanted.Subject ?? "", wanted.Html, wanted.Text, given), context.RequestAborted);
        await context.ResultAsync(made, mailing => new { id = mailing.Id });
    }

    static async Task SendAsync(HttpContext context)
    {
        var wanted = new WantedSending();
        if (context.Request.ContentLength is not (null or 0))
        {
            if (await context.ReadAsync<WantedSending>() is not { } given) return;
            wanted = given;
        }
        var outcome = await context.Room<PressRoom>().SendAsync(Id(context), wanted.SkipInvalid, context.RequestAborted);
        if (outcome.Refusal is { } refusal) await context.JsonAsync(new { error = context.Say(refusal), check = outcome.Report is { } report ? Report(report) : null }, refusal.HttpStatus);
        else await context.JsonAsync(new { sending = outcome.Sending, skipped = outcome.Skipped, notes = outcome.Report?.Notes ?? [] });
    }

    static async Task DeedAsync(HttpContext context, Func<long, CancellationToken, ValueTask<Envelope.Refusal?>> deed)
    {
        // Not cancelled when the caller goes away: what was begun in the queue is finished.
        if (await deed(Id(context), CancellationToken.None) is { } refusal) await context.RefuseAsync(refusal);
        else await context.ResultAsync(context.Room<PressRoom>().Status(Id(context)), Status);
    }

    static async Task LedgerAsync(HttpContext context)
    {
        var press = context.Room<PressRoom>();
        var id = Id(context);
        for (long after = 0; ;)
        {
            var rows = press.Lines(id, after, Page);
            if (!rows.Ok) { await context.RefuseAsync(rows.Refusal); return; }
            if (after == 0) context.StartLines();
            using var page = new MemoryStream();
            foreach (var row in rows.Value)
            {
                JsonSerializer.Serialize(page, new { address = row.Address, state = LedgerTable.Word(row.State), messageId = $"<{row.MessageId}>", reply = row.Reply, at = row.At, @class = row.Class }, Reply.Json);
                page.WriteByte((byte)'\n');
            }
            await context.Response.Body.WriteAsync(page.GetBuffer().AsMemory(0, (int)page.Length), context.RequestAborted);
            if (rows.Value.Count < Page) return;
            after = rows.Value[^1].Id;
        }
    }
}
