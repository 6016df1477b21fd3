using System.Diagnostics.CodeAnalysis;

namespace CbaMail.Calendar;

/// <summary>What one side of a meeting asks of the other (RFC 5546 1.4).</summary>
public enum SchedulingMethod { Request, Cancel, Reply, Counter, DeclineCounter, Refresh, Other }

/// <summary>RFC 5545 3.2.12, as an attendee answers.</summary>
public enum Participation { Accepted, Declined, Tentative }

/// <summary>A scheduling message (RFC 5546): a method and the event that it is about.</summary>
public sealed class Invitation
{
    readonly CalendarComponent calendar;

    Invitation(CalendarComponent calendar, SchedulingMethod method, EventSeries series) => (this.calendar, Method, Series) = (calendar, method, series);

    public SchedulingMethod Method { get; }
    public EventSeries Series { get; }

    /// <param name="floating">The zone of times without one, and of whole days.</param>
    /// <param name="named">The method that Content-Type names (RFC 6047 2.4), which counts where the calendar has none; or null.</param>
    /// <param name="problem">What is wrong with it, for people.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, TimeZoneInfo floating, string? named, [NotNullWhen(true)] out Invitation? invitation, [NotNullWhen(false)] out string? problem)
    {
        invitation = null;
        if (!CalendarText.TryRead(bytes, out var calendar, out problem) || !EventSeries.TryRead(calendar, floating, out var series, out problem)) return false;
        // RFC 5545 3.7.2: without METHOD it is a calendar to look at, not a question
        var method = (calendar.Find("METHOD")?.Value ?? named)?.Trim().ToUpperInvariant() switch
        {
            "REQUEST" => SchedulingMethod.Request,
            "CANCEL" => SchedulingMethod.Cancel,
            "REPLY" => SchedulingMethod.Reply,
            "COUNTER" => SchedulingMethod.Counter,
            "DECLINECOUNTER" => SchedulingMethod.DeclineCounter,
            "REFRESH" => SchedulingMethod.Refresh,
            _ => SchedulingMethod.Other,
        };
        invitation = new(calendar, method, series);
        return true;
    }

    /// <summary>Whether an event says something later than what is known of it (RFC 5546 2.1.5): by SEQUENCE, and of equal ones by DTSTAMP. The same again is not later.</summary>
    public static bool IsLater(CalendarEvent one, int sequence, DateTimeOffset stamp) => one.Sequence > sequence || (one.Sequence == sequence && one.Stamp > stamp);

    /// <summary>The first attendee of the event of whom something holds, or null: one that was invited by way of a list is not named.</summary>
    static CalendarProperty? Attendee(CalendarEvent one, Func<string, bool> isOne) => one.Component.All("ATTENDEE").FirstOrDefault(attendee => attendee.Mailbox is { } address && isOne(address));

    /// <summary>Whether any of its events names such an attendee.</summary>
    public bool Invites(Func<string, bool> isOne) => Events.Any(one => Attendee(one, isOne) is not null);

    IEnumerable<CalendarEvent> Events => Series.Whole is { } whole ? Series.Single.Prepend(whole) : Series.Single;

    /// <summary>The answer of one attendee (RFC 5546 3.2.3): to the whole, and to each single instance that was asked about. He answers by the address at which he was invited, or organizers' programs would not know him.</summary>
    /// <param name="isAttendee">Whether an address is his.</param>
    /// <param name="attendee">Who answers where he is not named.</param>
    /// <param name="kind">What he is (RFC 5545 3.2.3) unless it is said.</param>
    /// <param name="name">As people call him; or empty.</param>
    /// <param name="answers">What is answered to each event of the series.</param>
    /// <param name="comment">Why, for people; or null.</param>
    public byte[] Answer(Func<string, bool> isAttendee, string attendee, string kind, string name, Func<CalendarEvent, Participation> answers, string? comment, DateTimeOffset now)
    {
        var reply = Envelope("REPLY");
        foreach (var zone in calendar.Inside("VTIMEZONE")) reply.Components.Add(zone);
        foreach (var one in Events)
        {
            var answer = new CalendarComponent("VEVENT");
            foreach (var property in one.Component.Properties)
                if (property.Name is "UID" or "RECURRENCE-ID" or "ORGANIZER" or "DTSTART" or "DTEND" or "DURATION" or "SUMMARY" or "SEQUENCE" or "LOCATION") answer.Properties.Add(property);
            answer.With("DTSTAMP", CalendarTime.Utc(now));
            var invited = Attendee(one, isAttendee) ?? Attendee(Series.First, isAttendee);
            List<KeyValuePair<string, string>> parameters = [new("PARTSTAT", answers(one).ToString().ToUpperInvariant()), new("CUTYPE", invited?.Parameter("CUTYPE") is { } said and ("ROOM" or "RESOURCE") ? said : kind)];
            if (name.Length > 0) parameters.Add(new("CN", name));
            answer.Properties.Add(new("ATTENDEE", parameters, invited?.Value.Trim() ?? "mailto:" + attendee));
            if (comment is not null) answer.With("COMMENT", CalendarText.Escape(comment));
            reply.Components.Add(answer);
        }
        return CalendarText.Write(reply);
    }

