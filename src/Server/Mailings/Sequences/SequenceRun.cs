using CbaMail.Courses;
using CbaMail.Mailings.Schedules;
using CbaMail.Queue;
using CbaMail.Storage;

namespace CbaMail.Mailings.Sequences;

/// <summary>
/// Takes people through sequences. Somebody leaves a step in the very commit that puts him into its ledger, whether he gets it or not, and steps
/// only lead on: each step of each person is done once, whatever is killed and wherever the clock is set.
/// </summary>
public sealed class SequenceRun(Store store, PressRoom press, MailQueue queue, TimeProvider time)
{
    readonly SemaphoreSlim one = new(1, 1);

    /// <summary>Does what is due.</summary>
    /// <returns>When somebody is due next, or null.</returns>
    public async Task<DateTimeOffset?> WakeAsync(CancellationToken cancel)
    {
        await one.WaitAsync(cancel);
        try
        {
            List<Sequence> active;
            using (var read = store.Read()) active = SequenceTable.Active(read);
            DateTimeOffset? next = null;
            foreach (var sequence in active)
                if (await RunAsync(sequence, cancel) is { } due && !(next <= due)) next = due;
            return next;
        }
        finally { one.Release(); }
    }

    async Task<DateTimeOffset?> RunAsync(Sequence sequence, CancellationToken cancel)
    {
        while (true)
        {
            var now = time.GetUtcNow();
            Course course;
            Run run;
            Dictionary<long, Participant> active;
            List<SequenceMember> members;
            List<KeptStep> steps;
            List<long> entering;
            using (var read = store.Read())
            {
                if (CourseTable.Get(read, sequence.CourseId) is not { } found || RunTable.List(read, sequence.CourseId).Find(one => one.Id == sequence.RunId) is not { } its) return null;
                (course, run) = (found, its);
                var there = Wave.Enrolled(read, course.Id, run);
                active = CourseTable.Active(read, course.Id, time).Where(person => there.ContainsKey(person.Id)).ToDictionary(person => person.Id);
                members = SequenceTable.Members(read.Prepare, sequence.Id);
                steps = SequenceTable.Steps(read.Prepare, sequence.Id);
                var known = members.Select(member => member.Person).ToHashSet();
                entering = [.. Fitting(read, course, sequence.Rule, active).Where(person => !known.Contains(person))];
            }
            if (run.IsOver(run.Today(time)))
            {
                await store.CommitAsync(write => { SequenceBook.End(write, press, sequence.Id, now); return true; }, cancel);
                return null;
            }
            if (entering.Count > 0)
            {
                await store.CommitAsync(write =>
                {
                    if (!SequenceTable.IsActive(write, sequence.Id)) return false;
                    foreach (var person in entering) SequenceTable.Enter(write, sequence.Id, person, now);
                    return true;
                }, cancel);
                members.AddRange(entering.Select(person => new SequenceMember(person, active[person].Address, active[person].Name, 1, now, "active")));
            }
            DateTimeOffset? next = null;
            var due = new SortedDictionary<int, List<SequenceMember>>();
            var zone = new Occasions(run, []).Zone;
            foreach (var member in members)
            {
                if (member.State != "active" || member.Place > steps.Count) continue;
                var at = steps[member.Place - 1].Step.Due(member.Since, zone);
                if (at > now) { if (!(next <= at)) next = at; }
                else if (due.TryGetValue(member.Place, out var others)) others.Add(member);
                else due[member.Place] = [member];
            }
            var moved = false;
            foreach (var (place, group) in due) moved |= await AdvanceAsync(sequence, course, steps, steps[place - 1], group, active, now, cancel);
            if (!moved) return next;
        }
    }

    IEnumerable<long> Fitting(ReadTransaction read, Course course, string rule, Dictionary<long, Participant> active)
    {
        if (rule.Length == 0) return active.Keys;
        var parsed = Audience.Parse(read, course, rule);
        if (!parsed.Ok) return [];
        var view = Audience.Evaluate(read, course, parsed.Value, time);
        return view.Ok ? view.Value.People.Select(person => person.Id).Where(active.ContainsKey) : [];
    }

    /// <summary>Takes those to whom a step is due through it.</summary>
    /// <returns>Whether anybody was.</returns>
    async Task<bool> AdvanceAsync(Sequence sequence, Course course, List<KeptStep> steps, KeptStep step, List<SequenceMember> group, Dictionary<long, Participant> active, DateTimeOffset now, CancellationToken cancel)
    {
        var made = press.ComposerOf(step.Step.Mailing, withFiles: false);
        if (!made.Ok || made.Value.Mailing.State is MailingState.Paused) return false;
        var composer = made.Value;
        HashSet<long>? fits = null;
        CheckReport report;
        List<Participant> getting;
        using (var read = store.Read())
        {
            if (step.Step.Rule([.. steps.Take(step.Place - 1).Select(before => before.Step.Mailing)]) is { Length: > 0 } rule) fits = [.. Fitting(read, course, rule, active)];
            getting = step.Skipped ? [] : [.. group.Where(member => active.ContainsKey(member.Person) && fits?.Contains(member.Person) != false).Select(member => active[member.Person])];
            report = press.Check(read, composer, getting);
        }
        var fault = getting.Count > 0 && report.Faults.Count > 0 ? report.Faults[0] : "";
        if (fault.Length > 0)
        {
            if (fault != sequence.Problem) await store.CommitAsync(write => { SequenceTable.SetProblem(write, sequence.Id, fault); return true; }, cancel);
            return false;
        }
        var left = press.Consents.LeftOut(composer.Mailing, course, getting);
        var problems = report.Problems.GroupBy(problem => problem.ParticipantId).ToDictionary(all => all.Key, all => string.Join("; ", all.Select(problem => problem.Message)));
        return await store.CommitAsync(write =>
        {
            var state = MailingTable.State(write, step.Step.Mailing);
            if (!SequenceTable.IsActive(write, sequence.Id) || state is null or MailingState.Paused) return false;
            var (moved, sends) = (false, false);
            foreach (var member in group)
            {
                if (!active.TryGetValue(member.Person, out var person)) { moved |= SequenceTable.SetMember(write, sequence.Id, member.Person, "active", "left"); continue; }
                var applies = fits?.Contains(member.Person) != false;
                var to = applies || step.Step.Otherwise == SequenceStep.Next ? step.Place + 1 : step.Step.Otherwise == SequenceStep.Stop ? steps.Count + 1 : step.Step.Otherwise;
                if (!SequenceTable.Move(write, sequence.Id, member.Person, step.Place, to, now, to > steps.Count)) continue;
                moved = true;
                var reason = step.Skipped ? "the step is skipped" : !applies ? "its condition does not hold: " + step.Step.Condition
                    : state is MailingState.Cancelled ? "the mailing was cancelled" : problems.GetValueOrDefault(member.Person) ?? left.GetValueOrDefault(member.Person);
                LedgerTable.Add(write, step.Step.Mailing, person, press.MessageId(composer.Mailing, person), reason is null ? LedgerState.Rendered : LedgerState.Skipped, reason ?? "", now);
                sends |= reason is null;
            }
            if (sends && state is MailingState.Scheduled) MailingTable.Start(write, step.Step.Mailing, now);
            if (sequence.Problem.Length > 0) SequenceTable.SetProblem(write, sequence.Id, "");
            queue.Bounces.Keep(write);
            if (moved) press.Touch(write);
            return moved;
        }, cancel);
    }
}
