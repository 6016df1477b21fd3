using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Queue;
using CbaMail.Storage;

namespace CbaMail.Mailings.Schedules;

/// <summary>Those to whom a mailing is due now, put into its ledger at once.</summary>
sealed class Wave(Store store, PressRoom press, MailQueue queue, TimeProvider time, MailingSchedule plan, Schedule schedule, Run run, Occasions occasions, Composer composer)
{
    const string MissedReason = "missed: its time passed while nothing could be sent";

    readonly DateTimeOffset now = time.GetUtcNow();

    /// <returns>When somebody is due next, or null.</returns>
    public async Task<DateTimeOffset?> AddAsync(CancellationToken cancel)
    {
        var once = occasions.Of(schedule).FirstOrDefault();
        var begins = schedule.Trigger is Trigger.Now ? plan.Since : once is null ? (DateTimeOffset?)null : schedule.OwnZone ? once.Anywhere.First : once.In(occasions.Zone);
        if (begins > now) return begins; // nobody is looked at before

        List<Participant> people;
        MailingAudience? audience;
        Dictionary<long, Enrolment> enrolments;
        HashSet<long> known;
        HashSet<long>? those = null;
        using (var read = store.Read())
        {
            var reached = press.Reached(read, composer);
            if (!reached.Ok)
            {
                if (reached.Refusal.Sentence != plan.Problem) await CommitAsync([], [], null, false, false, reached.Refusal.Sentence, cancel);
                return null;
            }
            (audience, people) = reached.Value;
            enrolments = Enrolled(read, composer.Course.Id, run);
            known = LedgerTable.People(read, plan.Mailing);
            if (schedule.If is { } condition) those = AudienceTable.With(read, composer.Course.Id, condition.Mailing, condition.Fate);
        }
        DateTimeOffset? next = null;
        var due = new List<(Participant Person, bool Skip)>();
        var asks = false;
        foreach (var person in people)
        {
            if (known.Contains(person.Id) || !enrolments.TryGetValue(person.Id, out var enrolment) || Due(enrolment, once) is not { } at) continue;
            if (at > now)
            {
                if (!(next <= at)) next = at;
                continue;
            }
            if (schedule.If is { } condition && those!.Contains(person.Id) == condition.Not) continue;
            var missed = now - at > Grace ? at <= plan.Answered && plan.Answer is { } answer ? answer : schedule.Missed : Missed.Send;
            if (missed == Missed.Ask) asks = true;
            else due.Add((person, missed == Missed.Skip));
        }
        var fault = "";
        List<(Participant Person, string? Reason)> adding = [];
        if (due.Count > 0)
        {
            List<Participant> getting = [.. due.Where(one => !one.Skip).Select(one => one.Person)];
            CheckReport report;
            using (var read = store.Read()) report = press.Check(read, composer, getting);
            fault = getting.Count > 0 && report.Faults.Count > 0 ? report.Faults[0] : "";
            var leftOut = press.Consents.LeftOut(composer.Mailing, composer.Course, getting);
            var reasons = report.Problems.GroupBy(problem => problem.ParticipantId).ToDictionary(group => group.Key, group => string.Join("; ", group.Select(problem => problem.Message)));
            if (fault.Length == 0) adding = [.. due.Select(one => (one.Person, one.Skip ? MissedReason : reasons.GetValueOrDefault(one.Person.Id) ?? leftOut.GetValueOrDefault(one.Person.Id)))];
        }
        var closes = fault.Length == 0 && !asks && next is null && IsLast(once);
        // only what changes something is committed: each commit is looked at again
        if (adding.Count > 0 || asks && plan.Asked is null || closes || fault != plan.Problem) await CommitAsync(adding, people, audience, asks, closes, fault, cancel);
        return next;
    }

    /// <summary>Those of a run; for the one that every course has, everybody.</summary>
    internal static Dictionary<long, Enrolment> Enrolled(ReadTransaction read, long course, Run run)
    {
        var enrolments = new Dictionary<long, Enrolment>();
        foreach (var one in PersonTable.OfCourse(read, course))
            if (one.RunId == run.Id || run.Slug == Run.DefaultSlug && !enrolments.ContainsKey(one.Person.Id)) enrolments[one.Person.Id] = one;
        return enrolments;
    }

    static TimeSpan Grace => Timetable.Grace;

    /// <summary>When it is due to somebody; null: never. Who came too late is due as he comes, where he is to catch up.</summary>
    DateTimeOffset? Due(Enrolment one, Occasion? once)
    {
        var zone = schedule.OwnZone && one.Person.Zone is { Length: > 0 } own ? Days.Zone(own) : occasions.Zone;
        if (schedule.Trigger is Trigger.Now) return one.Created <= plan.Since || !schedule.CatchUp ? one.Created <= plan.Since ? plan.Since : null : one.Created;
        var created = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(one.Created, occasions.Zone).DateTime);
        var joined = one.From ?? created;
        if ((once ?? occasions.OfJoining(schedule, joined)) is not { } occasion) return null;
        var due = occasion.In(zone);
        var comes = one.Created > plan.Since ? one.Created : plan.Since;
        if (one.Created <= due && (plan.Since <= due || once is not null)) return due;
        // on his first day, at an hour that was over when he came
        var sameDay = once is null && joined == created && one.Created > plan.Since && TimeZoneInfo.ConvertTime(due, occasions.Zone).Date == created.ToDateTime(TimeOnly.MinValue);
        return schedule.CatchUp || sameDay ? comes > due ? comes : due : null;
    }

    /// <summary>Nobody can be due any more.</summary>
    bool IsLast(Occasion? once)
    {
        if (schedule.CatchUp || schedule.Trigger is Trigger.DaysFrom { Anchor: Anchor.Enrolment }) return run.IsOver(run.Today(time));
        return once is null || !schedule.OwnZone || once.Anywhere.Last <= now;
    }

    ValueTask<bool> CommitAsync(List<(Participant Person, string? Reason)> adding, List<Participant> people, MailingAudience? audience, bool asks, bool closes, string fault, CancellationToken cancel) => store.CommitAsync(write =>
    {
        // somebody may have paused it, or given it another time
        var state = MailingTable.State(write, plan.Mailing);
        if (state is not (MailingState.Scheduled or MailingState.Sending) || ScheduleTable.Of(write.Prepare, plan.Mailing) != plan) return false;
        foreach (var (person, reason) in adding)
            LedgerTable.Add(write, plan.Mailing, person, press.MessageId(composer.Mailing, person), reason is null ? LedgerState.Rendered : LedgerState.Skipped, reason ?? "", now);
        if (adding.Count > 0 && audience?.Previewed is { } before)
        {
            var (joined, gone) = Audience.Difference(before, people);
            AudienceTable.Frozen(write, plan.Mailing, joined, gone);
        }
        if (asks) ScheduleTable.Ask(write, plan.Mailing, now);
        if (fault != plan.Problem) ScheduleTable.Problem(write, plan.Mailing, fault);
        if (closes) ScheduleTable.Close(write, plan.Mailing);
        if (state == MailingState.Scheduled)
        {
            if (adding.Exists(one => one.Reason is null)) MailingTable.Start(write, plan.Mailing, now);
            else if (closes) press.Finish(write, plan.Mailing, now);
        }
        queue.Bounces.Keep(write);
        press.Touch(write);
        return true;
    }, cancel);
}
