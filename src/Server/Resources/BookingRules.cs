using System.Globalization;
using CbaMail.Calendar;

namespace CbaMail.Resources;

/// <summary>A time that somebody has, or may get once an owner has approved.</summary>
public readonly record struct BookedTime(DateTimeOffset Start, DateTimeOffset End, string Organizer);

/// <summary>What is answered to a request.</summary>
/// <param name="Taken">The times that it gets.</param>
/// <param name="Declined">The times that it asked for and does not get.</param>
/// <param name="Why">For people; null where there is nothing to explain.</param>
public sealed record BookingVerdict(Participation Part, IReadOnlyList<EventInstance> Taken, IReadOnlyList<EventInstance> Declined, string? Why);

/// <summary>Whether a resource takes what is asked of it; who asks has been looked at before.</summary>
public static class BookingRules
{
    /// <summary>Dates that an answer lists at most.</summary>
    const int MostDates = 20;

    /// <param name="asked">The instances that have not ended yet.</param>
    /// <param name="more">The series goes on beyond what is counted.</param>
    /// <param name="taken">What others have between two times.</param>
    public static BookingVerdict Judge(ResourceProfile profile, IReadOnlyList<EventInstance> asked, bool recurring, bool more, DateTimeOffset now, Func<DateTimeOffset, DateTimeOffset, IEnumerable<BookedTime>> taken)
    {
        if (asked.Count == 0) return Declined(asked, "It lies in the past");
        if (recurring && profile.Recurring == false) return Declined(asked, "It takes no recurring bookings");
        var ahead = now.AddDays(profile.DaysAhead ?? 365);
        if (more || asked.Any(one => one.Start > ahead || one.End > ahead)) return Declined(asked, string.Create(CultureInfo.InvariantCulture, $"It can be booked until {Date(ahead, profile)} and not beyond"));
        if (asked.Any(one => one.End <= one.Start)) return Declined(asked, "It has no length");
        if (profile.MaxMinutes is { } most && asked.Any(one => one.End - one.Start > TimeSpan.FromMinutes(most))) return Declined(asked, string.Create(CultureInfo.InvariantCulture, $"It can be booked for at most {most} minutes at a time"));
        var outside = asked.Where(one => !IsOpen(profile, one)).ToList();
        if (outside.Count > 0) return Declined(asked, "It is not open then: " + Dates(outside, profile));

        var (free, busy) = (new List<EventInstance>(), new List<EventInstance>());
        var who = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var one in asked.OrderBy(one => one.Start))
        {
            // its own instances may overlap too
            var others = taken(one.Start, one.End).Concat(free.Where(own => own.Start < one.End && one.Start < own.End).Select(own => new BookedTime(own.Start, own.End, ""))).ToList();
            if (MostAtOnce(others, one) < (profile.Parallel ?? 1)) free.Add(one);
            else
            {
                busy.Add(one);
                who.UnionWith(others.Select(other => other.Organizer).Where(organizer => organizer.Length > 0));
            }
        }
        if (busy.Count == 0) return new(profile.Approval == true ? Participation.Tentative : Participation.Accepted, free, [], profile.Approval == true ? "An owner has to approve it" : null);
        var why = "It is taken: " + Dates(busy, profile) + (profile.ShowsWho == true && who.Count > 0 ? " (by " + string.Join(", ", who.Take(5)) + ")" : "");
        if (free.Count == 0 || profile.AcceptPart != true) return Declined(asked, why);
        return new(profile.Approval == true ? Participation.Tentative : Participation.Accepted, free, busy, why);
    }

    static BookingVerdict Declined(IReadOnlyList<EventInstance> asked, string why) => new(Participation.Declined, [], asked, why);

    /// <summary>How many of the others run at the same moment within the instance.</summary>
    static int MostAtOnce(List<BookedTime> others, EventInstance one)
    {
        var most = 0;
        foreach (var other in others)
        {
            var at = other.Start > one.Start ? other.Start : one.Start;
            most = Math.Max(most, others.Count(another => another.Start <= at && at < another.End));
        }
        return most;
    }

    static bool IsOpen(ResourceProfile profile, EventInstance one)
    {
        var (start, end) = (TimeZoneInfo.ConvertTime(one.Start, profile.Zone).DateTime, TimeZoneInfo.ConvertTime(one.End, profile.Zone).DateTime);
        if (profile.Weekdays is { } days)
            for (var day = start.Date; day < end && day <= start.Date.AddDays(7); day = day.AddDays(1))
                if (!days.Contains(day.DayOfWeek)) return false;
        if (profile.OpensAt is not { } opens || profile.ClosesAt is not { } closes) return true;
        return start.TimeOfDay.TotalMinutes >= opens && end - start.Date <= TimeSpan.FromMinutes(closes);
    }

    static string Date(DateTimeOffset time, ResourceProfile profile) => TimeZoneInfo.ConvertTime(time, profile.Zone).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    static string Dates(List<EventInstance> times, ResourceProfile profile) =>
        string.Join(", ", times.Take(MostDates).Select(one => Date(one.Start, profile))) + (times.Count > MostDates ? string.Create(CultureInfo.InvariantCulture, $" and {times.Count - MostDates} more") : "");
}
