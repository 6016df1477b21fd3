using CbaMail.Courses;
using CbaMail.Mailings;
using CbaMail.Mailings.Schedules;
using CbaMail.Tests.Wire;
using Xunit;
using static CbaMail.Tests.Server.Mailings.MailingFixture;

namespace CbaMail.Tests.Server.Mailings.Schedules;

public sealed class TimetableTests : IAsyncDisposable
{
    readonly ManualTime clock = new(new DateTimeOffset(2027, 8, 1, 12, 0, 0, TimeSpan.Zero));
    readonly MailingFixture fixture;

    public TimetableTests() => fixture = new(clock: clock);

    public ValueTask DisposeAsync() => fixture.DisposeAsync();

    async Task<(Course Course, long Mailing)> ScheduledAsync(string rule, int people = 3, string? starts = "2027-09-01", string? ends = "2027-12-17")
    {
        var course = await fixture.CourseAsync(people);
        await MoveAsync(course, new RunWish(Starts: starts, Ends: ends, Zone: "Europe/Berlin"));
        var mailing = await fixture.MailingAsync(course);
        Assert.Null(await fixture.Timetable.SetAsync(mailing, rule, null, default));
        Assert.Equal(MailingState.Scheduled, fixture.State(mailing));
        return (course, mailing);
    }

    async Task MoveAsync(Course course, RunWish wish) => Ok(await fixture.Runs.ChangeAsync(course, Ok(fixture.Runs.Find(course, Run.DefaultSlug)), wish, default));

    async Task AtAsync(string instant)
    {
        clock.Advance(DateTimeOffset.Parse(instant) - clock.GetUtcNow());
        await LookAsync();
    }

    async Task LookAsync()
    {
        await fixture.Timetable.WakeAsync(default);
        await fixture.Run.RunAllAsync(default);
    }

    [Fact]
    public async Task It_goes_out_when_it_is_due_and_once()
    {
        var (_, mailing) = await ScheduledAsync("day 1 at 08:00");
        Assert.Equal(DateTimeOffset.Parse("2027-09-01T06:00Z"), await fixture.Timetable.WakeAsync(default));
        await AtAsync("2027-09-01T05:59Z");
        Assert.Equal(0, fixture.Counts(mailing).Total);
        await AtAsync("2027-09-01T06:00Z");
        Assert.Equal((MailingState.Sent, 3), (fixture.State(mailing), fixture.Counts(mailing).Delivered));
        clock.Advance(TimeSpan.FromDays(-2)); // a clock that is set back
        await LookAsync();
        await AtAsync("2027-09-02T06:00Z");
        Assert.Equal(3, fixture.Counts(mailing).Total);
    }

    [Fact]
    public async Task A_run_that_moves_takes_it_along()
    {
        var (course, mailing) = await ScheduledAsync("day 1 at 08:00");
        await MoveAsync(course, new RunWish(Starts: "2027-09-08"));
        await AtAsync("2027-09-01T06:00Z");
        Assert.Equal(0, fixture.Counts(mailing).Total);
        await AtAsync("2027-09-08T06:00Z");
        Assert.Equal(3, fixture.Counts(mailing).Delivered);
        await MoveAsync(course, new RunWish(Starts: "2027-09-15"));
        await AtAsync("2027-09-15T06:00Z");
        Assert.Equal(3, fixture.Counts(mailing).Total);
    }

    [Fact]
    public async Task Who_comes_later_catches_up_where_it_says_so()
    {
        var (course, mailing) = await ScheduledAsync("day 1 at 08:00, catch up");
        await AtAsync("2027-09-01T06:00Z");
        Assert.Equal(MailingState.Scheduled, fixture.State(mailing));
        await AtAsync("2027-09-05T10:00Z");
        Assert.Equal(3, fixture.Counts(mailing).Total);
        Ok(await fixture.Courses.ImportAsync(course.Slug, "address,name,group\nu1@example.test,A,1\nu2@example.test,B,1\nu3@example.test,C,1\nlate@else.test,D,1\n"u8.ToArray(), default));
        await LookAsync();
        Assert.Equal((4, 1), (fixture.Counts(mailing).Total, fixture.Counts(mailing).Queued));
        await AtAsync("2027-12-18T10:00Z");
        Assert.Equal(MailingState.Sent, fixture.State(mailing));
    }

