using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailings.Sequences;

/// <summary>A sequence as people see it.</summary>
/// <param name="To">The audience that comes in; empty: everybody of the run.</param>
/// <param name="Active">People who have steps before them; so <paramref name="Paused"/>, who wait until somebody says so.</param>
/// <param name="Left">Who has left the run before the end.</param>
public sealed record SequenceView(long Id, string Name, string Run, string State, string To, string Problem, DateTimeOffset Created, int Active, int Paused, int Done, int Left, IReadOnlyList<SequenceStepView> Steps);

/// <summary>A step of it.</summary>
/// <param name="Waiting">People to whom it is the next.</param>
/// <param name="Sent">Copies in its ledger that were not left out.</param>
/// <param name="LeftOut">People who stand in its ledger as skipped.</param>
public sealed record SequenceStepView(int Step, string Text, long Mailing, bool Skipped, int Waiting, int Sent, int LeftOut);

/// <summary>Where somebody is.</summary>
/// <param name="Step">The next, or null: he has none.</param>
/// <param name="Due">When.</param>
public sealed record SequenceMemberView(string Address, string Name, string State, int? Step, DateTimeOffset? Due);

/// <summary>The deeds of sequences; what is due is done by <see cref="SequenceRun"/>.</summary>
public sealed class SequenceBook(Store store, PressRoom press, TimeProvider time)
{
    const int MostSteps = 50, LongestName = 200;

    public IReadOnlyList<SequenceView> List(Course course)
    {
        using var read = store.Read();
        return [.. SequenceTable.Of(read, course.Id).Select(one => Shown(read, one))];
    }

    public Result<SequenceView> Show(Course course, long id)
    {
        using var read = store.Read();
        return SequenceTable.Find(read.Prepare, course.Id, id) is { } one ? Shown(read, one) : NoSequence(course, id);
    }

    static SequenceView Shown(ReadTransaction read, Sequence one)
    {
        var members = SequenceTable.Members(read.Prepare, one.Id);
        int Count(string state) => members.Count(member => member.State == state);
        return new(one.Id, one.Name, RunTable.List(read, one.CourseId).Find(run => run.Id == one.RunId)?.Slug ?? "", one.State, one.Rule, one.Problem, one.Created, Count("active"), Count("paused"), Count("done"), Count("left"),
            [.. SequenceTable.Steps(read.Prepare, one.Id).Select(step =>
            {
                var counts = LedgerTable.Counts(read, step.Step.Mailing);
                return new SequenceStepView(step.Place, step.Step.Text, step.Step.Mailing, step.Skipped, members.Count(member => member.Place == step.Place && (member.State is "active" or "paused")), counts.Total - counts.Skipped, counts.Skipped);
            })]);
    }

    public Result<IReadOnlyList<SequenceMemberView>> People(Course course, long id)
    {
        using var read = store.Read();
        if (SequenceTable.Find(read.Prepare, course.Id, id) is not { } one) return NoSequence(course, id);
        var steps = SequenceTable.Steps(read.Prepare, id);
        var zone = Days.Zone(RunTable.List(read, course.Id).Find(run => run.Id == one.RunId)?.Zone);
        return new Result<IReadOnlyList<SequenceMemberView>>([.. SequenceTable.Members(read.Prepare, id).Select(member =>
        {
            var step = member.State is "active" or "paused" && member.Place <= steps.Count ? steps[member.Place - 1] : null;
            return new SequenceMemberView(member.Address, member.Name, member.State, step?.Place, member.State == "active" ? step?.Step.Due(member.Since, zone) : null);
        })], null);
    }

