using CbaMail.Mailings.Schedules;
using Xunit;

namespace CbaMail.Tests.Server.Mailings.Schedules;

public sealed class ScheduleTextTests
{
    [Theory]
    [InlineData("now")]
    [InlineData("at 2027-09-01 08:00")]
    [InlineData("at 2027-09-01 08:00, own zone")]
    [InlineData("day 3 at 08:00, school days")]
    [InlineData("2 days before end at 08:00")]
    [InlineData("1 day after start at 18:30, catch up")]
    [InlineData("on start at 09:00")]
    [InlineData("24h before each session")]
    [InlineData("90min after each session, if missed skip")]
    [InlineData("1 day before each session at 18:00")]
    [InlineData("every monday, thursday at 08:00, school days, own zone, if missed ask")]
    [InlineData("3 days after enrolment at 08:00")]
    public void What_is_written_is_read_and_written_alike(string text) => Assert.Equal(text, ScheduleText.Parse(text).Value!.ToString());

    [Theory]
    [InlineData("  Every  Monday ,FRIDAY at 8:00", "every monday, friday at 08:00")]
    [InlineData("24 h before each session", "24h before each session")]
    [InlineData("120min before each session", "2h before each session")]
    [InlineData("at 2027-09-01 08:00, if missed send", "at 2027-09-01 08:00")]
    public void It_is_read_as_people_write(string text, string normal) => Assert.Equal(normal, ScheduleText.Parse(text).Value!.ToString());

    [Theory]
    [InlineData("")]
    [InlineData("tomorrow")]
    [InlineData("day 0 at 08:00")]
    [InlineData("day 3 at 25:00")]
    [InlineData("at 2027-02-30 08:00")]
    [InlineData("3 days before enrolment at 08:00")]
    [InlineData("every at 08:00")]
    [InlineData("every monday, someday at 08:00")]
    [InlineData("now, own zone")]
    [InlineData("24h before each session, school days")]
    [InlineData("day 3 at 08:00, gladly")]
    [InlineData("day 99999999999 at 08:00")]
    public void What_is_no_schedule_is_refused_with_what_can_be_written(string text) => Assert.False(ScheduleText.Parse(text).Ok);

    [Fact]
    public void Whatever_is_written_never_throws()
    {
        var random = new Random(7);
        string[] words = ["now", "at", "day", "every", "monday", ",", "before", "after", "each", "session", "end", "08:00", "2027-09-01", "3", "24h", "min", "school", "days", "", "é", "-1"];
        for (var i = 0; i < 20000; i++)
        {
            var text = string.Join(' ', Enumerable.Range(0, random.Next(9)).Select(_ => words[random.Next(words.Length)]));
            if (ScheduleText.Parse(text) is { Ok: true, Value: var read }) Assert.Equal(read, ScheduleText.Parse(read.ToString()).Value);
        }
    }
}
