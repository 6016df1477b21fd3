namespace CbaMail.Calendar;

/// <summary>The time zones that a calendar names (RFC 5545 3.6.5): those the system knows by name, IANA's or Windows', and the calendar's own.</summary>
public sealed class CalendarZones(CalendarComponent calendar)
{
    const int MostZones = 50;

    readonly Dictionary<string, TimeZoneInfo?> known = new(StringComparer.Ordinal);

    /// <summary>The zone of a TZID, or null where nobody knows it.</summary>
    public TimeZoneInfo? Find(string id)
    {
        if (known.TryGetValue(id, out var zone)) return zone;
        if (known.Count >= MostZones) return null;
        return known[id] = Named(id) ?? Described(id);
    }

    /// <summary>A zone of the system by IANA's name or Windows'; with a prefix before it too, as libical writes it.</summary>
    public static TimeZoneInfo? Named(string id)
    {
        // names become paths below
        if (id.Length is 0 or > 100 || id.Contains("..", StringComparison.Ordinal) || !id.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '_' or '-' or '+' or ' ' or '.' or '(' or ')')) return null;
        for (var rest = id.Trim('/'); ;)
        {
            if (rest.Length > 0 && TimeZoneInfo.TryFindSystemTimeZoneById(rest, out var zone)) return zone;
            var slash = rest.IndexOf('/', StringComparison.Ordinal);
            if (slash < 0) return null;
            rest = rest[(slash + 1)..];
        }
    }

    TimeZoneInfo? Described(string id)
    {
        if (calendar.Inside("VTIMEZONE").FirstOrDefault(zone => zone.Find("TZID")?.Text == id || zone.Find("TZID")?.Value == id) is not { } described) return null;
        if (described.Find("X-LIC-LOCATION")?.Text is { } place && Named(place) is { } named) return named;
        if (Latest(described, "STANDARD") is not { } standard) return null;
        var daylight = Latest(described, "DAYLIGHT");
        try
        {
            if (daylight is not { } summer || summer.Rule is null || standard.Rule is null) return TimeZoneInfo.CreateCustomTimeZone("calendar", standard.Offset, id, id);
            var rule = TimeZoneInfo.AdjustmentRule.CreateAdjustmentRule(DateTime.MinValue.Date, DateTime.MaxValue.Date, summer.Offset - standard.Offset, Transition(summer), Transition(standard));
            return TimeZoneInfo.CreateCustomTimeZone("calendar", standard.Offset, id, id, id, [rule]);
        }
        catch (ArgumentException) { return null; } // offsets or days that no zone has
    }

    // of several, the one that began last: what is booked lies ahead
    static (TimeSpan Offset, RecurrenceRule? Rule, CalendarTime Start)? Latest(CalendarComponent zone, string name)
    {
        (TimeSpan Offset, RecurrenceRule? Rule, CalendarTime Start)? latest = null;
        foreach (var part in zone.Inside(name))
        {
            if (Offset(part.Find("TZOFFSETTO")?.Value.Trim()) is not { } offset || CalendarTime.Of(part.Find("DTSTART")) is not { } start || start.Local < latest?.Start.Local) continue;
            RecurrenceRule? rule = null;
            if (part.Find("RRULE") is { } text && (!RecurrenceRule.TryParse(text.Value, out rule, out _) || rule.Frequency != RecurrenceFrequency.Yearly || rule.Until is not null)) rule = null;
            latest = (offset, rule, start);
        }
        return latest;
    }

    static TimeZoneInfo.TransitionTime Transition((TimeSpan Offset, RecurrenceRule? Rule, CalendarTime Start) turn)
    {
        var (rule, start) = (turn.Rule!, turn.Start.Local);
        var time = new DateTime(1, 1, 1) + start.TimeOfDay;
        var month = rule.Months.Count > 0 ? rule.Months[0] : start.Month;
        if (rule.Days.Count == 0) return TimeZoneInfo.TransitionTime.CreateFixedDateRule(time, month, rule.MonthDays.Count > 0 && rule.MonthDays[0] > 0 ? rule.MonthDays[0] : start.Day);
        // "the first Sunday from the 8th" is the second one
        var nth = rule.Days[0].Nth != 0 ? rule.Days[0].Nth : rule.MonthDays.Count > 0 && rule.MonthDays[0] > 0 ? (rule.MonthDays.Min() - 1) / 7 + 1 : 1;
        return TimeZoneInfo.TransitionTime.CreateFloatingDateRule(time, month, nth < 0 ? 5 : Math.Min(nth, 5), rule.Days[0].Day);
    }

    // RFC 5545 3.3.14
    static TimeSpan? Offset(string? text)
    {
        if (text is null || text.Length is not (5 or 7) || text[0] is not ('+' or '-') || !text.AsSpan(1).ContainsOnlyDigits()) return null;
        var minutes = int.Parse(text.AsSpan(1, 2), System.Globalization.CultureInfo.InvariantCulture) * 60 + int.Parse(text.AsSpan(3, 2), System.Globalization.CultureInfo.InvariantCulture);
        return minutes <= 14 * 60 ? TimeSpan.FromMinutes(text[0] == '-' ? -minutes : minutes) : null;
    }

    /// <summary>The moment of a local time: one that the clock shows twice is the first, one that it leaps over counts by the offset before (RFC 5545 3.3.5).</summary>
    public static DateTimeOffset At(DateTime local, TimeZoneInfo zone)
    {
        local = DateTime.SpecifyKind(local, DateTimeKind.Unspecified);
        if (zone.IsAmbiguousTime(local)) return new(local, zone.GetAmbiguousTimeOffsets(local).Max());
        var before = local;
        for (var i = 0; i < 48 && zone.IsInvalidTime(before); i++) before = before.AddMinutes(-30);
        var offset = zone.GetUtcOffset(before);
        // an offset with seconds (before zones were agreed on) has no form in DateTimeOffset
        return new(local, TimeSpan.FromMinutes(Math.Round(offset.TotalMinutes)));
    }
}

static class Digits
{
    public static bool ContainsOnlyDigits(this ReadOnlySpan<char> text) => text.IndexOfAnyExceptInRange('0', '9') < 0;
}
