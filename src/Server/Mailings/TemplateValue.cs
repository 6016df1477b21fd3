using System.Globalization;

namespace CbaMail.Mailings;

/// <summary>What values of templates are: texts, numbers, truths, lists, objects, or nothing.</summary>
static class TemplateValue
{
    public static bool IsEmpty(object? value) => value is null || value is string text && string.IsNullOrWhiteSpace(text) || value is IReadOnlyList<object?> { Count: 0 };

    /// <summary>Nothing, an empty text or list, "false" and the number 0 are not true; anything else is.</summary>
    public static bool IsTrue(object? value) => value switch
    {
        null => false,
        string text => !string.IsNullOrWhiteSpace(text) && text is not "false",
        bool truth => truth,
        double number => number != 0,
        IReadOnlyList<object?> list => list.Count > 0,
        _ => true,
    };

    /// <summary>As people read it: a list as "a, b and c" in the reader's language.</summary>
    public static string Text(object? value, MergeData data) => value switch
    {
        null => "",
        string text => text,
        bool truth => truth ? "true" : "false",
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        IReadOnlyList<object?> list => TemplateWords.List([.. list.Select(one => Text(one, data)).Where(one => one.Length > 0)], data.Language),
        _ => "",
    };

    /// <summary>A member of an object by its path; of an exact name first, dots or not.</summary>
    public static object? Member(object? value, string path)
    {
        if (value is IReadOnlyList<object?> list)
        {
            if (path is "length") return (double)list.Count;
            var dot = path.IndexOf('.', StringComparison.Ordinal);
            if (!int.TryParse(dot < 0 ? path : path[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index >= list.Count) return null;
            return dot < 0 ? list[index] : Member(list[index], path[(dot + 1)..]);
        }
        if (value is not IReadOnlyDictionary<string, object?> members) return null;
        if (members.TryGetValue(path, out var found)) return found;
        var end = path.IndexOf('.', StringComparison.Ordinal);
        return end > 0 && members.TryGetValue(path[..end], out var inner) ? Member(inner, path[(end + 1)..]) : null;
    }

    /// <summary>A text is a list by its commas or semicolons: so a column of a file holds one.</summary>
    public static IReadOnlyList<object?> List(object? value) => value switch
    {
        null => [],
        IReadOnlyList<object?> list => list,
        string text => [.. text.Split(text.Contains(';') ? ';' : text.Contains('\n') ? '\n' : ',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)],
        _ => [value],
    };

    public static double? Number(object? value) => value switch
    {
        double number => number,
        string text when double.TryParse(text.Trim().Replace(',', '.'), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) => number,
        _ => null,
    };

    /// <summary>By number where both are, by time where both are, else by letters.</summary>
    public static int Compare(object? a, object? b, MergeData data)
    {
        if (Number(a) is { } x && Number(b) is { } y) return x.CompareTo(y);
        var (left, right) = (Text(a, data), Text(b, data));
        if (TemplateDate.Parse(left, data) is { } first && TemplateDate.Parse(right, data) is { } second) return first.Time.CompareTo(second.Time);
        return string.Compare(left.Trim(), right.Trim(), StringComparison.OrdinalIgnoreCase);
    }

    public static bool Same(object? a, object? b, MergeData data) =>
        Number(a) is { } x && Number(b) is { } y ? x.Equals(y) : string.Equals(Text(a, data).Trim(), Text(b, data).Trim(), StringComparison.OrdinalIgnoreCase);
}
