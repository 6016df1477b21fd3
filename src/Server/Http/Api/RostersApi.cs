using System.Globalization;
using CbaMail.Authorization;
using CbaMail.Courses;
using CbaMail.Courses.Sources;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Http.Api;

/// <summary>People of runs from other systems: what a run follows.</summary>
static class RostersApi
{
    /// <param name="Kind">ldap, moodle or lti.</param>
    /// <param name="Run">Short name; the run that every course has unless set.</param>
    /// <param name="Secret">Of moodle: the token. It is never shown again.</param>
    sealed record NewSource(string Kind, RosterProfile Profile, string? Run = null, string? Secret = null);

    /// <param name="Profile">What it names is changed.</param>
    /// <param name="Secret">In the place of the old one.</param>
    sealed record SourceChange(RosterProfile? Profile = null, string? Secret = null);

    /// <param name="Run">Short name.</param>
    /// <param name="State">fresh, ok or failing.</param>
    /// <param name="Done">The last time that all went well.</param>
    /// <param name="Failing">Since when.</param>
    sealed record SourceView(long Id, string Run, string Kind, RosterProfile Profile, bool HasSecret, string State, DateTimeOffset? Tried, DateTimeOffset? Done, DateTimeOffset? Failing, string Problem, RosterCounts? Last, DateTimeOffset Created);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/courses/{course}/rosters", Permissions.CoursesRead, About.Course, "What the runs of a course follow", context => RunsApi.WithCourse(context, course => context.JsonAsync(Book(context).List(course).Select(Shown)))) { Gives = typeof(SourceView[]) },
        new("POST", "/courses/{course}/rosters", Permissions.CoursesWrite, About.Course, "Let a run follow a group of a directory (LDAP), a course of Moodle or of a learning platform (LTI)", Requests.With<NewSource>((context, wanted) => RunsApi.WithCourse(context, course => AddAsync(context, course, wanted)))) { Takes = typeof(NewSource), Gives = typeof(SourceView) },
        new("GET", "/courses/{course}/rosters/{id:long}", Permissions.CoursesRead, About.Course, "One source, and how the last look at it went", context => With(context, (_, source) => context.JsonAsync(Shown(source)))) { Gives = typeof(SourceView) },
        new("PATCH", "/courses/{course}/rosters/{id:long}", Permissions.CoursesWrite, About.Course, "Change a source", Requests.With<SourceChange>((context, change) => With(context, async (course, source) =>
        {
            if (Forbidden(context, source.Kind) is { } refusal) await context.RefuseAsync(refusal);
            else await context.ResultAsync(await Book(context).ChangeAsync(course, source.Id, change.Profile ?? new(), change.Secret, context.RequestAborted), Shown);
        }))) { Takes = typeof(SourceChange), Gives = typeof(SourceView) },
        new("DELETE", "/courses/{course}/rosters/{id:long}", Permissions.CoursesWrite, About.Course, "Follow a source no more; whoever came by it stays", context => With(context, (course, source) =>
            CoursesApi.DoneAsync(context, Book(context).RemoveAsync(course, source.Id, context.RequestAborted)))) { Gives = typeof(DeedDone), CanRehearse = true },
        new("POST", "/courses/{course}/rosters/{id:long}/sync", Permissions.CoursesWrite, About.Course, "Read it now, and take over what differs; force=true: even if many leave", context => With(context, SyncAsync(context))) { Query = ["force"], Gives = typeof(CoursesApi.ImportedPeople), CanRehearse = true },
        new("GET", "/lti/jwks", null, About.Asked, "The key by which this server proves to learning platforms what it is (RFC 7517)", async context =>
        {
            var set = await context.Room<LtiKey>().PublishedAsync(context.RequestAborted);
            if (!set.Ok) { await context.RefuseAsync(set.Refusal); return; }
            context.Response.Headers.CacheControl = "public, max-age=3600";
            await context.TextAsync(set.Value, "application/jwk-set+json");
        }) { GivesType = "application/jwk-set+json" },
    ];

    static RosterBook Book(HttpContext context) => context.Room<RosterBook>();

    static SourceView Shown(RosterSource one) => new(one.Id, one.Run, one.Kind, one.Profile, one.HasSecret, one.Standing.Failing is not null ? "failing" : one.Standing.Done is null ? "fresh" : "ok",
        one.Standing.Tried, one.Standing.Done, one.Standing.Failing, one.Standing.Problem, one.Standing.Last, one.Created);

    /// <summary>A directory knows everybody: what its groups are is not for each course manager to read.</summary>
    static Refusal? Forbidden(HttpContext context, string kind) => kind == "ldap" && !context.Caller().MayEverywhere(Permissions.DirectoriesRead) ? Requests.MayNot(Permissions.DirectoriesRead) : null;

    static async Task AddAsync(HttpContext context, Course course, NewSource wanted)
    {
        var run = context.Room<RunBook>().Find(course, wanted.Run ?? "");
        if (!run.Ok) await context.RefuseAsync(run.Refusal.At("run"));
        else if (Forbidden(context, wanted.Kind ?? "") is { } refusal) await context.RefuseAsync(refusal);
        else await context.ResultAsync(await Book(context).AddAsync(course, run.Value, wanted.Kind ?? "", wanted.Profile ?? new(), wanted.Secret, context.RequestAborted), Shown, 201);
    }

    static Task With(HttpContext context, Func<Course, RosterSource, Task> deed) => RunsApi.WithCourse(context, async course =>
    {
        var source = Book(context).Find(course, long.Parse(context.Part("id"), CultureInfo.InvariantCulture));
        if (source.Ok) await deed(course, source.Value);
        else await context.RefuseAsync(source.Refusal);
    });

    static Func<Course, RosterSource, Task> SyncAsync(HttpContext context) => async (course, source) =>
    {
        var force = context.Asked("force");
        if (force is not (null or "true" or "false")) { await context.RefuseAsync(Refusal.Invalid.Because("force is true or false").At("force")); return; }
        var report = await Book(context).SyncAsync(course, source, Rehearsal.IsOn, force == "true", context.RequestAborted);
        await context.ResultAsync(report, done => CoursesApi.Imported(done, Rehearsal.IsOn));
    };
}
