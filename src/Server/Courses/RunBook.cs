using System.Globalization;
using CbaMail.Calendar;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Courses;

/// <summary>Programmes, the runs of courses, and the meetings and groups of a run.</summary>
public sealed class RunBook(Store store, UserDirectory directory, TimeProvider time)
{
    const int LongestName = 200, MostRuns = 500, MostMeetings = 1000, MostHolidays = 400;

    /// <summary>Raised in the transaction that moves a run, its zone, its holidays or its meetings: what hangs on them moves too.</summary>
    public event Action<WriteTransaction, long>? Moved;

    // ---- programmes

    public IReadOnlyList<Programme> Programmes()
    {
        using var read = store.Read();
        return RunTable.Programmes(read);
    }

    public Result<Programme> Programme(string slug)
    {
        using var read = store.Read();
        return RunTable.Programme(read, slug.Trim().ToLowerInvariant()) is { } found ? found : NoProgramme(slug);
    }

    public async ValueTask<Result<Programme>> AddProgrammeAsync(string name, string domain, CancellationToken cancel)
    {
        name = ParticipantFile.OneLine(name);
        if (name.Length is 0 or > LongestName) return Refusal.Invalid.Because($"A programme needs a name of at most {LongestName} characters").At("name");
        if (directory.FindDomain(domain) is not { } found) return Refusal.NoSuchDomain.Because($"There is no domain {ParticipantFile.OneLine(domain)}; list them with: cbamail domain list").At("domain");
        var (stem, now) = (Stem(name, "programme"), time.GetUtcNow());
        var slug = await store.CommitAsync(write =>
        {
            var free = Free(stem, slug => RunTable.IsProgramme(write, slug));
            RunTable.AddProgramme(write, found.Name, free, name, now);
            return free;
        }, cancel);
        return new Programme(0, found.Name, slug, name, now);
    }

    public async ValueTask<Result<Programme>> RenameProgrammeAsync(Programme one, string name, CancellationToken cancel)
    {
        name = ParticipantFile.OneLine(name);
        if (name.Length is 0 or > LongestName) return Refusal.Invalid.Because($"A programme needs a name of at most {LongestName} characters").At("name");
        return await store.CommitAsync(write => RunTable.RenameProgramme(write, one.Id, name), cancel) ? one with { Name = name } : NoProgramme(one.Slug);
    }

    /// <summary>Its courses stay.</summary>
    public async ValueTask<Refusal?> RemoveProgrammeAsync(Programme one, CancellationToken cancel) =>
        await store.CommitAsync(write => RunTable.RemoveProgramme(write, one.Id), cancel) ? null : NoProgramme(one.Slug);

    // ---- runs

    public IReadOnlyList<Run> Runs(Course course)
    {
        using var read = store.Read();
        return RunTable.List(read, course.Id);
    }

    /// <param name="slug">"" is the run that every course has.</param>
    public Result<Run> Find(Course course, string slug)
    {
        using var read = store.Read();
        return RunTable.Find(read, course.Id, slug.Trim() is { Length: > 0 } text ? text.ToLowerInvariant() : Run.DefaultSlug) is { } found ? found : NoRun(course, slug);
    }

    /// <summary>Adds a run; its short name is made of its name.</summary>
    public async ValueTask<Result<Run>> AddAsync(Course course, RunWish wish, CancellationToken cancel)
    {
        var made = After(new Run(0, course.Id, "", "", null, null, "", [], 0, time.GetUtcNow()), wish, needsName: true);
        if (!made.Ok) return made;
        var stem = Stem(made.Value.Name, "run");
        return await store.CommitAsync<Result<Run>>(write =>
        {
            if (!CourseTable.Exists(write, course.Id)) return CourseRegister.NoCourse(course.Slug);
            if (RunTable.CountRuns(write, course.Id) >= MostRuns) return Refusal.Conflict.Because($"The course has {MostRuns} runs, which is the limit");
            var run = made.Value with { Slug = Free(stem, slug => RunTable.Exists(write, course.Id, slug)) };
            return run with { Id = RunTable.Add(write, run) };
        }, cancel);
    }

    public async ValueTask<Result<Run>> ChangeAsync(Course course, Run run, RunWish wish, CancellationToken cancel)
    {
        var made = After(run, wish, needsName: run.Slug != Run.DefaultSlug);
        if (!made.Ok) return made;
        return await store.CommitAsync<Result<Run>>(write =>
        {
            if (!RunTable.Update(write, made.Value)) return NoRun(course, run.Slug);
            Moved?.Invoke(write, run.Id);
            return made;
        }, cancel);
    }

    public async ValueTask<Refusal?> RemoveAsync(Course course, Run run, CancellationToken cancel)
    {
        if (run.Slug == Run.DefaultSlug) return Refusal.NotPossible.Because("The run \"default\" stays as long as its course");
        return await store.CommitAsync(write =>
        {
            if (!RunTable.Exists(write, run.Id)) return NoRun(course, run.Slug);
            Moved?.Invoke(write, run.Id);
            RunTable.Remove(write, run.Id);
            return null;
        }, cancel);
    }

