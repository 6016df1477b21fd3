using System.Globalization;
using CbaMail.Authorization;
using CbaMail.Courses;
using CbaMail.Envelope;
using CbaMail.Mailings;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/courses/…/consents and data-requests: what readers have said about mailings, and what they ask of whoever runs the course.</summary>
static class ConsentsApi
{
    /// <param name="Course">Whether it is about this course alone; else about the class in every course of the domain.</param>
    /// <param name="Source">Who said it: one-click, page or mail for the reader himself; manager.</param>
    /// <param name="Basis">What a manager says it rests on.</param>
    /// <param name="Mailing">Whose link the reader followed.</param>
    sealed record ConsentView(MailingClass Class, bool Course, bool Wanted, DateTimeOffset At, string Source, string Basis, long? Mailing);

    /// <param name="Basis">What it rests on: a form, a contract, a call. Needed for wanting marketing mail.</param>
    sealed record WantedConsent(MailingClass Class, bool Wanted, string? Basis = null);

    /// <param name="Kind">export or erasure.</param>
    sealed record RequestView(long Id, string Address, string Kind, DateTimeOffset At, DateTimeOffset? Done);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/courses/{course}/participants/{address}/consents", Permissions.CoursesRead, About.Course, "What somebody has said about getting mail, the newest first", context => WithPersonAsync(context, (course, key) =>
            context.JsonAsync(context.Room<Consents>().Of(course, key).Select(Shown)))) { Gives = typeof(ConsentView[]) },
        new("POST", "/courses/{course}/participants/{address}/consents", Permissions.CoursesWrite, About.Course, "Note what somebody has said about getting mail", Requests.With<WantedConsent>((context, wanted) => WithPersonAsync(context, async (course, key) =>
            await context.ResultAsync(await context.Room<Consents>().NoteAsync(course, key, wanted.Class, wanted.Wanted, wanted.Basis ?? "", context.RequestAborted), Shown)))) { Takes = typeof(WantedConsent), Gives = typeof(ConsentView) },
        new("GET", "/courses/{course}/data-requests", Permissions.CoursesRead, About.Course, "Who asks for his data, or to have them erased", context => context.ResultAsync(
            context.Room<CourseRegister>().Find(context.Part("course")), course => context.Room<Consents>().Requests(course).Select(asked => new RequestView(asked.Id, asked.Address, asked.Kind, asked.At, asked.Done)))) { Gives = typeof(RequestView[]) },
        new("POST", "/courses/{course}/data-requests/{id:long}/done", Permissions.CoursesWrite, About.Course, "Say that such a request is seen to", DoneAsync) { Gives = typeof(DeedDone) },
    ];

    static ConsentView Shown(Consent said) => new(said.Class, said.CourseId != 0, said.Wanted, said.At, said.Source, said.Basis, said.Mailing);

    static Task WithPersonAsync(HttpContext context, Func<Course, string, Task> deed)
    {
        var register = context.Room<CourseRegister>();
        var person = register.Participant(context.Part("course"), context.Part("address"));
        if (!person.Ok) return context.RefuseAsync(person.Refusal);
        return MailAddress.TryParse(person.Value.Address, out var address) ? deed(register.Find(context.Part("course")).Value!, address.Key) : context.RefuseAsync(Refusal.BadAddress);
    }

    static async Task DoneAsync(HttpContext context)
    {
        var course = context.Room<CourseRegister>().Find(context.Part("course"));
        if (!course.Ok) await context.RefuseAsync(course.Refusal);
        else await CoursesApi.DoneAsync(context, context.Room<Consents>().DoneAsync(course.Value, long.Parse(context.Part("id"), CultureInfo.InvariantCulture), context.RequestAborted));
    }
}
