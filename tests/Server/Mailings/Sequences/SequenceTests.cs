using CbaMail.Courses;
using CbaMail.Mailings;
using CbaMail.Mailings.Sequences;
using CbaMail.Mailings.Tracking;
using CbaMail.Tests.Wire;
using Xunit;
using static CbaMail.Tests.Server.Mailings.MailingFixture;

namespace CbaMail.Tests.Server.Mailings.Sequences;

public sealed class SequenceTests : IAsyncDisposable
{
    readonly ManualTime clock = new(new DateTimeOffset(2027, 9, 1, 6, 0, 0, TimeSpan.Zero));
    readonly MailingFixture fixture;
    Course course = null!;

    public SequenceTests() => fixture = new(clock: clock);

    public ValueTask DisposeAsync() => fixture.DisposeAsync();

    SequenceBook Book => new(fixture.Store, fixture.Press, clock);

    async Task<long[]> DraftsAsync(int count, int people = 3)
    {
        course = await fixture.CourseAsync(people);
        Ok(await fixture.Runs.ChangeAsync(course, Ok(fixture.Runs.Find(course, Run.DefaultSlug)), new RunWish(Starts: "2027-09-01", Ends: "2027-12-17", Zone: "Europe/Berlin"), default));
        var drafts = new long[count];
        for (var i = 0; i < count; i++) drafts[i] = await fixture.MailingAsync(course);
        return drafts;
    }

    async Task<SequenceView> AddAsync(params string[] steps) => Ok(await Book.AddAsync(course, "Начало", null, null, steps, default));

    async Task<DateTimeOffset?> LookAsync(TimeSpan later = default)
    {
        clock.Advance(later);
        var next = await new SequenceRun(fixture.Store, fixture.Press, fixture.Queue, clock).WakeAsync(default);
        await fixture.Run.RunAllAsync(default);
        return next;
    }

    string[] Got(long mailing) => [.. fixture.Ledger(mailing).Select(row => $"{row.Address[..row.Address.IndexOf('@')]} {LedgerTable.Word(row.State)}")];

    [Fact]
    public async Task Each_goes_through_its_steps_at_his_own_time_and_once()
    {
        var drafts = await DraftsAsync(2);
        var sequence = await AddAsync($"mailing {drafts[0]}", $"mailing {drafts[1]}, after 2 days at 08:00");
        Assert.Equal(DateTimeOffset.Parse("2027-09-03T06:00Z"), await LookAsync());
        Assert.Equal(["u1 delivered", "u2 delivered", "u3 delivered"], Got(drafts[0]));
        Ok(await fixture.Courses.ImportAsync(course.Slug, "address,name,group\nu1@example.test,A,1\nu2@example.test,B,1\nu3@example.test,C,1\nlate@else.test,D,1\n"u8.ToArray(), default));
        await LookAsync(TimeSpan.FromDays(1));
        Assert.Equal(["u1 delivered", "u2 delivered", "u3 delivered", "late queued"], Got(drafts[0]));
        Assert.Empty(Got(drafts[1]));
        await LookAsync(TimeSpan.FromDays(1));
        await fixture.RestartAsync();
        await LookAsync(TimeSpan.FromDays(-10)); // a clock that is set back
        await LookAsync(TimeSpan.FromDays(10));
        Assert.Equal(["u1 delivered", "u2 delivered", "u3 delivered"], Got(drafts[1]));
        await LookAsync(TimeSpan.FromDays(1));
        Assert.Equal(["u1 delivered", "u2 delivered", "u3 delivered", "late queued"], Got(drafts[1]));
        Assert.Equal((0, 4), (Ok(Book.Show(course, sequence.Id)).Active, Ok(Book.Show(course, sequence.Id)).Done));
        Assert.Equal(MailingState.Scheduled, fixture.State(drafts[1]));
        await LookAsync(TimeSpan.FromDays(120));
        Assert.Equal("ended", Ok(Book.Show(course, sequence.Id)).State);
        Assert.Equal(MailingState.Sent, fixture.State(drafts[1]));
    }

