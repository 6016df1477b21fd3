using System.Globalization;
using CbaMail.Config;

namespace CbaMail.Courses;

/// <summary>A time off, its last day included.</summary>
public sealed record Holiday(DateOnly First, DateOnly Last);

/// <summary>A course as it is given once.</summary>
/// <param name="Slug">Unique in the course; <see cref="DefaultSlug"/> is that of the run that every course has.</param>
/// <param name="Starts">First day, in the run's zone; null: open.</param>
/// <param name="Ends">Last day; null: open.</param>
/// <param name="Zone">IANA name; "": the server's.</param>
public sealed record Run(long Id, long CourseId, string Slug, string Name, DateOnly? Starts, DateOnly? Ends, string Zone, IReadOnlyList<Holiday> Holidays, int People, DateTimeOffset Created)
{
    public const string DefaultSlug = "default";

    /// <summary>The day that it is where the run is.</summary>
    public DateOnly Today(TimeProvider time) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(time.GetUtcNow(), Days.Zone(Zone)).DateTime);

    public bool IsOver(DateOnly today) => Ends is { } last && last < today;
}

/// <summary>A meeting of a run.</summary>
/// <param name="Uid">RFC 5545 3.8.4.7.</param>
/// <param name="Sequence">Rises with every change that matters to who attends (RFC 5545 3.8.7.4).</param>
/// <param name="Cancelled">It does not take place; kept, so that whoever was invited can be told.</param>
public sealed record Meeting(long Id, long RunId, string Title, DateTimeOffset Starts, DateTimeOffset Ends, string Place, string Uid, int Sequence, bool Cancelled);

/// <summary>A group of a run.</summary>
public sealed record RunGroup(long Id, long RunId, string Name, int People);

/// <summary>What is asked of a run; null leaves it as it is, "" takes a date or the zone away.</summary>
/// <param name="Starts">As in 2027-02-01.</param>
/// <param name="Holidays">Days, or first and last as in 2027-05-01..2027-05-09.</param>
public sealed record RunWish(string? Name = null, string? Starts = null, string? Ends = null, string? Zone = null, IReadOnlyList<string>? Holidays = null);

/// <summary>What is asked of a meeting; null leaves it as it is.</summary>
public sealed record MeetingWish(string? Title = null, DateTimeOffset? Starts = null, DateTimeOffset? Ends = null, string? Place = null, bool? Cancelled = null);

/// <summary>Dates as ISO 8601 writes them.</summary>
public static class IsoDate
{
    const string Form = "yyyy-MM-dd";

    public static string Of(DateOnly date) => date.ToString(Form, CultureInfo.InvariantCulture);

    public static string? Of(DateOnly? date) => date is { } day ? Of(day) : null;

    public static bool TryParse(ReadOnlySpan<char> text, out DateOnly date) =>
        DateOnly.TryParseExact(text.Trim(), Form, CultureInfo.InvariantCulture, DateTimeStyles.None, out date) && date.Year is >= 1900 and <= 9000;

    /// <summary>As tables have them too: 01.02.2027.</summary>
    public static bool TryParseTable(ReadOnlySpan<char> text, out DateOnly date) =>
        TryParse(text, out date) || (DateOnly.TryParseExact(text.Trim(), ["d.M.yyyy", "yyyy-MM-dd HH:mm:ss"], CultureInfo.InvariantCulture, DateTimeStyles.None, out date) && date.Year is >= 1900 and <= 9000);

    /// <summary>A day, or first and last with two dots between.</summary>
    public static bool TryParse(string text, out Holiday holiday)
    {
        var dots = text.IndexOf("..", StringComparison.Ordinal);
        var good = TryParse(dots < 0 ? text : text.AsSpan(0, dots), out var first);
        var last = first;
        if (dots >= 0) good &= TryParse(text.AsSpan(dots + 2), out last);
        holiday = new(first, last);
        return good && last >= first;
    }

    public static string Of(Holiday holiday) => holiday.First == holiday.Last ? Of(holiday.First) : $"{Of(holiday.First)}..{Of(holiday.Last)}";
}
