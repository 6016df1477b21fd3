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
    LocalDelivery delivery = null!;

    public async ValueTask InitializeAsync()
    {
        await office.InitializeAsync();
        book = new ResourceBook(office.Store, office.Directory, TimeProvider.System);
        Assert.True((await book.AddAsync(Hall, new ResourceProfile())).Ok);
        var bookings = new Bookings(office.Store, office.Directory, book, TimeProvider.System, office.Settings);
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

    long Count(string table)
    {
        using var read = office.Store.Read();
        return read.Prepare("SELECT count(*) FROM " + table).Scalar() ?? 0;
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
}
