using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Mailings;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Mailings;

/// <summary>Copies wait for the end of quiet hours by their reader's clock, and for another day where he has had enough; mandatory ones do not.</summary>
public sealed class SendingHoursTests
{
    static DateTimeOffset Utc(int day, int hour, int minute = 0) => new(2026, 3, day, hour, minute, 0, TimeSpan.Zero);

    static async Task<(MailingFixture House, ManualTime Time, Course Course)> OpenAsync(MailingSettings settings, DateTimeOffset now)
    {
        var time = new ManualTime(now);
        var house = new MailingFixture(clock: time, mailings: settings with { Piece = 2 });
        var course = await house.CourseAsync(4, columns: "group,zone", fields: i => $"г,{(i % 2 == 0 ? "Asia/Vladivostok" : "Europe/Moscow")}"); // UTC+10, UTC+3
        return (house, time, course);
    }

    static async Task<long> SendAsync(MailingFixture house, Course course, MailingClass kind)
    {
        var id = MailingFixture.Ok(await house.Press.CreateAsync(new(course.Slug, "school@example.test", "Тема", "<p>{{name}}</p>", null, [], Class: kind), default)).Id;
        await house.SendAsync(id);
        await house.Run.RunAllAsync(default);
        return id;
    }

    [Theory]
    [InlineData("21:00-08:00", 2, 22, 0, "Europe/Moscow", 3, 5)]     // 01:00 there, until 08:00 that is 05:00 UTC
    [InlineData("21:00-08:00", 2, 18, 0, "Europe/Moscow", 3, 5)]     // 21:00 sharp
    [InlineData("21:00-08:00", 2, 5, 0, "Europe/Moscow", 0, 0)]      // 08:00 sharp
    [InlineData("21:00-08:00", 2, 12, 0, "Europe/Moscow", 0, 0)]
    [InlineData("12:00-14:00", 2, 13, 30, "UTC", 2, 14)]
    [InlineData("21:00-02:30", 28, 23, 0, "Europe/Berlin", 29, 1)]   // 02:30 is left out that night: 03:00 summer time
    public void Quiet_hours_end_by_the_readers_clock(string hours, int day, int hour, int minute, string zone, int endDay, int endHour)
    {
        Assert.True(QuietHours.TryParse(hours, out var quiet));
        Assert.Equal(endDay == 0 ? null : Utc(endDay, endHour), quiet!.EndOf(Utc(day, hour, minute), TimeZoneInfo.FindSystemTimeZoneById(zone)));
    }

    [Theory]
    [InlineData("21-08"), InlineData("21:00"), InlineData("25:00-08:00"), InlineData("21:00-21:00"), InlineData("soon")]
    public void What_are_no_hours_is_refused(string text)
    {
        Assert.False(QuietHours.TryParse(text, out _));
        Assert.Contains("quiet-course", ((IChecked)new MailingSettings { QuietCourse = text }).Problem());
        Assert.Null(((IChecked)new MailingSettings { QuietCourse = "22:30-07:00" }).Problem());
    }

    [Fact]
    public async Task Each_reader_gets_his_copy_when_his_night_is_over()
    {
        // 20:00 UTC: 23:00 in Moscow, 06:00 in Vladivostok
        var (house, time, course) = await OpenAsync(new() { QuietCourse = "22:00-08:00" }, Utc(2, 20));
        await using var _ = house;
        var mailing = await SendAsync(house, course, MailingClass.Course);
        Assert.Equal((4, 0), (house.Counts(mailing).Rendered, house.Counts(mailing).Delivered));
        Assert.Equal(MailingState.Sending, house.State(mailing));
        Assert.Contains("waits until 2026-03-03 08:00 +03:00: quiet hours", house.Ledger(mailing)[0].Reply);
        using (var read = house.Store.Read()) Assert.Equal(Utc(2, 22), LedgerTable.Next(read, time.GetUtcNow()));
        time.Advance(TimeSpan.FromHours(2)); // 08:00 in Vladivostok
        await house.Run.RunAllAsync(default);
        Assert.Equal(["u2@example.test", "u4@example.test"], house.Ledger(mailing).Where(row => row.State == LedgerState.Delivered).Select(row => row.Address));
        await house.RestartAsync();
        await house.Run.RunAllAsync(default);
        Assert.Equal(2, house.Counts(mailing).Rendered);
        time.Advance(TimeSpan.FromHours(7));
        await house.Run.RunAllAsync(default);
        Assert.Equal((4, MailingState.Sent), (house.Counts(mailing).Delivered, house.State(mailing)));
        for (var i = 1; i <= 4; i++) Assert.Single(house.Inbox($"u{i}@example.test"));
    }

