using System.Net;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Queue;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Delivery;

/// <summary>DELIVERBY (RFC 2852), MT-PRIORITY (RFC 6710) and FUTURERELEASE (RFC 4865) on the way out, and what their notices say.</summary>
public sealed class DeadlineTests : IAsyncDisposable
{
    readonly ScriptedPeer peer = new(IPAddress.Parse("127.0.0.2"));
    PostOffice office = null!;

    async Task OpenAsync(params string[] extensions)
    {
        peer.Extensions = ["PIPELINING", "8BITMIME", .. extensions];
        office = await PostOffice.OpenAsync(new QueueSettings { Port = peer.Port, ConnectionsPerDestination = 1 });
        office.Dns["a peer.test"] = "127.0.0.2";
    }

    public async ValueTask DisposeAsync()
    {
        if (office is not null) await office.DisposeAsync();
        await peer.DisposeAsync();
    }

    Task SendAsync(double seconds, bool isReturn, bool trace = false, params string?[] notify) => office.SendAsync("a@peer.test", entry => entry with
    {
        By = new DeliverBy(office.Time.GetUtcNow().AddSeconds(seconds), isReturn, trace),
        Recipients = [.. notify.DefaultIfEmpty(null).Select((word, i) => new QueueRecipient(PostOffice.Address($"r{i}@peer.test"), word))],
    }).AsTask();

    string Notice()
    {
        var text = Assert.Single(office.Inbox());
        return text[text.IndexOf("message/delivery-status", StringComparison.Ordinal)..];
    }

    [Theory]
    [InlineData(600, true, false, "600;R")]
    [InlineData(600.9, true, true, "600;RT")]
    [InlineData(90, false, false, "90;N")]
    [InlineData(0, false, false, "0;N")]
    [InlineData(-75, false, true, "-75;NT")]
    public async Task The_seconds_that_are_left_go_on(double seconds, bool isReturn, bool trace, string word)
    {
        await OpenAsync("DELIVERBY 30", "DSN");
        await SendAsync(seconds, isReturn, trace, "NEVER");
        await office.EmptyAsync();
        Assert.Contains($" BY={word}", Assert.Single(peer.Mails).From, StringComparison.Ordinal);
        Assert.Empty(office.Inbox());
    }

