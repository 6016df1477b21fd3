using System.Globalization;
using CbaMail.Calendar;
using Xunit;

namespace CbaMail.Tests.Formats.Calendar;

/// <summary>Rules of recurrence, against the times that another reader makes of them (Vectors/calendar/recurrences.txt).</summary>
public class RecurrenceRuleTests
{
    private static IEnumerable<DateTime> Times(string start, string rule, int most)
    {
        Assert.True(RecurrenceRule.TryParse(rule, out var read, out var problem), rule + ": " + problem);
        Assert.True(CalendarTime.TryParse(start, null, out var time));
        return read.From(time.Local, read.Until?.Local).Take(most);
    }

    [Fact]
    public void Rules_make_the_times_that_another_reader_makes()
    {
        var lines = File.ReadAllLines(Path.Combine(House.Repository.Root, "tests/Vectors/calendar/recurrences.txt")).Where(line => !line.StartsWith('#')).ToList();
        Assert.True(lines.Count > 400);
        Assert.All(lines, line =>
        {
            var words = line.Split(' ');
            var expected = words[2].Split(',');
            Assert.Equal(expected, Times(words[0], words[1], expected.Length).Select(time => time.ToString("yyyyMMdd", CultureInfo.InvariantCulture)));
        });
    }

    [Fact]
    public void Positions_of_a_week_count_from_its_own_beginning_in_the_first_one_too() => // RFC 5545 3.3.10
        Assert.Equal("0327 0414 0417", string.Join(' ', Times("20240327T093000", "FREQ=WEEKLY;INTERVAL=3;BYDAY=SU,WE,TH;BYSETPOS=1,2;WKST=SU", 3).Select(time => time.ToString("MMdd", CultureInfo.InvariantCulture))));

    [Theory]
    [InlineData("FREQ=DAILY;COUNT=3", 3)]
    [InlineData("FREQ=DAILY;UNTIL=20260105T090000", 5)]
    [InlineData("FREQ=DAILY;COUNT=1", 1)]
    [InlineData("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", 1)] // the start counts, and nothing ever follows
    public void A_rule_comes_to_its_end(string rule, int count) => Assert.Equal(count, Times("20260101T090000", rule, 1000).Count());

    [Theory]
    [InlineData("")]
    [InlineData("COUNT=3")]
    [InlineData("FREQ=HOURLY")]
    [InlineData("FREQ=DAILY;INTERVAL=0")]
    [InlineData("FREQ=DAILY;BYHOUR=9")]
    [InlineData("FREQ=YEARLY;BYWEEKNO=20")]
    [InlineData("FREQ=WEEKLY;BYDAY=XX")]
    [InlineData("FREQ=MONTHLY;BYMONTHDAY=32")]
    [InlineData("FREQ=MONTHLY;BYDAY=54MO")]
    public void What_is_not_understood_is_said_and_not_guessed(string rule)
    {
        Assert.False(RecurrenceRule.TryParse(rule, out _, out var problem));
        Assert.NotEmpty(problem);
    }
}
