using System.Diagnostics.CodeAnalysis;

namespace CbaMail.Calendar;

/// <summary>One time that an event takes place.</summary>
/// <param name="Original">When it would have been by the rule: what RECURRENCE-ID names. The start, where nothing was moved.</param>
public readonly record struct EventInstance(DateTimeOffset Original, DateTimeOffset Start, DateTimeOffset End);

/// <summary>A VEVENT (RFC 5545 3.6.1): the whole of a series, or one instance of it that differs.</summary>
public sealed class CalendarEvent
{
    readonly CalendarComponent component;
    readonly CalendarZones zones;
    readonly TimeZoneInfo floating;
    readonly RecurrenceRule? rule;
    readonly CalendarTime start;
    readonly TimeSpan? duration;
    readonly CalendarTime? end;

    CalendarEvent(CalendarComponent component, CalendarZones zones, TimeZoneInfo floating, RecurrenceRule? rule, CalendarTime start, CalendarTime? end, TimeSpan? duration)
    {
        (this.component, this.zones, this.floating, this.rule, this.start, this.end, this.duration) = (component, zones, floating, rule, start, end, duration);
        Start = At(start)!.Value;
        End = EndOf(start.Local);
    }

    public CalendarComponent Component => component;
    public string Uid => component.Find("UID")?.Text.Trim() ?? "";
    public string Summary => component.Find("SUMMARY")?.Text.Trim() ?? "";
    /// <summary>Of its organizer (RFC 5545 3.8.4.3), or null.</summary>
    public string? Organizer => component.Find("ORGANIZER")?.Mailbox;
    /// <summary>RFC 5545 3.8.7.4; 0 where there is none.</summary>
    public int Sequence => int.TryParse(component.Find("SEQUENCE")?.Value.Trim(), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : 0;
    /// <summary>RFC 5545 3.8.7.2.</summary>
    public DateTimeOffset Stamp => CalendarTime.Of(component.Find("DTSTAMP")) is { } time && At(time) is { } at ? at : DateTimeOffset.UnixEpoch;
    public bool IsCancelled => component.Find("STATUS")?.Value.Trim().Equals("CANCELLED", StringComparison.OrdinalIgnoreCase) == true;
    /// <summary>It takes no time from anybody (RFC 5545 3.8.2.7).</summary>
    public bool IsTransparent => component.Find("TRANSP")?.Value.Trim().Equals("TRANSPARENT", StringComparison.OrdinalIgnoreCase) == true;
    public bool IsAllDay => start.IsDate;
    /// <summary>It has a rule or further dates.</summary>
    public bool IsRecurring => rule is not null || component.Find("RDATE") is not null;
    public DateTimeOffset Start { get; }
    public DateTimeOffset End { get; }
    /// <summary>Which instance of the series it stands for (RFC 5545 3.8.4.4), or null.</summary>
    public DateTimeOffset? RecurrenceId => CalendarTime.Of(component.Find("RECURRENCE-ID")) is { } time ? At(time) : null;

    /// <param name="floating">The zone of times without one, and of whole days.</param>
    /// <param name="problem">What is wrong with it, for people.</param>
    public static bool TryRead(CalendarComponent component, CalendarZones zones, TimeZoneInfo floating, [NotNullWhen(true)] out CalendarEvent? read, [NotNullWhen(false)] out string? problem)
    {
        read = null;
        RecurrenceRule? rule = null;
        if (component.Find("UID")?.Text.Trim() is not { Length: > 0 and <= 1000 }) return Wrong("it has no UID, or a very long one", out problem);
        if (CalendarTime.Of(component.Find("DTSTART")) is not { } start) return Wrong("it has no start that can be read", out problem);
        var end = CalendarTime.Of(component.Find("DTEND"));
        if (end is null && component.Find("DTEND") is not null) return Wrong("its end cannot be read", out problem);
        TimeSpan? duration = null;
        if (component.Find("DURATION") is { } text && (duration = CalendarTime.Duration(text.Value)) is not { Ticks: >= 0 }) return Wrong("its duration cannot be read", out problem);
        if (component.All("RRULE").Skip(1).Any() || component.Find("EXRULE") is not null) return Wrong("it recurs by more than one rule", out problem);
        if (component.Find("RRULE") is { } recurs && !RecurrenceRule.TryParse(recurs.Value, out rule, out var part)) return Wrong("its rule of recurrence is not understood: " + part, out problem);
        foreach (var property in component.Properties)
        {
            if (property.Name is not ("DTSTART" or "DTEND" or "RECURRENCE-ID" or "RDATE" or "EXDATE") || property.Parameter("TZID") is not { } id || property.Value.EndsWith('Z')) continue;
            if (zones.Find(id) is null) return Wrong("its time zone is not known: " + (id.Length > 60 ? id[..60] : id), out problem);
        }
        if (component.Find("RECURRENCE-ID") is { } which && (CalendarTime.Of(which) is null || which.Parameter("RANGE") is not null)) return Wrong("it does not say which single instance it is of", out problem);
        var candidate = new CalendarEvent(component, zones, floating, rule, start, end, duration);
        if (candidate.End < candidate.Start) return Wrong("it ends before it begins", out problem);
        (read, problem) = (candidate, null);
        return true;
    }

    static bool Wrong(string why, out string problem)
    {
        problem = why;
        return false;
    }

    DateTimeOffset? At(CalendarTime time) => time.IsUtc ? new(time.Local, TimeSpan.Zero) : (time.Zone is null ? floating : zones.Find(time.Zone)) is { } zone ? CalendarZones.At(time.Local, zone) : null;

    // RFC 5545 3.6.1: a day without an end is one day, a time without one has no length. RFC 5545 3.3.6: days are days of the clock, hours are hours
    DateTimeOffset EndOf(DateTime local)
    {
        if (end is { } given)
        {
            // DTSTART and DTEND may stand in different zones; the length is what recurs
            if (given.IsDate == start.IsDate && given.Zone == start.Zone && given.IsUtc == start.IsUtc) return At(start with { Local = local + (given.Local - start.Local) })!.Value;
            return At(start with { Local = local })!.Value + (At(given)!.Value - Start);
        }
        if (duration is { } length)
        {
            var days = start.IsDate ? TimeSpan.FromDays(Math.Ceiling(length.TotalDays)) : length.Ticks % TimeSpan.TicksPerDay == 0 ? length : TimeSpan.Zero;
            return days > TimeSpan.Zero ? At(start with { Local = local + days })!.Value : At(start with { Local = local })!.Value + length;
        }
        return At(start with { Local = start.IsDate ? local.AddDays(1) : local })!.Value;
    }

    /// <summary>Its own instances in order, without what others of the series replace (<see cref="EventSeries"/>).</summary>
    internal IEnumerable<EventInstance> Instances(DateTimeOffset horizon)
    {
        var limit = horizon.UtcDateTime.AddDays(1);
        if (rule?.Until is { } until)
        {
            var last = until.IsDate ? until.Local.AddDays(1).AddTicks(-1) : until.Local;
            // RFC 5545 3.3.10: UNTIL is in UTC where the start has a zone
            if (until.IsUtc && !start.IsUtc) last = TimeZoneInfo.ConvertTimeFromUtc(DateTime.SpecifyKind(until.Local, DateTimeKind.Utc), (start.Zone is null ? floating : zones.Find(start.Zone)) ?? floating);
            if (last < limit) limit = last;
        }
        IEnumerable<DateTime> times = rule is null ? [start.Local] : rule.From(start.Local, limit < start.Local ? start.Local : limit);
        var except = Times("EXDATE").Select(time => time.IsDate && !start.IsDate ? time.Local : At(time)!.Value.UtcDateTime).ToHashSet();
        var days = Times("EXDATE").Where(time => time.IsDate && !start.IsDate).Select(time => time.Local).ToHashSet();
        var further = Times("RDATE").Select(time => time with { Local = start.IsDate ? time.Local.Date : time.Local }).OrderBy(time => At(time)).ToList();
        var seen = new HashSet<DateTimeOffset>();
        var at = 0;
        foreach (var local in times)
        {
            var begins = At(start with { Local = local })!.Value;
            for (; at < further.Count && At(further[at]) < begins; at++)
                if (Further(further[at]) is { } more) yield return more;
            if (begins > horizon) yield break;
            if (seen.Add(begins) && !except.Contains(begins.UtcDateTime) && !days.Contains(local.Date)) yield return new(begins, begins, EndOf(local));
        }
        for (; at < further.Count && At(further[at]) <= horizon; at++)
            if (Further(further[at]) is { } more) yield return more;

        EventInstance? Further(CalendarTime time)
        {
            var begins = At(time)!.Value;
            return seen.Add(begins) && !except.Contains(begins.UtcDateTime) ? new(begins, begins, begins + (End - Start)) : null;
        }
    }

    IEnumerable<CalendarTime> Times(string name)
    {
        foreach (var property in component.All(name))
            foreach (var word in property.Value.Split(','))
                // RDATE;VALUE=PERIOD has its own end, which is passed over
                if (CalendarTime.TryParse(word.AsSpan()[..(word.IndexOf('/', StringComparison.Ordinal) is >= 0 and var slash ? slash : word.Length)], property.Parameter("TZID"), out var time)) yield return time;
    }
}

/// <summary>An event with the instances of it that differ: everything of one UID in a calendar.</summary>
public sealed class EventSeries
{
    /// <summary>Instances that are counted at most.</summary>
    public const int MostInstances = 1000;

