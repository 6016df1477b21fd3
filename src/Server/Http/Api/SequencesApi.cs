using System.Globalization;
using CbaMail.Authorization;
using CbaMail.Courses;
using CbaMail.Mailings.Sequences;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/courses/…/sequences: mailings that follow each other, person by person.</summary>
static class SequencesApi
{
    /// <param name="Steps">A line each, as in "mailing 13, after 3 days at 08:00, if opened step 1, else stop".</param>
    /// <param name="To">The audience that comes in; null: everybody of the run.</param>
    /// <param name="Run">Whose people come in; null: the run that every course has.</param>
    sealed record NewSequence(string? Name, IReadOnlyList<string>? Steps, string? To = null, string? Run = null);

    /// <param name="Person">His address; null: it is about everybody.</param>
    /// <param name="Step">Which one, from 1.</param>
    sealed record WantedOfSequence(string? Person = null, int? Step = null);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/courses/{course}/sequences", Permissions.MailingsRead, About.Course, "The sequences of a course", context => RunsApi.WithCourse(context, course => context.JsonAsync(Book(context).List(course)))) { Gives = typeof(SequenceView[]) },
        new("POST", "/courses/{course}/sequences", Permissions.MailingsWrite, About.Course, "Begin a sequence: mailings that follow each other, person by person", Requests.With<NewSequence>((context, wanted) => RunsApi.WithCourse(context, async course =>
            await context.ResultAsync(await Book(context).AddAsync(course, wanted.Name ?? "", wanted.Run, wanted.To, wanted.Steps ?? [], context.RequestAborted), one => one, 201)))) { Takes = typeof(NewSequence), Gives = typeof(SequenceView) },
        new("GET", "/courses/{course}/sequences/{id:long}", Permissions.MailingsRead, About.Course, "A sequence with its steps", context => RunsApi.WithCourse(context, course => context.ResultAsync(Book(context).Show(course, Id(context)), one => one))) { Gives = typeof(SequenceView) },
        new("GET", "/courses/{course}/sequences/{id:long}/people", Permissions.MailingsRead, About.Course, "Where everybody in a sequence is", context => RunsApi.WithCourse(context, course => context.ResultAsync(Book(context).People(course, Id(context)), all => all))) { Gives = typeof(SequenceMemberView[]) },
        new("POST", "/courses/{course}/sequences/{id:long}/pause", Permissions.MailingsWrite, About.Course, "Let a sequence rest, or one person in it", Deed((book, course, id, wanted, cancel) => book.PauseAsync(course, id, wanted.Person, cancel))) { Takes = typeof(WantedOfSequence), Gives = typeof(SequenceView) },
        new("POST", "/courses/{course}/sequences/{id:long}/resume", Permissions.MailingsWrite, About.Course, "Let it go on", Deed((book, course, id, wanted, cancel) => book.ResumeAsync(course, id, wanted.Person, cancel))) { Takes = typeof(WantedOfSequence), Gives = typeof(SequenceView) },
        new("POST", "/courses/{course}/sequences/{id:long}/skip", Permissions.MailingsWrite, About.Course, "Leave a step out for everybody, or for one person the step that is next", Deed((book, course, id, wanted, cancel) => wanted switch
        {
            { Person: { } person, Step: null } => book.SkipPersonAsync(course, id, person, cancel),
            { Person: null, Step: { } step } => book.SkipStepAsync(course, id, step, cancel),
            _ => new(Envelope.Refusal.Invalid.Because("Name the step that is left out, or the person to whom it is")),
        })) { Takes = typeof(WantedOfSequence), Gives = typeof(SequenceView) },
        new("DELETE", "/courses/{course}/sequences/{id:long}", Permissions.MailingsWrite, About.Course, "End a sequence for everybody", context => RunsApi.WithCourse(context, course =>
            CoursesApi.DoneAsync(context, Book(context).EndAsync(course, Id(context), context.RequestAborted)))) { Gives = typeof(DeedDone), CanRehearse = true },
    ];

    static SequenceBook Book(HttpContext context) => context.Room<SequenceBook>();

    static long Id(HttpContext context) => long.Parse(context.Part("id"), CultureInfo.InvariantCulture);

    static RequestDelegate Deed(Func<SequenceBook, Course, long, WantedOfSequence, CancellationToken, ValueTask<Envelope.Refusal?>> deed) => Requests.With<WantedOfSequence>((context, wanted) => RunsApi.WithCourse(context, async course =>
    {
        if (await deed(Book(context), course, Id(context), wanted, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.ResultAsync(Book(context).Show(course, Id(context)), one => one);
    }));
}
