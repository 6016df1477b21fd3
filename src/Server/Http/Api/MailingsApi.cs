using System.Globalization;
using System.Text.Json;
using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Delivery;
using CbaMail.Directory;
using CbaMail.Mailings;
using CbaMail.Mailings.Schedules;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/mailings: create, check, send, and the ledger as JSON lines. Files come before, as they are, to /api/v1/mailing-files.</summary>
static class MailingsApi
{
    const int Page = 1000;

    sealed record KeptFile(string Hash, int Size);
    /// <param name="TrackOpens">Copies have a picture by which is seen that they were opened.</param>
    /// <param name="TrackClicks">Links of copies lead by this server.</param>
    /// <param name="ResendOf">The mailing that this one sends again.</param>
    sealed record MailingView(long Id, string Course, string State, string From, string Subject, DateTimeOffset Created, DateTimeOffset? Started, DateTimeOffset? Finished, MailingClass Class, bool TrackOpens, bool TrackClicks, long? ResendOf);

    /// <summary>Exactly the contract's words.</summary>
    sealed record StatusView(string State, long Total, long Rendered, long Queued, long Delivered, long Deferred, long Bounced, long Skipped);

    /// <param name="Row">Of the course's table.</param>
    sealed record ProblemView(int Row, string Address, string Name, string? Field, string Message);
    sealed record PreviewView(string Address, string Name, string From, string Subject, string? Html, string? Text, IReadOnlyList<ProblemView> Problems);

    /// <param name="Findings">What the author should look at; it stops nothing.</param>
    /// <param name="Affected">People who would get something else than they should.</param>
    sealed record CheckView(bool Good, int People, int Affected, IReadOnlyList<string> Faults, IReadOnlyList<ProblemView> Problems, IReadOnlyList<string> Notes, IReadOnlyList<CheckFinding> Findings);
    /// <param name="At">When it goes out, where that is later.</param>
    sealed record Begun(int Sending, int Skipped, IReadOnlyList<string> Notes, DateTimeOffset? At = null);

    /// <param name="Reply">What the other server said at last.</param>
    /// <param name="Class">Why it came back, where it did.</param>
    /// <param name="Opened">When a person first opened it, as far as is known.</param>
    /// <param name="Clicked">When he first followed a link.</param>
    /// <param name="Replied">When he first answered.</param>
    sealed record LedgerView(string Address, string State, string MessageId, string? Reply, DateTimeOffset At, string? Class, DateTimeOffset? Opened, DateTimeOffset? Clicked, DateTimeOffset? Replied);
    sealed record WantedFile(string Name, string Hash);
    /// <param name="Template">What is not said here is taken from it.</param>
    /// <param name="Mjml">What the HTML is to be compiled from.</param>
    /// <param name="To">An audience, or the name of one that is kept; null: everybody who is in the course.</param>
    /// <param name="Class">Whether its readers may leave it, and what keeps it from them.</param>
    /// <param name="TrackOpens">Copies have a picture by which is seen that they were opened.</param>
    /// <param name="TrackClicks">Links of copies lead by this server, which notes that they were followed.</param>
    sealed record WantedMailing(string Course, string From, string? Subject = null, string? Html = null, string? Text = null, IReadOnlyList<WantedFile>? Files = null, long? Template = null, string? Mjml = null, string? To = null, MailingClass Class = MailingClass.Course, bool TrackOpens = false, bool TrackClicks = false);
    /// <param name="To">Up to ten addresses.</param>
    /// <param name="As">The reader whose copy it is; null: the first whom it is for.</param>
    sealed record WantedTest(IReadOnlyList<string>? To = null, string? As = null);

