using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Courses;

/// <summary>Courses and the people in them.</summary>
public sealed class CourseRegister(Store store, UserDirectory directory, Settings settings, TimeProvider time)
{
    public Result<Course> Find(string slug)
    {
        using var read = store.Read();
        return CourseTable.Find(read, slug.Trim().ToLowerInvariant()) is { } course ? course : NoCourse(slug);
    }

    public IReadOnlyList<Course> List()
    {
        using var read = store.Read();
        return CourseTable.List(read);
    }

    /// <summary>Adds a course; its short name is made of its name, Russian in Latin letters, and numbered where it is taken.</summary>
    /// <param name="language">"ru", "en", or null: Russian where the name is written in Cyrillic letters.</param>
    public async ValueTask<Result<Course>> AddAsync(string name, string domain, string? language, CancellationToken cancel)
    {
        name = ParticipantFile.OneLine(name);
        if (name.Length is 0 or > 200) return Refusal.Invalid.Because("A course needs a name of at most 200 characters");
        if (directory.FindDomain(domain) is not { } found) return Refusal.NoSuchDomain.Because($"The domain {ParticipantFile.OneLine(domain)} is not here; add it with: cbamail domain add {ParticipantFile.OneLine(domain)}");
        language = language?.Trim().ToLowerInvariant() ?? (name.Any(c => c is >= 'Ѐ' and <= 'ӿ') ? "ru" : "en");
        if (language is not ("ru" or "en")) return Refusal.Invalid.Because("The language is ru or en");
        var stem = Transliteration.Slug(name);
        if (stem.Length == 0) stem = "course";
        else if (char.IsAsciiDigit(stem[0]) && stem.All(char.IsAsciiDigit)) stem = "course-" + stem;
        var created = time.GetUtcNow();
        var slug = await store.CommitAsync(transaction =>
        {
            var candidate = stem;
            for (var number = 2; CourseTable.Exists(transaction, candidate); number++) candidate = $"{stem}-{number}";
            CourseTable.Add(transaction, candidate, name, found.Name, language, created);
            return candidate;
        }, cancel);
        return Find(slug);
    }

    /// <summary>
    /// Adds the people of a file and updates the fields of those who are here; rows that are bad are named by line and the rest is taken.
    /// The same file again changes nothing. Nobody is removed: columns and people that the file does not name stay.
    /// </summary>
    public async ValueTask<Result<ImportReport>> ImportAsync(string slug, ReadOnlyMemory<byte> file, CancellationToken cancel)
    {
        var done = await ImportAsync(slug, "", file, null, new(), cancel);
        return done.Ok ? new ImportReport(done.Value.Added, done.Value.Updated, done.Value.Unchanged, done.Value.Errors) : done.Refusal;
    }

    /// <summary>The same into a run, of CSV or XLSX; a rehearsal says what would be.</summary>
    /// <param name="sheet">Of a spreadsheet; null: the first that is shown.</param>
    public async ValueTask<Result<RosterReport>> ImportAsync(string slug, string run, ReadOnlyMemory<byte> file, string? sheet, RosterOrder order, CancellationToken cancel)
    {
        var course = Find(slug);
        if (!course.Ok) return course.Refusal;
        var into = FindRun(course.Value, run);
        if (!into.Ok) return into.Refusal;
        var parsed = ParticipantFile.Parse(file, settings.Mailings, sheet, cancel);
        if (!parsed.Ok) return parsed.Refusal;
        var source = parsed.Value;
        return await new Roster(store, settings, time).ApplyAsync(course.Value, into.Value, source.Columns, source.People, source.Errors, source.Notes, order, cancel);
    }

    Result<Run> FindRun(Course course, string run)
    {
        using var read = store.Read();
        return RunTable.Find(read, course.Id, run.Trim() is { Length: > 0 } slug ? slug.ToLowerInvariant() : Run.DefaultSlug) is { } found ? found : RunBook.NoRun(course, run);
    }

    /// <summary>The addresses of everybody in the course, in the form for comparison.</summary>
    public HashSet<string> Keys(Course course)
    {
        using var read = store.Read();
        return CourseTable.Keys(read, course.Id);
    }

    /// <summary>Puts people into a course; those who are in it stay as they are.</summary>
    public async ValueTask<Refusal?> EnrolAsync(Course course, IReadOnlyList<(MailAddress Address, string Name)> people, CancellationToken cancel) =>
        await store.CommitAsync(write => people.Select(person => Enrol(write, course.Id, person.Address, person.Name)).FirstOrDefault(refusal => refusal is not null), cancel);

