using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Envelope;
using CbaMail.Queue;
using CbaMail.Storage;

namespace CbaMail.Mailings.Schedules;

/// <summary>
/// Mailings that go out by themselves. A step (<see cref="WakeAsync"/>) looks at what is due now and at nothing that it remembers: whoever is due
/// and does not stand in the ledger is put into it, in one commit. So a run that moves, a clock that jumps and a crash need no care of their own.
/// </summary>
public sealed partial class Timetable(Store store, PressRoom press, MailQueue queue, TimeProvider time)
{
    /// <summary>What is older than that was missed.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMinutes(15);

    readonly SemaphoreSlim one = new(1, 1);

    /// <summary>The schedule of a mailing, or null.</summary>
    public MailingSchedule? Of(long mailing)
    {
        using var read = store.Read();
        return ScheduleTable.Of(read.Prepare, mailing);
    }

    /// <summary>What a schedule would be, by the dates of a run of the mailing's course.</summary>
    /// <param name="runSlug">Null: the run that every course has.</param>
    Result<(MailingSchedule Plan, Schedule Schedule, Occasions Occasions, Course Course, Run Run)> Draw(long mailing, string rule, string? runSlug)
    {
        var parsed = ScheduleText.Parse(rule);
        if (!parsed.Ok) return parsed.Refusal.At("schedule");
        var schedule = parsed.Value;
        using var read = store.Read();
        if (MailingTable.Get(read, mailing) is not { } found || CourseTable.Get(read, found.CourseId) is not { } course) return PressRoom.NoMailing(mailing);
        if (RunTable.Find(read, course.Id, runSlug ?? Run.DefaultSlug) is not { } run) return RunBook.NoRun(course, runSlug ?? Run.DefaultSlug);
        var occasions = new Occasions(run, RunTable.Meetings(read, run.Id));
        // sessions may still be added
        if (schedule.Trigger is not Trigger.DaysFrom { Anchor: Anchor.Session } and not Trigger.FromSession && occasions.Missing(schedule) is { } missing) return missing.At("schedule");
        var now = time.GetUtcNow();
        if (schedule is { CatchUp: false, Repeats: false } && occasions.Of(schedule).LastOrDefault() is { } last && (schedule.OwnZone ? last.Anywhere.Last : last.In(occasions.Zone)) < now)
            return Refusal.Invalid.Because($"The time of \"{schedule}\" has passed").At("schedule");
        if (schedule.If is { } condition)
        {
            if (MailingTable.Get(read, condition.Mailing) is not { } asked || asked.CourseId != course.Id) return Refusal.NoSuchThing.Because($"The course {course.Slug} has no mailing {condition.Mailing}").At("schedule");
            if (condition.Fate is CopyFate.Opened && !asked.Pixel && !asked.Clicks || condition.Fate is CopyFate.Clicked && !asked.Clicks)
                return Refusal.NotPossible.Because($"Nobody knows who opened mailing {asked.Id} or followed its links: it was written without --track-opens and --track-clicks").At("schedule");
        }
        return (new MailingSchedule(mailing, run.Id, schedule.ToString(), now), schedule, occasions, course, run);
    }

