using System.Globalization;
using CbaMail.Authorization;
using CbaMail.Courses;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailings.Schedules;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/programmes, and the runs of a course with their sessions and groups.</summary>
static class RunsApi
{
    const int MostOccasions = 1000;

    /// <param name="Id">Its short name, as in paths.</param>
    sealed record ProgrammeView(string Id, string Name, string Domain, DateTimeOffset Created);
    sealed record NewProgramme(string Name, string Domain);
    sealed record WantedProgramme(string Name);

    /// <param name="Id">Its short name, as in paths; <c>default</c> is the run that every course has.</param>
    /// <param name="Starts">First day, in the run's zone.</param>
    /// <param name="Ends">Last day.</param>
    /// <param name="Zone">As in Europe/Moscow; empty: the server's.</param>
    /// <param name="Holidays">Days, or first and last as in 2027-05-01..2027-05-09.</param>
    /// <param name="People">Who is in it and has not left.</param>
    sealed record RunView(string Id, string Name, string? Starts, string? Ends, string Zone, IReadOnlyList<string> Holidays, int People, DateTimeOffset Created);

    /// <param name="Uid">Of its event in calendars (RFC 5545).</param>
    /// <param name="Sequence">Rises with every change (RFC 5545).</param>
    sealed record MeetingView(long Id, string Title, DateTimeOffset Starts, DateTimeOffset Ends, string Place, string Uid, int Sequence, bool Cancelled);

    /// <param name="Starts">As in 2027-02-01T10:00, in the run's zone, or with an offset from UTC.</param>
    /// <param name="Ends">An hour later where nothing is said.</param>
    sealed record WantedMeeting(string? Title = null, string? Starts = null, string? Ends = null, string? Place = null, bool? Cancelled = null);

    /// <param name="At">Where the clock is that of each reader: as the run's.</param>
    /// <param name="Session">Its number, where it is for a session.</param>
    sealed record OccasionView(DateTimeOffset At, long? Session);

    /// <param name="Schedule">As it is read: words in lower case, the times in full.</param>
    /// <param name="Repeats">It goes out once for each session or week.</param>
    /// <param name="Occasions">All times, the earliest first; none where it is another for each person.</param>
    sealed record OccasionsView(string Schedule, bool Repeats, IReadOnlyList<OccasionView> Occasions);

    sealed record RunGroupView(string Name, int People);
    sealed record WantedRunGroup(string Name);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/programmes", Permissions.CoursesRead, About.Asked, "Programmes", context => context.ListAsync(context.Room<RunBook>().Programmes().Where(one => May(context, Permissions.CoursesRead, one)).OrderBy(one => one.Slug, StringComparer.Ordinal), one => one.Slug, Shown)) { IsList = true, Gives = typeof(ProgrammeView) },
        new("POST", "/programmes", Permissions.CoursesCreate, About.Asked, "Make a programme", Requests.With<NewProgramme>(AddProgrammeAsync)) { Takes = typeof(NewProgramme), Gives = typeof(ProgrammeView), CanRehearse = true },
        new("GET", "/programmes/{programme}", Permissions.CoursesRead, About.Asked, "One programme", context => WithAsync(context, Permissions.CoursesRead, one => context.JsonAsync(Shown(one)))) { Gives = typeof(ProgrammeView) },
        new("PATCH", "/programmes/{programme}", Permissions.CoursesCreate, About.Asked, "Change a programme", Requests.With<WantedProgramme>((context, wanted) => WithAsync(context, Permissions.CoursesCreate, async one =>
            await context.ResultAsync(await context.Room<RunBook>().RenameProgrammeAsync(one, wanted.Name ?? "", context.RequestAborted), Shown)))) { Takes = typeof(WantedProgramme), Gives = typeof(ProgrammeView), CanRehearse = true },
        new("DELETE", "/programmes/{programme}", Permissions.CoursesCreate, About.Asked, "Remove a programme; its courses stay", context => WithAsync(context, Permissions.CoursesCreate, one =>
            CoursesApi.DoneAsync(context, context.Room<RunBook>().RemoveProgrammeAsync(one, context.RequestAborted)))) { Gives = typeof(DeedDone), CanRehearse = true },

