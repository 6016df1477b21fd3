using CbaMail.Courses;
using CbaMail.Mailings.Schedules;
using Xunit;

namespace CbaMail.Tests.Server.Mailings.Schedules;

public sealed class OccasionsTests
{
    static Run Of(string? starts, string? ends, params string[] holidays) => new(
        1, 1, "autumn", "Autumn", starts is null ? null : DateOnly.Parse(starts), ends is null ? null : DateOnly.Parse(ends), "Europe/Berlin",
        [.. holidays.Select(text => IsoDate.TryParse(text, out Holiday holiday) ? holiday : throw new ArgumentException(text))], 0, default);

    static Meeting At(long id, string starts, bool cancelled = false) => new(id, 1, "Lecture", DateTimeOffset.Parse(starts), DateTimeOffset.Parse(starts).AddHours(2), "", $"uid{id}", 0, cancelled);

    static string[] Times(Run run, string schedule, params Meeting[] meetings)
    {
        var occasions = new Occasions(run, meetings);
        return [.. occasions.Of(ScheduleText.Parse(schedule).Value!).Select(one => one.In(occasions.Zone).ToString("yyyy-MM-dd HH:mm"))];
    }

    [Fact]
    public void Days_of_the_run_are_counted_from_its_first() // 2027-09-01 is a Wednesday; summer time
    {
        Assert.Equal(["2027-09-01 06:00"], Times(Of("2027-09-01", null), "day 1 at 08:00"));
        Assert.Equal(["2027-09-05 06:00"], Times(Of("2027-09-01", null), "day 5 at 08:00"));
        Assert.Equal(["2027-09-07 06:00"], Times(Of("2027-09-01", null), "day 5 at 08:00, school days"));
        Assert.Equal(["2027-09-08 06:00"], Times(Of("2027-09-01", null, "2027-09-02"), "day 5 at 08:00, school days"));
        Assert.Equal(["2027-09-06 06:00"], Times(Of("2027-09-04", null), "day 1 at 08:00, school days"));
        Assert.Equal(["2027-12-15 07:00"], Times(Of("2027-09-01", "2027-12-17"), "2 days before end at 08:00"));
        Assert.Equal(["2027-12-16 07:00"], Times(Of("2027-09-01", "2027-12-20"), "2 days before end at 08:00, school days"));
        Assert.Equal(["2027-09-06 06:00"], Times(Of("2027-09-04", null), "on start at 08:00, school days"));
    }

    [Fact]
    public void A_moved_run_moves_all_and_keeps_the_keys()
    {
        Meeting[] meetings = [At(4, "2027-09-02T10:00Z"), At(9, "2027-09-01T10:00Z"), At(5, "2027-09-03T10:00Z", cancelled: true)];
        Assert.Equal(["2027-08-31 10:00", "2027-09-01 10:00"], Times(Of(null, null), "24h before each session", meetings));
        Assert.Equal(["session 9", "session 4"], new Occasions(Of(null, null), meetings).Of(ScheduleText.Parse("24h before each session").Value!).Select(one => one.Key));
        Assert.Equal(["2027-08-31 16:00", "2027-09-01 16:00"], Times(Of(null, null), "1 day before each session at 18:00", meetings));
    }

    [Fact]
    public void Weeks_go_from_the_first_day_to_the_last_and_leave_out_holidays()
    {
        Assert.Equal(["2027-09-06 06:00", "2027-09-13 06:00", "2027-09-20 06:00"], Times(Of("2027-09-01", "2027-09-20"), "every monday at 08:00"));
        Assert.Equal(["2027-09-06 06:00", "2027-09-20 06:00"], Times(Of("2027-09-01", "2027-09-20", "2027-09-10..2027-09-14"), "every monday at 08:00, school days"));
    }

    [Fact]
    public void Each_reader_has_his_own_clock()
    {
        var noon = new Occasions(Of("2027-09-01", null), []).Of(ScheduleText.Parse("day 1 at 08:00, own zone").Value!).Single();
        Assert.Equal("2027-08-31 22:00", noon.In(TimeZoneInfo.FindSystemTimeZoneById("Asia/Kamchatka")).AddHours(2).ToString("yyyy-MM-dd HH:mm"));
        Assert.Equal("2027-09-01 12:00", noon.In(TimeZoneInfo.FindSystemTimeZoneById("America/New_York")).ToString("yyyy-MM-dd HH:mm"));
        Assert.True(noon.Anywhere.First < noon.In(TimeZoneInfo.FindSystemTimeZoneById("Asia/Kamchatka")));
    }

    [Fact]
    public void A_change_of_clocks_neither_loses_nor_doubles() // 2027-03-28 02:00 to 03:00, 2027-10-31 03:00 to 02:00
    {
        Assert.Equal(["2027-03-28 01:30"], Times(Of("2027-03-28", null), "day 1 at 02:30"));
        Assert.Equal(["2027-10-31 00:30"], Times(Of("2027-10-31", null), "day 1 at 02:30"));
    }

    [Fact]
    public void What_the_run_lacks_is_told()
    {
        var bare = new Occasions(Of(null, null), []);
        Assert.Equal("The run autumn has no first day", bare.Missing(ScheduleText.Parse("day 1 at 08:00").Value!)!.Sentence);
        Assert.Equal("The run autumn has no last day", bare.Missing(ScheduleText.Parse("1 day before end at 08:00").Value!)!.Sentence);
        Assert.Equal("The run autumn has no sessions", bare.Missing(ScheduleText.Parse("1h before each session").Value!)!.Sentence);
        Assert.Null(bare.Missing(ScheduleText.Parse("at 2027-09-01 08:00").Value!));
        Assert.Empty(bare.Of(ScheduleText.Parse("day 1 at 08:00").Value!));
    }

    [Fact]
    public void Who_joins_is_counted_from_his_day() =>
        Assert.Equal(new DateTime(2027, 9, 8, 8, 0, 0), new Occasions(Of("2027-09-01", null), []).OfJoining(ScheduleText.Parse("3 days after enrolment at 08:00, school days").Value!, new(2027, 9, 3))!.Local);
}
