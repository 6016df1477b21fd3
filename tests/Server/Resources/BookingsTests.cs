using System.Globalization;
using System.Text;
using CbaMail.Delivery;
using CbaMail.Envelope;
using CbaMail.Reports;
using CbaMail.Resources;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using Office = CbaMail.Tests.Server.Smtp.Server.PostOffice;

namespace CbaMail.Tests.Server.Resources;

/// <summary>What becomes of a message to a resource: what is answered 250 is booked and told, and what is not leaves nothing.</summary>
public sealed class BookingsTests : IAsyncLifetime
{
    const string Hall = "hall@example.test";
    readonly Office office = new();
    ResourceBook book = null!;
    Bookings bookings = null!;
    LocalDelivery delivery = null!;

    public async ValueTask InitializeAsync()
    {
        await office.InitializeAsync();
        book = new ResourceBook(office.Store, office.Directory, TimeProvider.System);
        Assert.True((await book.AddAsync(Hall, new ResourceProfile())).Ok);
        bookings = new Bookings(office.Store, office.Directory, book, TimeProvider.System, office.Settings);
        delivery = new LocalDelivery(office.Store, office.Mail, office.Queue, office.Directory, TimeProvider.System, NullLogger<LocalDelivery>.Instance, office.Settings, bookings: bookings);
    }

    public ValueTask DisposeAsync() => office.DisposeAsync();

