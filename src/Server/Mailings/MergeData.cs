using CbaMail.Courses;

namespace CbaMail.Mailings;

/// <summary>The values of one person's copy. A participant's own columns go before the names that every mailing has.</summary>
public sealed class MergeData
{
    readonly Dictionary<string, object?> fields;
    readonly IReadOnlyDictionary<string, string> shared;
    readonly string name;
    PersonName? parts;

    /// <summary>Names that every mailing has, besides the columns of the course.</summary>
    public static readonly IReadOnlyList<string> Always =
    [
        "name", "firstName", "lastName", "patronymic", "address", "email",
        "course.name", "course.id", "course.domain", "course.language", "from.name", "from.address",
    ];

    MergeData(Dictionary<string, object?> fields, IReadOnlyDictionary<string, string> shared, string name)
    {
        this.fields = fields;
        this.shared = shared;
        this.name = name;
    }

    /// <param name="fields">JSON object of the person's columns.</param>
    public static MergeData Of(string address, string name, string fields, IReadOnlyDictionary<string, string> shared, DateTimeOffset now = default)
    {
        var own = MergeJson.Values(fields);
        own.TryAdd("name", name);
        own.TryAdd("address", address);
        own.TryAdd("email", address);
        return new(own, shared, name) { Language = LanguageOf(own) ?? shared.GetValueOrDefault("course.language") ?? "en", Zone = ZoneOf(own), Now = now };
    }

    /// <summary>What is the same for everybody: the course and the sender.</summary>
    public static IReadOnlyDictionary<string, string> Shared(Course course, string fromName, string fromAddress) => new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["course.name"] = course.Name,
        ["course.id"] = course.Slug,
        ["course.domain"] = course.Domain,
        ["course.language"] = course.Language,
        ["from.name"] = fromName,
        ["from.address"] = fromAddress,
    };

    /// <summary>The value, empty where the person has none; null where no such field exists.</summary>
    internal object? Find(string field)
    {
        if (fields.TryGetValue(field, out var value)) return value ?? "";
        if (shared.TryGetValue(field, out var same)) return same;
        var part = Part(field);
        if (part is not null) fields[field] = part;
        return part;
    }

    /// <summary>ru or en: what words of dates, lists and numbers are in.</summary>
    public string Language { get; init; } = "en";

    /// <summary>Of the reader's clock.</summary>
    public TimeZoneInfo Zone { get; init; } = TimeZoneInfo.Utc;

    /// <summary>When the mailing is sent: "tomorrow" counts from it.</summary>
    public DateTimeOffset Now { get; init; }

    /// <summary>The reader's own language, where it is known: ru, en, or null.</summary>
    static string? LanguageOf(Dictionary<string, object?> own)
    {
        foreach (var name in (string[])["language", "язык"])
            if (own.GetValueOrDefault(name) is string said && CourseWords.Language(said) is { } language) return language;
        return null;
    }

    static TimeZoneInfo ZoneOf(Dictionary<string, object?> own) =>
        (own.GetValueOrDefault("zone") ?? own.GetValueOrDefault("timezone")) is string { Length: > 0 and < 64 } zone && TimeZoneInfo.TryFindSystemTimeZoneById(zone.Trim(), out var found) ? found : TimeZoneInfo.Utc;

    string? Part(string field)
    {
        if (string.Equals(field, "firstName", StringComparison.OrdinalIgnoreCase)) return (parts ??= PersonName.Parse(name)).First;
        if (string.Equals(field, "lastName", StringComparison.OrdinalIgnoreCase)) return (parts ??= PersonName.Parse(name)).Last;
        return string.Equals(field, "patronymic", StringComparison.OrdinalIgnoreCase) ? (parts ??= PersonName.Parse(name)).Patronymic : null;
    }

    /// <summary>The name that was probably meant, or null.</summary>
    public static string? Similar(string wrong, IEnumerable<string> names)
    {
        string? best = null;
        var least = Math.Max(1, wrong.Length / 3) + 1;
        var folded = Fold(wrong);
        foreach (var candidate in names)
        {
            var distance = Distance(folded, Fold(candidate));
            if (distance >= least) continue;
            least = distance;
            best = candidate;
        }
        return best;
    }

    // in Latin letters: "grupa" is found to mean "группа"
    static string Fold(string name) => Transliteration.Slug(name, 100).Replace("-", "", StringComparison.Ordinal);

    static int Distance(string a, string b)
    {
        if (a.Length > 100 || b.Length > 100) return int.MaxValue;
        var previous = new int[b.Length + 1];
        var current = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++) previous[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            current[0] = i;
            for (var j = 1; j <= b.Length; j++)
                current[j] = Math.Min(Math.Min(previous[j] + 1, current[j - 1] + 1), previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
            (previous, current) = (current, previous);
        }
        return previous[b.Length];
    }
}
