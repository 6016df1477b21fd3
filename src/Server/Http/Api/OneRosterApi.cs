using System.Globalization;
using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Courses.Sources;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/oneroster: courses, runs and people out of a OneRoster file.</summary>
static class OneRosterApi
{
    /// <param name="Course">Short name; empty: it would be made.</param>
    /// <param name="Run">The same.</param>
    /// <param name="Deed">made, changed, unchanged or left-out.</param>
    /// <param name="Problem">Why nothing.</param>
    sealed record ClassView(string Name, string Course, string Run, string Deed, CoursesApi.ImportedPeople? People, string Problem);

    sealed record FileError(int Line, string Error);

    sealed record OneRosterView(IReadOnlyList<ClassView> Classes, IReadOnlyList<FileError> Errors);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("POST", "/oneroster", Permissions.CoursesCreate, About.Asked, "Take in a OneRoster 1.2 file (ZIP of CSV): courses, classes as runs, people", TakeAsync) { TakesType = "application/zip", Streams = true, CanRehearse = true, Query = ["domain", "end-missing", "most-ended"], Gives = typeof(OneRosterView), GivesType = "application/json" },
    ];

    static async Task TakeAsync(HttpContext context)
    {
        if (context.Asked("domain") is null) { await context.RefuseAsync(Refusal.Invalid.Because("Say whose courses they are: domain").At("domain")); return; }
        if (CoursesApi.ForbidsNew(context, context.Asked("domain")) is { } forbidden) { await context.RefuseAsync(forbidden); return; }
        if (context.Asked("end-missing") is not (null or "true" or "false")) { await context.RefuseAsync(Refusal.Invalid.Because("end-missing is true or false").At("end-missing")); return; }
        var most = 20;
        if (context.Asked("most-ended") is { } share && !(int.TryParse(share, NumberStyles.None, CultureInfo.InvariantCulture, out most) && most is >= 0 and <= 100)) { await context.RefuseAsync(Refusal.Invalid.Because("most-ended is a number from 0 to 100, in percent").At("most-ended")); return; }
        if (await context.BytesAsync(context.Room<Settings>().Mailings.ImportBytes) is not { } file) return;
        var rehearsal = Rehearsal.IsOn;
        var done = await context.Room<OneRoster>().TakeAsync(context.Asked("domain") ?? "", file, new(rehearsal, context.Asked("end-missing") == "true", most, LeastEnded: 5), context.RequestAborted);
        await context.ResultAsync(done, report => new OneRosterView(
            [.. report.Classes.Select(one => new ClassView(one.Name, one.Course, one.Run, one.Deed, one.People is null ? null : CoursesApi.Imported(one.People, rehearsal), one.Problem))], [.. report.Errors.Select(error => new FileError(error.Line, error.Reason))]));
    }
}
