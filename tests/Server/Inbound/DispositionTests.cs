using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Inbound;
using CbaMail.Inbound.Checks;
using CbaMail.Tests.Server.Smtp.Server;
using Xunit;

namespace CbaMail.Tests.Server.Inbound;

public sealed class DispositionTests : IAsyncLifetime
{
    const string Dialogue = """
        S: 220 *
        C: HELO client.test
        S: 250 *
        C: MAIL FROM:<a@elsewhere.test>
        S: 250 *
        C: RCPT TO:<ivan@example.test>
        S: 250 *
        C: DATA
        S: 354 *
        C: Subject: x
        C:
        C: y
        C: .
        S: *
        C: QUIT
        S: 221 *
        """;

    readonly PostOffice office = new();

    public ValueTask InitializeAsync() => office.InitializeAsync();
    public ValueTask DisposeAsync() => office.DisposeAsync();

    sealed class Says(Func<Arrival, Refusal?> what) : Check
    {
        public override ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel) => ValueTask.FromResult(what(arrival));
    }

    Task<List<Delivered>> PlayAsync(string reply, params (Moment, Func<Arrival, Refusal?>)[] checks) => office.PlayAsync(
        Protocol.Smtp, Dialogue.Replace("S: *", "S: " + reply, StringComparison.Ordinal),
        pipeline: new Pipeline([(Moment.Recipient, new RecipientCheck(office.Directory)), .. checks.Select(c => (c.Item1, (Check)new Says(c.Item2)))]));

    static Func<Arrival, Refusal?> Judging(Disposition disposition) => arrival =>
    {
        arrival.Judge(disposition, "test", "because");
        return null;
    };

    [Theory]
    [InlineData(Disposition.Accept, false)]
    [InlineData(Disposition.Junk, true)]
    [InlineData(Disposition.Quarantine, true)]
    public async Task What_a_check_says_decides_the_mailbox(Disposition said, bool junk)
    {
        Assert.Equal(junk, Assert.Single(await PlayAsync("250 2.0.0 *", (Moment.Message, Judging(said)))).Order.Junk);
    }

    [Fact]
    public async Task The_severest_word_stands_whatever_comes_after_it()
    {
        Assert.True(Assert.Single(await PlayAsync("250 *", (Moment.Sender, Judging(Disposition.Junk)), (Moment.Message, Judging(Disposition.Accept)))).Order.Junk);
    }

    [Fact]
    public async Task Discarded_mail_is_answered_as_accepted_and_nobody_is_asked_about_it_any_more()
    {
        var asked = false;
        Assert.Empty(await PlayAsync("250 2.0.0 *", (Moment.Message, Judging(Disposition.Discard)), (Moment.Message, _ => { asked = true; return null; })));
        Assert.False(asked);
    }

    [Fact]
    public async Task A_refusal_is_severer_than_a_judgement() =>
        Assert.Empty(await PlayAsync("550 5.7.1 *", (Moment.Message, Judging(Disposition.Junk)), (Moment.Message, _ => Refusal.NotPermitted)));

    [Fact]
    public void Refusing_is_done_by_a_refusal() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Arrival { Session = "s", Remote = System.Net.IPAddress.Loopback, Protocol = Protocol.Smtp }.Judge(Disposition.Refuse, "x", "y"));

    [Fact]
    public async Task A_refusal_by_421_closes_the_connection()
    {
        var closing = new Refusal(421, "4.7.0", "UNAVAILABLE", 503, "Come later");
        await office.PlayAsync(Protocol.Smtp, """
            S: 220 *
            C: HELO client.test
            S: 250 *
            C: MAIL FROM:<a@elsewhere.test>
            S: 421 4.7.0 Come later
            S!
            """, pipeline: new Pipeline((Moment.Sender, new Says(_ => closing))));
    }

    [Fact]
    public async Task LMTP_answers_for_those_whom_the_client_named_whoever_gets_it()
    {
        var orders = await office.PlayAsync(Protocol.Lmtp, """
            S: 220 *
            C: LHLO client.test
            S: 250-*
            S: 250-*
            S: 250-*
            S: 250-*
            S: 250-*
            S: 250-*
            S: 250-*
            S: 250-*
            S: 250-*
            S: 250-*
            S: 250 HELP
            C: MAIL FROM:<a@elsewhere.test>
            S: 250 *
            C: RCPT TO:<ivan@example.test>
            S: 250 *
            C: RCPT TO:<anna@example.test>
            S: 250 *
            C: DATA
            S: 354 *
            C: Subject: x
            C: .
            S: 552 5.2.2 *
            S: 250 2.1.5 <anna@example.test> *
            C: QUIT
            S: 221 *
            """,
            order => Array.ConvertAll(order.Recipients.ToArray(), r => r.Address.LocalPart == "full" ? Refusal.OverQuota : null),
            pipeline: new Pipeline((Moment.Recipient, new RecipientCheck(office.Directory)), (Moment.Message, new Says(arrival =>
            {
                arrival.Recipients.RemoveAt(0);
                arrival.Recipients.Add(new ArrivalRecipient(PostOffice.Address("full@example.test")));
                return null;
            }))));
        Assert.Equal(["anna@example.test", "full@example.test"], Assert.Single(orders).Order.Recipients.Select(r => r.Address.ToString()));
    }
}