    [Theory]
    [InlineData("DSN", "does not know of deadlines")]
    [InlineData("DELIVERBY 240", "within less than 240 seconds (DELIVERBY); 120 were left")]
    [InlineData("DELIVERBY 121,future", "within less than 121 seconds")]
    public async Task Mode_R_is_returned_where_the_server_cannot_promise_it(string extension, string said)
    {
        await OpenAsync(extension);
        await SendAsync(120, isReturn: true);
        await office.EmptyAsync();
        Assert.Empty(peer.Mails);
        Assert.DoesNotContain(peer.Commands, command => command.StartsWith("MAIL", StringComparison.Ordinal));
        var notice = Notice();
        Assert.Contains("Action: failed\r\nStatus: 5.3.3\r\n", notice, StringComparison.Ordinal);
        Assert.Contains(said, office.Inbox()[0].ReplaceLineEndings(" ").Replace("  ", " ", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("Arrival-Date: ", notice, StringComparison.Ordinal);
        Assert.Contains("Deliver-By-Date: ", notice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mode_R_goes_where_the_least_time_is_kept()
    {
        await OpenAsync("DELIVERBY 120");
        await SendAsync(120, isReturn: true);
        await office.EmptyAsync();
        Assert.Single(peer.Mails);
    }

    [Fact]
    public async Task Mode_R_is_returned_when_its_time_is_over()
    {
        await OpenAsync("DELIVERBY");
        peer.Script = line => line.StartsWith("RCPT", StringComparison.Ordinal) ? "450 4.2.0 later" : null;
        await SendAsync(100, isReturn: true);
        await office.PassAsync(TimeSpan.FromSeconds(60), 1);
        await office.PassAsync(TimeSpan.FromSeconds(40), 2);
        await office.EmptyAsync();
        Assert.Contains("Action: failed\r\nStatus: 5.4.7\r\n", Notice(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mode_N_is_told_of_then_and_tried_on()
    {
        await OpenAsync("DELIVERBY");
        peer.Script = line => line.StartsWith("RCPT", StringComparison.Ordinal) ? "450 4.2.0 later" : null;
        await SendAsync(100, isReturn: false);
        await office.PassAsync(TimeSpan.FromSeconds(60), 1);
        Assert.Empty(office.Inbox());
        await office.PassAsync(TimeSpan.FromSeconds(40), 2);
        await Wait.UntilAsync(() => office.Inbox().Count == 1, "the sender is told");
        Assert.Contains("Action: delayed\r\nStatus: 4.4.7\r\n", Notice(), StringComparison.Ordinal);
        peer.Script = _ => null;
        await Wait.UntilAsync(() =>
        {
            office.Time.Advance(TimeSpan.FromMinutes(5));
            return peer.Mails.Count == 1;
        }, "it is tried on");
        Assert.Matches(" BY=-[0-9]+;N", peer.Mails[0].From);
    }

    [Fact]
    public async Task Mode_N_is_told_of_where_nobody_will_tell_later()
    {
        await OpenAsync("DSN");
        await SendAsync(100, isReturn: false, trace: false, null, "FAILURE", "SUCCESS,DELAY", "NEVER");
        await office.EmptyAsync();
        Assert.DoesNotContain("BY=", peer.Mails[0].From, StringComparison.Ordinal);
        Assert.Equal(["<r0@peer.test> NOTIFY=FAILURE,DELAY", "<r1@peer.test> NOTIFY=FAILURE,DELAY", "<r2@peer.test> NOTIFY=SUCCESS,DELAY", "<r3@peer.test> NOTIFY=NEVER"], peer.Mails[0].To);
        var notice = Notice();
        Assert.Equal(3, notice.Split("Action: relayed\r\n").Length - 1);
        Assert.DoesNotContain("r3@peer.test", notice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_its_time_mode_N_says_nothing_of_servers_that_do_not_know_of_it()
    {
        await OpenAsync("DSN");
        await SendAsync(-1, isReturn: false);
        await office.EmptyAsync();
        Assert.Equal("<r0@peer.test>", Assert.Single(peer.Mails[0].To));
        Assert.Empty(office.Inbox());
    }

    [Theory]
    [InlineData(true, null, true)]
    [InlineData(false, "FAILURE", true)]
    [InlineData(false, "NEVER", false)]
    public async Task A_trace_tells_of_each_server(bool isReturn, string? notify, bool told)
    {
        await OpenAsync("DSN", "DELIVERBY");
        await SendAsync(1000, isReturn, trace: true, notify);
        await office.EmptyAsync();
        Assert.Equal(told ? 1 : 0, office.Inbox().Count);
        if (told) Assert.Contains("Action: relayed\r\n", Notice(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Notices_repeat_what_was_asked_of_the_release_and_go_with_the_messages_priority()
    {
        await OpenAsync();
        office.Queue.IsHeld = false;
        peer.Script = line => line.StartsWith("RCPT TO:<a@", StringComparison.Ordinal) ? "550 5.1.1 nobody" : null;
        await office.SendAsync("a@peer.test", entry => entry with { HoldRequest = "for;3600", ReversePath = PostOffice.Address("boss@peer.test"), Priority = 4 });
        await office.EmptyAsync();
        var notice = Assert.Single(peer.Mails).Data;
        Assert.Contains("\nArrival-Date: ", notice, StringComparison.Ordinal);
        Assert.Contains("\nFuture-Release-Request: for;3600\n", notice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("MT-PRIORITY", true)]
    [InlineData("MT-PRIORITY STANAG4406", true)]
    [InlineData("DSN", false)]
    public async Task Priorities_order_what_waits_and_go_on_to_servers_that_know_them(string extension, bool told)
    {
        await OpenAsync(extension);
        office.Queue.IsHeld = true;
        foreach (var priority in (int[])[0, -9, 9, 3, -1])
            await office.SendAsync("a@peer.test", entry => entry with { Priority = priority, ReversePath = new MailAddress($"p{priority}", "example.test") });
        office.Queue.IsHeld = false;
        await office.EmptyAsync();
        Assert.Equal(["p9", "p3", "p0", "p-1", "p-9"], peer.Mails.Select(mail => mail.From[1..mail.From.IndexOf('@', StringComparison.Ordinal)]));
        Assert.Equal(told ? ["9", "3", null, "-1", "-9"] : [null, null, null, null, (string?)null],
            peer.Mails.Select(mail => mail.From.IndexOf("MT-PRIORITY=", StringComparison.Ordinal) is > 0 and var at ? mail.From[(at + 12)..] : null));
    }
}