    [Fact]
    public async Task Ways_part_by_what_people_did_and_what_is_known_of_them()
    {
        var drafts = await DraftsAsync(3);
        await AddAsync($"mailing {drafts[0]}", $"mailing {drafts[1]}, after 1 day, if replied step 1, else step 3", $"mailing {drafts[2]}, if in group Б-2, else stop");
        await LookAsync();
        await fixture.Store.CommitAsync(write => { LedgerEventTable.SetReplied(write, fixture.Ledger(drafts[0])[0].Id, clock.GetUtcNow()); return true; }, default);
        await LookAsync(TimeSpan.FromDays(1));
        Assert.Equal(["u1 delivered", "u2 skipped", "u3 skipped"], Got(drafts[1]));
        Assert.Equal(["u1 skipped", "u2 delivered", "u3 skipped"], Got(drafts[2]));
        Assert.Contains("replied step 1", fixture.Ledger(drafts[1])[1].Reply);
    }

    [Fact]
    public async Task All_or_one_may_be_paused_and_steps_skipped()
    {
        var drafts = await DraftsAsync(3);
        var id = (await AddAsync($"mailing {drafts[0]}", $"mailing {drafts[1]}, after 1 day", $"mailing {drafts[2]}, after 1 day")).Id;
        Assert.Null(await Book.PauseAsync(course, id, null, default));
        await LookAsync();
        Assert.Empty(Got(drafts[0]));
        Assert.Null(await Book.ResumeAsync(course, id, null, default));
        await LookAsync();
        Assert.Null(await Book.PauseAsync(course, id, "u1@example.test", default));
        Assert.NotNull(await Book.PauseAsync(course, id, "u9@example.test", default));
        Assert.Null(await Book.SkipPersonAsync(course, id, "u2@example.test", default));
        Assert.Null(await Book.SkipStepAsync(course, id, 3, default));
        Assert.NotNull(await Book.SkipStepAsync(course, id, 4, default));
        await LookAsync(TimeSpan.FromDays(1));
        await LookAsync(TimeSpan.FromDays(1));
        Assert.Equal(["u2 skipped", "u3 delivered"], Got(drafts[1]));
        Assert.Equal(["u2 skipped", "u3 skipped"], Got(drafts[2]).Order());
        Assert.Null(await Book.ResumeAsync(course, id, "u1@example.test", default));
        await LookAsync();
        Assert.Contains("u1 delivered", Got(drafts[1]));
        Assert.Null(await Book.EndAsync(course, id, default));
        Assert.NotNull(await Book.EndAsync(course, id, default));
        Assert.All(drafts, draft => Assert.NotEqual(MailingState.Scheduled, fixture.State(draft)));
    }

    [Fact]
    public async Task What_cannot_be_is_refused()
    {
        var drafts = await DraftsAsync(2);
        foreach (var wrong in (string[][])[[], ["mailing 99"], ["nothing"], [$"mailing {drafts[0]}, after 3 hours at 08:00"], [$"mailing {drafts[0]}, else stop"], [$"mailing {drafts[0]}, if opened step 1"],
            [$"mailing {drafts[0]}", $"mailing {drafts[0]}"], [$"mailing {drafts[0]}", $"mailing {drafts[1]}, if opened step 1"], [$"mailing {drafts[0]}, if in group A, else step 1"]])
            Assert.False((await Book.AddAsync(course, "x", null, null, wrong, default)).Ok, string.Join("; ", wrong));
        await AddAsync($"mailing {drafts[0]}");
        Assert.False((await Book.AddAsync(course, "x", null, null, [$"mailing {drafts[0]}"], default)).Ok);
        Assert.NotNull(await fixture.Timetable.SetAsync(drafts[0], "none", null, default));
        Assert.Equal(MailingState.Draft, fixture.State(drafts[1]));
    }
}
