using System.Collections.Concurrent;
using System.Text;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Courses.Sources;

/// <summary>The sources of all runs: who they are, what they say, and what of that is taken over.</summary>
sealed class RosterBook(Store store, Secrets secrets, Settings settings, IEnumerable<IRosterReader> readers, TimeProvider time, ILogger<RosterBook> log)
{
    const int MostOfCourse = 50, LeastEnded = 5, LongestSecret = 1000, MostRules = 100;
    /// <summary>A difference may miss what a platform has forgotten to tell: all of it is read once a day.</summary>
    static readonly TimeSpan WholeAfter = TimeSpan.FromDays(1);

    readonly ConcurrentDictionary<long, bool> underWay = new();

    public IReadOnlyList<RosterSource> List(Course course) => All(course.Id);

    internal IReadOnlyList<RosterSource> All(long? course = null)
    {
        using var read = store.Read();
        return RosterSourceTable.All(read, course);
    }

    public Result<RosterSource> Find(Course course, long id)
    {
        using var read = store.Read();
        return RosterSourceTable.Find(read.Prepare, course.Id, id) is { } found ? found : NoSource(course, id);
    }

    internal Course? CourseOf(RosterSource source)
    {
        using var read = store.Read();
        return CourseTable.Get(read, source.CourseId);
    }

    public async ValueTask<Result<RosterSource>> AddAsync(Course course, Run run, string kind, RosterProfile profile, string? secret, CancellationToken cancel)
    {
        var one = new RosterSource(0, course.Id, run.Id, run.Slug, kind, profile, secret is { Length: > 0 }, time.GetUtcNow(), new(null, null, null, "", null), "", null);
        if (Problem(one, secret) is { } refusal) return refusal;
        return await store.CommitAsync<Result<RosterSource>>(write =>
        {
            if (!RunTable.Exists(write, run.Id)) return RunBook.NoRun(course, run.Slug);
            if (RosterSourceTable.Count(write, course.Id) >= MostOfCourse) return Refusal.TooMany.Because($"The course follows {MostOfCourse} sources, which is the limit");
            var made = one with { Id = RosterSourceTable.Add(write, one) };
            if (secret is { Length: > 0 }) RosterSourceTable.SetSecret(write, made.Id, secrets.Seal(write, RosterSource.Purpose(made.Id), Encoding.UTF8.GetBytes(secret)));
            return made;
        }, cancel);
    }

    public async ValueTask<Result<RosterSource>> ChangeAsync(Course course, long id, RosterProfile change, string? secret, CancellationToken cancel)
    {
        var found = Find(course, id);
        if (!found.Ok) return found;
        var wanted = found.Value with { Profile = found.Value.Profile.With(change), HasSecret = found.Value.HasSecret || secret is { Length: > 0 } };
        if (Problem(wanted, secret) is { } refusal) return refusal;
        // a token goes to the site that it was given for, and to no other that is named later
        if (secret is not { Length: > 0 } && wanted.HasSecret && wanted.Profile.Url != found.Value.Profile.Url) return Refusal.Invalid.Because("With another address the secret is to be given again").At("secret");
        return await store.CommitAsync<Result<RosterSource>>(write =>
        {
            if (RosterSourceTable.Find(write.Prepare, course.Id, id) is null) return NoSource(course, id);
            RosterSourceTable.SetProfile(write, id, wanted.Profile);
            if (secret is { Length: > 0 }) RosterSourceTable.SetSecret(write, id, secrets.Seal(write, RosterSource.Purpose(id), Encoding.UTF8.GetBytes(secret)));
            return wanted;
        }, cancel);
    }

    /// <summary>Whoever came by it stays in the run.</summary>
    public async ValueTask<Refusal?> RemoveAsync(Course course, long id, CancellationToken cancel) =>
        await store.CommitAsync(write => RosterSourceTable.Remove(write, course.Id, id), cancel) ? null : NoSource(course, id);

