using System.Globalization;
using System.Text;
using CbaMail.Calendar;
using Xunit;

namespace CbaMail.Tests.Formats.Calendar;

/// <summary>Events and their instances, as the programs of people write them.</summary>
public class EventSeriesTests
{
    // a zone by Windows' name with its rules beside it, a weekly series, one instance moved
    internal const string Outlook = """
        BEGIN:VCALENDAR
        METHOD:REQUEST
        PRODID:Microsoft Exchange Server 2010
        VERSION:2.0
        BEGIN:VTIMEZONE
        TZID:W. Europe Standard Time
        BEGIN:STANDARD
        DTSTART:16010101T030000
        TZOFFSETFROM:+0200
        TZOFFSETTO:+0100
        RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
        END:STANDARD
        BEGIN:DAYLIGHT
        DTSTART:16010101T020000
        TZOFFSETFROM:+0100
        TZOFFSETTO:+0200
        RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
        END:DAYLIGHT
        END:VTIMEZONE
        BEGIN:VEVENT
        ORGANIZER;CN=Anna:mailto:anna@example.org
        ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=Room:mailto:room@example.org
        UID:040000008200E00074C5B7101A82E00800000000
        RRULE:FREQ=WEEKLY;COUNT=4;INTERVAL=1;BYDAY=MO;WKST=MO
        EXDATE;TZID=W. Europe Standard Time:20260330T100000
        SUMMARY;LANGUAGE=en-US:Weekly\, short
        DTSTART;TZID=W. Europe Standard Time:20260316T100000
        DTEND;TZID=W. Europe Standard Time:20260316T110000
        DTSTAMP:20260301T080000Z
        SEQUENCE:2
        END:VEVENT
        BEGIN:VEVENT
        UID:040000008200E00074C5B7101A82E00800000000
        RECURRENCE-ID;TZID=W. Europe Standard Time:20260406T100000
        DTSTART;TZID=W. Europe Standard Time:20260407T140000
        DTEND;TZID=W. Europe Standard Time:20260407T150000
        DTSTAMP:20260301T080000Z
        SEQUENCE:3
        END:VEVENT
        END:VCALENDAR
        """;

