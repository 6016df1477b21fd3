using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Envelope;
using CbaMail.Mailings;
using CbaMail.Mailings.Tracking;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/courses/…/timeline: what was sent to one person and what came of it, as JSON, for a spreadsheet, and as a document.</summary>
static class TimelineApi
{
    sealed record TimelineView(string Course, string Address, string Name, DateTimeOffset Made, IReadOnlyList<TimelineEntry> Entries);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/courses/{course}/participants/{address}/timeline", Permissions.MailingsRead, About.Course, "What was sent to somebody, and what came of it, the oldest first", context => context.ResultAsync(
            Of(context), timeline => new TimelineView(timeline.Course.Slug, timeline.Person.Address, timeline.Person.Name, timeline.Made, timeline.Entries))) { Gives = typeof(TimelineView) },
        new("GET", "/courses/{course}/participants/{address}/timeline.csv", Permissions.MailingsRead, About.Course, "The same for a spreadsheet", CsvAsync) { Streams = true, GivesType = "text/csv" },
        new("GET", "/courses/{course}/participants/{address}/timeline.pdf", Permissions.MailingsRead, About.Course, "The same as a document: proof of notice", PdfAsync) { Streams = true, Query = ["language"], GivesType = "application/pdf" },
    ];

    static Result<Timeline> Of(HttpContext context)
    {
        var course = context.Room<CourseRegister>().Find(context.Part("course"));
        return course.Ok ? context.Room<Timelines>().Of(course.Value, context.Part("address")) : course.Refusal;
    }

    static async Task CsvAsync(HttpContext context)
    {
        var timeline = Of(context);
        if (!timeline.Ok) { await context.RefuseAsync(timeline.Refusal); return; }
        context.Response.ContentType = "text/csv; charset=utf-8";
        await context.Response.WriteAsync(TimelineFiles.Csv(timeline.Value), context.RequestAborted);
    }

    static async Task PdfAsync(HttpContext context)
    {
        var timeline = Of(context);
        if (!timeline.Ok) { await context.RefuseAsync(timeline.Refusal); return; }
        var language = context.Asked("language") ?? timeline.Value.Course.Language;
        if (language is not ("ru" or "en")) { await context.RefuseAsync(Refusal.Invalid.Because("The language is ru or en").At("language")); return; }
        var fonts = context.Room<PdfFonts>().Read();
        if (!fonts.Ok) { await context.RefuseAsync(fonts.Refusal); return; }
        var file = TimelineFiles.Pdf(timeline.Value, language, context.Room<Settings>().Hostname, fonts.Value);
        context.Response.ContentType = "application/pdf";
        context.Response.ContentLength = file.Length;
        await context.Response.Body.WriteAsync(file, context.RequestAborted);
    }
}