    Refusal? Problem(RosterSource one, string? secret)
    {
        if (readers.FirstOrDefault(reader => reader.Kind == one.Kind) is not { } reader) return Refusal.Invalid.Because("A source is ldap, moodle or lti").At("kind");
        var profile = one.Profile;
        if (profile.Interval is < 0 or > 43_200 or (> 0 and < 5)) return Refusal.Invalid.Because("The interval is 5 to 43200 minutes, or 0").At("interval");
        if (profile.MostEnded is < 0 or > 100) return Refusal.Invalid.Because("most-ended is a number from 0 to 100, in percent").At("mostEnded");
        if (profile.Rules is { Count: > MostRules } || profile.Rules?.Any(rule => rule?.From is not { Length: > 0 and <= 1000 } || rule.Group is { Length: > Enrolling.LongestName }) == true) return Refusal.Invalid.Because($"A source has at most {MostRules} rules, each for something that has a name").At("rules");
        if (profile.Rules?.Any(rule => rule.Role is not (null or "none") && !CourseWords.TryRole(rule.Role, out _)) == true) return Refusal.Invalid.Because("A role is student, teacher, assistant or guardian").At("rules");
        if (secret is { Length: > LongestSecret } || secret?.Any(char.IsControl) == true) return Refusal.Invalid.Because($"A secret has at most {LongestSecret} characters, in one line").At("secret");
        if (secret is { Length: > 0 } && secrets.Problem is { } locked) return locked;
        return reader.Problem(profile, one.HasSecret);
    }

    /// <summary>Reads the source and takes over what differs.</summary>
    /// <param name="force">Even if many leave.</param>
    public async ValueTask<Result<RosterReport>> SyncAsync(Course course, RosterSource source, bool rehearsal, bool force, CancellationToken cancel)
    {
        Run? run;
        byte[]? box;
        using (var read = store.Read()) (run, box) = (RunTable.Find(read, course.Id, source.Run), RosterSourceTable.Secret(read, source.Id));
        if (run is null) return RunBook.NoRun(course, source.Run);
        if (!rehearsal && !underWay.TryAdd(source.Id, true)) return Refusal.Conflict.Because($"The source {source.Id} is being read already");
        try
        {
            var done = await ReadAsync(course, run, source, box, rehearsal, force, cancel);
            if (!rehearsal) await NoteAsync(source, done, cancel);
            return done.Ok ? done.Value.Report : done.Refusal;
        }
        finally
        {
            if (!rehearsal) underWay.TryRemove(source.Id, out _);
        }
    }

    async Task<Result<(RosterReport Report, RosterPeople People)>> ReadAsync(Course course, Run run, RosterSource source, byte[]? box, bool rehearsal, bool force, CancellationToken cancel)
    {
        var secret = "";
        if (box is not null)
        {
            var opened = secrets.Open(RosterSource.Purpose(source.Id), box);
            if (!opened.Ok) return opened.Refusal;
            secret = Encoding.UTF8.GetString(opened.Value);
        }
        var reader = readers.First(one => one.Kind == source.Kind);
        var whole = rehearsal || force || !(time.GetUtcNow() - source.Whole < WholeAfter);
        var people = await reader.ReadAsync(source, secret, whole, cancel);
        if (!people.Ok) return people.Refusal;
        var endMissing = source.Profile.EndMissing ?? true;
        // whoever is named as gone leaves because he is missing, where that is wanted, and is nobody's business otherwise
        var rows = people.Value.IsWhole || !endMissing ? people.Value.Rows.Where(row => row.Wish.Status != "ended").ToList() : people.Value.Rows;
        if (rows.Count > settings.Mailings.Participants) return Refusal.TooMany.Because($"The source names {rows.Count} people; a course has at most {settings.Mailings.Participants} participants");
        var order = new RosterOrder(rehearsal, endMissing && people.Value.IsWhole, force ? 100 : source.Profile.MostEnded ?? 20, LeastEnded, source.Id);
        var report = await new Roster(store, settings, time).ApplyAsync(course, run, [], rows, [], people.Value.Notes, order, cancel);
        return report.Ok ? (report.Value, people.Value) : report.Refusal;
    }

    async Task NoteAsync(RosterSource source, Result<(RosterReport Report, RosterPeople People)> done, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var (standing, since, whole) = (source.Standing with { Tried = now }, source.Since, source.Whole);
        if (done.Ok)
        {
            var (report, people) = done.Value;
            standing = new(now, now, null, "", new(report.Added, report.Updated, report.Unchanged, report.Ended, report.Errors.Count));
            (since, whole) = (people.Since, people.IsWhole ? now : whole);
            log.Taken(source.Kind, source.Id, report.Added, report.Updated, report.Ended);
        }
        else
        {
            standing = standing with { Failing = standing.Failing ?? now, Problem = done.Refusal.Sentence };
            log.NotTaken(source.Kind, source.Id, done.Refusal.Sentence);
        }
        await store.CommitAsync(write => { RosterSourceTable.SetStanding(write, source.Id, standing, since, whole); return true; }, cancel);
    }

    static Refusal NoSource(Course course, long id) => Refusal.NoSuchThing.Because($"The course {course.Slug} has no source {id}; cbamail roster list {course.Slug} shows those there are");
}
