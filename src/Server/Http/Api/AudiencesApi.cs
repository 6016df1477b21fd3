using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using CbaMail.Authorization;
using CbaMail.Courses;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailings;

namespace CbaMail.Http.Api;

/// <summary>Who gets a mailing: audiences of a course kept under names, previews, and the audience of a mailing.</summary>
static class AudiencesApi
{
    const int Samples = 20, MostLeftOut = 200;

    /// <param name="To">In one line: students in group B who have not opened mailing 7.</param>
    /// <param name="Rule">The same in pieces, for whoever builds it of them.</param>
    /// <param name="Wide">For all courses of the domain.</param>
    sealed record AudienceShown(string Name, string To, JsonNode Rule, bool Wide, DateTimeOffset Changed);

    /// <param name="To">In one line; or <paramref name="Rule"/>.</param>
    /// <param name="Rule">In pieces: {"all": [{"role": "student"}, {"not": {"mailing": 7, "fate": "opened"}}]}.</param>
    sealed record WantedAudience(string? To = null, JsonElement? Rule = null, bool Wide = false);

    sealed record SamplePerson(string Address, string Name);
    sealed record OutsidePerson(string Address, string Name, string Why);

    /// <param name="Count">Who is in it.</param>
    /// <param name="Sample">Some of them.</param>
    /// <param name="Outside">Who else is or was in the course, and by what he is left out; not all where there are many.</param>
    sealed record AudiencePreview(string To, JsonNode Rule, int Count, IReadOnlyList<SamplePerson> Sample, int OutsideCount, IReadOnlyList<OutsidePerson> Outside);

    /// <param name="To">Null: everybody who is in the course.</param>
    /// <param name="Previewed">When it was looked at last.</param>
    /// <param name="PreviewedCount">Who was in it then.</param>
    /// <param name="Joined">Who came from then until it was sent.</param>
    /// <param name="Left">Who went from then until it was sent.</param>
    sealed record MailingAudienceShown(string? To, DateTimeOffset? Previewed, int? PreviewedCount, int? Joined, int? Left);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/courses/{course}/audiences", Permissions.MailingsRead, About.Course, "Audiences kept for a course and for its domain", context => RunsApi.WithCourse(context, course =>
            context.JsonAsync(context.Room<AudienceBook>().List(course).Select(Shown)))) { Gives = typeof(AudienceShown[]) },
        new("GET", "/courses/{course}/audiences/{name}", Permissions.MailingsRead, About.Course, "One audience", context => RunsApi.WithCourse(context, course =>
            context.ResultAsync(context.Room<AudienceBook>().Find(course, context.Part("name")), Shown))) { Gives = typeof(AudienceShown) },
        new("PUT", "/courses/{course}/audiences/{name}", Permissions.MailingsWrite, About.Course, "Keep an audience under a name", Requests.With<WantedAudience>((context, wanted) => RunsApi.WithCourse(context, async course =>
        {
            var rule = Rule(context, course, wanted);
            if (!rule.Ok) await context.RefuseAsync(rule.Refusal);
            else if (wanted.Wide && ForbidsWide(context, course) is { } refusal) await context.RefuseAsync(refusal);
            else if (context.Room<AudienceBook>().Preview(course, rule.Value) is { Ok: false } wrong) await context.RefuseAsync(wrong.Refusal);
            else await context.ResultAsync(await context.Room<AudienceBook>().SaveAsync(course, context.Part("name"), rule.Value, wanted.Wide, context.RequestAborted), Shown);
        }))) { Takes = typeof(WantedAudience), Gives = typeof(AudienceShown), CanRehearse = true },
        new("DELETE", "/courses/{course}/audiences/{name}", Permissions.MailingsWrite, About.Course, "Remove an audience; mailings and audiences that name it are not understood any more", context => RunsApi.WithCourse(context, async course =>
        {
            var found = context.Room<AudienceBook>().Find(course, context.Part("name"));
            if (!found.Ok) await context.RefuseAsync(found.Refusal);
            else if (found.Value.CourseId == 0 && ForbidsWide(context, course) is { } refusal) await context.RefuseAsync(refusal);
            else await CoursesApi.DoneAsync(context, context.Room<AudienceBook>().RemoveAsync(course, found.Value, context.RequestAborted));
        })) { Gives = typeof(DeedDone), CanRehearse = true },
        new("POST", "/courses/{course}/audience-preview", Permissions.MailingsRead, About.Course, "Who is in an audience now, and why the others are not", Requests.With<WantedAudience>((context, wanted) => RunsApi.WithCourse(context, async course =>
        {
            var rule = Rule(context, course, wanted);
            if (!rule.Ok) await context.RefuseAsync(rule.Refusal);
            else await context.ResultAsync(context.Room<AudienceBook>().Preview(course, rule.Value), Preview);
        }))) { Takes = typeof(WantedAudience), Gives = typeof(AudiencePreview), OnlyReads = true },
        new("GET", "/mailings/{id:long}/audience", Permissions.MailingsRead, About.Mailing, "Whom a mailing goes to", context =>
        {
            var press = context.Room<PressRoom>().Find(Id(context));
            return press.Ok ? context.JsonAsync(Shown(context.Room<AudienceBook>().Of(press.Value.Id))) : context.RefuseAsync(press.Refusal);
        }) { Gives = typeof(MailingAudienceShown) },
        new("POST", "/mailings/{id:long}/audience/preview", Permissions.MailingsWrite, About.Mailing, "Who gets the mailing as things are now; sending tells the difference from it", async context =>
        {
            var course = context.Room<PressRoom>().CourseOf(Id(context));
            if (!course.Ok) await context.RefuseAsync(course.Refusal);
            else await context.ResultAsync(await context.Room<AudienceBook>().PreviewAsync(course.Value, Id(context), context.RequestAborted), Preview);
        }) { Gives = typeof(AudiencePreview) },
    ];

    static long Id(HttpContext context) => long.Parse(context.Part("id"), CultureInfo.InvariantCulture);

    static AudienceShown Shown(SavedAudience one) => new(one.Name, one.Rule, AudienceText.TryParse(one.Rule, out var rule, out _) ? AudienceJson.Of(rule!) : new JsonObject(), one.CourseId == 0, one.Changed);

    static AudiencePreview Preview(AudienceView view) => new(
        view.Rule.ToString(), AudienceJson.Of(view.Rule), view.People.Count, [.. view.People.Take(Samples).Select(one => new SamplePerson(one.Address, one.Name))],
        view.Out.Count, [.. view.Out.Take(MostLeftOut).Select(one => new OutsidePerson(one.Address, one.Name, one.Why))]);

    static MailingAudienceShown Shown(MailingAudience? one) => new(one?.Rule, one?.PreviewedAt, one?.Previewed?.Length, one?.Joined, one?.Gone);

    static Result<AudienceRule> Rule(HttpContext context, Course course, WantedAudience wanted)
    {
        if (wanted.Rule is not { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) } json) return context.Room<AudienceBook>().Parse(course, wanted.To ?? "everybody");
        return AudienceJson.TryRead(json, out var rule, out var error) ? rule! : Refusal.Invalid.Because($"The audience is not understood: {error}").At("rule");
    }

    static Refusal? ForbidsWide(HttpContext context, Course course) =>
        context.Room<UserDirectory>().FindDomain(course.Domain) is { } domain && context.Caller().May(Permissions.MailingsWrite, domain) ? null : Requests.MayNot(Permissions.MailingsWrite);
}
