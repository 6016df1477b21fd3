using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Courses;

/// <summary>People in runs, one by one; whole tables of them are <see cref="Roster"/>'s.</summary>
public sealed class Enrolments(Store store, Settings settings, TimeProvider time)
{
    /// <summary>Everybody who is or was in a run of the course, in the order in which they came.</summary>
    public IReadOnlyList<Enrolment> Of(Course course)
    {
        using var read = store.Read();
        return PersonTable.OfCourse(read, course.Id);
    }

    public Result<Enrolment> Find(Course course, Run run, string address)
    {
        if (!MailAddress.TryParse(address, out var parsed)) return NotAnAddress(address);
        using var read = store.Read();
        return PersonTable.Find(read.Prepare, course.Domain, parsed.Key) is { } person && PersonTable.Find(read.Prepare, run.Id, person.Id) is { } found ? found : NotThere(course, run, address);
    }

    /// <summary>Puts somebody into a run, or changes him; whether he was added is told beside him.</summary>
    public async ValueTask<Result<(Enrolment Now, bool Added)>> PutAsync(Course course, Run run, string address, EnrolmentWish wish, CancellationToken cancel)
    {
        if (!MailAddress.TryParse(address.Trim(), out var parsed)) return NotAnAddress(address);
        if (wish.Fields is { } fields && fields.Any(field => field.Key.Length is 0 or > Enrolling.LongestName)) return Refusal.Invalid.Because($"A merge field has a name of 1 to {Enrolling.LongestName} characters").At("fields");
        return await store.CommitAsync<Result<(Enrolment, bool)>>(write =>
        {
            if (!RunTable.Exists(write, run.Id)) return Refusal.NoSuchThing.Because("The course is gone");
            var person = PersonTable.Find(write.Prepare, course.Domain, parsed.Key);
            var before = person is null ? null : PersonTable.Find(write.Prepare, run.Id, person.Id);
            if (before is null && CourseTable.Count(write, course.Id) >= settings.Mailings.Participants) return Refusal.Conflict.Because($"The course has {settings.Mailings.Participants} participants, which is the limit");
            var after = Enrolling.After(before, person, run, course.Domain, before?.Person.Address ?? person?.Address ?? parsed.ToString(), wish, 0, time.GetUtcNow());
            if (!after.Ok) return after.Refusal;
            foreach (var ward in after.Value.GuardianOf)
                if (!MailAddress.TryParse(ward, out var one) || PersonTable.Find(write.Prepare, course.Domain, one.Key) is not { } his || PersonTable.Find(write.Prepare, run.Id, his.Id) is null)
                    return Refusal.NoSuchThing.Because($"{ward} is not in the run {run.Slug}").At("guardianOf");
            if (TooManyColumns(write, course.Id, wish.Fields?.Keys, settings.Mailings.Columns) is { } columns) return columns;
            var written = Enrolling.Write(write, before, after.Value, parsed.Key);
            if (!written.Ok) return written.Refusal;
            AddColumns(write, course.Id, wish.Fields?.Keys, settings.Mailings.Columns);
            Enrolling.Guard(write, course.Domain, run.Id, written.Value, after.Value.GuardianOf);
            return (PersonTable.Find(write.Prepare, run.Id, written.Value)!, before is null);
        }, cancel);
    }

    internal static Refusal? TooManyColumns(WriteTransaction write, long course, IEnumerable<string>? wanted, int most)
    {
        var columns = CourseTable.CourseColumns(write, course);
        return columns.Count + Missing(columns, wanted).Count > most ? Refusal.TooMany.Because($"With this file the course would have more than {most} columns") : null;
    }

    /// <summary>Adds merge fields that the course does not have yet.</summary>
    internal static Refusal? AddColumns(WriteTransaction write, long course, IEnumerable<string>? wanted, int most)
    {
        if (TooManyColumns(write, course, wanted, most) is { } refusal) return refusal;
        var columns = CourseTable.CourseColumns(write, course);
        if (Missing(columns, wanted) is { Count: > 0 } more) CourseTable.SetColumns(write, course, [.. columns, .. more]);
        return null;
    }

    static List<string> Missing(IReadOnlyList<string> columns, IEnumerable<string>? wanted) => [.. (wanted ?? []).Where(column => !columns.Contains(column, StringComparer.OrdinalIgnoreCase))];

    /// <summary>Takes somebody out of a run.</summary>
    public async ValueTask<Refusal?> RemoveAsync(Course course, Run run, string address, CancellationToken cancel)
    {
        if (!MailAddress.TryParse(address, out var parsed)) return NotAnAddress(address);
        var left = await store.CommitAsync(write => PersonTable.Find(write.Prepare, course.Domain, parsed.Key) is { } person && PersonTable.Leave(write, course.Id, run.Id, person.Id), cancel);
        return left ? null : NotThere(course, run, address);
    }

    static Refusal NotAnAddress(string address) => Refusal.BadAddress.Because($"\"{ParticipantFile.OneLine(address)}\" is not a valid address").At("address");

    static Refusal NotThere(Course course, Run run, string address) => Refusal.NoSuchUser.Because($"{ParticipantFile.OneLine(address)} is not in the run {run.Slug} of the course {course.Slug}");
}