    /// <param name="As">The reader whose copy it was.</param>
    sealed record TestSent(string As);
    /// <param name="At">As in 2027-02-01T10:00, by the clock of the course's default run, or with an offset from UTC; null: now.</param>
    /// <param name="Canary">The first copies, which say whether the rest goes; null: all go.</param>
    sealed record WantedSending(bool SkipInvalid = false, string? At = null, Canary? Canary = null);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("POST", "/mailing-files", Permissions.MailingsWrite, About.Asked, "Send a file that a mailing is to bring", KeepAsync) { TakesType = "application/octet-stream", Streams = true, Gives = typeof(KeptFile), GivesType = "application/json" },
        new("GET", "/mailings", Permissions.MailingsRead, About.Asked, "Mailings", ListAsync) { Query = ["course"], Gives = typeof(MailingView[]) },
        new("POST", "/mailings", Permissions.MailingsWrite, About.Asked, "Write a mailing", CreateAsync) { Takes = typeof(WantedMailing), Streams = true, Gives = typeof(NumberDone), GivesType = "application/json" },
        new("GET", "/mailings/{id:long}", Permissions.MailingsRead, About.Mailing, "How far a mailing is", context => context.ResultAsync(context.Room<PressRoom>().Status(Id(context)), Status)) { Gives = typeof(StatusView) },
        new("GET", "/mailings/{id:long}/preview", Permissions.MailingsRead, About.Mailing, "As somebody gets it", context => context.ResultAsync(
            context.Room<PressRoom>().Preview(Id(context), context.Asked("for")), Preview)) { Query = ["for"], Gives = typeof(PreviewView) },
        new("GET", "/mailings/{id:long}/check", Permissions.MailingsRead, About.Mailing, "What is wrong with it", context => context.ResultAsync(context.Room<PressRoom>().Check(Id(context)), Report)) { Gives = typeof(CheckView) },
        new("POST", "/mailings/{id:long}/check", Permissions.MailingsWrite, About.Mailing, "What is wrong with it, asking the net too: links, readers' domains, From", async context =>
            await context.ResultAsync(await context.Room<OutsideCheck>().RunAsync(Id(context), context.RequestAborted), Report)) { Gives = typeof(CheckView) },
        new("POST", "/mailings/{id:long}/test", Permissions.MailingsWrite, About.Mailing, "Send one reader's copy to who is to look at it", Requests.With<WantedTest>(async (context, wanted) =>
            await context.ResultAsync(await context.Room<TestCopies>().SendAsync(Id(context), wanted.To ?? [], wanted.As, context.RequestAborted), address => new TestSent(address)))) { Takes = typeof(WantedTest), Gives = typeof(TestSent) },
        new("POST", "/mailings/{id:long}/send", Permissions.MailingsWrite, About.Mailing, "Send it", SendAsync) { Takes = typeof(WantedSending), Gives = typeof(Begun) },
        new("GET", "/mailings/{id:long}/canary", Permissions.MailingsRead, About.Mailing, "How its first copies did", context => context.ResultAsync(context.Room<CanaryWatch>().Of(Id(context)), one => one)) { Gives = typeof(CanaryView) },
        new("POST", "/mailings/{id:long}/pause", Permissions.MailingsWrite, About.Mailing, "Let it rest", context => DeedAsync(context, context.Room<PressRoom>().PauseAsync)) { Gives = typeof(StatusView) },
        new("POST", "/mailings/{id:long}/resume", Permissions.MailingsWrite, About.Mailing, "Let it go on", context => DeedAsync(context, context.Room<PressRoom>().ResumeAsync)) { Gives = typeof(StatusView) },
        new("POST", "/mailings/{id:long}/cancel", Permissions.MailingsWrite, About.Mailing, "End it", context => DeedAsync(context, context.Room<PressRoom>().CancelAsync)) { Gives = typeof(StatusView) },
        new("GET", "/mailings/{id:long}/ledger", Permissions.MailingsRead, About.Mailing, "What became of each copy: a JSON line each", LedgerAsync) { Streams = true, Gives = typeof(LedgerView) },
    ];

    static long Id(HttpContext context) => long.Parse(context.Part("id"), CultureInfo.InvariantCulture);

    static StatusView Status(MailingStatus status) => new(
        MailingTable.Word(status.Mailing.State), status.Counts.Total, status.Counts.Rendered, status.Counts.Queued, status.Counts.Delivered, status.Counts.Deferred, status.Counts.Bounced, status.Counts.Skipped);

    static PreviewView Preview(MailingPreview preview) => new(preview.Address, preview.Name, preview.From, preview.Subject, preview.Html, preview.Text, [.. preview.Problems.Select(Problem)]);

    static CheckView Report(CheckReport report) => new(report.IsGood, report.People, report.Affected, report.Faults, [.. report.Problems.Select(Problem)], [.. report.Notes], report.Findings);

    static ProblemView Problem(CheckProblem problem) => new(problem.Line, problem.Address, problem.Name, problem.Field, problem.Message);

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
        return context.JsonAsync(press.List(course).Where(pair => caller.MayCourse(Permissions.MailingsRead, pair.Course.Id, directory.FindDomain(pair.Course.Domain))).Select(pair => new MailingView(
            pair.Mailing.Id, pair.Course.Slug, MailingTable.Word(pair.Mailing.State), pair.Mailing.FromAddress, pair.Mailing.Subject, pair.Mailing.Created, pair.Mailing.Started, pair.Mailing.Finished, pair.Mailing.Class,
            pair.Mailing.Pixel, pair.Mailing.Clicks, pair.Mailing.Parent)));
    }

    static async Task KeepAsync(HttpContext context)
    {
        if (await context.BytesAsync(context.Room<Settings>().Mailings.FileBytes) is not { } bytes) return;
        await context.JsonAsync(new KeptFile(await context.Room<MailingFiles>().KeepAsync(bytes, context.RequestAborted), bytes.Length));
    }

    static async Task CreateAsync(HttpContext context)
    {
        var files = context.Room<MailingFiles>();
        if (await context.BytesAsync(context.Room<Settings>().Mailings.TemplateLength * 8L) is not { } body) return;
        WantedMailing? wanted;
        try { wanted = JsonSerializer.Deserialize<WantedMailing>(body, Reply.Incoming); }
        catch (JsonException e) { await context.RefuseAsync(Reply.NotExpected(e, typeof(WantedMailing))); return; }
        if (wanted is null) { await context.RefuseAsync(400, "The request has no body"); return; }
        if (context.Room<CourseRegister>().Find(wanted.Course ?? "") is { Ok: true, Value: var course }
            && !context.Caller().MayCourse(Permissions.MailingsWrite, course.Id, context.Room<UserDirectory>().FindDomain(course.Domain)))
        {
            await context.RefuseAsync(Requests.MayNot(Permissions.MailingsWrite));
            return;
        }
        if (wanted.Template is { } id)
        {
            var template = context.Room<TemplateBook>().Find(id);
            if (!template.Ok) { await context.RefuseAsync(template.Refusal.At("template")); return; }
            if (!TemplatesApi.May(context, Permissions.TemplatesRead, template.Value.Domain)) { await context.RefuseAsync(Requests.MayNot(Permissions.TemplatesRead)); return; }
            wanted = wanted with { Subject = wanted.Subject ?? template.Value.Subject, Html = wanted.Html ?? (wanted.Mjml is null ? template.Value.Html : null), Text = wanted.Text ?? template.Value.Text };
        }
        if (context.Room<CourseRegister>().Find(wanted.Course ?? "") is { Ok: true, Value: var whose } && PressRoom.Sender(wanted.From ?? "") is { } from
            && context.Room<UserDirectory>().FindDomain(from.Address.Domain) is { } writes && writes.Name != whose.Domain && !context.Caller().Has(writes))
        {
            await context.RefuseAsync(Envelope.Refusal.MayNotSendAs.Because($"{from.Address} is of another domain than the course"));
            return;
        }
        var given = new List<NewFile>();
        var left = context.Room<Settings>().Mailings.FileBytes;
        foreach (var file in wanted.Files ?? [])
        {
            if (!files.Has(file.Hash)) { await context.RefuseAsync(400, $"The file {file.Name} has not been sent before"); return; }
            // before it is in memory: the same file can be named many times
            if ((left -= files.Size(file.Hash)) < 0) { await context.RefuseAsync(413, $"The files have more than {context.Room<Settings>().Mailings.FileBytes / 1048576} MiB together; put them on a server and send a link"); return; }
            given.Add(new(file.Name, files.Read(new MailingFile(0, file.Name, "", null, file.Hash, 0))));
        }
        var made = await context.Room<PressRoom>().CreateAsync(new(wanted.Course ?? "", wanted.From ?? "", wanted.Subject ?? "", wanted.Html, wanted.Text, given, wanted.Mjml, wanted.To, wanted.Class, null, wanted.TrackOpens, wanted.TrackClicks, Author: context.Caller().Person), context.RequestAborted);
        await context.ResultAsync(made, mailing => new NumberDone(mailing.Id));
    }

    static async Task SendAsync(HttpContext context)
    {
        var wanted = new WantedSending();
        if (context.Request.ContentLength is not (null or 0))
        {
            if (await context.ReadAsync<WantedSending>() is not { } given) return;
            wanted = given;
        }
        DateTimeOffset? at = null;
        if (wanted is { At: not null, Canary: not null }) { await context.RefuseAsync(Envelope.Refusal.Invalid.Because("A canary goes with what is sent now").At("canary")); return; }
        SendOutcome outcome;
        if (wanted.At is { } later) (outcome, at) = await context.Room<Timetable>().SendAtAsync(Id(context), later, wanted.SkipInvalid, context.RequestAborted);
        else outcome = await context.Room<PressRoom>().SendAsync(Id(context), wanted.SkipInvalid, context.RequestAborted, wanted.Canary);
        if (outcome.Refusal is { } refusal) await context.RefuseAsync(refusal, refusal.HttpStatus, check: outcome.Report is { } report ? Report(report) : null);
        else await context.JsonAsync(new Begun(outcome.Sending, outcome.Skipped, [.. outcome.Report?.Notes ?? []], at));
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
                JsonSerializer.Serialize(page, new LedgerView(row.Address, LedgerTable.Word(row.State), $"<{row.MessageId}>", row.Reply, row.At, row.Class, row.Opened, row.Clicked, row.Replied), Reply.Json);
                page.WriteByte((byte)'\n');
            }
            await context.Response.Body.WriteAsync(page.GetBuffer().AsMemory(0, (int)page.Length), context.RequestAborted);
            if (rows.Value.Count < Page) return;
            after = rows.Value[^1].Id;
        }
    }
}