    /// <summary>Gives a mailing that has not been sent a schedule, by the dates of a run of its course.</summary>
    /// <param name="rule">As <see cref="ScheduleText"/> reads it; null or "none": it waits for somebody to send it.</param>
    /// <param name="runSlug">Null: the run that every course has.</param>
    public async ValueTask<Refusal?> SetAsync(long mailing, string? rule, string? runSlug, CancellationToken cancel)
    {
        MailingSchedule? wanted = null;
        var now = time.GetUtcNow();
        if (rule is not null && !rule.Trim().Equals("none", StringComparison.OrdinalIgnoreCase))
        {
            var drawn = Draw(mailing, rule, runSlug);
            if (!drawn.Ok) return drawn.Refusal;
            wanted = drawn.Value.Plan;
            if (Approvals.ApprovalGate.Refuses(press, store, mailing) is { } unapproved) return unapproved;
        }
        if (press.Freeze(mailing) is { } busy) return busy;
        try
        {
            return await store.CommitAsync(write =>
            {
                if (MailingTable.State(write, mailing) is not { } state) return PressRoom.NoMailing(mailing);
                if (Sequences.SequenceTable.Holds(write, mailing)) return Refusal.Conflict.Because($"Mailing {mailing} is a step of a sequence, which says when it goes out");
                // who has got it stands in the ledger: a new time is for the others
                if (state is not (MailingState.Draft or MailingState.Scheduled)) return Refusal.Conflict.Because($"Mailing {mailing} is {MailingTable.Word(state)}; only what waits can be given another time");
                if (state is MailingState.Draft) LedgerTable.RemoveMailing(write, mailing); // of a send that a crash cut off
                if (wanted is not null) ScheduleTable.Put(write, wanted); else ScheduleTable.Remove(write, mailing);
                if (wanted is not null) MailingTable.SetState(write, mailing, MailingState.Scheduled);
                else if (LedgerTable.Counts(write.Prepare, mailing).Total == 0) MailingTable.SetState(write, mailing, MailingState.Draft);
                else press.Finish(write, mailing, now);
                press.Touch(write);
                return null;
            }, cancel);
        }
        finally { press.Unfreeze(mailing); }
    }

    /// <summary>Checks a draft as <see cref="PressRoom.SendAsync"/> does, and has it sent at a time.</summary>
    /// <param name="at">As in 2027-09-01T08:00, by the clock of the course's default run, or with an offset from UTC.</param>
    /// <returns>With <see cref="SendOutcome.Sending"/> of those whom it would go to now.</returns>
    public async ValueTask<(SendOutcome Outcome, DateTimeOffset At)> SendAtAsync(long id, string at, bool skipInvalid, CancellationToken cancel)
    {
        var made = press.ComposerOf(id, withFiles: false);
        if (!made.Ok) return (new(made.Refusal, null, 0, 0), default);
        Run run;
        using (var read = store.Read()) run = RunTable.Find(read, made.Value.Course.Id, Run.DefaultSlug)!;
        if (!RunBook.TryTime(run, at, out var instant) || instant is not { } when)
            return (new(Refusal.Invalid.Because("A time is written as 2027-02-01T10:00, or with an offset as in 2027-02-01T10:00+03:00").At("at"), null, 0, 0), default);
        var report = press.Check(made.Value, out var people, out _);
        if (report.Faults.Count > 0) return (new(Refusal.Invalid.Because($"Mailing {id} was not sent: {report.Faults[0]}"), report, 0, 0), default);
        if (report.Affected > 0 && !skipInvalid)
            return (new(Refusal.Invalid.Because($"Mailing {id} was not sent: {report.Affected} of {people.Count} participants have a problem; mend them, or leave them out with --skip-invalid"), report, 0, 0), default);
        var local = TimeZoneInfo.ConvertTime(when, Days.Zone(run.Zone));
        var rule = new Schedule(new Trigger.At(DateOnly.FromDateTime(local.DateTime), TimeOnly.FromDateTime(local.DateTime))).ToString();
        return (new(await SetAsync(id, rule, null, cancel), report, people.Count - report.Affected, report.Affected), local);
    }

    /// <summary>Says what becomes of what was missed, where a schedule asks.</summary>
    public async ValueTask<Refusal?> AnswerAsync(long mailing, Missed answer, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        return await store.CommitAsync(write =>
        {
            if (MailingTable.State(write, mailing) is null) return PressRoom.NoMailing(mailing);
            if (ScheduleTable.Of(write.Prepare, mailing) is not { Asked: not null }) return Refusal.Conflict.Because($"Nothing of mailing {mailing} was missed");
            ScheduleTable.Answer(write, mailing, answer, now);
            press.Touch(write);
            return null;
        }, cancel);
    }

