using System.Globalization;
using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Envelope;

namespace CbaMail.Mailings.Schedules;

/// <summary>One time at which a mailing goes out.</summary>
/// <param name="Key">The same after the run has moved: what was sent for it is not sent again. "" where there is only one.</param>
/// <param name="Local">By the clock on the wall; null where <paramref name="Instant"/> is given.</param>
/// <param name="Instant">The same moment for everybody.</param>
/// <param name="Meeting">For which it is.</param>
public sealed record Occasion(string Key, DateTime? Local, DateTimeOffset? Instant, Meeting? Meeting = null)
{
    /// <summary>The moment for a reader of that zone. Times that a change of clocks leaves out are as much later; of two the first is meant.</summary>
    public DateTimeOffset In(TimeZoneInfo zone)
    {
        if (Instant is { } instant) return instant;
        var local = Local!.Value;
        if (zone.IsInvalidTime(local)) return new DateTimeOffset(local, zone.GetUtcOffset(local.AddHours(-3))).ToUniversalTime();
        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }

    /// <summary>The first and the last moment at which it is this time somewhere.</summary>
    public (DateTimeOffset First, DateTimeOffset Last) Anywhere =>
        Instant is { } instant ? (instant, instant) : (new DateTimeOffset(Local!.Value, TimeSpan.FromHours(14)).ToUniversalTime(), new DateTimeOffset(Local.Value, TimeSpan.FromHours(-12)).ToUniversalTime());
}

/// <summary>Works out when a schedule is due in a run.</summary>
public sealed class Occasions(Run run, IReadOnlyList<Meeting> meetings)
{
    const int Horizon = 3660;

    public TimeZoneInfo Zone { get; } = Days.Zone(run.Zone);

    /// <summary>What the run lacks for this schedule; null: nothing.</summary>
    public Refusal? Missing(Schedule schedule) => schedule.Trigger switch
    {
        Trigger.RunDay or Trigger.DaysFrom { Anchor: Anchor.Start } when run.Starts is null => Refusal.Invalid.Because($"The run {run.Slug} has no first day"),
        Trigger.DaysFrom { Anchor: Anchor.End } when run.Ends is null => Refusal.Invalid.Because($"The run {run.Slug} has no last day"),
        Trigger.Weekly when run.Starts is null || run.Ends is null => Refusal.Invalid.Because($"The run {run.Slug} needs a first and a last day for a schedule of weeks"),
        Trigger.FromSession or Trigger.DaysFrom { Anchor: Anchor.Session } when !meetings.Any(one => !one.Cancelled) => Refusal.Invalid.Because($"The run {run.Slug} has no sessions"),
        _ => null,
    };

    /// <summary>All times of a schedule, the earliest first. None where the run lacks what it counts from, and none for what differs a person's joining.</summary>
    public IEnumerable<Occasion> Of(Schedule schedule)
    {
        switch (schedule.Trigger)
        {
            case Trigger.At at:
                return [new("", at.Day.ToDateTime(at.Time), null)];
            case Trigger.RunDay day when run.Starts is { } start:
                return [new("", Counted(start, day.Day, schedule.SchoolDays).ToDateTime(day.Time), null)];
            case Trigger.DaysFrom { Anchor: Anchor.Start or Anchor.End } from when (from.Anchor == Anchor.Start ? run.Starts : run.Ends) is { } anchor:
                return [new("", Moved(anchor, from.Days, schedule.SchoolDays).ToDateTime(from.Time), null)];
            case Trigger.DaysFrom { Anchor: Anchor.Session } from:
                return Held().Select(one => new Occasion(Key(one), Moved(DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(one.Starts, Zone).DateTime), from.Days, schedule.SchoolDays).ToDateTime(from.Time), null, one)).OrderBy(one => one.Local);
            case Trigger.FromSession from:
                return Held().Select(one => new Occasion(Key(one), null, one.Starts + from.Offset, one));
            case Trigger.Weekly weekly when run is { Starts: { } first, Ends: { } last }:
                return Weeks(weekly, first, last, schedule.SchoolDays);
            default:
                return [];
        }
    }

    /// <summary>The time for somebody who joined on that day, for a schedule that counts from it.</summary>
    public Occasion? OfJoining(Schedule schedule, DateOnly joined) => schedule.Trigger is Trigger.DaysFrom { Anchor: Anchor.Enrolment } from
        ? new("", Moved(joined, from.Days, schedule.SchoolDays).ToDateTime(from.Time), null)
        : null;

    IEnumerable<Meeting> Held() => meetings.Where(one => !one.Cancelled).OrderBy(one => one.Starts);

    static string Key(Meeting meeting) => string.Create(CultureInfo.InvariantCulture, $"session {meeting.Id}");

    IEnumerable<Occasion> Weeks(Trigger.Weekly weekly, DateOnly first, DateOnly last, bool schoolDays)
    {
        for (var day = first; day <= last && day.DayNumber - first.DayNumber <= Horizon; day = day.AddDays(1))
            if (weekly.Has(day.DayOfWeek) && (!schoolDays || IsSchoolDay(day)))
                yield return new(IsoDate.Of(day), day.ToDateTime(weekly.Time), null);
    }

    /// <summary>Monday to Friday, and no holiday.</summary>
    public bool IsSchoolDay(DateOnly day) => day.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday) && !run.Holidays.Any(off => day >= off.First && day <= off.Last);

    // the first day, or the first school day, is number 1
    DateOnly Counted(DateOnly start, int number, bool schoolDays)
    {
        if (!schoolDays) return start.AddDays(number - 1);
        return Moved(start.AddDays(-1), number, true);
    }

    DateOnly Moved(DateOnly day, int days, bool schoolDays)
    {
        if (!schoolDays) return day.AddDays(days);
        var step = days < 0 ? -1 : 1;
        var left = Math.Abs(days);
        // a run that is all holidays has an end too
        for (var walked = 0; left > 0 && walked < Horizon; walked++)
        {
            day = day.AddDays(step);
            if (IsSchoolDay(day)) left--;
        }
        for (var walked = 0; days == 0 && !IsSchoolDay(day) && walked < Horizon; walked++) day = day.AddDays(1);
        return day;
    }
}
