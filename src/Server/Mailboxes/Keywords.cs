namespace CbaMail.Mailboxes;

/// <summary>Keywords of a message as kept: sorted, each once (compared without case), separated by a space; null for none.</summary>
static class Keywords
{
    /// <summary>Those that one message may have.</summary>
    public const int Most = 64;

    public static string? Of(IReadOnlyList<string> keywords) =>
        keywords.Count == 0 ? null : Join(keywords.Distinct(StringComparer.OrdinalIgnoreCase));

    public static string? Apply(string? now, FlagMode mode, IReadOnlyList<string> keywords)
    {
        if (mode == FlagMode.Set) return Of(keywords);
        if (keywords.Count == 0) return now;
        var current = now?.Split(' ') ?? [];
        return Join(mode == FlagMode.Add
            ? current.Union(keywords, StringComparer.OrdinalIgnoreCase).Take(Math.Max(Most, current.Length))
            : current.Except(keywords, StringComparer.OrdinalIgnoreCase));
    }

    static string? Join(IEnumerable<string> keywords)
    {
        var joined = string.Join(' ', keywords.Order(StringComparer.OrdinalIgnoreCase));
        return joined.Length == 0 ? null : joined;
    }
}
