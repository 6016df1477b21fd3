using System.Text;
using CbaMail.Delivery;
using CbaMail.Envelope;
using CbaMail.Lists;
using CbaMail.Reports;
using CbaMail.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using Office = CbaMail.Tests.Server.Smtp.Server.PostOffice;

namespace CbaMail.Tests.Server.Lists;

/// <summary>A server with a list of two: Ivan, who is its owner, and Eva elsewhere.</summary>
public abstract class ListOffice : IAsyncLifetime
{
    protected const string Club = "club@example.test", Ivan = "ivan@example.test", Eva = "eva@elsewhere.test";
    internal readonly Office office = new();
    internal ListBook book = null!;
    internal ManualTime time = null!;
    internal ListBounces bounces = null!;
    internal ListArchive archive = null!;
    internal ListDigests digests = null!;
    internal ListLetters letters = null!;
    internal ListPosts posts = null!;
    internal ListCommands commands = null!;
    internal LocalDelivery delivery = null!;
    internal MailList club = null!;

    public async ValueTask InitializeAsync()
    {
        await office.InitializeAsync();
        time = new ManualTime(DateTimeOffset.UtcNow);
        book = new ListBook(office.Store, office.Directory, office.Mail, time);
        letters = new ListLetters(office.Mail, office.Queue, office.Settings, time);
        posts = new ListPosts(office.Store, office.Mail, office.Queue, office.Directory, book, new ListTokens(office.Store), letters, office.Settings, NullLogger<ListPosts>.Instance, archive: archive = new ListArchive(office.Store, office.Mail, book));
        commands = new ListCommands(office.Store, office.Directory, book, posts, letters, office.Mail, NullLogger<ListCommands>.Instance);
        bounces = new ListBounces(office.Store, book, letters, new ListTokens(office.Store), office.Queue, NullLogger<ListBounces>.Instance);
        digests = new ListDigests(office.Store, office.Mail, book, posts, office.Settings);
        delivery = new LocalDelivery(office.Store, office.Mail, office.Queue, office.Directory, TimeProvider.System, NullLogger<LocalDelivery>.Instance, office.Settings, lists: new ListDoor(book, posts, commands, office.Directory, bounces));
        club = (await book.AddAsync(Club, new ListProfile { Name = "Club", Prefix = "[Club]", Footer = "Chess on Fridays", Owners = [Ivan] })).Value!;
        await book.JoinAsync(club, [(Ivan, ""), (Eva, "Eva")], "normal");
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return office.DisposeAsync();
    }

    /// <summary>The newest letter in the queue for somebody, as it will be sent.</summary>
    internal string Letter(string to)
    {
        using var reader = office.Mail.Read();
        using var row = reader.Transaction.Prepare("SELECT m.content_id FROM queue_message m JOIN queue_recipient r ON r.message_id = m.id WHERE r.address = ? ORDER BY m.id DESC LIMIT 1").Bind(1, to);
        Assert.True(row.Step(), "nothing is queued for " + to);
        var content = reader.Content(row.Int64(0))!;
        return Encoding.UTF8.GetString(content.Read(0, (int)content.Size));
    }

    internal DeliveryOrder Order(string from, string to = Club, string header = "", string body = "Hello\r\n", string id = "one@x", bool proven = true) => new()
    {
        ReversePath = Office.Address(from),
        Recipients = [new(Office.Address(to), office.Directory.Resolve(Office.Address(to)).Value!)],
        Message = Encoding.UTF8.GetBytes($"From: {from}\r\nTo: {to}\r\nSubject: Hi\r\nMessage-ID: <{id}>\r\n{header}\r\n{body}"),
        Author = from.EndsWith("@example.test", StringComparison.Ordinal) ? office.Directory.FindAccount(Office.Address(from))!.Id : null,
        Proven = proven ? new ProvenSender(Office.Address(from).DomainKey, Signed: true) : null,
        Id = "t1",
    };

    internal async Task<Refusal?> SendAsync(DeliveryOrder order) => (await delivery.DeliverAsync(order, default))[0];

    internal IReadOnlyList<string> Queued() => [.. office.Queue.List().SelectMany(entry => entry.Recipients).Select(recipient => recipient.Address)];

    internal string Text(string like)
    {
        using var read = office.Store.Read();
        return read.Prepare("SELECT sender FROM queue_message WHERE sender LIKE ?").Bind(1, like) is var row && row.Step() ? row.String(0) : "";
    }
}
