using System.Text;
using CbaMail.Delivery;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Inbound;
using CbaMail.Inbound.Checks;
using CbaMail.Mailings;
using CbaMail.Queue;
using CbaMail.Tests.Server.Mailings;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Delivery;

/// <summary>A copy of a mailing leaves, is taken, and comes back days later.</summary>
public sealed class BounceIntakeTests : IAsyncDisposable
{
    readonly MailingFixture house = new();

    public ValueTask DisposeAsync() => house.DisposeAsync();

    static MailAddress Address(string text) => MailAddress.TryParse(text, out var address) ? address : throw new ArgumentException(text);

    async Task<(long Mailing, QueueClaim Claim)> SendAsync()
    {
        var course = await house.CourseAsync(1, "r1@elsewhere.test,R,A\n");
        await house.Users.AddAccountAsync(new NewAccount("school@example.test"));
        var id = await house.MailingAsync(course);
        await house.SendAsync(id);
        await house.Run.RunAllAsync(default);
        return (id, house.Queue.Claim("elsewhere.test", fresh: true)!);
    }

    ValueTask<int> SettleAsync(QueueClaim claim, OutcomeState state, string reply) => house.Store.CommitAsync(transaction =>
        house.Queue.Settle(transaction, claim, [new(claim.Recipients[0], state, reply, "", "mx.elsewhere.test[192.0.2.1]:25", null, house.Queue.Now)]));

    LocalDelivery Delivery => new(house.Store, house.Mail, house.Queue, house.Users, TimeProvider.System, NullLogger<LocalDelivery>.Instance, house.Settings,
        new BounceIntake(house.Store, house.Queue, house.Users, house.Press, TimeProvider.System, NullLogger<BounceIntake>.Instance));