        new("GET", "/courses/{course}/runs", Permissions.CoursesRead, About.Course, "The runs of a course", context => WithCourse(context, course => context.JsonAsync(context.Room<RunBook>().Runs(course).Select(Shown)))) { Gives = typeof(RunView[]) },
        new("POST", "/courses/{course}/runs", Permissions.CoursesWrite, About.Course, "Add a run to a course", Requests.With<RunWish>((context, wish) => WithCourse(context, async course =>
            await context.ResultAsync(await context.Room<RunBook>().AddAsync(course, wish, context.RequestAborted), Shown, 201)))) { Takes = typeof(RunWish), Gives = typeof(RunView), CanRehearse = true },
        new("GET", "/courses/{course}/runs/{run}", Permissions.CoursesRead, About.Course, "One run", context => WithRun(context, (_, run) => context.JsonAsync(Shown(run)))) { Gives = typeof(RunView) },
        new("PATCH", "/courses/{course}/runs/{run}", Permissions.CoursesWrite, About.Course, "Change a run", Requests.With<RunWish>((context, wish) => WithRun(context, async (course, run) =>
            await context.ResultAsync(await context.Room<RunBook>().ChangeAsync(course, run, wish, context.RequestAborted), Shown)))) { Takes = typeof(RunWish), Gives = typeof(RunView), CanRehearse = true },
        new("DELETE", "/courses/{course}/runs/{run}", Permissions.CoursesWrite, About.Course, "Remove a run with the people in it", context => WithRun(context, (course, run) =>
            CoursesApi.DoneAsync(context, context.Room<RunBook>().RemoveAsync(course, run, context.RequestAborted)))) { Gives = typeof(DeedDone), CanRehearse = true },

        new("GET", "/courses/{course}/runs/{run}/sessions", Permissions.CoursesRead, About.Course, "The sessions of a run", context => WithRun(context, (_, run) => context.JsonAsync(context.Room<RunBook>().Meetings(run).Select(Shown)))) { Gives = typeof(MeetingView[]) },
        new("POST", "/courses/{course}/runs/{run}/sessions", Permissions.CoursesWrite, About.Course, "Add a session to a run", Requests.With<WantedMeeting>((context, wanted) => WithRun(context, async (course, run) =>
        {
            var wish = Wish(run, wanted);
            if (!wish.Ok) await context.RefuseAsync(wish.Refusal);
            else await context.ResultAsync(await context.Room<RunBook>().AddMeetingAsync(course, run, wish.Value, context.RequestAborted), Shown, 201);
        }))) { Takes = typeof(WantedMeeting), Gives = typeof(MeetingView), CanRehearse = true },
        new("GET", "/courses/{course}/runs/{run}/sessions/{id:long}", Permissions.CoursesRead, About.Course, "One session", context => WithRun(context, (_, run) => context.ResultAsync(context.Room<RunBook>().Meeting(run, Id(context)), Shown))) { Gives = typeof(MeetingView) },
        new("PATCH", "/courses/{course}/runs/{run}/sessions/{id:long}", Permissions.CoursesWrite, About.Course, "Change a session, or cancel it", Requests.With<WantedMeeting>((context, wanted) => WithRun(context, async (_, run) =>
        {
            var wish = Wish(run, wanted);
            if (!wish.Ok) await context.RefuseAsync(wish.Refusal);
            else await context.ResultAsync(await context.Room<RunBook>().ChangeMeetingAsync(run, Id(context), wish.Value, context.RequestAborted), Shown);
        }))) { Takes = typeof(WantedMeeting), Gives = typeof(MeetingView), CanRehearse = true },
        new("DELETE", "/courses/{course}/runs/{run}/sessions/{id:long}", Permissions.CoursesWrite, About.Course, "Remove a session, as though it had never been", context => WithRun(context, (_, run) =>
            CoursesApi.DoneAsync(context, context.Room<RunBook>().RemoveMeetingAsync(run, Id(context), context.RequestAborted)))) { Gives = typeof(DeedDone), CanRehearse = true },

        new("GET", "/courses/{course}/runs/{run}/occasions", Permissions.CoursesRead, About.Course, "When a schedule is due in a run", context => WithRun(context, (_, run) => OccasionsAsync(context, run))) { Query = ["schedule"], Gives = typeof(OccasionsView) },

