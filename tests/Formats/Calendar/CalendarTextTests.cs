using System.Text;
using CbaMail.Calendar;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Formats.Calendar;

/// <summary>Calendars as text: lines, folds, parameters, escapes, and bounds.</summary>
public class CalendarTextTests
{
    private static CalendarComponent Read(string text)
    {
        Assert.True(CalendarText.TryRead(Encoding.UTF8.GetBytes(text), out var calendar, out var problem), problem);
        return calendar;
    }

    private static string Refused(string text)
    {
        Assert.False(CalendarText.TryRead(Encoding.UTF8.GetBytes(text), out _, out var problem));
        return problem;
    }

    [Fact]
    public void Folds_are_undone_even_inside_a_character()
    {
        var bytes = new List<byte>();
        bytes.AddRange("BEGIN:VCALENDAR\r\nSUMMARY:Пл"u8);
        bytes.AddRange([0xD0]);
        bytes.AddRange("\r\n "u8);
        bytes.AddRange([0xB0]);
        bytes.AddRange("н\r\n\tёрка\r\nEND:VCALENDAR\r\n"u8);
        Assert.True(CalendarText.TryRead([.. bytes], out var calendar, out _));
        Assert.Equal("Планёрка", calendar.Find("SUMMARY")!.Text);
    }

    [Fact]
    public void Parameters_are_read_in_quotes_in_lists_and_with_carets()
    {
        var attendee = Read("BEGIN:VCALENDAR\nattendee;cn=\"Petrova, Anna; \";DELEGATED-TO=\"mailto:a@x.org\",\"mailto:b@x.org\";X-A=one^ntwo^'^^:MAILTO:Anna%2Bx@example.org\nEND:VCALENDAR").Find("ATTENDEE")!;
        Assert.Equal("Petrova, Anna; ", attendee.Parameter("CN"));
        Assert.Equal(2, attendee.Parameters.Count(parameter => parameter.Key == "DELEGATED-TO"));
        Assert.Equal("one\ntwo\"^", attendee.Parameter("x-a"));
        Assert.Equal("Anna+x@example.org", attendee.Mailbox);
    }

    [Fact]
    public void What_is_written_reads_back_and_has_no_long_line()
    {
        var calendar = new CalendarComponent("VCALENDAR").With("SUMMARY", CalendarText.Escape("a;b,c\\d\nПланёрка " + new string('я', 200)));
        calendar.Properties.Add(new("ATTENDEE", [new("CN", "Иванов; \"Пётр\"")], "mailto:p@example.org"));
        var bytes = CalendarText.Write(calendar);
        Assert.All(Encoding.UTF8.GetString(bytes).Split("\r\n"), line => Assert.True(Encoding.UTF8.GetByteCount(line) <= 75));
        Assert.True(CalendarText.TryRead(bytes, out var back, out _));
        Assert.Equal("a;b,c\\d\nПланёрка " + new string('я', 200), back.Find("SUMMARY")!.Text);
        Assert.Equal("Иванов; \"Пётр\"", back.Find("ATTENDEE")!.Parameter("CN"));
    }

    [Fact]
    public void A_line_cannot_be_put_in_by_a_value() =>
        Assert.DoesNotContain("\nX-B", Encoding.UTF8.GetString(CalendarText.Write(new CalendarComponent("VCALENDAR").With("SUMMARY", "a\r\nX-B:c"))), StringComparison.Ordinal);

    [Fact]
    public void What_is_too_large_too_deep_or_broken_off_is_refused()
    {
        Assert.Contains("1 MB", Refused("BEGIN:VCALENDAR\n" + new string('x', CalendarText.MostBytes)), StringComparison.Ordinal);
        Assert.Contains("deep", Refused("BEGIN:VCALENDAR\n" + string.Concat(Enumerable.Repeat("BEGIN:VEVENT\n", 9))), StringComparison.Ordinal);
        Assert.Contains("components", Refused("BEGIN:VCALENDAR\n" + string.Concat(Enumerable.Repeat("BEGIN:VEVENT\nEND:VEVENT\n", 2001))), StringComparison.Ordinal);
        Assert.Contains("properties", Refused("BEGIN:VCALENDAR\n" + string.Concat(Enumerable.Repeat("X:y\n", 20_001))), StringComparison.Ordinal);
        Assert.Contains("breaks off", Refused("BEGIN:VCALENDAR\nVERSION:2.0\n"), StringComparison.Ordinal);
        Assert.Contains("no calendar", Refused("hello"), StringComparison.Ordinal);
        Assert.Contains("END", Refused("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR"), StringComparison.Ordinal);
    }

    [Fact]
    public void Anything_is_read_or_refused_and_what_was_read_can_be_written()
    {
        var right = Encoding.UTF8.GetBytes(EventSeriesTests.Outlook);
        for (var seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            var bytes = Mutation.Of(random, right, "\r\n\t ;:,=\"\\^TZ0-9"u8.ToArray());
            if (!CalendarText.TryRead(bytes, out var calendar, out _)) continue;
            Assert.True(CalendarText.TryRead(CalendarText.Write(calendar), out var again, out var problem), $"seed {seed}: {problem}");
            Assert.Equal(CalendarText.Write(calendar), CalendarText.Write(again));
            if (EventSeries.TryRead(calendar, TimeZoneInfo.Utc, out var series, out _)) Assert.InRange(series.Instances(new(2028, 1, 1, 0, 0, 0, default), out _).Count, 0, EventSeries.MostInstances + series.Single.Count);
        }
    }
}
