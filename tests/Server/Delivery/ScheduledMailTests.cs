using System.Text;
using CbaMail.Config;
using CbaMail.Correspondents;
using CbaMail.Delivery;
using CbaMail.Delivery.Remote;
using CbaMail.Directory;
using CbaMail.Queue;
using CbaMail.Smtp.Client;
using CbaMail.Submission;
using CbaMail.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Delivery;

/// <summary>Mail that is to wait (RFC 4865), that has a deadline (RFC 2852), and what an account may send in a day.</summary>
public class ScheduledMailTests
{
    static LocalDelivery Delivery(PostOffice office, SendLimits? limits = null) =>
        new(office.Store, office.Mail, office.Queue, office.Directory, office.Clock, NullLogger<LocalDelivery>.Instance, office.Settings, null, limits);

    static DeliveryOrder Order(PostOffice office, string to, DateTimeOffset? release = null) => new()
    {
        ReversePath = PostOffice.Address("anna@example.test"),
        Message = Encoding.UTF8.GetBytes(PostOffice.Text),
        Id = "t-1",
        ReleaseAt = release,
        Door = "192.0.2.7\tme.test\tanna@example.test\tESMTPSA",
        Author = office.Directory.FindAccount(PostOffice.Address("anna@example.test"))!.Id,
        Recipients = [.. to.Split(' ').Select(text => PostOffice.Address(text)).Select(address => new DeliveryRecipient(address,
            office.Directory.IsLocal(address) ? office.Directory.Resolve(address).Value! : [new Target(null, null, address)]))],
    };

    [Fact]
    public async Task Mail_for_mailboxes_here_waits_in_the_queue_and_is_placed_when_its_time_has_come()
    {
        await using var office = await PostOffice.OpenAsync(new QueueSettings(), start: false);
        var queue = new MailQueue(office.Store, office.Mail, office.Clock, office.Settings, office.Directory);
        var local = new LocalDelivery(office.Store, office.Mail, queue, office.Directory, office.Clock, NullLogger<LocalDelivery>.Instance, office.Settings);
        using var workers = new RemoteDelivery(queue, office.Mail, office.Dns, new BounceDelivery(office.Mail, queue, office.Directory, office.Settings, office.Clock), office.Settings, office.Clock,
            NullLogger<RemoteDelivery>.Instance, local, office.Directory);
        Assert.Null((await local.DeliverAsync(Order(office, "anna@example.test", office.Time.GetUtcNow().AddDays(3)), default))[0]);
        Assert.Empty(office.Inbox());
        Assert.Equal("scheduled", Assert.Single(queue.List()).Recipients[0].State);
        await workers.StartAsync(default);
        for (var i = 0; i < 73 && queue.Counts().Messages > 0; i++)
        {
            office.Time.Advance(TimeSpan.FromHours(1));
            await Task.Yield();
            if (i < 71) Assert.Empty(office.Inbox());
        }
        await Wait.UntilAsync(() =>
        {
            office.Time.Advance(TimeSpan.FromMinutes(1));
            return queue.Counts().Messages == 0;
        }, "it is placed");
        Assert.Single(office.Inbox());
        var trace = await new TraceSearch(office.Store, queue).FindAsync(new TraceQuestion(MessageId: "1@example.test"), 10);
        Assert.Contains(trace, message => message.From is { Address: "192.0.2.7", Hello: "me.test", Account: "anna@example.test" } && message.Recipients[0].State == "delivered");
        await workers.StopAsync(default);
    }

    [Fact]
    public async Task What_waited_and_finds_a_full_mailbox_is_not_counted_as_delivered()
    {
        await using var office = await PostOffice.OpenAsync(new QueueSettings(), start: false);
        await office.Directory.AddAccountAsync(new NewAccount("full@example.test", Quota: 10));
        var queue = new MailQueue(office.Store, office.Mail, office.Clock, office.Settings, office.Directory);
        var local = new LocalDelivery(office.Store, office.Mail, queue, office.Directory, office.Clock, NullLogger<LocalDelivery>.Instance, office.Settings);
        using var workers = new RemoteDelivery(queue, office.Mail, office.Dns, new BounceDelivery(office.Mail, queue, office.Directory, office.Settings, office.Clock), office.Settings, office.Clock,
            NullLogger<RemoteDelivery>.Instance, local, office.Directory);
        Assert.Null((await local.DeliverAsync(Order(office, "full@example.test", office.Time.GetUtcNow().AddDays(1)), default))[0]);
        await workers.StartAsync(default);
        await Wait.UntilAsync(() =>
        {
            office.Time.Advance(TimeSpan.FromHours(1));
            return office.Inbox().Count > 0;
        }, "its sender is told");
        Assert.Contains(".2.2", office.Inbox()[0]);
        await workers.StopAsync(default);
    }