    static Result<Run> After(Run old, RunWish wish, bool needsName)
    {
        var name = wish.Name is null ? old.Name : ParticipantFile.OneLine(wish.Name);
        if (name.Length > LongestName || (needsName && name.Length == 0)) return Refusal.Invalid.Because($"A run needs a name of at most {LongestName} characters").At("name");
        if (!TryDate(wish.Starts, old.Starts, out var starts)) return Refusal.Invalid.Because("A date is written as 2027-02-01").At("starts");
        if (!TryDate(wish.Ends, old.Ends, out var ends)) return Refusal.Invalid.Because("A date is written as 2027-02-01").At("ends");
        if (ends < starts) return Refusal.Invalid.Because("A run cannot end before it begins").At("ends");
        var zone = wish.Zone?.Trim() ?? old.Zone;
        if (zone.Length > 0 && CalendarZones.Named(zone) is null) return Refusal.Invalid.Because($"There is no time zone {ParticipantFile.OneLine(zone)}; write as in Europe/Moscow").At("zone");
        var holidays = old.Holidays;
        if (wish.Holidays is { } wanted)
        {
            var read = new List<Holiday>();
            foreach (var text in wanted)
                if (IsoDate.TryParse(text ?? "", out Holiday holiday)) read.Add(holiday);
                else return Refusal.Invalid.Because("A holiday is written as 2027-05-09 or 2027-05-01..2027-05-09").At("holidays");
            if (read.Count > MostHolidays) return Refusal.Invalid.Because($"A run has at most {MostHolidays} holidays").At("holidays");
            holidays = [.. read.Distinct().OrderBy(holiday => holiday.First)];
        }
        return old with { Name = name, Starts = starts, Ends = ends, Zone = zone, Holidays = holidays };
    }

    static bool TryDate(string? wish, DateOnly? old, out DateOnly? date)
    {
        date = wish is null ? old : null;
        if (wish is null or "") return true;
        if (!IsoDate.TryParse(wish, out DateOnly day)) return false;
        date = day;
        return true;
    }

    // ---- meetings

    public IReadOnlyList<Meeting> Meetings(Run run)
    {
        using var read = store.Read();
        return RunTable.Meetings(read, run.Id);
    }

    public Result<Meeting> Meeting(Run run, long id)
    {
        using var read = store.Read();
        return RunTable.Meeting(read.Prepare, run.Id, id) is { } found ? found : NoMeeting(run, id);
    }

    public async ValueTask<Result<Meeting>> AddMeetingAsync(Course course, Run run, MeetingWish wish, CancellationToken cancel)
    {
        if (wish.Starts is not { } starts) return Refusal.Invalid.Because("A session needs a time at which it begins").At("starts");
        var made = After(new Meeting(0, run.Id, "", starts, starts.AddHours(1), "", $"{Guid.NewGuid():N}@{course.Domain}", 0, false), wish);
        if (!made.Ok) return made;
        return await store.CommitAsync<Result<Meeting>>(write =>
        {
            if (!RunTable.Exists(write, run.Id)) return NoRun(course, run.Slug);
            if (RunTable.CountMeetings(write, run.Id) >= MostMeetings) return Refusal.Conflict.Because($"The run has {MostMeetings} sessions, which is the limit");
            var meeting = made.Value with { Id = RunTable.AddMeeting(write, made.Value) };
            Moved?.Invoke(write, run.Id);
            return meeting;
        }, cancel);
    }

    /// <summary>What changes time, place or title raises the sequence.</summary>
    public async ValueTask<Result<Meeting>> ChangeMeetingAsync(Run run, long id, MeetingWish wish, CancellationToken cancel) =>
        await store.CommitAsync<Result<Meeting>>(write =>
        {
            if (RunTable.Meeting(write.Prepare, run.Id, id) is not { } old) return NoMeeting(run, id);
            // moved, it takes as long as before
            var made = After(old with { Ends = wish.Starts is { } starts && wish.Ends is null ? starts + (old.Ends - old.Starts) : old.Ends }, wish);
            if (!made.Ok || made.Value == old) return made;
            var changed = made.Value with { Sequence = old.Sequence + 1 };
            RunTable.UpdateMeeting(write, changed);
            Moved?.Invoke(write, run.Id);
            return changed;
        }, cancel);

    public async ValueTask<Refusal?> RemoveMeetingAsync(Run run, long id, CancellationToken cancel) => await store.CommitAsync(write =>
    {
        if (!RunTable.RemoveMeeting(write, run.Id, id)) return NoMeeting(run, id);
        Moved?.Invoke(write, run.Id);
        return null;
    }, cancel);