    /// <summary>Does what is due.</summary>
    /// <returns>When there is something to do next; null: nothing is planned.</returns>
    public async Task<DateTimeOffset?> WakeAsync(CancellationToken cancel)
    {
        await one.WaitAsync(cancel);
        try
        {
            DateTimeOffset? next = null;
            // children are found by looking once more: they come after their parents
            var seen = new HashSet<long>();
            while (true)
            {
                List<MailingSchedule> open;
                using (var read = store.Read()) open = ScheduleTable.Open(read);
                open.RemoveAll(plan => !seen.Add(plan.Mailing));
                if (open.Count == 0) return next;
                foreach (var plan in open)
                    if (await StepAsync(plan, cancel) is { } due && !(next <= due)) next = due;
            }
        }
        finally
        {
            one.Release();
        }
    }

    async Task<DateTimeOffset?> StepAsync(MailingSchedule plan, CancellationToken cancel)
    {
        var made = press.ComposerOf(plan.Mailing, withFiles: false);
        if (!made.Ok || ScheduleText.Parse(plan.Rule) is not { Ok: true, Value: var schedule }) return null;
        Occasions occasions;
        Run? run;
        HashSet<string> done;
        using (var read = store.Read())
        {
            run = RunTable.List(read, made.Value.Course.Id).Find(one => one.Id == plan.Run);
            if (run is null) occasions = null!;
            else occasions = new(run, RunTable.Meetings(read, run.Id));
            done = ScheduleTable.Done(read, plan.Mailing);
        }
        if (run is null) { await NoteAsync(plan, "The run whose dates count was removed", cancel); return null; }
        if (occasions.Missing(schedule) is { } missing) { await NoteAsync(plan, missing.Sentence, cancel); return null; }
        return schedule.Repeats
            ? await BringForthAsync(plan, schedule, run, occasions, done, cancel)
            : await new Wave(store, press, queue, time, plan, schedule, run, occasions, made.Value).AddAsync(cancel);
    }

    ValueTask<bool> NoteAsync(MailingSchedule plan, string problem, CancellationToken cancel) => plan.Problem == problem ? new(false) : store.CommitAsync(write =>
    {
        ScheduleTable.Problem(write, plan.Mailing, problem);
        return true;
    }, cancel);

    /// <summary>A mailing of its own for each meeting or week that is due; that one then goes out as any with a schedule.</summary>
    async Task<DateTimeOffset?> BringForthAsync(MailingSchedule plan, Schedule schedule, Run run, Occasions occasions, HashSet<string> done, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        foreach (var occasion in occasions.Of(schedule))
        {
            var due = schedule.OwnZone ? occasion.Anywhere.First : occasion.In(occasions.Zone);
            if (due < plan.Since || done.Contains(occasion.Key)) continue;
            if (due > now) return due;
            var trigger = occasion.Local is { } local ? new Trigger.At(DateOnly.FromDateTime(local), TimeOnly.FromDateTime(local)) : (Trigger)new Trigger.Now();
            var rule = new Schedule(trigger, OwnZone: schedule.OwnZone, CatchUp: schedule.CatchUp, Missed: schedule.Missed, If: schedule.If);
            await store.CommitAsync(write =>
            {
                if (MailingTable.State(write, plan.Mailing) is not MailingState.Scheduled || ScheduleTable.IsDone(write, plan.Mailing, occasion.Key)) return false;
                var child = MailingTable.AddLike(write, plan.Mailing, now);
                ScheduleTable.Put(write, new(child, plan.Run, rule.ToString(), due));
                MailingTable.SetState(write, child, MailingState.Scheduled);
                ScheduleTable.AddDone(write, plan.Mailing, occasion.Key, child);
                return true;
            }, cancel);
        }
        if (run.IsOver(run.Today(time))) await store.CommitAsync(write =>
        {
            ScheduleTable.Close(write, plan.Mailing);
            if (MailingTable.State(write, plan.Mailing) is MailingState.Scheduled) press.Finish(write, plan.Mailing, now);
            return true;
        }, cancel);
        return null;
    }
}
