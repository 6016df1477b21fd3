using System.Text;
using CbaMail.Calendar;
using Xunit;

namespace CbaMail.Tests.Formats.Calendar;

/// <summary>Scheduling messages: what is asked, what is answered.</summary>
public class InvitationTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    private static Invitation Read(string text)
    {
        Assert.True(Invitation.TryRead(Encoding.UTF8.GetBytes(text), TimeZoneInfo.Utc, null, out var invitation, out var problem), problem);
        return invitation;
    }

    [Fact]
    public void The_method_is_read_and_without_one_nothing_is_asked()
    {
        Assert.Equal(SchedulingMethod.Request, Read(EventSeriesTests.Outlook).Method);
        Assert.Equal(SchedulingMethod.Cancel, Read(EventSeriesTests.Outlook.Replace("METHOD:REQUEST", "METHOD:CANCEL", StringComparison.Ordinal)).Method);
        Assert.Equal(SchedulingMethod.Other, Read(EventSeriesTests.Outlook.Replace("METHOD:REQUEST", "X-A:b", StringComparison.Ordinal)).Method);
    }

    [Fact]
    public void An_answer_names_the_event_each_single_instance_the_organizer_and_one_attendee()
    {
        var bytes = Read(EventSeriesTests.Outlook).Answer(address => address.Equals("room@example.org", StringComparison.OrdinalIgnoreCase), "room@example.org", "RESOURCE", "Большая переговорная", one => one.RecurrenceId is null ? Participation.Accepted : Participation.Declined, "One day is taken; the others are yours", Now);
        Assert.True(CalendarText.TryRead(bytes, out var reply, out var problem), problem);
        Assert.Equal("REPLY", reply.Find("METHOD")!.Value);
        var events = reply.Inside("VEVENT").ToList();
        Assert.Equal(["ACCEPTED", "DECLINED"], events.Select(one => one.Find("ATTENDEE")!.Parameter("PARTSTAT")));
        Assert.All(events, one =>
        {
            Assert.Single(one.All("ATTENDEE"));
            Assert.Equal("room@example.org", one.Find("ATTENDEE")!.Mailbox);
            Assert.Equal("20260302T090000Z", one.Find("DTSTAMP")!.Value);
            Assert.Equal("040000008200E00074C5B7101A82E00800000000", one.Find("UID")!.Value);
            Assert.Equal("One day is taken; the others are yours", one.Find("COMMENT")!.Text);
        });
        Assert.Equal("anna@example.org", events[0].Find("ORGANIZER")!.Mailbox);
        Assert.Equal(("2", "3"), (events[0].Find("SEQUENCE")!.Value, events[1].Find("SEQUENCE")!.Value));
        Assert.Null(events[0].Find("RRULE")); // the rule is the organizer's
        // the zones that it names are there, so that the answer reads as what was asked
        Assert.Equal(Read(EventSeriesTests.Outlook).Series.Single[0].RecurrenceId, Read(Encoding.UTF8.GetString(bytes)).Series.Single[0].RecurrenceId);
    }

    [Fact]
    public void The_same_again_is_not_later() // RFC 5546 2.1.5
    {
        var known = Read(EventSeriesTests.Outlook).Series.Whole!;
        Assert.False(Invitation.IsLater(known, known.Sequence, known.Stamp));
        Assert.True(Invitation.IsLater(known, known.Sequence, known.Stamp.AddSeconds(-1)));
        Assert.True(Invitation.IsLater(known, known.Sequence - 1, known.Stamp.AddDays(1)));
        Assert.False(Invitation.IsLater(known, known.Sequence + 1, known.Stamp.AddDays(-1)));
    }

    [Fact]
    public void Who_is_invited_stands_among_the_attendees()
    {
        var invitation = Read(EventSeriesTests.Outlook);
        Assert.True(invitation.Invites(address => address.Equals("ROOM@example.org", StringComparison.OrdinalIgnoreCase)));
        Assert.False(invitation.Invites(address => address == "anna@example.org"));
    }

    [Fact]
    public void Periods_that_touch_are_told_as_one_and_end_with_the_range()
    {
        var text = Encoding.UTF8.GetString(Invitation.FreeBusy("room@example.org", Now, Now.AddHours(8),
            [(Now.AddHours(2), Now.AddHours(3)), (Now.AddHours(-1), Now.AddHours(1)), (Now.AddHours(3), Now.AddHours(4)), (Now.AddHours(7), Now.AddHours(9)), (Now.AddHours(20), Now.AddHours(21))], Now));
        Assert.Equal(["FREEBUSY;FBTYPE=BUSY:20260302T090000Z/20260302T100000Z", "FREEBUSY;FBTYPE=BUSY:20260302T110000Z/20260302T130000Z", "FREEBUSY;FBTYPE=BUSY:20260302T160000Z/20260302T170000Z"],
            text.Split("\r\n").Where(line => line.StartsWith("FREEBUSY", StringComparison.Ordinal)));
    }
}