    /// <summary>Begins one: its mailings, drafts until now, go out by it alone.</summary>
    /// <param name="to">The audience that comes in; null: everybody of the run.</param>
    /// <param name="lines">As <see cref="SequenceStep.Parse"/> reads them.</param>
    public async ValueTask<Result<SequenceView>> AddAsync(Course course, string name, string? runSlug, string? to, IReadOnlyList<string> lines, CancellationToken cancel)
    {
        name = ParticipantFile.OneLine(name);
        if (name.Length is 0 or > LongestName) return Refusal.Invalid.Because($"A sequence needs a name of at most {LongestName} characters").At("name");
        if (lines.Count is 0 or > MostSteps) return Refusal.Invalid.Because($"A sequence has 1 to {MostSteps} steps").At("steps");
        Run? run;
        using (var read = store.Read()) run = RunTable.Find(read, course.Id, runSlug ?? Run.DefaultSlug);
        if (run is null) return RunBook.NoRun(course, runSlug ?? Run.DefaultSlug);
        var audience = press.Audience(course, to);
        if (!audience.Ok) return audience.Refusal;
        var steps = new List<SequenceStep>();
        foreach (var line in lines)
        {
            var place = steps.Count + 1;
            if (SequenceStep.Parse(line) is not { } step || step.Rule([.. steps.Select(one => one.Mailing)]) is not { } rule)
                return Refusal.Invalid.Because($"Step {place}, \"{ParticipantFile.OneLine(line)}\", is not understood; write it as in: mailing 13, after 3 days at 08:00, if opened step 1, else stop").At("steps");
            if (step.Otherwise > 0 && (step.Otherwise <= place || step.Otherwise > lines.Count)) return Refusal.Invalid.Because($"From step {place} one goes on to a later one only").At("steps");
            if (steps.Exists(one => one.Mailing == step.Mailing)) return Refusal.Invalid.Because($"Mailing {step.Mailing} is a step twice").At("steps");
            if (Unseen(course, step.Mailing, rule) is { } refusal) return refusal.At("steps");
            if (Approvals.ApprovalGate.Refuses(press, store, step.Mailing) is { } unapproved) return unapproved.At("steps");
            steps.Add(step);
        }
        var frozen = new List<long>();
        try
        {
            foreach (var step in steps)
            {
                if (press.Freeze(step.Mailing) is { } busy) return busy;
                frozen.Add(step.Mailing);
            }
            var now = time.GetUtcNow();
            var added = await store.CommitAsync<Result<long>>(write =>
            {
                foreach (var step in steps)
                {
                    if (MailingTable.State(write, step.Mailing) is not { } state) return PressRoom.NoMailing(step.Mailing);
                    if (state != MailingState.Draft || SequenceTable.IsStep(write, step.Mailing)) return Refusal.Conflict.Because($"Mailing {step.Mailing} is {MailingTable.Word(state)} or has been a step; a step is a draft of its own").At("steps");
                }
                var id = SequenceTable.Add(write, new(0, course.Id, run.Id, name, audience.Value ?? "", "active", now, ""));
                foreach (var step in steps)
                {
                    LedgerTable.RemoveMailing(write, step.Mailing); // of a send that a crash cut off
                    SequenceTable.AddStep(write, id, steps.IndexOf(step) + 1, step);
                    MailingTable.SetState(write, step.Mailing, MailingState.Scheduled);
                }
                press.Touch(write);
                return id;
            }, cancel);
            return added.Ok ? Show(course, added.Value) : added.Refusal;
        }
        finally { foreach (var mailing in frozen) press.Unfreeze(mailing); }
    }

    /// <summary>What keeps a step from meaning something: a mailing of another course, a condition that nobody can know.</summary>
    Refusal? Unseen(Course course, long mailing, string rule)
    {
        using var read = store.Read();
        if (MailingTable.Get(read, mailing)?.CourseId != course.Id) return Refusal.NoSuchThing.Because($"The course {course.Slug} has no mailing {mailing}");
        if (rule.Length == 0) return null;
        var parsed = Mailings.Audience.Parse(read, course, rule);
        if (!parsed.Ok) return parsed.Refusal;
        var view = Mailings.Audience.Evaluate(read, course, parsed.Value, time);
        if (!view.Ok) return view.Refusal;
        foreach (var copy in parsed.Value.Terms().OfType<AudienceRule.Copy>())
            if (MailingTable.Get(read, copy.Mailing) is { } asked && (copy.Fate is CopyFate.Opened && !asked.Pixel && !asked.Clicks || copy.Fate is CopyFate.Clicked && !asked.Clicks))
                return Refusal.NotPossible.Because($"Nobody knows who opened mailing {asked.Id} or followed its links: it was written without --track-opens and --track-clicks");
        return null;
    }

    /// <summary>Lets it, or one person in it, wait.</summary>
    public ValueTask<Refusal?> PauseAsync(Course course, long id, string? person, CancellationToken cancel) => TurnAsync(course, id, person, "active", "paused", cancel);

