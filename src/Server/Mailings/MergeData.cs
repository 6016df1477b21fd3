using CbaMail.Courses;

namespace CbaMail.Mailings;

/// <summary>The values of one person's copy. A participant's own columns go before the names that every mailing has.</summary>
public sealed class MergeData
{
    readonly Dictionary<string, string> fields;
    readonly IReadOnlyDictionary<string, string> shared;
    readonly string name;
    PersonName? parts;

    /// <summary>Names that every mailing has, besides the columns of the course.</summary>
    public static readonly IReadOnlyList<string> Always =
    [
        "name", "firstName", "lastName", "patronymic", "address", "email",
        "course.name", "course.id", "course.domain", "course.language", "from.name", "from.address",
    ];

    MergeData(Dictionary<string, string> fields, IReadOnlyDictionary<string, string> shared, string name)
    {
        this.fields = fields;
        this.shared = shared;
        this.name = name;
    }

    /// <param name="fields">JSON object of the person's columns.</param>
    public static MergeData Of(string address, string name, string fields, IReadOnlyDictionary<string, string> shared)
    {
        var own = MergeJson.Read(fields);
        own.TryAdd("name", name);
        own.TryAdd("address", address);
        own.TryAdd("email", address);
        return new(own, shared, name);
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
    public string? Find(string field)
    {
        if (fields.TryGetValue(field, out var value)) return value;
        if (shared.TryGetValue(field, out value)) return value;
        value = Part(field);
        if (value is not null) fields[field] = value;
        return value;
    }

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