    private static readonly DateTimeOffset Horizon = new(2028, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static EventSeries Read(string text, string floating = "UTC")
    {
        Assert.True(CalendarText.TryRead(Encoding.UTF8.GetBytes(text), out var calendar, out var problem), problem);
        Assert.True(EventSeries.TryRead(calendar, TimeZoneInfo.FindSystemTimeZoneById(floating), out var series, out problem), problem);
        return series;
    }

    private static string Refused(string text)
    {
        Assert.True(CalendarText.TryRead(Encoding.UTF8.GetBytes(text), out var calendar, out var problem), problem);
        Assert.False(EventSeries.TryRead(calendar, TimeZoneInfo.Utc, out _, out problem));
        return problem;
    }

    private static string Event(string lines, string around = "") => $"BEGIN:VCALENDAR\n{around}BEGIN:VEVENT\nUID:one@example.org\nDTSTAMP:20260101T000000Z\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n";

    private static string Times(EventSeries series, int most = 100) => string.Join(' ', series.Instances(Horizon, out _).Take(most).Select(instance =>
        instance.Start.UtcDateTime.ToString("MMdd'T'HHmm", CultureInfo.InvariantCulture) + "-" + instance.End.UtcDateTime.ToString("MMdd'T'HHmm", CultureInfo.InvariantCulture)));

    [Fact]
    public void A_series_of_Outlook_keeps_its_hour_over_the_change_of_clocks_and_leaves_out_and_moves_single_ones()
    {
        var series = Read(Outlook);
        Assert.Equal("0316T0900-0316T1000 0323T0900-0323T1000 0407T1200-0407T1300", Times(series));
        Assert.Equal(("anna@example.org", 2, "Weekly, short"), (series.First.Organizer, series.First.Sequence, series.First.Summary));
        Assert.Equal(new DateTimeOffset(2026, 4, 6, 8, 0, 0, TimeSpan.Zero), series.Single[0].RecurrenceId!.Value.ToUniversalTime());
    }

    [Theory]
    [InlineData("Europe/Moscow", "0105T0600-0105T0700")]
    [InlineData("Russian Standard Time", "0105T0600-0105T0700")]
    [InlineData("/freeassociation.sourceforge.net/Europe/Moscow", "0105T0600-0105T0700")]
    [InlineData("America/New_York", "0105T1400-0105T1500")]
    [InlineData("Pacific Standard Time", "0105T1700-0105T1800")]
    public void A_zone_is_known_by_its_names(string zone, string times) => Assert.Equal(times, Times(Read(Event($"DTSTART;TZID=\"{zone}\":20260105T090000\nDURATION:PT1H"))));

    [Fact]
    public void A_zone_that_only_the_calendar_knows_goes_by_the_calendars_rules()
    {
        const string zone = "BEGIN:VTIMEZONE\nTZID:Our office\nBEGIN:STANDARD\nDTSTART:20071104T020000\nTZOFFSETFROM:-0400\nTZOFFSETTO:-0500\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\nEND:STANDARD\n" +
            "BEGIN:DAYLIGHT\nDTSTART:20070311T020000\nTZOFFSETFROM:-0500\nTZOFFSETTO:-0400\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU\nEND:DAYLIGHT\nEND:VTIMEZONE\n";
        Assert.Equal("0305T1400-0305T1500 0312T1300-0312T1400", Times(Read(Event("DTSTART;TZID=Our office:20260305T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=2", zone))));
        const string still = "BEGIN:VTIMEZONE\nTZID:Still\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0530\nTZOFFSETTO:+0530\nEND:STANDARD\nEND:VTIMEZONE\n";
        Assert.Equal("0305T0330-0305T0430", Times(Read(Event("DTSTART;TZID=Still:20260305T090000\nDURATION:PT1H", still))));
    }

    [Fact]
    public void An_unknown_zone_is_refused_and_never_a_path()
    {
        Assert.Contains("time zone", Refused(Event("DTSTART;TZID=Nowhere:20260105T090000\nDURATION:PT1H")), StringComparison.Ordinal);
        Assert.Contains("time zone", Refused(Event("DTSTART;TZID=../../../etc/localtime:20260105T090000\nDURATION:PT1H")), StringComparison.Ordinal);
    }

    [Fact]
    public void Whole_days_are_days_of_the_zone_of_the_reader()
    {
        Assert.Equal("0328T2300-0329T2200", Times(Read(Event("DTSTART;VALUE=DATE:20260329"), "Europe/Berlin")));
        Assert.Equal("0328T2300-0330T2200", Times(Read(Event("DTSTART;VALUE=DATE:20260329\nDTEND;VALUE=DATE:20260331"), "Europe/Berlin")));
        Assert.Equal("0328T2300-0329T2200 0329T2200-0330T2200", Times(Read(Event("DTSTART;VALUE=DATE:20260329\nRRULE:FREQ=DAILY;COUNT=2"), "Europe/Berlin")));
    }

    [Fact]
    public void An_hour_that_comes_twice_is_the_first_and_one_that_is_leapt_over_counts_by_the_offset_before() // RFC 5545 3.3.5
    {
        Assert.Equal("1101T0530-1101T0600", Times(Read(Event("DTSTART;TZID=America/New_York:20261101T013000\nDURATION:PT30M"))));
        Assert.Equal("0308T0730-0308T0800", Times(Read(Event("DTSTART;TZID=America/New_York:20260308T023000\nDURATION:PT30M"))));
    }

    [Fact]
    public void Days_of_a_duration_are_days_of_the_clock_and_hours_are_hours() // RFC 5545 3.3.6
    {
        Assert.Equal("0328T0900-0329T0800", Times(Read(Event("DTSTART;TZID=Europe/Berlin:20260328T100000\nDURATION:P1D"))));
        Assert.Equal("0328T0900-0329T0700", Times(Read(Event("DTSTART;TZID=Europe/Berlin:20260328T100000\nDURATION:PT22H"))));
    }

    [Fact]
    public void Further_dates_come_in_and_excepted_ones_go()
    {
        Assert.Equal("0105T0900-0105T1000 0107T0900-0107T1000 0120T0900-0120T1000",
            Times(Read(Event("DTSTART:20260105T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20260106T090000Z\nRDATE:20260120T090000Z,20260105T090000Z"))));
        Assert.Equal("0105T0900-0105T1000", Times(Read(Event("DTSTART:20260105T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2\nEXDATE;VALUE=DATE:20260106"))));
    }

    [Fact]
    public void An_end_in_UTC_counts_in_the_zone_of_the_start() =>
        Assert.Equal("0105T2000-0105T2100 0106T2000-0106T2100", Times(Read(Event("DTSTART;TZID=Europe/Moscow:20260105T230000\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20260106T200000Z"))));

    [Fact]
    public void A_series_without_end_stops_at_the_bound()
    {
        Assert.Equal(EventSeries.MostInstances, Read(Event("DTSTART:20200101T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY")).Instances(Horizon, out var more).Count);
        Assert.True(more);
        Assert.Equal(105, Read(Event("DTSTART:20260101T090000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY")).Instances(Horizon, out more).Count);
        Assert.False(more);
    }

    [Fact]
    public void A_cancelled_instance_is_left_out()
    {
        var text = Outlook.Replace("SEQUENCE:3", "SEQUENCE:3\nSTATUS:CANCELLED", StringComparison.Ordinal);
        Assert.Equal("0316T0900-0316T1000 0323T0900-0323T1000", Times(Read(text)));
    }

    [Theory]
    [InlineData("SUMMARY:x", "start")]
    [InlineData("DTSTART:2026", "start")]
    [InlineData("DTSTART:20260105T090000Z\nDTEND:20260105T080000Z", "before")]
    [InlineData("DTSTART:20260105T090000Z\nDURATION:-PT1H", "duration")]
    [InlineData("DTSTART:20260105T090000Z\nRRULE:FREQ=SECONDLY", "FREQ=SECONDLY")]
    [InlineData("DTSTART:20260105T090000Z\nRRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY", "more than one")]
    [InlineData("DTSTART:20260105T090000Z\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260105T090000Z", "single instance")]
    public void What_cannot_be_understood_is_refused_with_the_reason(string lines, string words) => Assert.Contains(words, Refused(Event(lines)), StringComparison.Ordinal);
}
