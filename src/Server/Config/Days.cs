using System.Globalization;

namespace CbaMail.Config;

/// <summary>Days as people write them, <c>2027-06-30</c>, in a time zone: whose midnight is meant decides over hours.</summary>
public static class Days
{
    /// <param name="begin">The day's first moment, in UTC.</param>
    /// <param name="end">The first moment of the day after.</param>
    public static bool TryParse(string text, TimeZoneInfo zone, out DateTimeOffset begin, out DateTimeOffset end)
    {
        (begin, end) = (default, default);
        if (!DateOnly.TryParseExact(text.AsSpan().Trim(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) || day.Year is < 1900 or > 9000) return false;
        (begin, end) = (Midnight(day, zone), Midnight(day.AddDays(1), zone));
        return true;
    }

    // one that a change of clocks leaves out is as long after UTC as the zone is otherwise
    static DateTimeOffset Midnight(DateOnly day, TimeZoneInfo zone)
    {
        var local = day.ToDateTime(TimeOnly.MinValue);
        return new DateTimeOffset(local, zone.GetUtcOffset(local)).ToUniversalTime();
    }

    /// <summary>The zone of that name, or this machine's.</summary>
    public static TimeZoneInfo Zone(string? name) => name is { Length: > 0 } && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) ? zone : TimeZoneInfo.Local;
}
