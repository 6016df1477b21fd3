using System.Text.Json;
using CbaMail.Authorization;
using CbaMail.Courses;
using CbaMail.Envelope;

namespace CbaMail.Http.Api;

/// <summary>The people of a course with what they are in which run.</summary>
static class EnrolmentsApi
{
    /// <param name="Run">Short name of the run.</param>
    /// <param name="Role">student, teacher, assistant or guardian.</param>
    /// <param name="From">First day; null: from the beginning.</param>
    /// <param name="Until">Last day; null: to the end.</param>
    /// <param name="Status">active, or ended: he has left, and is kept for what was sent to him.</param>
    /// <param name="Fields">Columns of the file that brought him: fields of templates.</param>
    /// <param name="Attributes">His in every course of the domain.</param>
    /// <param name="GuardianOf">Whom he looks after in this run.</param>
    sealed record EnrolmentView(
        string Run, string Address, string Name, string Role, string Status, string? From, string? Until, IReadOnlyList<string> Groups, string? Language, string? Zone,
        IReadOnlyDictionary<string, string> Fields, IReadOnlyDictionary<string, string> Attributes, IReadOnlyList<string> GuardianOf, DateTimeOffset Created);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/courses/{course}/people", Permissions.CoursesRead, About.Course, "The people of a course, run by run, with role, dates and groups", ListAsync) { IsList = true, Query = ["run", "role", "group", "status", "search"], Gives = typeof(EnrolmentView) },
        new("GET", "/courses/{course}/runs/{run}/people/{address}", Permissions.CoursesRead, About.Course, "Somebody in a run", context => RunsApi.WithRun(context, (course, run) =>
            context.ResultAsync(context.Room<Enrolments>().Find(course, run, context.Part("address")), Shown))) { Gives = typeof(EnrolmentView) },
        new("PUT", "/courses/{course}/runs/{run}/people/{address}", Permissions.CoursesWrite, About.Course, "Put somebody into a run, or change what he is in it; what is not named stays", Requests.With<EnrolmentWish>((context, wish) => RunsApi.WithRun(context, async (course, run) =>
        {
            var done = await context.Room<Enrolments>().PutAsync(course, run, context.Part("address"), wish, context.RequestAborted);
            if (done.Ok) await context.ResultAsync(new Result<Enrolment>(done.Value.Now, null), Shown, done.Value.Added ? 201 : 200);
            else await context.RefuseAsync(done.Refusal);
        }))) { Takes = typeof(EnrolmentWish), Gives = typeof(EnrolmentView), CanRehearse = true },
        new("DELETE", "/courses/{course}/runs/{run}/people/{address}", Permissions.CoursesWrite, About.Course, "Take somebody out of a run", context => RunsApi.WithRun(context, (course, run) =>
            CoursesApi.DoneAsync(context, context.Room<Enrolments>().RemoveAsync(course, run, context.Part("address"), context.RequestAborted)))) { Gives = typeof(DeedDone), CanRehearse = true },
    ];

    static EnrolmentView Shown(Enrolment one) => new(
        one.Run, one.Person.Address, one.Person.Name, CourseWords.Of(one.Role), one.Ended ? "ended" : "active", IsoDate.Of(one.From), IsoDate.Of(one.Until), one.Groups,
        one.Person.Language, one.Person.Zone, Texts(one.Fields), Texts(one.Person.Attributes), one.GuardianOf, one.Created);

    static Dictionary<string, string> Texts(string json) => JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? [];

    static Task ListAsync(HttpContext context) => RunsApi.WithCourse(context, course =>
    {
        var (run, role, group, status, search) = (context.Asked("run"), context.Asked("role"), context.Asked("group"), context.Asked("status"), context.Asked("search"));
        if (status is not (null or "active" or "ended")) return context.RefuseAsync(Refusal.Invalid.Because("A status is active or ended").At("status"));
        CourseRole wanted = default;
        if (role is not null && !CourseWords.TryRole(role, out wanted)) return context.RefuseAsync(Refusal.Invalid.Because("A role is student, teacher, assistant or guardian").At("role"));
        var people = context.Room<Enrolments>().Of(course).Where(one => (run is null || string.Equals(one.Run, run, StringComparison.OrdinalIgnoreCase)) && (role is null || one.Role == wanted)
            && (status is null || one.Ended == (status == "ended")) && (group is null || one.Groups.Contains(group, StringComparer.OrdinalIgnoreCase))
            && (search is null || one.Person.Address.Contains(search, StringComparison.OrdinalIgnoreCase) || one.Person.Name.Contains(search, StringComparison.OrdinalIgnoreCase)));
        return context.ListAsync(people.OrderBy(Key, StringComparer.Ordinal), Key, Shown);
    });

    static string Key(Enrolment one) => $"{one.Person.Address.ToLowerInvariant()}\u0001{one.Run}";
}
