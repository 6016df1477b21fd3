using System.Globalization;
using CbaMail.Authorization;
using CbaMail.Courses;
using CbaMail.Directory;
using CbaMail.Mailings;
using CbaMail.Mailings.Approvals;

namespace CbaMail.Http.Api;

/// <summary>Approval of mailings by a second person: which need it, asking, deciding.</summary>
static class ApprovalsApi
{
    /// <param name="Classes">mandatory, course, optional, marketing; none: all.</param>
    /// <param name="Above">Mailings to more readers than these; 0 unless set.</param>
    /// <param name="Approvers">Addresses.</param>
    sealed record WantedPolicy(IReadOnlyList<MailingClass>? Classes = null, int Above = 0, IReadOnlyList<string>? Approvers = null);

    /// <param name="Note">For who decides.</param>
    sealed record WantedApproval(string? Note = null);

    /// <param name="Reason">Needed where it is refused.</param>
    sealed record WantedDecision(bool Approve, string? Reason = null);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/domains/{domain}/approval", Permissions.DomainsRead, About.Domain, "Which mailings of a domain's courses a second person must approve", Requests.WithDomain((context, domain) => ShowAsync(context, domain.Name, null))) { Gives = typeof(ApprovalPolicy) },
        new("PUT", "/domains/{domain}/approval", Permissions.DomainsWrite, About.Domain, "Say which mailings of a domain's courses a second person must approve", Requests.With<WantedPolicy>((context, wanted) => Requests.WithDomain((c, domain) => PutAsync(c, domain.Name, null, wanted))(context))) { Takes = typeof(WantedPolicy), Gives = typeof(ApprovalPolicy), CanRehearse = true },
        new("DELETE", "/domains/{domain}/approval", Permissions.DomainsWrite, About.Domain, "Let mailings of a domain's courses go out without approval", Requests.WithDomain((context, domain) => RemoveAsync(context, domain.Name, null))) { Gives = typeof(DeedDone), CanRehearse = true },
        new("GET", "/courses/{course}/approval", Permissions.CoursesRead, About.Course, "Which mailings of a course a second person must approve, besides those that its domain says", context => RunsApi.WithCourse(context, course => ShowAsync(context, course.Domain, course))) { Gives = typeof(ApprovalPolicy) },
        new("PUT", "/courses/{course}/approval", Permissions.CoursesWrite, About.Course, "Say which mailings of a course a second person must approve", Requests.With<WantedPolicy>((context, wanted) => RunsApi.WithCourse(context, course => PutAsync(context, course.Domain, course, wanted)))) { Takes = typeof(WantedPolicy), Gives = typeof(ApprovalPolicy), CanRehearse = true },
        new("DELETE", "/courses/{course}/approval", Permissions.CoursesWrite, About.Course, "Let mailings of a course go out without approval, but for what its domain says", context => RunsApi.WithCourse(context, course => RemoveAsync(context, course.Domain, course))) { Gives = typeof(DeedDone), CanRehearse = true },
        new("GET", "/mailings/{id:long}/approval", Permissions.MailingsRead, About.Mailing, "How the approval of a mailing stands", context => context.ResultAsync(Book(context).Look(Id(context)), one => one)) { Gives = typeof(ApprovalView) },
        new("POST", "/mailings/{id:long}/approval", Permissions.MailingsWrite, About.Mailing, "Ask a second person to approve a mailing: approvers get a letter with a link", Requests.With<WantedApproval>(async (context, wanted) =>
            await context.ResultAsync(await Book(context).AskAsync(Id(context), context.Caller().Person, wanted.Note, context.RequestAborted), one => one))) { Takes = typeof(WantedApproval), Gives = typeof(ApprovalView) },
        new("DELETE", "/mailings/{id:long}/approval", Permissions.MailingsWrite, About.Mailing, "Take the question or the approval back", context =>
            CoursesApi.DoneAsync(context, Book(context).WithdrawAsync(Id(context), context.RequestAborted))) { Gives = typeof(DeedDone) },
        new("POST", "/mailings/{id:long}/approval/decision", Permissions.MailingsWrite, About.Mailing, "Approve a mailing of another person, or refuse it", Requests.With<WantedDecision>(DecideAsync)) { Takes = typeof(WantedDecision), Gives = typeof(ApprovalView) },
    ];

    static long Id(HttpContext context) => long.Parse(context.Part("id"), CultureInfo.InvariantCulture);

    static ApprovalBook Book(HttpContext context) => context.Room<ApprovalBook>();

    static Task ShowAsync(HttpContext context, string domain, Course? course) => Book(context).Policy(domain, course) is { } policy
        ? context.JsonAsync(policy) : context.RefuseAsync(NoPolicy);

    static Envelope.Refusal NoPolicy => Envelope.Refusal.NoSuchThing.Because("Nothing is said about approval here: mailings go out without");

    static async Task PutAsync(HttpContext context, string domain, Course? course, WantedPolicy wanted) => await context.ResultAsync(
        await Book(context).PutPolicyAsync(domain, course, new(wanted.Classes ?? [], wanted.Above, wanted.Approvers ?? []), context.RequestAborted), policy => policy);

    static Task RemoveAsync(HttpContext context, string domain, Course? course) => CoursesApi.DoneAsync(context, RemovedAsync(context, domain, course));

    static async ValueTask<Envelope.Refusal?> RemovedAsync(HttpContext context, string domain, Course? course) => await Book(context).RemovePolicyAsync(domain, course, context.RequestAborted) ? null : NoPolicy;

    static async Task DecideAsync(HttpContext context, WantedDecision wanted)
    {
        var (id, caller) = (Id(context), context.Caller());
        var course = context.Room<PressRoom>().CourseOf(id);
        if (!course.Ok) { await context.RefuseAsync(course.Refusal); return; }
        var administers = context.Room<UserDirectory>().FindDomain(course.Value.Domain) is { } domain && caller.May(Permissions.DomainsWrite, domain);
        if (await Book(context).DecideAsync(id, caller.Person, administers, wanted.Approve, wanted.Reason, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.ResultAsync(Book(context).Look(id), one => one);
    }
}