    async Task<Refusal?> ArriveAsync(MailAddress to, string text, MailAddress? from = null)
    {
        var arrival = new Arrival { Session = "s", Remote = System.Net.IPAddress.Loopback, Protocol = CbaMail.Config.Protocol.Smtp, Asked = new ArrivalRecipient(to) };
        if (await new RecipientCheck(house.Users, house.Queue.Bounces).AskAsync(arrival, default) is { } refusal) return refusal;
        var recipient = new DeliveryRecipient(to, arrival.Asked.Targets) { Bounce = arrival.Asked.Bounce };
        return (await Delivery.DeliverAsync(new DeliveryOrder { ReversePath = from, Recipients = [recipient], Message = Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\r\n")), Id = "t-1" }, default))[0];
    }

    const string Qmail = """
        From: MAILER-DAEMON@mail.elsewhere.test
        Subject: failure notice

        Hi. This is the qmail-send program at mail.elsewhere.test.

        <forwarded@third.test>:
        REASON

        --- Below this line is a copy of the message.

        Subject: x
        """;

    [Fact]
    public async Task A_late_bounce_is_tied_to_its_copy_and_stands_in_the_ledger_with_its_reason()
    {
        var (id, claim) = await SendAsync();
        var back = claim.Message.ReversePath!;
        Assert.StartsWith("bounce+", back.LocalPart, StringComparison.Ordinal);
        Assert.Equal("example.test", back.Domain);
        await SettleAsync(claim, OutcomeState.Delivered, "250 2.0.0 taken");
        Assert.Null(await ArriveAsync(back, Qmail.Replace("REASON", "The users mailfolder is over the allowed quota (size). (#5.2.2)")));
        var row = house.Ledger(id)[1];
        Assert.Equal((LedgerState.Bounced, "full"), (row.State, row.Class));
        Assert.Equal(1, house.Counts(id).Bounced);
        Assert.Null(house.Queue.Suppressions.Find(Address("r1@elsewhere.test")));
        var trace = await new MessageTrace(house.Store, new TraceSearch(house.Store, house.Queue)).FindAsync(new TraceQuestion(Recipient: "r1@elsewhere.test"), 10);
        Assert.Contains(trace, message => message.Mailing == id && message.Recipients[0].Cause == "full");
    }

    [Fact]
    public async Task A_refusal_at_once_stands_there_with_its_reason_too_and_nobody_gets_a_notice()
    {
        var (id, claim) = await SendAsync();
        var outcome = new RecipientOutcome(claim.Recipients[0], OutcomeState.Bounced, "550 5.1.1 no such user", "5.1.1", "mx", null, house.Queue.Now);
        Assert.Empty(CbaMail.Delivery.Remote.Outcomes.Tell(claim.Message, [outcome], passedOn: false).Failed);
        await SettleAsync(claim, OutcomeState.Bounced, "550 5.1.1 no such user");
        Assert.Equal((LedgerState.Bounced, "dead"), (house.Ledger(id)[1].State, house.Ledger(id)[1].Class));
    }

    [Theory]
    [InlineData("Subject: Out of office\nAuto-Submitted: auto-replied\n\nI am away\n")]
    [InlineData("From: r1@elsewhere.test\nSubject: Re: news\n\nThank you!\n")]
    public async Task What_is_no_bounce_is_passed_on_to_who_sent_the_mailing(string text)
    {
        var (id, claim) = await SendAsync();
        await SettleAsync(claim, OutcomeState.Delivered, "250 2.0.0 taken");
        Assert.Null(await ArriveAsync(claim.Message.ReversePath!, text, Address("r1@elsewhere.test")));
        Assert.Single(house.Inbox("school@example.test"));
        Assert.Equal(LedgerState.Delivered, house.Ledger(id)[1].State);
    }

    [Fact]
    public async Task A_letter_to_the_address_for_leaving_takes_its_reader_off_and_reaches_nobody()
    {
        var (id, _) = await SendAsync();
        var row = house.Ledger(id)[1];
        var to = house.Press.Links.Address(row.Id, "example.test", DateTimeOffset.UtcNow.AddYears(-1));
        var course = MailingFixture.Ok(house.Press.CourseOf(id));
        // a bounce, an automatic reply: nobody wrote them
        Assert.Null(await ArriveAsync(to, Qmail));
        Assert.Null(await ArriveAsync(to, "Subject: Out of office\nAuto-Submitted: auto-replied\n\nI am away\n", Address("r1@elsewhere.test")));
        Assert.Empty(house.Press.Consents.Of(course, "r1@elsewhere.test"));
        Assert.Null(await ArriveAsync(to, "From: r1@elsewhere.test\nSubject: unsubscribe\n\n", Address("r1@elsewhere.test")));
        Assert.Equal((false, "mail", (long?)id), house.Press.Consents.Of(course, "r1@elsewhere.test").Select(said => (said.Wanted, said.Source, said.Mailing)).Single());
        Assert.Empty(house.Inbox("school@example.test"));
        Assert.Equal((550, "5.1.1"), await ArriveAsync(to with { LocalPart = to.LocalPart[..^2] + (to.LocalPart[^2] == 'a' ? "bb" : "aa") }, "Subject: x\n\n", Address("r1@elsewhere.test")) is { } refusal ? (refusal.SmtpCode, refusal.Status) : default);
    }

    [Fact]
    public async Task A_notice_of_delay_counts_for_nothing()
    {
        var (id, claim) = await SendAsync();
        await SettleAsync(claim, OutcomeState.Delivered, "250 2.0.0 taken");
        Assert.Null(await ArriveAsync(claim.Message.ReversePath!, "From: MAILER-DAEMON@x.test\nSubject: Warning: message delayed 4 hours\n\n<r1@elsewhere.test> connection timed out\n"));
        Assert.Equal(LedgerState.Delivered, house.Ledger(id)[1].State);
    }

    [Fact]
    public async Task What_somebody_made_up_is_refused_even_where_a_catch_all_is()
    {
        var (_, claim) = await SendAsync();
        var back = claim.Message.ReversePath!;
        var forged = back with { LocalPart = back.LocalPart[..^3] + (back.LocalPart[^3] == 'a' ? "bbb" : "aaa") };
        var refusal = await ArriveAsync(forged, Qmail);
        Assert.Equal((550, "5.1.1"), (refusal!.SmtpCode, refusal.Status));
    }

    [Fact]
    public async Task Who_is_suppressed_is_left_out_and_the_ledger_says_why()
    {
        await house.Queue.Suppressions.AddAsync("r1@elsewhere.test", "complaint", "pressed the button", null);
        var course = await house.CourseAsync(1, "r1@elsewhere.test,R,A\n");
        var id = await house.MailingAsync(course);
        await house.SendAsync(id);
        await house.Run.RunAllAsync(default);
        Assert.Equal((LedgerState.Skipped, "suppressed (complaint: pressed the button)"), (house.Ledger(id)[1].State, house.Ledger(id)[1].Reply));
        Assert.Equal(0, house.Queue.Counts().Messages);
    }
}
