using CbaMail.Calendar;
using CbaMail.Envelope;

namespace CbaMail.Courses.Sources;

/// <summary>What a source has said: people as rows, and why others are none.</summary>
/// <param name="IsWhole">Everybody is named; else only what has changed.</param>
/// <param name="Since">Where the next difference is asked for, or "".</param>
sealed record RosterPeople(IReadOnlyList<RosterRow> Rows, IReadOnlyList<ImportError> Notes, bool IsWhole = true, string Since = "");

/// <summary>Reads the people of one kind of source.</summary>
interface IRosterReader
{
    string Kind { get; }

    /// <summary>Why a source cannot be so, or null.</summary>
    Refusal? Problem(RosterProfile profile, bool hasSecret);

    /// <param name="whole">Everybody is wanted, and no difference.</param>
    Task<Result<RosterPeople>> ReadAsync(RosterSource source, string secret, bool whole, CancellationToken cancel);
}

/// <summary>Gathers people of a source: whoever is named several times has the highest of his roles, and all of his groups.</summary>
sealed class RosterGathering
{
    sealed class One
    {
        public required int Line;
        public required string Address;
        public string? Name, Language, Zone;
        public CourseRole Role;
        public bool IsActive;
        public readonly SortedSet<string> Groups = new(StringComparer.OrdinalIgnoreCase);
    }

    readonly Dictionary<string, One> people = new(StringComparer.Ordinal);
    readonly List<ImportError> notes = [];
    int line;

    // whoever teaches in one group and learns in another teaches
    static int Rank(CourseRole role) => role switch { CourseRole.Teacher => 3, CourseRole.Assistant => 2, CourseRole.Student => 1, _ => 0 };

    public int Count => people.Count;

    /// <param name="who">What he is called where he has no address.</param>
    public void Add(string? address, string who, string? name, CourseRole role, IEnumerable<string> groups, bool active = true, string? language = null, string? zone = null)
    {
        line++;
        if (!MailAddress.TryParse(address?.Trim() ?? "", out var parsed))
        {
            notes.Add(new(line, ParticipantFile.Shown(address ?? ""), string.IsNullOrWhiteSpace(address) ? $"{ParticipantFile.Shown(who)} has no address there, and is left out" : $"\"{ParticipantFile.Shown(address)}\" is not a valid address; {ParticipantFile.Shown(who)} is left out"));
            return;
        }
        if (!people.TryGetValue(parsed.Key, out var one)) people[parsed.Key] = one = new() { Line = line, Address = parsed.ToString(), Role = role };
        one.Name ??= name is null || ParticipantFile.OneLine(name) is not { Length: > 0 } called ? null : called[..Math.Min(called.Length, Enrolling.LongestName)];
        one.Language ??= language is null ? null : CourseWords.Language(language);
        one.Zone ??= zone is null || CalendarZones.Named(zone) is null ? null : zone;
        if (!active) return;
        if (!one.IsActive || Rank(role) > Rank(one.Role)) one.Role = role;
        one.IsActive = true;
        foreach (var group in groups)
            if (ParticipantFile.OneLine(group) is { Length: > 0 } title && one.Groups.Count < Enrolling.MostGroupsOfOne) one.Groups.Add(title[..Math.Min(title.Length, Enrolling.LongestName)]);
    }

    public void Note(string who, string what) => notes.Add(new(line, ParticipantFile.Shown(who), what));

    /// <param name="saysGroups">The groups of the source are all that somebody has; else they stay as they are.</param>
    public RosterPeople People(bool saysGroups, bool isWhole = true, string since = "") => new(
        [.. people.Select(pair => new RosterRow(pair.Value.Line, pair.Key, pair.Value.Address, pair.Value.IsActive
            ? new(Name: pair.Value.Name, Role: CourseWords.Of(pair.Value.Role), Status: "active", Groups: saysGroups ? [.. pair.Value.Groups] : null, Language: pair.Value.Language, Zone: pair.Value.Zone)
            : new(Status: "ended")))], notes, isWhole, since);

    /// <summary>What a role of the other system means, by the rules of the source and else as usual; null: nobody.</summary>
    public static CourseRole? Role(RosterProfile profile, string there, CourseRole? usual)
    {
        foreach (var rule in profile.Rules ?? [])
            if (string.Equals(rule.From, there, StringComparison.OrdinalIgnoreCase)) return CourseWords.TryRole(rule.Role ?? "", out var role) ? role : null;
        return usual;
    }

    /// <summary>The highest of several; null: none means anything here.</summary>
    public static CourseRole? Highest(IEnumerable<CourseRole?> roles) => roles.OfType<CourseRole>().OrderByDescending(Rank).Select(role => (CourseRole?)role).FirstOrDefault();
}
