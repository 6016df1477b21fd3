using System.Globalization;
using CbaMail.Authorization;
using CbaMail.Courses;
using CbaMail.Mailings;
using CbaMail.Mailings.Tracking;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/mailings/…/responses, totals and resend, and totals of a course: what came of mailings, and writing again to whom nothing came of it.</summary>
static class ResponsesApi
{
    /// <param name="Opened">Copies that a person opened, or followed a link of.</param>
    /// <param name="AutoReplied">Copies that a program answered: somebody is away.</param>
    /// <param name="Scanners">Copies that nothing but programs opened, and of which nothing but programs followed links.</param>
    sealed record ResponsesView(int Delivered, int Opened, int Clicked, int Replied, int AutoReplied, int Unsubscribed, int Complained, ScannersView Scanners, IReadOnlyList<FollowedLink> Links);
    sealed record ScannersView(int Opened, int Clicked);

    /// <param name="To">failed, unopened, unclicked or unreplied.</param>
    /// <param name="Subject">Null: the same.</param>
    sealed record WantedResend(string To, string? Subject = null);

    /// <param name="Id">Of the new mailing, which is a draft.</param>
    /// <param name="People">Whom it is for, as things are now.</param>
    sealed record Resent(long Id, int People);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/mailings/{id:long}/responses", Permissions.MailingsRead, About.Mailing, "What its readers did: opened, followed links, answered; programs apart", context => context.ResultAsync(
            context.Room<ResponseBook>().Of(Id(context)), Responses)) { Gives = typeof(ResponsesView) },
        new("GET", "/mailings/{id:long}/totals", Permissions.MailingsRead, About.Mailing, "What became of its copies by hours, and by who runs the readers' mail servers", context => context.ResultAsync(
            context.Room<TotalsBook>().OfMailing(Id(context)), sheet => sheet)) { Gives = typeof(TotalsSheet) },
        new("GET", "/courses/{course}/totals", Permissions.MailingsRead, About.Course, "The same of all mailings of a course", context => context.ResultAsync(
            context.Room<CourseRegister>().Find(context.Part("course")), course => context.Room<TotalsBook>().OfCourse(course))) { Gives = typeof(TotalsSheet) },
        new("POST", "/mailings/{id:long}/resend", Permissions.MailingsWrite, About.Mailing, "Write it again to those whom it did not reach, or who did not open, follow or answer it: a draft of its own", Requests.With<WantedResend>(async (context, wanted) =>
            await context.ResultAsync(await context.Room<Resending>().WriteAsync(Id(context), wanted.To ?? "", wanted.Subject, context.RequestAborted), made => new Resent(made.Mailing.Id, made.People)))) { Takes = typeof(WantedResend), Gives = typeof(Resent) },
    ];

    static long Id(HttpContext context) => long.Parse(context.Part("id"), CultureInfo.InvariantCulture);

    static ResponsesView Responses((ResponseCounts Counts, IReadOnlyList<FollowedLink> Links) found) => new(found.Counts.Delivered, found.Counts.Opened, found.Counts.Clicked, found.Counts.Replied, found.Counts.AutoReplied,
        found.Counts.Unsubscribed, found.Counts.Complained, new(found.Counts.OpenedByScanners, found.Counts.ClickedByScanners), found.Links);
}