        new("GET", "/courses/{course}/runs/{run}/groups", Permissions.CoursesRead, About.Course, "The groups of a run", context => WithRun(context, (_, run) => context.JsonAsync(context.Room<RunBook>().Groups(run).Select(Shown)))) { Gives = typeof(RunGroupView[]) },
        new("POST", "/courses/{course}/runs/{run}/groups", Permissions.CoursesWrite, About.Course, "Add a group to a run", Requests.With<WantedRunGroup>((context, wanted) => WithRun(context, async (_, run) =>
            await context.ResultAsync(await context.Room<RunBook>().AddGroupAsync(run, wanted.Name ?? "", context.RequestAborted), Shown, 201)))) { Takes = typeof(WantedRunGroup), Gives = typeof(RunGroupView), CanRehearse = true },
        new("PATCH", "/courses/{course}/runs/{run}/groups/{group}", Permissions.CoursesWrite, About.Course, "Rename a group", Requests.With<WantedRunGroup>((context, wanted) => WithRun(context, async (_, run) =>
            await context.ResultAsync(await context.Room<RunBook>().RenameGroupAsync(run, context.Part("group"), wanted.Name ?? "", context.RequestAborted), Shown)))) { Takes = typeof(WantedRunGroup), Gives = typeof(RunGroupView) },
        new("DELETE", "/courses/{course}/runs/{run}/groups/{group}", Permissions.CoursesWrite, About.Course, "Remove a group; its people stay in the run", context => WithRun(context, (_, run) =>
            CoursesApi.DoneAsync(context, context.Room<RunBook>().RemoveGroupAsync(run, context.Part("group"), context.RequestAborted)))) { Gives = typeof(DeedDone), CanRehearse = true },
    ];

    static ProgrammeView Shown(Programme one) => new(one.Slug, one.Name, one.Domain, one.Created);
    static RunView Shown(Run run) => new(run.Slug, run.Name, IsoDate.Of(run.Starts), IsoDate.Of(run.Ends), run.Zone, [.. run.Holidays.Select(IsoDate.Of)], run.People, run.Created);
    static MeetingView Shown(Meeting one) => new(one.Id, one.Title, one.Starts, one.Ends, one.Place, one.Uid, one.Sequence, one.Cancelled);
    static RunGroupView Shown(RunGroup one) => new(one.Name, one.People);

    static Task OccasionsAsync(HttpContext context, Run run)
    {
        var read = ScheduleText.Parse(context.Asked("schedule") ?? "");
        if (!read.Ok) return context.RefuseAsync(read.Refusal.At("schedule"));
        var occasions = new Occasions(run, context.Room<RunBook>().Meetings(run));
        if (occasions.Missing(read.Value) is { } missing) return context.RefuseAsync(missing.At("schedule"));
        return context.JsonAsync(new OccasionsView(read.Value.ToString(), read.Value.Repeats,
            [.. occasions.Of(read.Value).Take(MostOccasions).Select(one => new OccasionView(TimeZoneInfo.ConvertTime(one.In(occasions.Zone), occasions.Zone), one.Meeting?.Id))]));
    }

    static long Id(HttpContext context) => long.Parse(context.Part("id"), CultureInfo.InvariantCulture);

    /// <summary>Whoever reaches its domain; to look, whoever has a course in it.</summary>
    static bool May(HttpContext context, Permission permission, Programme one) =>
        permission.OnlyReads ? TemplatesApi.May(context, permission, one.Domain)
        : context.Caller().MayEverywhere(permission) || (context.Room<UserDirectory>().FindDomain(one.Domain) is { } domain && context.Caller().May(permission, domain));

    static async Task AddProgrammeAsync(HttpContext context, NewProgramme wanted)
    {
        if (CoursesApi.ForbidsNew(context, wanted.Domain) is { } refusal) await context.RefuseAsync(refusal);
        else await context.ResultAsync(await context.Room<RunBook>().AddProgrammeAsync(wanted.Name ?? "", wanted.Domain ?? "", context.RequestAborted), Shown, 201);
    }

    static async Task WithAsync(HttpContext context, Permission permission, Func<Programme, Task> deed)
    {
        var found = context.Room<RunBook>().Programme(context.Part("programme"));
        if (!found.Ok) await context.RefuseAsync(found.Refusal);
        else if (!May(context, permission, found.Value)) await context.RefuseAsync(Requests.MayNot(permission));
        else await deed(found.Value);
    }

    internal static async Task WithCourse(HttpContext context, Func<Course, Task> deed)
    {
        var course = context.Room<CourseRegister>().Find(context.Part("course"));
        if (course.Ok) await deed(course.Value);
        else await context.RefuseAsync(course.Refusal);
    }

    internal static Task WithRun(HttpContext context, Func<Course, Run, Task> deed) => WithCourse(context, async course =>
    {
        var run = context.Room<RunBook>().Find(course, context.Part("run"));
        if (run.Ok) await deed(course, run.Value);
        else await context.RefuseAsync(run.Refusal);
    });

    static Result<MeetingWish> Wish(Run run, WantedMeeting wanted)
    {
        if (!RunBook.TryTime(run, wanted.Starts, out var starts)) return Refusal.Invalid.Because("A time is written as 2027-02-01T10:00, or with an offset as in 2027-02-01T10:00+03:00").At("starts");
        if (!RunBook.TryTime(run, wanted.Ends, out var ends)) return Refusal.Invalid.Because("A time is written as 2027-02-01T10:00, or with an offset as in 2027-02-01T10:00+03:00").At("ends");
        return new MeetingWish(wanted.Title, starts, ends, wanted.Place, wanted.Cancelled);
    }
}