    EventSeries(CalendarEvent? whole, IReadOnlyList<CalendarEvent> single) => (Whole, Single) = (whole, single);

    /// <summary>The event itself; null where only single instances of it were sent.</summary>
    public CalendarEvent? Whole { get; }
    /// <summary>Those with RECURRENCE-ID.</summary>
    public IReadOnlyList<CalendarEvent> Single { get; }
    public CalendarEvent First => Whole ?? Single[0];

    /// <summary>Reads the events of a calendar, which must be of one UID (RFC 5546 3.2.2).</summary>
    /// <param name="problem">What is wrong, for people.</param>
    public static bool TryRead(CalendarComponent calendar, TimeZoneInfo floating, [NotNullWhen(true)] out EventSeries? series, [NotNullWhen(false)] out string? problem)
    {
        series = null;
        var zones = new CalendarZones(calendar);
        CalendarEvent? whole = null;
        var single = new List<CalendarEvent>();
        foreach (var component in calendar.Inside("VEVENT"))
        {
            if (!CalendarEvent.TryRead(component, zones, floating, out var read, out problem)) return false;
            if ((whole ?? single.FirstOrDefault()) is { } other && other.Uid != read.Uid) problem = "it has several events";
            else if (read.RecurrenceId is not null) single.Add(read);
            else if (whole is null) whole = read;
            else problem = "it has the same event twice";
            if (problem is not null) return false;
        }
        problem = "it has no event";
        if (whole is null && single.Count == 0) return false;
        (series, problem) = (new(whole, single), null);
        return true;
    }

    /// <summary>When it takes place, in order of the rule, what was moved at its new time; cancelled and transparent ones are left out.</summary>
    /// <param name="horizon">What begins later by the rule is left out.</param>
    /// <param name="more">There are more than <see cref="MostInstances"/>, or the rule goes on beyond the horizon.</param>
    public IReadOnlyList<EventInstance> Instances(DateTimeOffset horizon, out bool more)
    {
        more = false;
        var replaced = Single.GroupBy(one => one.RecurrenceId!.Value.UtcDateTime).ToDictionary(group => group.Key, group => group.MaxBy(one => one.Sequence)!);
        var all = new List<EventInstance>();
        if (Whole is { } whole)
            foreach (var instance in whole.Instances(horizon))
            {
                if (replaced.ContainsKey(instance.Original.UtcDateTime) || whole.IsCancelled || whole.IsTransparent) continue;
                if (all.Count == MostInstances)
                {
                    more = true;
                    break;
                }
                all.Add(instance);
            }
        foreach (var (original, one) in replaced.OrderBy(pair => pair.Key))
            if (!one.IsCancelled && !one.IsTransparent) all.Add(new(new(original, TimeSpan.Zero), one.Start, one.End));
        return all;
    }
}