    [Fact]
    public async Task The_trace_tells_what_was_placed_queued_and_refused()
    {
        await using var office = await PostOffice.OpenAsync(new QueueSettings(), start: false);
        await Delivery(office).DeliverAsync(Order(office, "anna@example.test ivan@peer.test"), default);
        office.Queue.Trail.Note(new TrailEntry(TrailKind.Refused, "t-2", null, "spam@x.test", "nobody@example.test\trefused 550 5.1.1 No such mailbox here", 0, null, "192.0.2.9\tx.test\t\tESMTP", "550 5.1.1 No such mailbox here"));
        var search = new TraceSearch(office.Store, office.Queue);
        var all = await search.FindAsync(new TraceQuestion(), 10);
        Assert.Equal(["t-2", "t-1"], all.Select(message => message.Arrival).OrderDescending());
        var mine = Assert.Single(await search.FindAsync(new TraceQuestion(Recipient: "ivan@peer.test"), 10));
        Assert.Equal([("anna@example.test", "mailbox"), ("ivan@peer.test", "waiting")], mine.Recipients.Select(recipient => (recipient.Address, recipient.State)));
        Assert.Equal("refused", Assert.Single(Assert.Single(await search.FindAsync(new TraceQuestion(Text: "192.0.2.9"), 10)).Recipients).State);
        Assert.Empty(await search.FindAsync(new TraceQuestion(Until: office.Time.GetUtcNow().AddHours(-1)), 10));
        Assert.Equal(mine.QueueId, Assert.Single(await search.FindAsync(new TraceQuestion(QueueId: mine.QueueId), 10)).QueueId);
        office.Time.Advance(TimeSpan.FromDays(8));
        await office.Queue.Trail.PruneAsync(default);
        Assert.Single(await search.FindAsync(new TraceQuestion(), 10)); // what waits is still there
    }

    [Fact]
    public async Task A_day_has_so_many_messages_and_new_recipients_and_the_refusal_says_when_it_ends()
    {
        await using var office = await PostOffice.OpenAsync(new QueueSettings(), start: false);
        var settings = office.Settings with { Smtp = new SmtpSettings { MessagesPerDay = 3, RecipientsPerDay = 100, NewRecipientsPerDay = 2 } };
        var book = new CorrespondentBook(office.Store, office.Directory, office.Clock);
        SendLimits New() => new(office.Store, book, office.Directory, settings, office.Clock);
        var limits = New();
        var anna = office.Directory.FindAccount(PostOffice.Address("anna@example.test"))!;
        for (var i = 0; i < 2; i++)
        {
            Assert.Null(limits.CheckMessage(anna));
            await Delivery(office, limits).DeliverAsync(Order(office, $"new{i}@peer.test"), default);
        }
        Assert.True(book.IsKnown(anna.Id, PostOffice.Address("new0@peer.test")));
        Assert.False(limits.IsFresh(anna, PostOffice.Address("new0@peer.test")));
        Assert.Null(limits.CheckRecipient(anna, 0, 0, isFresh: false));
        var refusal = limits.CheckRecipient(anna, 0, 0, isFresh: true)!;
        Assert.Equal((450, "4.7.1"), (refusal.SmtpCode, refusal.Status));
        Assert.Equal("anna@example.test has reached its limit of 2 new recipients in 24 hours; sending goes on at 2026-03-03 09:00 UTC", refusal.Sentence);
        await Delivery(office, limits).DeliverAsync(Order(office, "new0@peer.test"), default);
        Assert.NotNull(limits.CheckMessage(anna));
        limits = New(); // after a restart
        Assert.NotNull(limits.CheckMessage(anna));
        office.Time.Advance(TimeSpan.FromHours(24));
        Assert.Null(limits.CheckMessage(anna));
        Assert.Null(limits.CheckRecipient(anna, 0, 0, isFresh: true));
        Assert.NotNull(limits.CheckRecipient(anna, 200, 0, isFresh: false));
    }

    static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    static RecipientOutcome After(DeliverBy by, ClientReply reply) => Outcomes.Of(
        new QueueClaim("peer.test", new QueuedMessage(1, PostOffice.Address("anna@example.test"), 1, 1, null, null, false, false, MailClass.Interactive, Now.AddHours(-1), Now.AddDays(5)) { By = by },
            [new QueuedRecipient(1, 0, PostOffice.Address("a@peer.test"), "peer.test", null, null, null, 0, false)]),
        [reply], "mx", null, Now, new QueueSettings { RetryJitter = 0 }, () => 0.5)[0];

    [Fact]
    public void What_is_to_be_there_by_a_time_is_returned_then()
    {
        var busy = new ClientReply(451, "4.3.0", "busy");
        Assert.Equal(Now.AddSeconds(20), After(new DeliverBy(Now.AddSeconds(20), Return: true, Trace: false), busy).NextAttempt);
        var late = After(new DeliverBy(Now.AddSeconds(-1), Return: true, Trace: false), busy);
        Assert.Equal((OutcomeState.Bounced, "5.4.7"), (late.State, late.Status));
        var told = After(new DeliverBy(Now.AddSeconds(-1), Return: false, Trace: false), busy);
        Assert.Equal((OutcomeState.Deferred, true), (told.State, told.TellDelay));
        Assert.False(After(new DeliverBy(Now.AddHours(1), Return: false, Trace: false), busy).TellDelay);
    }
}
