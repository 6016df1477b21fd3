using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Courses;

/// <summary>Somebody as a source of people names him: a row of a table, a member of a class elsewhere.</summary>
/// <param name="Line">1-based place in the source; whoever has none was put in by hand, and no source takes him out.</param>
/// <param name="Key">The address as it is compared.</param>
sealed record RosterRow(int Line, string Key, string Address, EnrolmentWish Wish);

/// <summary>What a source does to somebody.</summary>
/// <param name="Deed">added, changed or ended.</param>
public sealed record RosterChange(string Deed, int Line, string Address, string Name, IReadOnlyList<FieldChange> Fields);

/// <summary>How a source is taken in.</summary>
/// <param name="EndMissing">Whoever came by a source before and is not named by this one has left.</param>
/// <param name="MostEnded">In percent of those in the run; nobody is ended, and nothing is done, where more would be.</param>
/// <param name="LeastEnded">So many may always be, while somebody is left.</param>
/// <param name="Source">The roster source that this is; 0: a file. Whoever came by another is none of its business.</param>
public sealed record RosterOrder(bool IsRehearsal = false, bool EndMissing = false, int MostEnded = 20, int LeastEnded = 0, long Source = 0);

/// <summary>What a source did, or would do.</summary>
/// <param name="Errors">Rows that were left out.</param>
/// <param name="Notes">What was not understood of rows that were taken.</param>
/// <param name="Changes">Each, in a rehearsal; else the first few.</param>
public sealed record RosterReport(int Added, int Updated, int Unchanged, int Ended, IReadOnlyList<ImportError> Errors, IReadOnlyList<ImportError> Notes, IReadOnlyList<RosterChange> Changes);

/// <summary>Brings a run in step with a source of people, whatever the source is.</summary>
public sealed class Roster(Store store, Settings settings, TimeProvider time)
{
    const int Piece = 250;
    /// <summary>Changes that are told of a deed; a rehearsal tells all.</summary>
    const int FirstFew = 100;

    /// <param name="columns">Merge fields that the source has.</param>
    internal async ValueTask<Result<RosterReport>> ApplyAsync(
        Course course, Run run, IReadOnlyList<string> columns, IReadOnlyList<RosterRow> rows, IReadOnlyList<ImportError> errors, IReadOnlyList<ImportError> notes, RosterOrder order, CancellationToken cancel)
    {
        var tally = new Tally(errors, notes);
        rows = Meant(course, run, rows, order);
        var plan = Plan(course, run, rows, order, tally);
        var leaving = order.EndMissing ? Leaving(course, run, rows, order.Source) : [];
        if (order.EndMissing && leaving.Count > 0)
        {
            // a row that cannot be read may be theirs
            var named = rows.Select(row => row.Key).ToHashSet(StringComparer.Ordinal);
            if (errors.Any(error => !(MailAddress.TryParse(error.Address, out var address) && named.Contains(address.Key)))) return Refusal.Conflict.Because("Nobody can be ended by a source of which rows were left out: mend them first");
        }
        var going = leaving.Count + rows.Count(row => row.Wish.Status == "ended");
        if (going > 0)
        {
            var inRun = InRun(course, run);
            if ((going > order.LeastEnded || rows.Count == 0) && going * 100L > (long)inRun * order.MostEnded) return Refusal.Conflict.Because($"{going} of {inRun} people would leave the run, more than {order.MostEnded} %; say so where it is meant (most-ended)").At("most-ended");
        }
        foreach (var one in leaving) tally.Changes.Add(new("ended", one.Line, one.Person.Address, one.Person.Name, [new("status", "active", "ended")]));
        if (order.IsRehearsal) return tally.Report(plan.Added, plan.Updated, plan.Unchanged, leaving.Count);

        var refusal = await store.CommitAsync(write => !RunTable.Exists(write, run.Id) ? CourseRegister.NoCourse(course.Slug) : Enrolments.AddColumns(write, course.Id, columns, settings.Mailings.Columns), cancel);
        if (refusal is not null) return refusal;
        var (added, updated, unchanged) = (0, 0, 0);
        for (var start = 0; start < rows.Count; start += Piece)
        {
            var piece = rows.Skip(start).Take(Piece).ToList();
            var done = await store.CommitAsync(write => Write(write, course, run, piece, order.Source), cancel);
            if (done is not { } count) return Refusal.Conflict.Because($"The course is gone, or it has {settings.Mailings.Participants} participants, which is the limit");
            (added, updated, unchanged) = (added + count.Added, updated + count.Updated, unchanged + count.Unchanged);
        }
        foreach (var piece in rows.Where(row => row.Wish.GuardianOf is not null).Chunk(Piece))
            tally.Notes.AddRange(await store.CommitAsync(write => Guard(write, course, run, piece), cancel));
        foreach (var piece in leaving.Chunk(Piece))
            await store.CommitAsync(write => { foreach (var one in piece) if (PersonTable.Find(write.Prepare, run.Id, one.Person.Id) is { } now) PersonTable.Update(write, now with { Ended = true }); return true; }, cancel);
        if (order.Source == 0) await store.CommitAsync(write => { CourseTable.SetRejects(write, course.Id, [.. errors.Take(1000)]); return true; }, cancel);
        return tally.Report(added, updated, unchanged, leaving.Count);
    }

