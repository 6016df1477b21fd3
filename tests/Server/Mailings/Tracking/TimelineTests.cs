using CbaMail.Envelope;
using CbaMail.Mailings;
using CbaMail.Mailings.Tracking;
using CbaMail.Text;
using Xunit;

namespace CbaMail.Tests.Server.Mailings.Tracking;

/// <summary>A person's time line says what was sent to him and what came of it, for as long as the ledger does.</summary>
public sealed class TimelineTests
{
    [Fact]
    public async Task All_that_came_of_copies_stands_in_it_in_order()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(1, more: "far@else.test,Даль,г\n");
        var mailing = await house.MailingAsync(course);
        await house.SendAsync(mailing);
        await house.Run.RunAllAsync(default);
        var row = house.Ledger(mailing).Single(one => one.Address == "far@else.test");
        var now = DateTimeOffset.UtcNow;
        await house.Store.CommitAsync(write =>
        {
            Ledger.RecordRemote(write, row.Id, LedgerState.Deferred, "451 4.7.1 Later", "mx.else.test [192.0.2.1]", null, now.AddMinutes(1));
            Ledger.RecordRemote(write, row.Id, LedgerState.Delivered, "250 2.0.0 Ok: queued as 7", "mx.else.test [192.0.2.1]", "TLSv1.3", now.AddMinutes(10));
            LedgerEventTable.Add(write, row.Id, "opened", "", "Firefox", null, now.AddMinutes(20));
            LedgerEventTable.Add(write, row.Id, "clicked", "https://a.example/", "x", "it calls itself x", now.AddMinutes(21));
            Ledger.RecordLate(write, row.Id, "550 5.1.1 No such user", "dead", now.AddMinutes(30));
            CopyTable.MarkComplaint(write, house.Ledger(mailing)[0].Id, "complained", now.AddMinutes(2));
            return true;
        }, default);
        await house.Press.Consents.SetAsync(house.Press.Consents.Find(row.Id)!, wanted: false, "page", default);
        var made = MailingFixture.Ok(new Timelines(house.Store, house.Press, TimeProvider.System).Of(course, "FAR@else.test"));
        Assert.Equal(["queued", "unsubscribed", "deferred", "delivered", "opened", "clicked", "bounced"], made.Entries.Select(entry => entry.What));
        Assert.Equal(["", "course, page", "451 4.7.1 Later", "250 2.0.0 Ok: queued as 7", "", "https://a.example/", "550 5.1.1 No such user"], made.Entries.Select(entry => entry.Told));
        Assert.All(made.Entries.Where(entry => entry.What != "unsubscribed"), entry => Assert.Equal("Для Даль", entry.Subject));
        Assert.Equal("it calls itself x", made.Entries[5].Program);
        Assert.Equal("dead", made.Entries[6].Class);
        var near = MailingFixture.Ok(new Timelines(house.Store, house.Press, TimeProvider.System).Of(course, "u1@example.test"));
        Assert.Equal([("delivered", "250 2.0.0 Stored in the mailbox"), ("complained", "complained")], near.Entries.Select(entry => (entry.What, entry.Told)));
        // who has left is still told of
        Assert.Null(await house.Courses.RemoveParticipantAsync(course.Slug, "far@else.test", default));
        Assert.Equal(7, MailingFixture.Ok(new Timelines(house.Store, house.Press, TimeProvider.System).Of(course, "far@else.test")).Entries.Count);
        Assert.Equal(Refusal.NoSuchUser.Status, new Timelines(house.Store, house.Press, TimeProvider.System).Of(course, "nobody@else.test").Refusal!.Status);
        var table = CsvTable.Parse(System.Text.Encoding.UTF8.GetBytes(TimelineFiles.Csv(made)), out _)!;
        Assert.Equal(7, table.Rows.Count);
        Assert.Equal("250 2.0.0 Ok: queued as 7", table.Rows[3].Fields[4]);
    }

    [Fact]
    public async Task Removing_a_course_takes_what_is_known_of_copies_with_it()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(1);
        var mailing = await house.MailingAsync(course);
        await house.SendAsync(mailing);
        await house.Run.RunAllAsync(default);
        var row = house.Ledger(mailing)[0].Id;
        await house.Store.CommitAsync(write => { LedgerEventTable.Add(write, row, "opened", "", "x", null, DateTimeOffset.UtcNow); return true; }, default);
        Assert.Null(await house.Courses.RemoveWithMailingsAsync(course.Slug, default));
        using var read = house.Store.Read();
        Assert.Empty(LedgerEventTable.Of(read, row));
    }
}
