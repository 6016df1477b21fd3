using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailings;

/// <summary>Courses and the people in them.</summary>
public sealed class CourseRegister(Store store, UserDirectory directory, Settings settings, TimeProvider time)
{
    const int Piece = 250;

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
        var found = Find(slug);
        if (!found.Ok) return found.Refusal;
        var course = found.Value;
        var parsed = ParticipantFile.Parse(file.Span, settings.Mailings);
        if (!parsed.Ok) return parsed.Refusal;
        var people = parsed.Value.People;
        var (added, updated, unchanged) = (0, 0, 0);
        var tooMany = false;
        var gone = !await store.CommitAsync(transaction =>
        {
            if (!CourseTable.Exists(transaction, course.Id)) return false;
            var columns = CourseTable.CourseColumns(transaction, course.Id);
            var more = parsed.Value.Columns.Where(column => !columns.Contains(column, StringComparer.OrdinalIgnoreCase)).ToList();
            tooMany = columns.Count + more.Count > settings.Mailings.Columns;
            if (more.Count > 0 && !tooMany) CourseTable.SetColumns(transaction, course.Id, [.. columns, .. more]);
            return true;
        }, cancel);
        if (gone) return NoCourse(slug);
        if (tooMany) return Refusal.TooMany.Because($"With this file the course would have more than {settings.Mailings.Columns} columns");
        for (var start = 0; start < people.Count; start += Piece)
        {
            var first = start;
            var counts = await store.CommitAsync(transaction => ImportPiece(transaction, course.Id, people, first, Math.Min(first + Piece, people.Count)), cancel);
            if (counts is not { } count) return Refusal.Conflict.Because($"The course is gone, or it has {settings.Mailings.Participants} participants, which is the limit");
            added += count.Added;
            updated += count.Updated;
            unchanged += count.Unchanged;
        }
        await store.CommitAsync(transaction => { CourseTable.SetRejects(transaction, course.Id, [.. parsed.Value.Errors.Take(1000)]); return true; }, cancel);
        return new ImportReport(added, updated, unchanged, parsed.Value.Errors);
    }

    (int Added, int Updated, int Unchanged)? ImportPiece(WriteTransaction transaction, long course, IReadOnlyList<PersonRow> people, int start, int end)
    {
        var (added, updated, unchanged) = (0, 0, 0);
        if (!CourseTable.Exists(transaction, course)) return null;
        if (CourseTable.Count(transaction, course) + (end - start) > settings.Mailings.Participants + Piece) return null;
        var created = time.GetUtcNow();
        for (var i = start; i < end; i++)
        {
            var row = people[i];
            if (CourseTable.Participant(transaction, course, row.Key) is not { } person)
            {
                CourseTable.Add(transaction, course, row.Key, new(0, row.Address, row.Name, MergeJson.Object(row.Fields), row.Line), created);
                added++;
                continue;
            }
            var fields = MergeJson.Read(person.Fields);
            foreach (var (column, value) in row.Fields) fields[column] = value;
            var changed = person with { Address = row.Address, Name = row.Name.Length > 0 ? row.Name : person.Name, Fields = MergeJson.Object(fields), Line = row.Line };
            if (changed with { Line = person.Line } == person) unchanged++;
            else
            {
                CourseTable.Update(transaction, changed);
                updated++;
            }
        }
        return (added, updated, unchanged);
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
        if (!CourseTable.Exists(write, course)) return Refusal.NoSuchThing.Because("The course is gone");
        if (CourseTable.Participant(write, course, address.Key) is not null) return null;
        if (CourseTable.Count(write, course) >= settings.Mailings.Participants) return Refusal.Conflict.Because($"The course has {settings.Mailings.Participants} participants, which is the limit");
        CourseTable.Add(write, course, address.Key, new(0, address.ToString(), name, "{}", 0), time.GetUtcNow());
        return null;
    }

    /// <summary>People by rising id, a page at a time.</summary>
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
        var removed = await store.CommitAsync(transaction => CourseTable.RemoveParticipant(transaction, course.Value.Id, parsed.Key), cancel);
        return removed ? null : Refusal.NoSuchThing.Because($"{parsed} is not in the course {course.Value.Slug}");
    }

    /// <summary>Removes the course with its people, mailings and ledgers. Not while a mailing of it is being sent.</summary>
    public async ValueTask<Refusal?> RemoveAsync(string slug, CancellationToken cancel)
    {
        var course = Find(slug);
        if (!course.Ok) return course.Refusal;
        var id = course.Value.Id;
        var busy = await store.CommitAsync(transaction =>
        {
            if (MailingTable.Unfinished(transaction, id) is { } mailing) return (long?)mailing;
            CourseTable.Remove(transaction, id);
            return null;
        }, cancel);
        return busy is { } one ? Refusal.Conflict.Because($"Mailing {one} of this course is not finished; cancel it first: cbamail mailing cancel {one}") : null;
    }

    static Refusal NoCourse(string slug) =>
        Refusal.NoSuchThing.Because($"There is no course \"{ParticipantFile.OneLine(slug)}\"; cbamail course list shows those there are");
}
