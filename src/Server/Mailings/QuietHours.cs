using System.Globalization;

namespace CbaMail.Mailings;

/// <summary>Hours of a day in which nothing is sent, as in 21:00-08:00; over midnight where they end before they begin.</summary>
public sealed record QuietHours(TimeOnly Begin, TimeOnly End)
{
    /// <param name="text">"" : none, and null.</param>
    /// <returns>Whether it is one of these.</returns>
    public static bool TryParse(string text, out QuietHours? hours)
    {
        hours = null;
        if (text.Trim().Length == 0) return true;
        if (text.Split('-') is not [var from, var to] || !TryTime(from, out var begin) || !TryTime(to, out var end) || begin == end) return false;
        hours = new(begin, end);
        return true;
    }

    static bool TryTime(string text, out TimeOnly time) => TimeOnly.TryParseExact(text.Trim(), "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out time);

    /// <summary>When they are over, if it is within them by the zone's clock; else null.</summary>
    public DateTimeOffset? EndOf(DateTimeOffset at, TimeZoneInfo zone)
    {
        var local = TimeZoneInfo.ConvertTime(at, zone).DateTime;
        if (!TimeOnly.FromDateTime(local).IsBetween(Begin, End)) return null;
        var day = DateOnly.FromDateTime(local);
        if (End < Begin && TimeOnly.FromDateTime(local) >= Begin) day = day.AddDays(1);
        var end = day.ToDateTime(End);
        // an hour that a change of clocks leaves out is that much later; of one that comes twice it is the first
        while (zone.IsInvalidTime(end)) end = end.AddMinutes(15);
        var offset = zone.IsAmbiguousTime(end) ? zone.GetAmbiguousTimeOffsets(end).Max() : zone.GetUtcOffset(end);
        var over = new DateTimeOffset(end, offset).ToUniversalTime();
        return over > at ? over : null;
    }
}
