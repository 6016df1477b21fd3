using CbaMail.Calendar;
using CbaMail.Resources;
using Xunit;

namespace CbaMail.Tests.Server.Resources;

/// <summary>What a resource answers to what is asked of it.</summary>
public class BookingRulesTests
{
    private static readonly DateTimeOffset Monday = new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero);

    private static EventInstance At(double hour, double hours = 1) => new(Monday.AddHours(hour), Monday.AddHours(hour), Monday.AddHours(hour + hours));

    private static BookedTime Busy(double hour, double hours = 1, string by = "boris@example.org") => new(Monday.AddHours(hour), Monday.AddHours(hour + hours), by);

    private static BookingVerdict Judge(ResourceProfile profile, EventInstance[] asked, params BookedTime[] busy) =>
        BookingRules.Judge(profile, asked, asked.Length > 1, more: false, Monday, (from, to) => busy.Where(one => one.Start < to && from < one.End));

    [Fact]
    public void What_is_free_is_accepted_and_what_touches_is_free()
    {
        Assert.Equal(Participation.Accepted, Judge(new(), [At(10)], Busy(9), Busy(11)).Part);
        Assert.Null(Judge(new(), [At(10)]).Why);
    }

    [Fact]
    public void What_is_taken_is_declined_and_by_whom_only_where_that_may_be_told()
    {
        var verdict = Judge(new(), [At(10)], Busy(10.5));
        Assert.Equal((Participation.Declined, "It is taken: 2026-03-02 10:00"), (verdict.Part, verdict.Why));
        Assert.Equal("It is taken: 2026-03-02 10:00 (by boris@example.org)", Judge(new() { ShowsWho = true }, [At(10)], Busy(10.5)).Why);
    }

    [Fact]
    public void Several_at_the_same_time_are_counted_moment_by_moment()
    {
        var two = new ResourceProfile { Parallel = 2 };
        Assert.Equal(Participation.Accepted, Judge(two, [At(10, 4)], Busy(10), Busy(11), Busy(12)).Part);
        Assert.Equal(Participation.Declined, Judge(two, [At(10, 4)], Busy(10, 2), Busy(11, 2)).Part);
    }

    [Fact]
    public void Nothing_is_booked_beyond_the_days_ahead_neither_by_its_beginning_nor_by_its_end()
    {
        var month = new ResourceProfile { DaysAhead = 30 };
        Assert.Equal(Participation.Accepted, Judge(month, [At(0, 30 * 24)]).Part);
        foreach (var beyond in new[] { At(31 * 24), At(10, 31 * 24), At(10, 50 * 365 * 24) })
            Assert.Equal((Participation.Declined, "It can be booked until 2026-04-01 00:00 and not beyond"), (Judge(month, [beyond]).Part, Judge(month, [beyond]).Why));
    }

    [Fact]
    public void An_owner_who_has_to_approve_makes_it_tentative() =>
        Assert.Equal(Participation.Tentative, Judge(new() { Approval = true }, [At(10)]).Part);

    [Fact]
    public void A_series_is_declined_with_the_dates_that_are_taken_or_gets_the_free_ones()
    {
        EventInstance[] series = [At(10), At(34), At(58)];
        var whole = Judge(new(), series, Busy(34));
        Assert.Equal((Participation.Declined, 0, "It is taken: 2026-03-03 10:00"), (whole.Part, whole.Taken.Count, whole.Why));
        var part = Judge(new() { AcceptPart = true }, series, Busy(34));
        Assert.Equal((Participation.Accepted, 2, 1), (part.Part, part.Taken.Count, part.Declined.Count));
        Assert.Equal(Participation.Declined, Judge(new() { Recurring = false }, series).Part);
    }

    [Fact]
    public void Instances_of_one_series_do_not_share_the_room_with_one_another() =>
        Assert.Equal(Participation.Declined, Judge(new(), [At(10, 2), At(11, 2)]).Part);

    [Fact]
    public void Too_long_too_far_ahead_past_and_without_length_are_declined_with_the_reason()
    {
        Assert.Contains("60 minutes", Judge(new() { MaxMinutes = 60 }, [At(10, 1.5)]).Why, StringComparison.Ordinal);
        Assert.Contains("until 2026-03-12", Judge(new() { DaysAhead = 10 }, [At(24 * 11)]).Why, StringComparison.Ordinal);
        Assert.Contains("past", Judge(new(), []).Why, StringComparison.Ordinal);
        Assert.Contains("no length", Judge(new(), [At(10, 0)]).Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Opening_hours_and_weekdays_are_those_of_its_own_place()
    {
        var office = new ResourceProfile { TimeZone = "Europe/Moscow", OpensAt = 9 * 60, ClosesAt = 18 * 60, Weekdays = [DayOfWeek.Monday, DayOfWeek.Tuesday] };
        Assert.Equal(Participation.Accepted, Judge(office, [At(6, 9)]).Part); // 9:00 to 18:00 in Moscow
        Assert.Contains("not open then: 2026-03-02 08:30", Judge(office, [At(5.5)]).Why, StringComparison.Ordinal);
        Assert.Equal(Participation.Declined, Judge(office, [At(14.5)]).Part); // over closing time
        Assert.Equal(Participation.Declined, Judge(office, [At(48 + 8)]).Part); // a Wednesday
        Assert.Equal(Participation.Declined, Judge(office, [At(8, 24)]).Part); // over night
    }
}
