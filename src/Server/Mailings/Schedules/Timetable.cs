using CbaMail.Courses;
using CbaMail.Envelope;
using CbaMail.Queue;
using CbaMail.Storage;

namespace CbaMail.Mailings.Schedules;

/// <summary>
/// Mailings that go out by themselves. A step (<see cref="WakeAsync"/>) looks at what is due now and at nothing that it remembers: whoever is due
/// and does not stand in the ledger is put into it, in one commit. So a run that moves, a clock that jumps and a crash need no care of their own.
/// </summary>
public sealed class Timetable(Store store, PressRoom press, MailQueue queue, TimeProvider time)
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

    /// <summary>Gives a mailing that has not been sent a schedule, by the dates of a run of its course.</summary>
    /// <param name="rule">As <see cref="ScheduleText"/> reads it; null or "none": it waits for somebody to send it.</param>
    /// <param name="runSlug">Null: the run that every course has.</param>
    public async ValueTask<Refusal?> SetAsync(long mailing, string? rule, string? runSlug, CancellationToken cancel)
    {
        MailingSchedule? wanted = null;
        var now = time.GetUtcNow();
        if (rule is not null && !rule.Trim().Equals("none", StringComparison.OrdinalIgnoreCase))
        {
            var schedule = ScheduleText.Parse(rule);
            if (!schedule.Ok) return schedule.Refusal.At("schedule");
            using var read = store.Read();
            if (MailingTable.Get(read, mailing) is not { } found || CourseTable.Get(read, found.CourseId) is not { } course) return PressRoom.NoMailing(mailing);
            if (RunTable.Find(read, course.Id, runSlug ?? Run.DefaultSlug) is not { } run) return RunBook.NoRun(course, runSlug ?? Run.DefaultSlug);
            var occasions = new Occasions(run, RunTable.Meetings(read, run.Id));
            if (schedule.Value.Trigger is not Trigger.DaysFrom { Anchor: Anchor.Session } and not Trigger.FromSession && occasions.Missing(schedule.Value) is { } missing) return missing.At("schedule");
            if (schedule.Value is { CatchUp: false, Repeats: false } && occasions.Of(schedule.Value).LastOrDefault() is { } last && (schedule.Value.OwnZone ? last.Anywhere.Last : last.In(occasions.Zone)) < now)
                return Refusal.Invalid.Because($"The time of \"{schedule.Value}\" has passed").At("schedule");
            wanted = new(mailing, run.Id, schedule.Value.ToString(), now);
        }
        if (press.IsFreezing(mailing)) return Refusal.Conflict.Because($"Mailing {mailing} is being checked; try again in a moment");
        return await store.CommitAsync(write =>
        {
            if (MailingTable.State(write, mailing) is not { } state) return PressRoom.NoMailing(mailing);
            // who has got it stands in the ledger: a new time is for the others
            if (state is not (MailingState.Draft or MailingState.Scheduled)) return Refusal.Conflict.Because($"Mailing {mailing} is {MailingTable.Word(state)}; only what waits can be given another time");
            if (wanted is not null) ScheduleTable.Put(write, wanted); else ScheduleTable.Remove(write, mailing);
            if (wanted is not null) MailingTable.SetState(write, mailing, MailingState.Scheduled);
            else if (LedgerTable.Counts(write.Prepare, mailing).Total == 0) MailingTable.SetState(write, mailing, MailingState.Draft);
            else press.Finish(write, mailing, now);
            press.Touch(write);
            return null;
        }, cancel);
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
            var rule = new Schedule(trigger, OwnZone: schedule.OwnZone, CatchUp: schedule.CatchUp, Missed: schedule.Missed);
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