    [Fact]
    public async Task A_mandatory_mailing_waits_for_nothing_and_another_overtakes_who_sleeps()
    {
        var (house, _, course) = await OpenAsync(new() { QuietCourse = "00:00-23:59", DailyCourse = 1 }, Utc(2, 10));
        await using var __ = house;
        var waiting = await SendAsync(house, course, MailingClass.Course);
        Assert.Equal(4, house.Counts(waiting).Rendered);
        Assert.Equal(4, house.Counts(await SendAsync(house, course, MailingClass.Mandatory)).Delivered);
        Assert.Equal(4, house.Counts(await SendAsync(house, course, MailingClass.Optional)).Delivered);
        Assert.Null(await house.Press.CancelAsync(waiting, default));
        Assert.Equal(4, house.Counts(waiting).Skipped);
    }

    [Fact]
    public async Task Nobody_gets_more_of_a_class_in_a_day_than_he_is_to_have()
    {
        var (house, time, course) = await OpenAsync(new() { DailyOptional = 2, QuietOptional = "22:00-07:00" }, Utc(2, 9)); // 12:00 and 19:00
        await using var _ = house;
        Assert.Equal(4, house.Counts(await SendAsync(house, course, MailingClass.Optional)).Delivered);
        Assert.Equal(4, house.Counts(await SendAsync(house, course, MailingClass.Optional)).Delivered);
        var third = await SendAsync(house, course, MailingClass.Optional);
        Assert.Equal(4, house.Counts(third).Rendered);
        Assert.Equal(4, house.Counts(await SendAsync(house, course, MailingClass.Course)).Delivered); // another class
        time.Advance(TimeSpan.FromHours(5)); // midnight in Vladivostok, and quiet
        await house.Run.RunAllAsync(default);
        Assert.Equal(0, house.Counts(third).Delivered);
        time.Advance(TimeSpan.FromHours(7));
        await house.Run.RunAllAsync(default);
        Assert.Equal(["u2@example.test", "u4@example.test"], house.Ledger(third).Where(row => row.State == LedgerState.Delivered).Select(row => row.Address));
        time.Advance(TimeSpan.FromHours(7));
        await house.Run.RunAllAsync(default);
        Assert.Equal((4, MailingState.Sent), (house.Counts(third).Delivered, house.State(third)));
    }

    [Fact]
    public async Task The_run_wakes_by_itself_when_an_hour_has_come()
    {
        var (house, time, course) = await OpenAsync(new() { QuietCourse = "22:00-08:00" }, Utc(2, 20));
        await using var _ = house;
        await house.Run.StartAsync(default);
        var id = MailingFixture.Ok(await house.Press.CreateAsync(new(course.Slug, "school@example.test", "Тема", "<p>{{name}}</p>", null, []), default)).Id;
        await house.SendAsync(id);
        await Wait.UntilAsync(() => house.Ledger(id).All(row => row.Reply.StartsWith("waits until", StringComparison.Ordinal)) && time.Waiting > 0, "all wait");
        for (var i = 0; i < 30 && house.State(id) != MailingState.Sent; i++)
        {
            var before = house.Counts(id).Delivered;
            time.Advance(TimeSpan.FromHours(1));
            await Wait.UntilAsync(() => time.Waiting > 0 || house.State(id) == MailingState.Sent, "it looks again");
            Assert.True(house.Counts(id).Delivered >= before);
        }
        await Wait.UntilAsync(() => house.State(id) == MailingState.Sent, "all have it");
        await house.Run.StopAsync(default);
    }
}
