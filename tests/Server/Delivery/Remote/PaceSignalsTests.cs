using System.Text;
using CbaMail.Delivery.Remote;
using CbaMail.Queue;
using CbaMail.Smtp.Client;
using Xunit;

namespace CbaMail.Tests.Server.Delivery.Remote;

public class PaceSignalsTests
{
    static ClientReply Reply(string text) => ClientReply.Parse([.. text.Split('\n').Select(Encoding.UTF8.GetBytes)])!;

    // replies as the operators give them, to a command
    [Theory]
    [InlineData("250 2.0.0 OK", "Taken")]
    [InlineData("421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating\n421 4.7.28 from your IP address.", "Rate")]
    [InlineData("451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77719) [X.outlook.com]", "Rate")]
    [InlineData("451 4.7.652 The mail server [192.0.2.1] has exceeded the maximum number of connections. (S3115)", "Connections")]
    [InlineData("421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints", "Rate")]
    [InlineData("451 4.7.1 Sorry, the service is currently unavailable. Please come back later.", "Rate")]
    [InlineData("421 4.7.0 Error: too many connections from 192.0.2.1", "Connections")]
    [InlineData("450 4.7.1 Error: too much mail from 192.0.2.1", "Rate")]
    [InlineData("421 Too many concurrent SMTP connections; please try again later.", "Connections")]
    [InlineData("421 too many messages in this connection", "Session")]
    [InlineData("421 4.3.2 Service shutting down", "Busy")]
    [InlineData("451 4.7.0 not now", "Busy")]
    [InlineData("450 4.7.1 <a@b.test>: Recipient address rejected: Greylisted, see http://x", null)]
    [InlineData("451 4.7.1 Greylisting in action, please come back later", null)]
    [InlineData("450-4.2.1 The user you are trying to contact is receiving mail at a rate that\n450 4.2.1 prevents additional messages from being delivered.", null)]
    [InlineData("452 4.2.2 Mailbox full", null)]
    [InlineData("452 4.5.3 Too many recipients", null)]
    [InlineData("450 4.2.1 come back", null)]
    [InlineData("451 4.3.0 no disk", null)]
    [InlineData("550 5.7.1 rate limit", null)]
    [InlineData("550 5.1.1 no such person", null)]
    public void A_reply_tells_of_our_pace_or_not(string reply, string? signal) => Assert.Equal(signal, PaceSignals.Of(Reply(reply), connected: true)?.ToString());

    [Fact]
    public void What_greets_with_a_refusal_has_too_much_of_us()
    {
        Assert.Equal(PaceSignal.Connections, PaceSignals.Of(ClientReply.Local(421, "4.3.2", "x") with { Said = Reply("554 5.7.1 go away") }, connected: false));
        Assert.Null(PaceSignals.Of(ClientReply.Local(421, "4.4.1", "connection refused"), connected: false));
    }
}