    [Fact]
    public async Task What_was_missed_is_sent_or_skipped_or_asked_for()
    {
        var (_, mailing) = await ScheduledAsync("day 1 at 08:00, if missed ask");
        var course = Ok(fixture.Press.CourseOf(mailing));
        var (skipped, sent) = (await fixture.MailingAsync(course), await fixture.MailingAsync(course));
        Assert.Null(await fixture.Timetable.SetAsync(skipped, "day 1 at 08:00, if missed skip", null, default));
        Assert.Null(await fixture.Timetable.SetAsync(sent, "day 1 at 08:00", null, default));
        await AtAsync("2027-09-01T06:16Z");
        Assert.Equal((MailingState.Sent, 3), (fixture.State(skipped), fixture.Counts(skipped).Skipped));
        Assert.Equal((MailingState.Sent, 3), (fixture.State(sent), fixture.Counts(sent).Delivered));
        Assert.NotNull(fixture.Timetable.Of(mailing)!.Asked);
        await LookAsync();
        Assert.Equal((MailingState.Scheduled, 0), (fixture.State(mailing), fixture.Counts(mailing).Total));
        Assert.Null(await fixture.Timetable.AnswerAsync(mailing, Missed.Send, default));
        await LookAsync();
        Assert.Equal((MailingState.Sent, 3), (fixture.State(mailing), fixture.Counts(mailing).Delivered));
    }

    [Fact]
    public async Task It_reaches_those_alone_who_have_not_done_what_it_asks_for()
    {
        var (course, mailing) = await ScheduledAsync("day 1 at 08:00");
        await AtAsync("2027-09-01T06:00Z");
        var again = await fixture.MailingAsync(course);
        Assert.Contains("--track-opens", (await fixture.Timetable.SetAsync(again, $"day 3 at 08:00, if not opened mailing {mailing}", null, default))!.Sentence);
        Assert.Null(await fixture.Timetable.SetAsync(again, $"day 3 at 08:00, if not replied mailing {mailing}", null, default));
        Assert.Equal(3, Ok(fixture.Timetable.Look(again)).People);
        await fixture.Store.CommitAsync(write => { CbaMail.Mailings.Tracking.LedgerEventTable.SetReplied(write, fixture.Ledger(mailing)[1].Id, clock.GetUtcNow()); return true; }, default);
        await AtAsync("2027-09-03T06:00Z");
        Assert.Equal(["u1@example.test", "u3@example.test"], fixture.Ledger(again).Select(row => row.Address));
        Assert.Equal(MailingState.Sent, fixture.State(again));
    }

    [Fact]
    public async Task At_a_time_it_is_checked_as_when_it_is_sent()
    {
        var course = await fixture.CourseAsync(3, more: "u9@example.test,Никто,1\n");
        var mailing = await fixture.MailingAsync(course);
        Assert.Contains("1 of 4 participants", (await fixture.Timetable.SendAtAsync(mailing, "2027-09-01T08:00Z", false, default)).Outcome.Refusal!.Sentence);
        Assert.NotNull((await fixture.Timetable.SendAtAsync(mailing, "tomorrow", true, default)).Outcome.Refusal);
        Assert.Equal(MailingState.Draft, fixture.State(mailing));
        var (outcome, at) = await fixture.Timetable.SendAtAsync(mailing, "2027-09-01T08:00Z", true, default);
        Assert.Equal((null, 3, 1, DateTimeOffset.Parse("2027-09-01T08:00Z")), (outcome.Refusal, outcome.Sending, outcome.Skipped, at));
        await AtAsync("2027-09-01T08:00Z");
        Assert.Equal((MailingState.Sent, 3, 1), (fixture.State(mailing), fixture.Counts(mailing).Delivered, fixture.Counts(mailing).Skipped));
    }

