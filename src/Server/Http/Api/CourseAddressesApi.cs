using System.Globalization;
using CbaMail.Authorization;
using CbaMail.Mailings;

namespace CbaMail.Http.Api;

/// <summary>Addresses of runs that teachers write to, below /api/v1/courses/{course}, and what they wrote.</summary>
static class CourseAddressesApi
{
    /// <param name="Run">Short name of the run; default unless set.</param>
    /// <param name="Approval">Whose mail waits for an approver: none, assistants, all; assistants unless set.</param>
    /// <param name="Approvers">Addresses; none: the teachers of the run, without its author.</param>
    sealed record AddressFields(string? Run = null, string? Approval = null, IReadOnlyList<string>? Approvers = null);

    sealed record CourseAddressView(string Address, string Run, string Approval, IReadOnlyList<string> Approvers, DateTimeOffset Created);

    /// <param name="Mailing">What it became.</param>
    /// <param name="State">held, sending, sent, rejected, failed.</param>
    /// <param name="Why">It failed.</param>
    sealed record CourseLetterView(long Id, long Mailing, string Author, string Subject, string State, string? Why, DateTimeOffset Taken);

    sealed record LetterDecided(string Decision);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/courses/{course}/addresses", Permissions.CoursesRead, About.Course, "Addresses that teachers write to", context => RunsApi.WithCourse(context, course =>
            context.ListAsync(context.Room<CourseAddresses>().List(course), one => one.Address.ToString(), View))) { IsList = true, Gives = typeof(CourseAddressView) },
        new("PUT", "/courses/{course}/addresses/{address}", Permissions.CoursesWrite, About.Course, "Give a run an address that teachers write to, or change what holds for it", Requests.With<AddressFields>((context, wanted) => RunsApi.WithCourse(context, async course =>
        {
            var run = context.Room<Courses.RunBook>().Find(course, wanted.Run ?? "default");
            if (!run.Ok) await context.RefuseAsync(run.Refusal);
            else await context.ResultAsync(await context.Room<CourseAddresses>().PutAsync(course, run.Value, context.Part("address"), wanted.Approval, wanted.Approvers, context.RequestAborted), View);
        }))) { Takes = typeof(AddressFields), CanRehearse = true, Gives = typeof(CourseAddressView) },
        new("DELETE", "/courses/{course}/addresses/{address}", Permissions.CoursesWrite, About.Course, "Take the address away from a run", context => RunsApi.WithCourse(context, async course =>
        {
            if (await context.Room<CourseAddresses>().RemoveAsync(course, context.Part("address"), context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
            else await context.JsonAsync(new AddressDone(context.Part("address")));
        })) { CanRehearse = true, Gives = typeof(AddressDone) },
        new("GET", "/courses/{course}/letters", Permissions.CoursesRead, About.Course, "What was written to its addresses", context => RunsApi.WithCourse(context, course =>
            context.ListAsync(context.Room<CourseAddresses>().Posts(course), one => (long.MaxValue - one.Id).ToString("D19", CultureInfo.InvariantCulture), View))) { IsList = true, Gives = typeof(CourseLetterView) },
        new("POST", "/courses/{course}/letters/{id:long}/accept", Permissions.MailingsWrite, About.Course, "Send what waits for an approver", Decide(true)) { Gives = typeof(LetterDecided) },
        new("POST", "/courses/{course}/letters/{id:long}/reject", Permissions.MailingsWrite, About.Course, "Drop what waits for an approver; its author is told", Decide(false)) { Gives = typeof(LetterDecided) },
    ];

    static CourseAddressView View(CourseAddress one) => new(one.Address.ToString(), one.Run, one.Approval, one.Approvers, one.Created);

    static CourseLetterView View(CoursePost one) => new(one.Id, one.Mailing, one.Author, one.Subject, one.State, one.Why.Length > 0 ? one.Why : null, one.Taken);

    static RequestDelegate Decide(bool accept) => context => RunsApi.WithCourse(context, async course =>
    {
        var addresses = context.Room<CourseAddresses>();
        var post = addresses.Find(course, long.Parse(context.Part("id"), CultureInfo.InvariantCulture));
        if (!post.Ok) await context.RefuseAsync(post.Refusal);
        else if (await addresses.DecideAsync(post.Value.Id, accept, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new LetterDecided(accept ? "accepted" : "rejected"));
    });
}
