using CbaMail.Courses;
using CbaMail.Envelope;

namespace CbaMail.Mailings.Schedules;

/// <summary>One time of a schedule.</summary>
/// <param name="At">By the clock of the run; where it is that of each reader: as the run's.</param>
/// <param name="Session">For which it is, or null.</param>
/// <param name="Mailing">What goes out: a mailing of its own where the schedule repeats and its time has come; null: not yet there.</param>
/// <param name="State">coming; else that of the mailing which was made for it; passed: its time was over before there was a schedule.</param>
public sealed record ComingOccasion(DateTimeOffset At, long? Session, long? Mailing, string State);

/// <summary>A schedule as people see it.</summary>
/// <param name="Schedule">As it is read: words in lower case, the times in full.</param>
/// <param name="Run">Whose dates count.</param>
/// <param name="State">Of the mailing.</param>
/// <param name="Open">Somebody may still be added.</param>
/// <param name="Next">The next time, or null: there is none, or it is another for each person.</param>
/// <param name="People">Whom it would go to as things are now, without those who stand in its ledger.</param>
/// <param name="Asked">Since when it waits to be told whether what was missed is sent.</param>
/// <param name="Problem">Why it could not go out, or empty.</param>
public sealed record ScheduleView(
    long Mailing, string Course, string Subject, string Schedule, string Run, string Zone, string State, bool Open, bool Repeats, bool OwnZone, DateTimeOffset? Next, int People, DateTimeOffset? Asked, string Problem,
    IReadOnlyList<ComingOccasion> Occasions);

/// <summary>What is to come.</summary>
public sealed partial class Timetable
{
    const int MostOccasions = 500;

    /// <summary>What a schedule would do, without giving it.</summary>
    public Result<ScheduleView> Look(long mailing, string rule, string? runSlug)
    {
        var drawn = Draw(mailing, rule, runSlug);
        return drawn.Ok ? Shown(drawn.Value.Plan, drawn.Value.Schedule, drawn.Value.Occasions, drawn.Value.Course, drawn.Value.Run) : drawn.Refusal;
    }

    /// <summary>The schedule that a mailing has.</summary>
    public Result<ScheduleView> Look(long mailing)
    {
        using var read = store.Read();
        if (MailingTable.Get(read, mailing) is not { } found || CourseTable.Get(read, found.CourseId) is not { } course) return PressRoom.NoMailing(mailing);
        if (ScheduleTable.Of(read.Prepare, mailing) is not { } plan || ScheduleText.Parse(plan.Rule) is not { Ok: true, Value: var schedule }) return Refusal.NoSuchThing.Because($"Mailing {mailing} has no schedule");
        if (RunTable.List(read, course.Id).Find(one => one.Id == plan.Run) is not { } run) return Refusal.NoSuchThing.Because($"The run whose dates count for mailing {mailing} was removed");
        return Shown(plan, schedule, new Occasions(run, RunTable.Meetings(read, run.Id)), course, run);
    }

    /// <summary>All that mailings wait for, those of a course or of all, the soonest first; what has no time of its own stands last.</summary>
    public IReadOnlyList<ScheduleView> Coming(long? course)
    {
        List<MailingSchedule> open;
        using (var read = store.Read())
            open = [.. ScheduleTable.Open(read).Where(plan => course is null || MailingTable.Get(read, plan.Mailing)?.CourseId == course)];
        return [.. open.Select(plan => Look(plan.Mailing)).Where(view => view.Ok).Select(view => view.Value!).OrderBy(view => view.Next ?? DateTimeOffset.MaxValue).ThenBy(view => view.Mailing)];
    }

    ScheduleView Shown(MailingSchedule plan, Schedule schedule, Occasions occasions, Course course, Run run)
    {
        var now = time.GetUtcNow();
        var made = press.ComposerOf(plan.Mailing, withFiles: false);
        using var read = store.Read();
        var mailing = MailingTable.Get(read, plan.Mailing)!;
        var (children, known) = (ScheduleTable.Children(read, plan.Mailing), LedgerTable.People(read, plan.Mailing));
        var people = 0;
        if (plan.Open && made.Ok && press.Reached(read, made.Value) is { Ok: true, Value.People: var reached })
        {
            var there = Wave.Enrolled(read, course.Id, run);
            people = reached.Count(person => !known.Contains(person.Id) && there.ContainsKey(person.Id));
        }
        List<ComingOccasion> times = [];
        foreach (var one in occasions.Of(schedule).Take(MostOccasions))
        {
            var at = TimeZoneInfo.ConvertTime(one.In(occasions.Zone), occasions.Zone);
            var over = (schedule.OwnZone ? one.Anywhere.Last : at) < now;
            if (schedule.Repeats)
                times.Add(children.TryGetValue(one.Key, out var child) ? new(at, one.Meeting?.Id, child.Mailing, MailingTable.Word(child.State)) : new(at, one.Meeting?.Id, null, (schedule.OwnZone ? one.Anywhere.First : at) < plan.Since ? "passed" : "coming"));
            else times.Add(new(at, one.Meeting?.Id, plan.Mailing, over ? MailingTable.Word(mailing.State) : "coming"));
        }
        return new(plan.Mailing, course.Slug, mailing.Subject, schedule.ToString(), run.Slug, occasions.Zone.Id, MailingTable.Word(mailing.State), plan.Open, schedule.Repeats, schedule.OwnZone,
            plan.Open ? times.Find(one => one.State == "coming")?.At : null, people, plan.Asked, plan.Problem, times);
    }
}
