using CbaMail.Calendar;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Courses;

/// <summary>A difference between what is and what is asked, in the words of tables.</summary>
public sealed record FieldChange(string Field, string Before, string After);

/// <summary>
/// What becomes of somebody in a run by a wish: worked out without touching anything, so that a rehearsal and the deed are the same,
/// and then written. A wish that asks for what is already so changes nothing.
/// </summary>
static class Enrolling
{
    public const int MostGroups = 1000, MostGroupsOfOne = 50, MostAttributes = 100, MostWards = 50, LongestText = 1000, LongestName = 200;

    /// <param name="before">As he is in the run, or null.</param>
    /// <param name="person">As the domain knows him, or null.</param>
    /// <param name="line">Of the file that brings him; 0 leaves what is there.</param>
    /// <param name="source">The roster source that brings him. Whoever came by another stays that one's, until he has left.</param>
    public static Result<Enrolment> After(Enrolment? before, Person? person, Run run, string domain, string address, EnrolmentWish wish, int line, DateTimeOffset now, long source = 0)
    {
        var old = before ?? new Enrolment(0, run.CourseId, run.Id, run.Slug, person ?? new(0, domain, address, "", null, null, "{}", now), CourseRole.Student, null, null, false, [], "{}", line, now, []);
        var role = old.Role;
        if (wish.Role is { } word ? !CourseWords.TryRole(word, out role) : false) return Refusal.Invalid.Because("A role is student, teacher, assistant or guardian").At("role");
        if (wish.Role is null && before is null && wish.GuardianOf is { Count: > 0 }) role = CourseRole.Guardian;
        if (Day(wish.From, old.From, "from", out var from) is { } badFrom) return badFrom;
        if (Day(wish.Until, old.Until, "until", out var until) is { } badUntil) return badUntil;
        if (until < from) return Refusal.Invalid.Because("Somebody cannot leave before he comes").At("until");
        if (wish.Status is not (null or "active" or "ended")) return Refusal.Invalid.Because("A status is active or ended").At("status");
        if (wish.Language is { Length: > 0 } language && CourseWords.Language(language) is null) return Refusal.Invalid.Because("The language is ru or en").At("language");
        if (wish.Zone is { Length: > 0 } zone && CalendarZones.Named(zone) is null) return Refusal.Invalid.Because($"There is no time zone {Shown(zone)}; write as in Europe/Moscow").At("zone");
        if (Groups(wish.Groups, old.Groups, out var groups) is { } badGroup) return badGroup;
        if (Wards(wish.GuardianOf, old.GuardianOf, out var wards) is { } badWard) return badWard;
        var name = wish.Name is null ? old.Person.Name : ParticipantFile.OneLine(wish.Name);
        if (name.Length > LongestText) return Refusal.Invalid.Because($"A name has at most {LongestText} characters").At("name");
        var attributes = Merged(old.Person.Attributes, wish.Attributes, emptyTakesAway: true);
        if (attributes.Count > MostAttributes || wish.Attributes?.Any(pair => pair.Key.Length is 0 or > LongestName || pair.Value.Length > LongestText) == true)
            return Refusal.Invalid.Because($"A person has at most {MostAttributes} attributes, each of at most {LongestText} characters under a name of at most {LongestName}").At("attributes");
        return old with
        {
            Person = old.Person with
            {
                Address = address,
                Name = name,
                Language = wish.Language is null ? old.Person.Language : CourseWords.Language(wish.Language),
                Zone = wish.Zone is null ? old.Person.Zone : wish.Zone.Length == 0 ? null : wish.Zone,
                Attributes = wish.Attributes is null ? old.Person.Attributes : MergeJson.Object(attributes),
            },
            Role = role,
            From = from,
            Until = until,
            Ended = wish.Status is null ? old.Ended : wish.Status == "ended",
            Groups = groups,
            Fields = wish.Fields is null ? old.Fields : MergeJson.Object(Merged(old.Fields, wish.Fields, emptyTakesAway: false)),
            Line = line > 0 ? line : old.Line,
            Source = before is null || (line > 0 && (before.Line == 0 || before.Ended)) ? source : before.Source,
            GuardianOf = wards,
        };
    }

    /// <summary>What differs, in the words of tables; where it stood in a file does not count.</summary>
    public static List<FieldChange> Differences(Enrolment? before, Enrolment after)
    {
        var changes = new List<FieldChange>();
        void Differ(string field, string? was, string? now) { if ((was ?? "") != (now ?? "")) changes.Add(new(field, was ?? "", now ?? "")); }
        Differ("address", before?.Person.Address, after.Person.Address);
        Differ("name", before?.Person.Name, after.Person.Name);
        Differ("role", before is null ? null : CourseWords.Of(before.Role), CourseWords.Of(after.Role));
        Differ("groups", before is null ? null : string.Join("; ", before.Groups), string.Join("; ", after.Groups));
        Differ("from", IsoDate.Of(before?.From), IsoDate.Of(after.From));
        Differ("until", IsoDate.Of(before?.Until), IsoDate.Of(after.Until));
        if (before?.Ended == true || after.Ended) Differ("status", before is null ? null : before.Ended ? "ended" : "active", after.Ended ? "ended" : "active");
        Differ("language", before?.Person.Language, after.Person.Language);
        Differ("zone", before?.Person.Zone, after.Person.Zone);
        Differ("guardian of", before is null ? null : string.Join("; ", before.GuardianOf), string.Join("; ", after.GuardianOf));
        Each(before?.Fields, after.Fields, Differ);
        Each(before?.Person.Attributes, after.Person.Attributes, Differ);
        return changes;
    }