    /// <summary>A time as people write it: in the run's zone, or with an offset from UTC. Nothing is nothing.</summary>
    public static bool TryTime(Run run, string? text, out DateTimeOffset? time)
    {
        time = null;
        if (text is null) return true;
        if (DateTime.TryParseExact(text.Trim(), ["yyyy-MM-ddTHH:mm", "yyyy-MM-ddTHH:mm:ss", "yyyy-MM-dd HH:mm"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var local))
            time = CalendarZones.At(local, Days.Zone(run.Zone));
        else if (DateTimeOffset.TryParseExact(text.Trim(), ["yyyy-MM-ddTHH:mmK", "yyyy-MM-ddTHH:mm:ssK", "yyyy-MM-ddTHH:mm:ss.FFFFFFFK"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at))
            time = at;
        return time is { Year: >= 1971 and <= 9000 };
    }

    static Result<Meeting> After(Meeting old, MeetingWish wish)
    {
        var (title, place) = (wish.Title is null ? old.Title : ParticipantFile.OneLine(wish.Title), wish.Place is null ? old.Place : ParticipantFile.OneLine(wish.Place));
        if (title.Length is 0 or > LongestName) return Refusal.Invalid.Because($"A session needs a title of at most {LongestName} characters").At("title");
        if (place.Length > 1000) return Refusal.Invalid.Because("A place has at most 1000 characters").At("place");
        var (starts, ends) = ((wish.Starts ?? old.Starts).ToUniversalTime(), (wish.Ends ?? old.Ends).ToUniversalTime());
        if (ends < starts || ends - starts > TimeSpan.FromDays(31)) return Refusal.Invalid.Because("A session ends after it begins, within 31 days").At("ends");
        return old with { Title = title, Place = place, Starts = starts, Ends = ends, Cancelled = wish.Cancelled ?? old.Cancelled };
    }

    // ---- groups

    public IReadOnlyList<RunGroup> Groups(Run run)
    {
        using var read = store.Read();
        return RunTable.Groups(read, run.Id);
    }

    public async ValueTask<Result<RunGroup>> AddGroupAsync(Run run, string name, CancellationToken cancel)
    {
        if (Named(ref name) is { } refusal) return refusal;
        return await store.CommitAsync<Result<RunGroup>>(write =>
            !RunTable.Exists(write, run.Id) ? Refusal.NoSuchThing.Because("The course is gone")
            : RunTable.Group(write, run.Id, name) is not null ? Refusal.AlreadyExists.Because($"There is a group \"{name}\" already").At("name")
            : RunTable.CountGroups(write, run.Id) >= Enrolling.MostGroups ? Refusal.Conflict.Because($"The run has {Enrolling.MostGroups} groups, which is the limit").At("groups")
            : new RunGroup(RunTable.AddGroup(write, run.Id, name), run.Id, name, 0), cancel);
    }

    public async ValueTask<Result<RunGroup>> RenameGroupAsync(Run run, string old, string name, CancellationToken cancel)
    {
        if (Named(ref name) is { } refusal) return refusal;
        var done = await store.CommitAsync<Result<long>>(write =>
        {
            if (RunTable.Group(write, run.Id, old) is not { } id) return NoGroup(run, old);
            if (RunTable.Group(write, run.Id, name) is { } other && other != id) return Refusal.AlreadyExists.Because($"There is a group \"{name}\" already").At("name");
            RunTable.RenameGroup(write, id, name);
            return id;
        }, cancel);
        return done.Ok ? Groups(run).FirstOrDefault(group => group.Id == done.Value) is { } now ? now : NoGroup(run, name) : done.Refusal;
    }

    /// <summary>Its people stay in the run.</summary>
    public async ValueTask<Refusal?> RemoveGroupAsync(Run run, string name, CancellationToken cancel) => await store.CommitAsync(write =>
    {
        if (RunTable.Group(write, run.Id, name) is not { } id) return NoGroup(run, name);
        RunTable.RemoveGroup(write, id);
        return null;
    }, cancel);

    static Refusal? Named(ref string name)
    {
        name = ParticipantFile.OneLine(name);
        return name.Length is 0 or > Enrolling.LongestName ? Refusal.Invalid.Because($"A group needs a name of at most {Enrolling.LongestName} characters").At("name") : null;
    }

    static string Stem(string name, string otherwise)
    {
        var stem = Transliteration.Slug(name);
        return stem.Length == 0 ? otherwise : stem.All(char.IsAsciiDigit) ? $"{otherwise}-{stem}" : stem;
    }

    static string Free(string stem, Func<string, bool> isTaken)
    {
        var candidate = stem;
        for (var number = 2; isTaken(candidate); number++) candidate = string.Create(CultureInfo.InvariantCulture, $"{stem}-{number}");
        return candidate;
    }

    static Refusal NoProgramme(string slug) => Refusal.NoSuchThing.Because($"There is no programme \"{ParticipantFile.OneLine(slug)}\"; cbamail programme list shows those there are");
    internal static Refusal NoRun(Course course, string slug) => Refusal.NoSuchThing.Because($"The course {course.Slug} has no run \"{ParticipantFile.OneLine(slug)}\"; cbamail run list {course.Slug} shows those there are");
    static Refusal NoMeeting(Run run, long id) => Refusal.NoSuchThing.Because($"There is no session {id} in the run {run.Slug}");
    static Refusal NoGroup(Run run, string name) => Refusal.NoSuchThing.Because($"There is no group \"{ParticipantFile.OneLine(name)}\" in the run {run.Slug}");
}