    static string Event(string uid, string organizer, int hour, string method = "REQUEST")
    {
        var start = DateTime.UtcNow.Date.AddDays(7).AddHours(hour);
        string At(DateTime time) => time.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        return $"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nMETHOD:{method}\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nORGANIZER:mailto:{organizer}\r\n"
            + $"ATTENDEE:mailto:{Hall}\r\nDTSTART:{At(start)}\r\nDTEND:{At(start.AddHours(1))}\r\nSUMMARY:Lesson\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    }

    DeliveryOrder Order(string from, string calendar) => new()
    {
        ReversePath = Office.Address(from),
        Recipients = [new(Office.Address(Hall), office.Directory.Resolve(Office.Address(Hall)).Value!)],
        Message = Encoding.UTF8.GetBytes($"From: {from}\r\nTo: {Hall}\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar; charset=utf-8; method=REQUEST\r\n\r\n{calendar}"),
        Author = from.EndsWith("@example.test", StringComparison.Ordinal) ? office.Directory.FindAccount(Office.Address(from))!.Id : null,
        Proven = new ProvenSender(Office.Address(from).DomainKey, Signed: true),
    };

    async Task<Refusal?> SendAsync(DeliveryOrder order) => (await delivery.DeliverAsync(order, default))[0];

    long Count(string table) => Scalar("SELECT count(*) FROM " + table);

    long Scalar(string sql)
    {
        using var read = office.Store.Read();
        return read.Prepare(sql).Scalar() ?? 0;
    }

    [Fact]
    public async Task An_invitation_whose_answer_has_no_place_is_refused_and_books_nothing()
    {
        Assert.Equal(Refusal.OverQuota.Status, (await SendAsync(Order("full@example.test", Event("one", "full@example.test", 9))))?.Status);
        Assert.Equal(0, Count("booking") + Count("booking_time"));
        Assert.Null(await SendAsync(Order("ivan@example.test", Event("two", "ivan@example.test", 9)))); // it is free still
        Assert.Equal((1, 1), (Count("booking"), office.Inbox("ivan").Count(letter => letter.Contains("Accepted", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task Junk_and_what_comes_from_no_sender_is_refused()
    {
        var order = Order("ivan@example.test", Event("one", "ivan@example.test", 9));
        Assert.Equal("5.7.1", (await SendAsync(order with { Junk = true }))?.Status);
        Assert.Equal("5.7.1", (await SendAsync(order with { ReversePath = null }))?.Status);
        Assert.Equal(0, Count("booking"));
    }

    [Fact]
    public async Task Strangers_who_are_declined_leave_nothing()
    {
        for (var i = 0; i < 3; i++) Assert.Null(await SendAsync(Order("eve@elsewhere.test", Event("no" + i, "eve@elsewhere.test", 9))));
        Assert.Equal((0, 3), (Count("booking"), Count("queue_message"))); // each is answered
    }

    [Fact]
    public async Task Of_an_invitation_only_what_answers_need_is_kept_and_what_is_over_is_forgotten()
    {
        var large = Event("one", "ivan@example.test", 9).Replace("SUMMARY", "DESCRIPTION:" + string.Join("\r\n ", Enumerable.Repeat(new string('x', 70), 1000)) + "\r\nATTACH:https://example.test/x\r\nSUMMARY", StringComparison.Ordinal);
        Assert.Null(await SendAsync(Order("ivan@example.test", large)));
        Assert.Null(await SendAsync(Order("ivan@example.test", Event("two", "ivan@example.test", 10))));
        Assert.InRange(Scalar("SELECT max(length(request)) FROM booking"), 100, 600);
        await office.Store.CommitAsync(write => write.Prepare("UPDATE booking SET ends = ? WHERE uid = 'one'").Bind(1, DateTimeOffset.UtcNow - Bookings.KeptOver + TimeSpan.FromDays(1)).Run());
        await bookings.PruneAsync(default);
        Assert.Equal((2, 1), (Count("booking"), Scalar("SELECT count(*) FROM booking WHERE request IS NULL"))); // nothing is answered to it any more
        await office.Store.CommitAsync(write => write.Prepare("UPDATE booking SET ends = ? WHERE uid = 'one'").Bind(1, DateTimeOffset.UtcNow - Bookings.KeptOver - TimeSpan.FromDays(1)).Run());
        await bookings.PruneAsync(default);
        Assert.Equal((1, 1), (Count("booking"), Count("booking_time")));
    }

    [Fact]
    public async Task What_takes_no_time_or_lies_in_thousands_of_years_is_not_kept_for_long_nor_whole()
    {
        var ivan = "ivan@example.test";
        Assert.Null(await SendAsync(Order(ivan, Event("free", ivan, 9).Replace("SUMMARY", "TRANSP:TRANSPARENT\r\nSUMMARY", StringComparison.Ordinal))));
        Assert.Equal((1, 0), (Count("booking"), Scalar("SELECT count(*) FROM booking WHERE request IS NOT NULL")));
        var far = Event("far", ivan, 9, "CANCEL");
        far = string.Join("\r\n", far.Split("\r\n").Select(line => line.StartsWith("DT", StringComparison.Ordinal) && !line.StartsWith("DTSTAMP", StringComparison.Ordinal) ? line[..line.IndexOf(':', StringComparison.Ordinal)] + (line.StartsWith("DTEND", StringComparison.Ordinal) ? ":89990101T100000Z" : ":89990101T090000Z") : line));
        Assert.Null(await SendAsync(Order(ivan, far)));
        Assert.Equal(2, Count("booking"));
        Assert.InRange(Scalar("SELECT max(ends) FROM booking"), 1, DateTimeOffset.UtcNow.AddDays(ResourceProfile.MostDaysAhead).ToUnixTimeMilliseconds());
    }

    [Fact]
    public async Task Owners_are_told_in_the_commit_that_holds_the_time()
    {
        var hall = book.Find(Office.Address(Hall))!;
        Assert.True((await book.SetAsync(hall, new ResourceProfile { Owners = ["anna@example.test", "far@elsewhere.test"], Approval = true })).Ok);
        Assert.Equal(Refusal.OverQuota.Status, (await SendAsync(Order("full@example.test", Event("none", "full@example.test", 9))))?.Status);
        Assert.Equal((0, 0), (Count("booking"), Count("queue_message"))); // who holds nothing asks nobody
        Assert.Null(await SendAsync(Order("ivan@example.test", Event("one", "ivan@example.test", 9))));
        Assert.Equal((1, 2), (Count("booking"), Count("queue_message")));
        Assert.Null(await SendAsync(Order("ivan@example.test", Event("one", "ivan@example.test", 9)))); // the same again is answered, and asks nobody
        Assert.Equal((1, 2, 2), (Count("booking"), Count("queue_message"), office.Inbox("ivan").Count));
    }

    [Fact]
    public async Task A_cancellation_of_what_nobody_has_leaves_nothing_of_those_who_may_not_book()
    {
        Assert.Null(await SendAsync(Order("eve@elsewhere.test", Event("early", "eve@elsewhere.test", 9, "CANCEL"))));
        Assert.Equal(0, Count("booking"));
        // it has overtaken its invitation
        Assert.Null(await SendAsync(Order("ivan@example.test", Event("late", "ivan@example.test", 9, "CANCEL"))));
        Assert.Null(await SendAsync(Order("ivan@example.test", Event("late", "ivan@example.test", 9))));
        Assert.Equal((1, 0), (Count("booking"), Count("booking_time")));
    }

    [Fact]
    public async Task Who_has_another_address_stays_owner_and_keeps_his_bookings()
    {
        Assert.True((await book.SetAsync(book.Find(Office.Address(Hall))!, new ResourceProfile { Owners = ["ivan@example.test"], Bookers = ["ivan@example.test"] })).Ok);
        Assert.Null(await SendAsync(Order("ivan@example.test", Event("one", "ivan@example.test", 9))));
        Assert.True((await office.Directory.RenameAsync(office.Account("ivan"), "i@example.test", keepAlias: false)).Ok);
        var profile = book.Find(Office.Address(Hall))!.Profile;
        Assert.Equal(["i@example.test", "i@example.test"], profile.Owners!.Concat(profile.Bookers!));
        Assert.Null(await SendAsync(Order("i@example.test", Event("one", "i@example.test", 9, "CANCEL"))));
        Assert.Equal(0, Count("booking_time"));
    }
}