    /// <summary>Of the invitation only what answers to it are written from: without texts, files and the other attendees.</summary>
    public byte[] Essence(Func<string, bool> isAttendee)
    {
        const int longest = 1000;
        var essence = Envelope("REQUEST");
        var zones = new HashSet<string>(StringComparer.Ordinal);
        foreach (var one in Events)
        {
            var kept = new CalendarComponent("VEVENT");
            foreach (var property in one.Component.Properties)
            {
                if (property.Name is not ("UID" or "RECURRENCE-ID" or "ORGANIZER" or "DTSTART" or "DTEND" or "DURATION" or "SUMMARY" or "SEQUENCE" or "LOCATION" or "DTSTAMP")) continue;
                if (property.Name is "SUMMARY" or "LOCATION" && property.Value.Length > longest) continue;
                kept.Properties.Add(property);
                if (property.Parameter("TZID") is { } zone) zones.Add(zone);
            }
            if (Attendee(one, isAttendee) is { } invited) kept.Properties.Add(invited);
            essence.Components.Add(kept);
        }
        essence.Components.InsertRange(0, calendar.Inside("VTIMEZONE").Where(zone => zone.Find("TZID") is { } id && (zones.Contains(id.Text) || zones.Contains(id.Value))));
        return CalendarText.Write(essence);
    }

    static CalendarComponent Envelope(string method) => new CalendarComponent("VCALENDAR").With("PRODID", "-//CBA Mail//EN").With("VERSION", "2.0").With("METHOD", method);

    /// <summary>When somebody is taken (RFC 5545 3.6.4), for whoever asks: periods that touch are one.</summary>
    /// <param name="busy">In any order.</param>
    public static byte[] FreeBusy(string organizer, DateTimeOffset from, DateTimeOffset to, IEnumerable<(DateTimeOffset Start, DateTimeOffset End)> busy, DateTimeOffset now)
    {
        var times = new CalendarComponent("VFREEBUSY").With("UID", $"{CalendarTime.Utc(from)}-{CalendarTime.Utc(to)}-{organizer}").With("DTSTAMP", CalendarTime.Utc(now))
            .With("ORGANIZER", "mailto:" + organizer).With("DTSTART", CalendarTime.Utc(from)).With("DTEND", CalendarTime.Utc(to));
        foreach (var (start, end) in Merged(from, to, busy)) times.Properties.Add(new("FREEBUSY", [new("FBTYPE", "BUSY")], $"{CalendarTime.Utc(start)}/{CalendarTime.Utc(end)}"));
        var calendar = Envelope("PUBLISH");
        calendar.Components.Add(times);
        return CalendarText.Write(calendar);
    }

    /// <summary>Periods in order, within the range, those that overlap or touch as one.</summary>
    public static IReadOnlyList<(DateTimeOffset Start, DateTimeOffset End)> Merged(DateTimeOffset from, DateTimeOffset to, IEnumerable<(DateTimeOffset Start, DateTimeOffset End)> busy)
    {
        var merged = new List<(DateTimeOffset Start, DateTimeOffset End)>();
        foreach (var (start, end) in busy.Select(one => (Start: one.Start < from ? from : one.Start, End: one.End > to ? to : one.End)).Where(one => one.Start < one.End).OrderBy(one => one.Start))
        {
            if (merged.Count > 0 && merged[^1].End >= start) merged[^1] = (merged[^1].Start, end > merged[^1].End ? end : merged[^1].End);
            else merged.Add((start, end));
        }
        return merged;
    }
}