    [Fact]
    public async Task Each_reader_gets_it_at_the_hour_of_his_own_zone()
    {
        var course = await fixture.CourseAsync(2);
        await MoveAsync(course, new RunWish(Starts: "2027-09-01", Ends: "2027-12-17", Zone: "Europe/Berlin"));
        Ok(await fixture.Enrolments.PutAsync(course, Ok(fixture.Runs.Find(course, Run.DefaultSlug)), "u2@example.test", new(Zone: "Asia/Omsk"), default));
        var mailing = await fixture.MailingAsync(course);
        Assert.Null(await fixture.Timetable.SetAsync(mailing, "day 1 at 08:00, own zone", null, default));
        await AtAsync("2027-09-01T02:00Z");
        Assert.Equal(["u2@example.test"], fixture.Ledger(mailing).Select(row => row.Address));
        Assert.Equal(MailingState.Scheduled, fixture.State(mailing));
        await AtAsync("2027-09-01T06:00Z");
        Assert.Equal((2, 2), (fixture.Counts(mailing).Total, fixture.Counts(mailing).Delivered));
        await AtAsync("2027-09-01T21:00Z");
        Assert.Equal(MailingState.Sent, fixture.State(mailing));
    }

    [Fact]
    public async Task What_is_to_come_is_told_with_what_was_made_for_it()
    {
        var (course, mailing) = await ScheduledAsync("every monday 08:00 while active", starts: "2027-10-25", ends: "2027-11-07");
        var view = Assert.Single(fixture.Timetable.Coming(course.Id));
        Assert.Equal(("every monday at 08:00", DateTimeOffset.Parse("2027-10-25T06:00Z"), 3), (view.Schedule, view.Next, view.People));
        await AtAsync("2027-10-25T06:00Z");
        var after = Ok(fixture.Timetable.Look(mailing)).Occasions;
        Assert.Equal(["sent", "coming"], after.Select(one => one.State));
        Assert.NotNull(after[0].Mailing);
        Assert.False(fixture.Timetable.Look(mailing, "day 0 at 08:00", null).Ok);
        Assert.Null(await fixture.Timetable.SetAsync(mailing, "none", null, default));
        Assert.Equal(MailingState.Draft, fixture.State(mailing));
        Assert.Empty(fixture.Timetable.Coming(null));
    }

    [Fact]
    public async Task A_repeating_one_brings_forth_a_mailing_each_time_over_the_change_of_clocks_and_restarts()
    {
        var (course, mailing) = await ScheduledAsync("every monday at 08:00", starts: "2027-10-25", ends: "2027-11-07");
        await AtAsync("2027-10-25T06:00Z"); // summer time until the 31st
        Assert.Equal(2, fixture.Press.List(course.Id).Count);
        await fixture.RestartAsync();
        await AtAsync("2027-11-01T06:59Z");
        Assert.Equal(2, fixture.Press.List(course.Id).Count);
        await AtAsync("2027-11-01T07:00Z");
        await LookAsync();
        var children = fixture.Press.List(course.Id).Where(pair => pair.Mailing.Id != mailing).ToList();
        Assert.Equal(2, children.Count);
        Assert.All(children, pair => Assert.Equal((MailingState.Sent, 3), (pair.Mailing.State, fixture.Counts(pair.Mailing.Id).Delivered)));
        await AtAsync("2027-11-08T07:00Z");
        Assert.Equal(MailingState.Sent, fixture.State(mailing));
    }

    [Fact]
    public async Task A_crash_after_people_are_due_neither_skips_nor_repeats_them()
    {
        var (_, mailing) = await ScheduledAsync("day 1 at 08:00", people: 20);
        clock.Advance(DateTimeOffset.Parse("2027-09-01T06:00Z") - clock.GetUtcNow());
        await fixture.Timetable.WakeAsync(default);
        Assert.Equal((MailingState.Sending, 20), (fixture.State(mailing), fixture.Counts(mailing).Rendered));
        await fixture.RestartAsync();
        await LookAsync();
        Assert.Equal((MailingState.Sent, 20), (fixture.State(mailing), fixture.Counts(mailing).Delivered));
        Assert.Single(fixture.Inbox("u7@example.test"));
    }
}