    sealed class Tally(IReadOnlyList<ImportError> errors, IReadOnlyList<ImportError> notes)
    {
        public List<ImportError> Errors { get; } = [.. errors];
        public List<ImportError> Notes { get; } = [.. notes];
        public List<RosterChange> Changes { get; } = [];

        public RosterReport Report(int added, int updated, int unchanged, int ended) =>
            new(added, updated, unchanged, ended, [.. Errors.OrderBy(error => error.Line)], [.. Notes.OrderBy(note => note.Line)], Changes);
    }

    /// <summary>The difference, against what is there now.</summary>
    (int Added, int Updated, int Unchanged) Plan(Course course, Run run, IReadOnlyList<RosterRow> rows, RosterOrder order, Tally tally)
    {
        var (added, updated, unchanged) = (0, 0, 0);
        var now = time.GetUtcNow();
        using var read = store.Read();
        foreach (var row in rows)
        {
            var person = PersonTable.Find(read.Prepare, course.Domain, row.Key);
            var before = person is null ? null : PersonTable.Find(read.Prepare, run.Id, person.Id);
            var after = Enrolling.After(before, person, run, course.Domain, row.Address, row.Wish, row.Line, now, order.Source);
            if (!after.Ok) { tally.Errors.Add(new(row.Line, row.Address, after.Refusal.Sentence)); continue; }
            var changes = Enrolling.Differences(before, after.Value);
            if (before is not null && changes.Count == 0) { unchanged++; continue; }
            if (before is null) added++;
            else updated++;
            if (order.IsRehearsal || tally.Changes.Count < FirstFew) tally.Changes.Add(new(before is null ? "added" : "changed", row.Line, row.Address, after.Value.Person.Name, changes));
        }
        return (added, updated, unchanged);
    }

    (int Added, int Updated, int Unchanged)? Write(WriteTransaction write, Course course, Run run, List<RosterRow> rows, long source)
    {
        var (added, updated, unchanged) = (0, 0, 0);
        if (!RunTable.Exists(write, run.Id) || CourseTable.Count(write, course.Id) + rows.Count > settings.Mailings.Participants + Piece) return null;
        var now = time.GetUtcNow();
        foreach (var row in rows)
        {
            var person = PersonTable.Find(write.Prepare, course.Domain, row.Key);
            var before = person is null ? null : PersonTable.Find(write.Prepare, run.Id, person.Id);
            var after = Enrolling.After(before, person, run, course.Domain, row.Address, row.Wish, row.Line, now, source);
            if (!after.Ok) continue;
            if (before is null) added++;
            else if (Enrolling.Differences(before, after.Value).Count == 0) { unchanged++; continue; }
            else updated++;
            Enrolling.Write(write, before, after.Value, row.Key);
        }
        return (added, updated, unchanged);
    }

    static List<ImportError> Guard(WriteTransaction write, Course course, Run run, RosterRow[] rows)
    {
        var notes = new List<ImportError>();
        foreach (var row in rows)
            if (PersonTable.Find(write.Prepare, course.Domain, row.Key) is { } person && Enrolling.Guard(write, course.Domain, run.Id, person.Id, row.Wish.GuardianOf!) is { } missing)
                notes.Add(new(row.Line, row.Address, $"{missing} is not in the run {run.Slug}, and nobody looks after him"));
        return notes;
    }

    /// <summary>Without those whom a source says to have left, and who are not in the run by it.</summary>
    IReadOnlyList<RosterRow> Meant(Course course, Run run, IReadOnlyList<RosterRow> rows, RosterOrder order)
    {
        if (!rows.Any(row => row.Wish.Status == "ended")) return rows;
        using var read = store.Read();
        return [.. rows.Where(row => row.Wish.Status != "ended" || (PersonTable.Find(read.Prepare, course.Domain, row.Key) is { } person
            && PersonTable.Find(read.Prepare, run.Id, person.Id) is { Ended: false } now && now.Source == order.Source && now.Line > 0))];
    }

    List<Enrolment> Leaving(Course course, Run run, IReadOnlyList<RosterRow> rows, long source)
    {
        var named = rows.Select(row => row.Key).ToHashSet(StringComparer.Ordinal);
        using var read = store.Read();
        return [.. PersonTable.OfCourse(read, course.Id).Where(one => one.RunId == run.Id && !one.Ended && one.Line > 0 && one.Source == source && !(MailAddress.TryParse(one.Person.Address, out var address) && named.Contains(address.Key)))];
    }

    int InRun(Course course, Run run)
    {
        using var read = store.Read();
        return PersonTable.OfCourse(read, course.Id).Count(one => one.RunId == run.Id && !one.Ended);
    }
}