    static void Each(string? before, string after, Action<string, string?, string?> differ)
    {
        if (before == after) return;
        var was = before is null ? [] : MergeJson.Read(before);
        var now = MergeJson.Read(after);
        foreach (var (key, value) in now) differ(key, was.GetValueOrDefault(key), value);
        foreach (var (key, value) in was) if (!now.ContainsKey(key)) differ(key, value, null);
    }

    /// <summary>Writes the person and his enrolment, or nothing where a limit is reached; whom he looks after is for <see cref="Guard"/>, once they are all there.</summary>
    /// <returns>The person's number.</returns>
    public static Result<long> Write(WriteTransaction write, Enrolment? before, Enrolment after, string key)
    {
        var changed = !(before?.Groups ?? []).SequenceEqual(after.Groups);
        if (changed && RunTable.CountGroups(write, after.RunId) + after.Groups.Count(name => RunTable.Group(write, after.RunId, name) is null) > MostGroups)
            return Refusal.Conflict.Because($"The run has {MostGroups} groups, which is the limit").At("groups");
        var person = after.Person.Id;
        if (person == 0) person = PersonTable.Add(write, key, after.Person);
        else PersonTable.Update(write, after.Person);
        var enrolment = after.Id;
        if (enrolment == 0) enrolment = PersonTable.Enrol(write, after, person);
        else PersonTable.Update(write, after);
        if (changed) PersonTable.SetGroups(write, enrolment, [.. after.Groups.Select(name => RunTable.Group(write, after.RunId, name) ?? RunTable.AddGroup(write, after.RunId, name))]);
        return person;
    }

    /// <summary>Writes whom somebody looks after.</summary>
    /// <returns>An address that nobody in the run has, or null.</returns>
    public static string? Guard(WriteTransaction write, string domain, long run, long guardian, IReadOnlyList<string> wards)
    {
        var (ids, missing) = (new List<long>(), (string?)null);
        foreach (var ward in wards)
            if (MailAddress.TryParse(ward, out var address) && PersonTable.Find(write.Prepare, domain, address.Key) is { } person && PersonTable.Find(write.Prepare, run, person.Id) is not null) ids.Add(person.Id);
            else missing ??= ward;
        PersonTable.SetWards(write, run, guardian, ids);
        return missing;
    }

    static Refusal? Day(string? wish, DateOnly? old, string field, out DateOnly? day)
    {
        day = old;
        if (wish is null) return null;
        day = null;
        if (wish.Length == 0) return null;
        if (!IsoDate.TryParse(wish, out DateOnly date)) return Refusal.Invalid.Because("A date is written as 2027-02-01").At(field);
        day = date;
        return null;
    }

    static Refusal? Groups(IReadOnlyList<string>? wish, IReadOnlyList<string> old, out IReadOnlyList<string> groups)
    {
        groups = old;
        if (wish is null) return null;
        var names = wish.Select(ParticipantFile.OneLine).Where(name => name.Length > 0).DistinctBy(RunTable.GroupKey).OrderBy(RunTable.GroupKey, StringComparer.Ordinal).ToList();
        if (names.Count > MostGroupsOfOne || names.Exists(name => name.Length > LongestName)) return Refusal.Invalid.Because($"Somebody is in at most {MostGroupsOfOne} groups, each with a name of at most {LongestName} characters").At("groups");
        // a group is called as it was called first
        groups = names.Select(RunTable.GroupKey).SequenceEqual(old.Select(RunTable.GroupKey)) ? old : names;
        return null;
    }

    static Refusal? Wards(IReadOnlyList<string>? wish, IReadOnlyList<string> old, out IReadOnlyList<string> wards)
    {
        wards = old;
        if (wish is null) return null;
        var keys = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var text in wish)
            if (!MailAddress.TryParse(text.Trim(), out var address)) return Refusal.BadAddress.Because($"\"{Shown(text)}\" is not a valid address").At("guardianOf");
            else keys.TryAdd(address.Key, address.ToString());
        if (keys.Count > MostWards) return Refusal.Invalid.Because($"Somebody looks after at most {MostWards} people").At("guardianOf");
        wards = keys.Keys.SequenceEqual(old.Select(Key)) ? old : [.. keys.Values];
        return null;
    }

    static string Key(string address) => MailAddress.TryParse(address, out var parsed) ? parsed.Key : address;

    static Dictionary<string, string> Merged(string json, IReadOnlyDictionary<string, string>? wish, bool emptyTakesAway)
    {
        var all = MergeJson.Read(json);
        foreach (var (key, value) in wish ?? new Dictionary<string, string>())
            if (emptyTakesAway && value.Length == 0) all.Remove(key);
            else all[key] = value;
        return all;
    }

    static string Shown(string text) => ParticipantFile.OneLine(text.Length > 100 ? text[..100] + "…" : text);
}
