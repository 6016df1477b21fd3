using System.Globalization;
using CbaMail.Authorization;
using CbaMail.Courses;
using CbaMail.Directory;
using CbaMail.Mailings.Schedules;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/mailings/…/schedule: when a mailing goes out by itself, and all that is to come.</summary>
static class SchedulesApi
{
    /// <param name="Schedule">A line as in "day 3 at 08:00, school days".</param>
    /// <param name="Run">Whose dates count; null: the run that every course has.</param>
    sealed record WantedSchedule(string? Schedule, string? Run = null);

    /// <param name="Missed">send or skip.</param>
    sealed record MissedAnswer(string? Missed);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/mailings/coming", Permissions.MailingsRead, About.Asked, "What mailings wait for, the soonest first", ComingAsync) { Query = ["course"], Gives = typeof(ScheduleView[]) },
        new("GET", "/mailings/{id:long}/schedule", Permissions.MailingsRead, About.Mailing, "When a mailing goes out by itself", context => context.ResultAsync(Timetable(context).Look(Id(context)), one => one)) { Gives = typeof(ScheduleView) },
        new("PUT", "/mailings/{id:long}/schedule", Permissions.MailingsWrite, About.Mailing, "Have it go out by itself: at a time, by the dates of a run, again and again", Requests.With<WantedSchedule>(PutAsync)) { Takes = typeof(WantedSchedule), Gives = typeof(ScheduleView), CanRehearse = true },
        new("DELETE", "/mailings/{id:long}/schedule", Permissions.MailingsWrite, About.Mailing, "Take its schedule away: it waits for somebody to send it", async context =>
            await CoursesApi.DoneAsync(context, Timetable(context).SetAsync(Id(context), null, null, context.RequestAborted))) { Gives = typeof(DeedDone), CanRehearse = true },
        new("POST", "/mailings/{id:long}/schedule/missed", Permissions.MailingsWrite, About.Mailing, "Say what becomes of what was missed, where the schedule asks", Requests.With<MissedAnswer>(AnswerAsync)) { Takes = typeof(MissedAnswer), Gives = typeof(ScheduleView) },
    ];

    static long Id(HttpContext context) => long.Parse(context.Part("id"), CultureInfo.InvariantCulture);

    static Timetable Timetable(HttpContext context) => context.Room<Timetable>();

    static async Task ComingAsync(HttpContext context)
    {
        var register = context.Room<CourseRegister>();
        long? course = null;
        if (context.Asked("course") is { } slug)
        {
            var found = register.Find(slug);
            if (!found.Ok) { await context.RefuseAsync(found.Refusal); return; }
            course = found.Value.Id;
        }
        var (caller, directory) = (context.Caller(), context.Room<UserDirectory>());
        await context.JsonAsync(Timetable(context).Coming(course).Where(one => register.Find(one.Course) is { Ok: true, Value: var its } && caller.MayCourse(Permissions.MailingsRead, its.Id, directory.FindDomain(its.Domain))));
    }

    static async Task PutAsync(HttpContext context, WantedSchedule wanted)
    {
        var view = Timetable(context).Look(Id(context), wanted.Schedule ?? "", wanted.Run);
        if (!view.Ok) await context.RefuseAsync(view.Refusal);
        else if (await Timetable(context).SetAsync(Id(context), wanted.Schedule ?? "", wanted.Run, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(view.Value with { State = "scheduled" });
    }

    static async Task AnswerAsync(HttpContext context, MissedAnswer given)
    {
        Missed? answer = given.Missed switch { "send" => Missed.Send, "skip" => Missed.Skip, _ => null };
        if (answer is not { } one) { await context.RefuseAsync(Envelope.Refusal.Invalid.Because("What was missed is sent or skipped: send or skip").At("missed")); return; }
        if (await Timetable(context).AnswerAsync(Id(context), one, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.ResultAsync(Timetable(context).Look(Id(context)), view => view);
    }
}