    /// <summary>Lets it, or one person in it, go on.</summary>
    public ValueTask<Refusal?> ResumeAsync(Course course, long id, string? person, CancellationToken cancel) => TurnAsync(course, id, person, "paused", "active", cancel);

    ValueTask<Refusal?> TurnAsync(Course course, long id, string? person, string from, string to, CancellationToken cancel) => store.CommitAsync(write =>
    {
        if (SequenceTable.Find(write.Prepare, course.Id, id) is not { } one) return NoSequence(course, id);
        if (person is not null)
        {
            if (PersonOf(write, course, person) is not { } who || !SequenceTable.SetMember(write, id, who, from, to)) return Refusal.NoSuchUser.Because($"{ParticipantFile.OneLine(person)} is not {from} in the sequence {id}").At("person");
        }
        else if (one.State != from) return Refusal.Conflict.Because($"The sequence {id} is {one.State}");
        else SequenceTable.SetState(write, id, to);
        press.Touch(write);
        return null;
    }, cancel);

    static long? PersonOf(WriteTransaction write, Course course, string address) => MailAddress.TryParse(address.Trim(), out var parsed) ? PersonTable.Find(write.Prepare, course.Domain, parsed.Key)?.Id : null;

    /// <summary>Has nobody get a step any more.</summary>
    public ValueTask<Refusal?> SkipStepAsync(Course course, long id, int place, CancellationToken cancel) => store.CommitAsync(write =>
    {
        if (SequenceTable.Find(write.Prepare, course.Id, id) is null) return NoSequence(course, id);
        if (!SequenceTable.SkipStep(write, id, place)) return Refusal.NoSuchThing.Because($"The sequence {id} has no step {place}").At("step");
        press.Touch(write);
        return null;
    }, cancel);

    /// <summary>Takes one person past the step that is next for him; its ledger says so.</summary>
    public async ValueTask<Refusal?> SkipPersonAsync(Course course, long id, string address, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        return await store.CommitAsync(write =>
        {
            if (SequenceTable.Find(write.Prepare, course.Id, id) is null) return NoSequence(course, id);
            var steps = SequenceTable.Steps(write.Prepare, id);
            if (PersonOf(write, course, address) is not { } person || SequenceTable.Members(write.Prepare, id).Find(one => one.Person == person) is not { State: "active" or "paused" } member || member.Place > steps.Count)
                return Refusal.NoSuchUser.Because($"{ParticipantFile.OneLine(address)} has no step before him in the sequence {id}").At("person");
            var mailing = steps[member.Place - 1].Step.Mailing;
            if (!SequenceTable.Move(write, id, person, member.Place, member.Place + 1, now, member.Place == steps.Count)) return null;
            var who = new Participant(person, member.Address, member.Name, "{}", 0);
            LedgerTable.Add(write, mailing, who, press.MessageId(MailingTable.Get(write.Prepare, mailing)!, who), LedgerState.Skipped, "skipped by hand", now);
            press.Touch(write);
            return null;
        }, cancel);
    }

    /// <summary>Ends it for everybody; what is under way still arrives.</summary>
    public async ValueTask<Refusal?> EndAsync(Course course, long id, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        return await store.CommitAsync(write =>
        {
            if (SequenceTable.Find(write.Prepare, course.Id, id) is not { } one) return NoSequence(course, id);
            if (one.State == "ended") return Refusal.Conflict.Because($"The sequence {id} is {one.State}");
            End(write, press, id, now);
            return null;
        }, cancel);
    }

    internal static void End(WriteTransaction write, PressRoom press, long id, DateTimeOffset now)
    {
        SequenceTable.SetState(write, id, "ended");
        foreach (var mailing in SequenceTable.Steps(write.Prepare, id).Select(step => step.Step.Mailing))
            if (MailingTable.State(write, mailing) is MailingState.Scheduled)
            {
                if (LedgerTable.Counts(write.Prepare, mailing).Total == 0) MailingTable.SetState(write, mailing, MailingState.Draft);
                else press.Finish(write, mailing, now);
            }
        press.Touch(write);
    }

    static Refusal NoSequence(Course course, long id) => Refusal.NoSuchThing.Because($"The course {course.Slug} has no sequence {id}; cbamail sequence list {course.Slug} shows those there are");
}