    /// <summary>The same within a commit of somebody else's.</summary>
    internal Refusal? Enrol(WriteTransaction write, long course, MailAddress address, string name)
    {
        if (CourseTable.Domain(write, course) is not { } domain) return Refusal.NoSuchThing.Because("The course is gone");
        var person = PersonTable.Find(write.Prepare, domain, address.Key);
        var run = new Run(RunTable.Default(write, course), course, Run.DefaultSlug, "", null, null, "", [], 0, time.GetUtcNow());
        if (person is not null && PersonTable.Find(write.Prepare, run.Id, person.Id) is { Ended: false }) return null;
        if (CourseTable.Count(write, course) >= settings.Mailings.Participants) return Refusal.Conflict.Because($"The course has {settings.Mailings.Participants} participants, which is the limit");
        var before = person is null ? null : PersonTable.Find(write.Prepare, run.Id, person.Id);
        var after = Enrolling.After(before, person, run, domain, person?.Address ?? address.ToString(), new(name.Length > 0 && person is not { Name.Length: > 0 } ? name : null, Status: "active"), 0, time.GetUtcNow());
        if (!after.Ok) return after.Refusal;
        var written = Enrolling.Write(write, before, after.Value, address.Key);
        return written.Ok ? null : written.Refusal;
    }

    /// <summary>People in the order in which they came, a page at a time.</summary>
    /// <param name="after">The <see cref="Courses.Participant.Place"/> of the last one before, or 0.</param>
    public IReadOnlyList<Participant> Participants(Course course, long after, int count)
    {
        using var read = store.Read();
        return CourseTable.Participants(read, course.Id, after, count);
    }

    /// <summary>Somebody of a course by his address.</summary>
    public Result<Participant> Participant(string slug, string address)
    {
        var course = Find(slug);
        if (!course.Ok) return course.Refusal;
        if (!MailAddress.TryParse(address, out var parsed)) return Refusal.BadAddress.Because($"\"{address}\" is not a valid address");
        using var read = store.Read();
        return CourseTable.Participant(read, course.Value.Id, parsed.Key) is { } found ? found : Refusal.NoSuchUser.Because($"{address} is not in the course {slug}");
    }

    public async ValueTask<Refusal?> RemoveParticipantAsync(string slug, string address, CancellationToken cancel)
    {
        var course = Find(slug);
        if (!course.Ok) return course.Refusal;
        if (!MailAddress.TryParse(address, out var parsed)) return Refusal.BadAddress;
        var removed = await store.CommitAsync(transaction => PersonTable.Find(transaction.Prepare, course.Value.Domain, parsed.Key) is { } person && PersonTable.Leave(transaction, course.Value.Id, null, person.Id), cancel);
        return removed ? null : Refusal.NoSuchThing.Because($"{parsed} is not in the course {course.Value.Slug}");
    }

    /// <summary>Changes a course; null leaves it as it is.</summary>
    /// <param name="programme">Short name of a programme of the course's domain; "" takes the course out of its programme.</param>
    public async ValueTask<Result<Course>> ChangeAsync(Course course, string? name, string? language, string? programme, CancellationToken cancel)
    {
        name = name is null ? course.Name : ParticipantFile.OneLine(name);
        if (name.Length is 0 or > 200) return Refusal.Invalid.Because("A course needs a name of at most 200 characters").At("name");
        language = language?.Trim().ToLowerInvariant() ?? course.Language;
        if (language is not ("ru" or "en")) return Refusal.Invalid.Because("The language is ru or en").At("language");
        programme ??= course.Programme ?? "";
        Programme? found = null;
        if (programme.Length > 0)
        {
            using var read = store.Read();
            found = RunTable.Programme(read, programme.Trim().ToLowerInvariant());
            if (found is null || found.Domain != course.Domain) return Refusal.NoSuchThing.Because($"There is no programme \"{ParticipantFile.OneLine(programme)}\" in the domain {course.Domain}; cbamail programme list shows those there are").At("programme");
        }
        return await store.CommitAsync<Result<Course>>(write =>
        {
            if (!CourseTable.Exists(write, course.Id)) return NoCourse(course.Slug);
            CourseTable.Change(write, course.Id, name, language, found?.Id);
            return course with { Name = name, Language = language, Programme = found?.Slug };
        }, cancel);
    }

    /// <summary>Removes the course with its runs and the people in them.</summary>
    /// <param name="before">What others have to remove with it, or why it must stay, in the same commit.</param>
    public async ValueTask<Refusal?> RemoveAsync(string slug, Func<WriteTransaction, long, Refusal?> before, CancellationToken cancel)
    {
        var course = Find(slug);
        if (!course.Ok) return course.Refusal;
        return await store.CommitAsync(transaction =>
        {
            if (before(transaction, course.Value.Id) is { } refusal) return refusal;
            CourseTable.Remove(transaction, course.Value.Id);
            return null;
        }, cancel);
    }

    internal static Refusal NoCourse(string slug) =>
        Refusal.NoSuchThing.Because($"There is no course \"{ParticipantFile.OneLine(slug)}\"; cbamail course list shows those there are");
}
