using System.Net;
using CbaMail.Config;
using CbaMail.Queue;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Delivery;

public sealed class RemoteDeliveryTests : IAsyncDisposable
{
    readonly ScriptedPeer peer = new(IPAddress.Parse("127.0.0.2"));
    PostOffice office = null!;

    async Task OpenAsync(QueueSettings? settings = null, ListenerSettings? listener = null)
    {
        office = await PostOffice.OpenAsync((settings ?? new QueueSettings()) with { Port = peer.Port }, listener: listener);
        office.Dns["mx peer.test"] = "10 mx.peer.test";
        office.Dns["a mx.peer.test"] = "127.0.0.2";
    }

    public async ValueTask DisposeAsync()
    {
        if (office is not null) await office.DisposeAsync();
        await peer.DisposeAsync();
    }

    [Fact]
    public async Task Mail_goes_to_the_domains_server_with_all_its_recipients_at_once()
    {
        await OpenAsync();
        await office.SendAsync("a@peer.test b@peer.test");
        await office.EmptyAsync();
        var mail = Assert.Single(peer.Mails);
        Assert.Equal(["<a@peer.test>", "<b@peer.test>"], mail.To);
        Assert.Equal("Subject: hello\nMessage-ID: <1@example.test>\n\nbody\n", mail.Data);
        Assert.Empty(office.Inbox());
    }

    [Fact]
    public async Task The_best_server_is_tried_first_and_the_next_one_when_it_is_silent()
    {
        await OpenAsync();
        await using var second = new ScriptedPeer(IPAddress.Parse("127.0.0.3"), peer.Port);
        office.Dns["mx peer.test"] = "30 mx3.peer.test, 10 dead.peer.test, 20 mx.peer.test";
        office.Dns["a dead.peer.test"] = "127.0.0.9";
        office.Dns["a mx3.peer.test"] = "127.0.0.3";
        await office.SendAsync("a@peer.test");
        await office.EmptyAsync();
        Assert.Single(peer.Mails);
        Assert.Equal(0, second.Connections);
        peer.Script = line => line == "connect" ? "554 5.3.2 closed today" : line.StartsWith("MAIL", StringComparison.Ordinal) ? ScriptedPeer.Drop : null;
        await office.SendAsync("b@peer.test");
        await office.EmptyAsync();
        Assert.Single(second.Mails);
    }

    [Theory]
    [InlineData("RCPT")]
    [InlineData("MAIL")]
    public async Task The_next_server_is_tried_too_when_the_best_one_puts_everybody_off(string where)
    {
        await OpenAsync();
        await using var second = new ScriptedPeer(IPAddress.Parse("127.0.0.3"), peer.Port);
        office.Dns["mx peer.test"] = "10 mx.peer.test, 20 mx3.peer.test";
        office.Dns["a mx3.peer.test"] = "127.0.0.3";
        peer.Script = line => line.StartsWith(where, StringComparison.Ordinal) ? "450 4.2.1 come back" : null;
        await office.SendAsync("a@peer.test");
        await office.EmptyAsync();
        Assert.Single(second.Mails);

        // what neither takes waits, and names the best server's reason
        second.Script = line => line.StartsWith(where, StringComparison.Ordinal) ? "451 4.7.1 not today" : null;
        await office.SendAsync("b@peer.test");
        await office.PassAsync(TimeSpan.FromSeconds(59), attemptsBefore: 1);
        Assert.Equal(1, office.Queue.List()[0].Recipients[0].Attempts);
        peer.Script = _ => null;
        office.Time.Advance(TimeSpan.FromSeconds(1));
        await office.EmptyAsync();
        Assert.Single(peer.Mails, mail => mail.To is ["<b@peer.test>"]);
    }

    [Fact]
    public async Task A_returned_text_of_8_bits_is_sent_as_such()
    {
        await OpenAsync();
        peer.Extensions = ["PIPELINING", "8BITMIME", "SMTPUTF8"];
        await office.SendAsync("почта@nowhere.test", from: "boss@peer.test");
        await office.EmptyAsync();
        Assert.Contains("BODY=8BITMIME", Assert.Single(peer.Mails).From);
    }

    [Fact]
    public async Task Without_MX_the_domains_own_address_is_taken()
    {
        await OpenAsync();
        office.Dns["a plain.test"] = "127.0.0.2";
        await office.SendAsync("a@plain.test");
        await office.SendAsync("b@[127.0.0.2]");
        await office.EmptyAsync();
        Assert.Equal(2, peer.Mails.Count);
    }

    [Theory]
    [InlineData("null.test", "5.1.10", "takes no mail (null MX)")]
    [InlineData("nowhere.test", "5.1.2", "does not exist")]
    [InlineData("hostless.test", "5.4.4", "has an address")]
    [InlineData("bare.test", "5.1.2", "no mail server and no address")]
    [InlineData("self.test", "5.4.6", "comes back to this server")]
    [InlineData("ours.test", "5.4.6", "comes back to this server")]
    [InlineData("[127.0.0.5]", "5.4.6", "comes back to this server")]
    public async Task What_DNS_rules_out_is_returned_at_once(string domain, string status, string reason)
    {
        await OpenAsync(listener: new ListenerSettings { Protocol = Protocol.Smtp, Address = "127.0.0.5", Port = peer.Port });
        office.Dns["mx null.test"] = "0 .";
        office.Dns["mx hostless.test"] = "10 gone.hostless.test";
        office.Dns["txt bare.test"] = "x";
        office.Dns["mx self.test"] = "10 MAIL.example.test, 20 mx.peer.test";
        office.Dns["mx ours.test"] = "10 alias.ours.test, 20 mx.peer.test";
        office.Dns["a alias.ours.test"] = "127.0.0.5";
        await office.SendAsync($"a@{domain}");
        await office.EmptyAsync();
        var bounce = Assert.Single(office.Inbox());
        Assert.StartsWith("Return-Path: <>\r\n", bounce);
        Assert.Contains($"\r\nStatus: {status}\r\n", bounce);
        Assert.Contains(reason, bounce.Replace("\r\n ", " "));
        Assert.Contains("Subject: hello\r\n", bounce);
        Assert.DoesNotContain("body", bounce);
        Assert.Equal(0, peer.Connections);
    }

    [Fact]
    public async Task As_a_backup_we_pass_on_to_better_servers_only()
    {
        await OpenAsync();
        office.Dns["mx backup.test"] = "10 mx.peer.test, 20 mail.example.test, 30 worse.test";
        office.Dns["a worse.test"] = "127.0.0.9";
        await office.SendAsync("a@backup.test");
        await office.EmptyAsync();
        Assert.Single(peer.Mails);
    }

    [Fact]
    public async Task A_permanent_refusal_is_returned_and_the_rest_delivered()
    {
        await OpenAsync();
        peer.Script = line => line.StartsWith("RCPT TO:<b@", StringComparison.Ordinal) ? "550 5.1.1 no such person" : null;
        await office.SendAsync("a@peer.test b@peer.test", ret: "FULL");
        await office.EmptyAsync();
        Assert.Equal(["<a@peer.test>"], Assert.Single(peer.Mails).To);
        var bounce = Assert.Single(office.Inbox());
        Assert.Contains("Final-Recipient: rfc822; b@peer.test\r\n", bounce);
        Assert.DoesNotContain("Final-Recipient: rfc822; a@peer.test", bounce);
        Assert.Contains("Diagnostic-Code: smtp; 550 5.1.1 no such person\r\n", bounce);
        Assert.Contains("\r\nbody\r\n", bounce);
    }

    [Fact]
    public async Task A_temporary_refusal_is_tried_again_when_its_time_comes()
    {
        await OpenAsync();
        var busy = true;
        peer.Script = line => busy && line.StartsWith("RCPT", StringComparison.Ordinal) ? "450 4.2.1 come back" : null;
        await office.SendAsync("a@peer.test");
        await office.PassAsync(TimeSpan.FromSeconds(59), attemptsBefore: 1);
        var recipient = office.Queue.List()[0].Recipients[0];
        Assert.Equal(("450 4.2.1 come back", 1), (recipient.LastReply, recipient.Attempts));
        Assert.Contains("mx.peer.test[127.0.0.2]", recipient.LastHost);
        busy = false;
        office.Time.Advance(TimeSpan.FromSeconds(1));
        await office.EmptyAsync();
        Assert.Single(peer.Mails);
        Assert.Empty(office.Inbox());
    }

    [Fact]
    public async Task An_administrators_retry_does_not_wait()
    {
        await OpenAsync();
        office.Dns.Failing = true;
        var id = await office.SendAsync("a@peer.test");
        await office.AttemptsAsync(1);
        Assert.Contains("could not be looked up", office.Queue.Show(id).Value!.Recipients[0].LastReply);
        office.Dns.Failing = false;
        await office.Queue.RetryAsync(id);
        await office.EmptyAsync();
        Assert.Single(peer.Mails);
    }

    [Fact]
    public async Task A_late_message_is_announced_once_and_returned_after_five_days()
    {
        await OpenAsync(new QueueSettings { RetryAfter = [TimeSpan.FromHours(5)] });
        peer.Script = line => line.StartsWith("MAIL", StringComparison.Ordinal) ? "451 4.3.0 no disk" : null;
        await office.SendAsync("a@peer.test");
        for (var attempt = 1; attempt <= 24; attempt++)
        {
            await office.PassAsync(TimeSpan.FromHours(5), attempt);
            if (attempt == 3) Assert.Contains("\r\nAction: delayed\r\n", Assert.Single(office.Inbox()));
        }
        await office.EmptyAsync();
        Assert.Equal(2, office.Inbox().Count);
        var bounce = office.Inbox()[1].Replace("\r\n ", " ");
        Assert.Contains("\r\nAction: failed\r\nStatus: 5.4.7\r\n", bounce);
        Assert.Contains("Given up after 5 days; last: 451 4.3.0 no disk", bounce);
    }

    [Theory]
    [InlineData(null, null, 0)] // a bounce is not bounced
    [InlineData("anna@example.test", "NEVER", 0)]
    [InlineData("anna@example.test", "SUCCESS", 0)]
    [InlineData("anna@example.test", "FAILURE", 1)]
    [InlineData("gone@example.test", null, 0)]
    public async Task Who_is_told_of_a_failure(string? from, string? notify, int notices)
    {
        await OpenAsync();
        await office.SendAsync("a@nowhere.test", from, notify: notify);
        await office.EmptyAsync();
        Assert.Equal(notices, office.Inbox().Count);
    }

    [Fact]
    public async Task A_remote_sender_is_told_by_mail_from_the_null_path()
    {
        await OpenAsync();
        await office.SendAsync("a@nowhere.test", from: "boss@peer.test");
        await office.EmptyAsync();
        var notice = Assert.Single(peer.Mails);
        Assert.StartsWith("<>", notice.From);
        Assert.Equal("<boss@peer.test> NOTIFY=NEVER", Assert.Single(notice.To));
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 1)]
    public async Task Success_is_told_by_us_where_the_peer_will_not(bool peerHasDsn, int notices)
    {
        await OpenAsync();
        if (!peerHasDsn) peer.Extensions = ["PIPELINING"];
        await office.SendAsync("a@peer.test", notify: "SUCCESS");
        await office.EmptyAsync();
        Assert.Equal(notices, office.Inbox().Count(text => text.Contains("Action: relayed")));
        Assert.Equal(peerHasDsn ? "<a@peer.test> NOTIFY=SUCCESS" : "<a@peer.test>", Assert.Single(Assert.Single(peer.Mails).To));
    }

    [Fact]
    public async Task One_connection_serves_many_messages()
    {
        await OpenAsync(new QueueSettings { ConnectionsPerDestination = 1 });
        for (var i = 0; i < 30; i++) await office.SendAsync($"a{i}@peer.test");
        await office.EmptyAsync();
        Assert.Equal((30, 1), (peer.Mails.Count, peer.Connections));
        await office.SendAsync("late@peer.test");
        await office.EmptyAsync();
        Assert.Equal(1, peer.Connections);
        await Wait.UntilAsync(() =>
        {
            office.Time.Advance(TimeSpan.FromSeconds(5)); // the worker may lie down to wait only now
            return peer.Commands.Contains("QUIT");
        }, "the idle connection is closed");
    }

    [Fact]
    public async Task A_kept_connection_that_the_peer_closed_costs_no_attempt()
    {
        await OpenAsync(new QueueSettings { ConnectionsPerDestination = 1 });
        var mails = 0;
        peer.Script = line => line.StartsWith("MAIL", StringComparison.Ordinal) && ++mails == 2 ? "421 4.4.2 too long idle" + ScriptedPeer.Drop : null;
        await office.SendAsync("a@peer.test");
        await office.EmptyAsync();
        await office.SendAsync("b@peer.test");
        await office.EmptyAsync();
        Assert.Equal((2, 2), (peer.Mails.Count, peer.Connections));
    }

    [Fact]
    public async Task A_slow_destination_holds_nobody_up()
    {
        await OpenAsync(new QueueSettings { ConnectionsPerDestination = 2 });
        await using var slow = new ScriptedPeer(IPAddress.Parse("127.0.0.3"), peer.Port) { Script = line => line == "DATA" ? ScriptedPeer.Hang : null };
        office.Dns["a slow.test"] = "127.0.0.3";
        for (var i = 0; i < 10; i++) await office.SendAsync($"a{i}@slow.test");
        for (var i = 0; i < 10; i++) await office.SendAsync($"a{i}@peer.test");
        await Wait.UntilAsync(() => peer.Mails.Count == 10, "the others are served");
        await Wait.UntilAsync(() => slow.Commands.Count(command => command == "DATA") == 2, "two connections wait");
        Assert.Equal(2, slow.Connections);
        await Wait.UntilAsync(() => office.Queue.Counts().Messages == 10, "what was delivered leaves the queue");
    }

    [Fact]
    public async Task A_destination_that_is_down_is_not_tried_for_each_message()
    {
        await OpenAsync(new QueueSettings { ConnectionsPerDestination = 1 });
        await office.Workers.StopAsync(default);
        office.Dns["a down.test"] = "127.0.0.9";
        for (var i = 0; i < 50; i++) await office.SendAsync($"a{i}@down.test");
        var before = office.Dns.Questions;
        await office.Workers.StartAsync(default);
        await office.AttemptsAsync(1);
        Assert.True(office.Dns.Questions - before < 10, $"{office.Dns.Questions - before} questions for 50 messages");
        Assert.All(office.Queue.List(), entry => Assert.Contains("connection refused", entry.Recipients[0].LastReply));
    }

    [Fact]
    public async Task Recipients_beyond_the_peers_limit_follow_at_once()
    {
        await OpenAsync();
        var taken = 0;
        peer.Script = line =>
        {
            if (line.StartsWith("MAIL", StringComparison.Ordinal)) taken = 0;
            return line.StartsWith("RCPT", StringComparison.Ordinal) && ++taken > 2 ? "452 4.5.3 too many recipients" : null;
        };
        await office.SendAsync("a@peer.test b@peer.test c@peer.test d@peer.test e@peer.test");
        await office.EmptyAsync();
        Assert.Equal([2, 2, 1], peer.Mails.Select(mail => mail.To.Count));
    }

    [Fact]
    public async Task A_message_in_a_loop_is_returned()
    {
        await OpenAsync(new QueueSettings { HopLimit = 3 });
        await office.SendAsync("a@peer.test", text: string.Concat(Enumerable.Repeat("Received: by x\r\n", 4)) + PostOffice.Text);
        await office.EmptyAsync();
        Assert.Empty(peer.Mails);
        Assert.Contains("\r\nStatus: 5.4.6\r\n", Assert.Single(office.Inbox()));
    }

    [Fact]
    public async Task A_route_takes_the_place_of_DNS_and_signs_in()
    {
        peer.Extensions = ["PIPELINING", "AUTH PLAIN"];
        await OpenAsync(new QueueSettings { ConnectionsPerDestination = 1, Routes = [new RouteSettings { Domain = "*.sink.test", Host = "127.0.0.2", Port = peer.Port, User = "us", Password = "secret" }] });
        office.Dns.Failing = true;
        await office.SendAsync("a@one.sink.test b@two.sink.test");
        await office.SendAsync("c@three.sink.test");
        await office.EmptyAsync();
        // one message to several domains goes in one transaction, over one connection
        Assert.Equal([2, 1], peer.Mails.Select(mail => mail.To.Count).OrderDescending());
        Assert.Equal(1, peer.Connections);
        Assert.Contains(peer.Commands, command => command.StartsWith("AUTH PLAIN ", StringComparison.Ordinal));
        Assert.Equal(0, office.Dns.Questions);
    }

    [Fact]
    public async Task The_outcome_names_reply_host_and_TLS_for_the_ledger()
    {
        peer.Extensions = ["PIPELINING", "STARTTLS"];
        await OpenAsync();
        var heard = new List<RemoteOutcome>();
        office.Queue.Outcome += (_, outcome) => heard.Add(outcome);
        await office.Store.CommitAsync(transaction =>
        {
            using var staged = office.Mail.Stage("Subject: x\r\n\r\nx\r\n"u8.ToArray());
            return office.Queue.Enqueue(transaction, new NewQueueEntry(null, office.Mail.AddContent(transaction, staged), [new QueueRecipient(PostOffice.Address("a@peer.test"), LedgerId: 5)], Class: MailClass.Bulk));
        });
        await office.EmptyAsync();
        var outcome = Assert.Single(heard);
        Assert.Equal((5L, "delivered", "250 2.0.0 taken"), (outcome.LedgerId, outcome.State, outcome.Reply));
        Assert.Contains("mx.peer.test[127.0.0.2]", outcome.Host);
        Assert.StartsWith("TLSv1.", outcome.Tls);
        Assert.Equal(office.Time.GetUtcNow(), outcome.At);
    }

    [Fact]
    public async Task Stopping_lets_the_message_under_way_finish()
    {
        await OpenAsync();
        using var gate = new SemaphoreSlim(0);
        peer.Script = line => { if (line == ".") gate.Wait(5000); return null; };
        await office.SendAsync("a@peer.test");
        await Wait.UntilAsync(() => peer.Commands.Contains("DATA"), "the message is under way");
        var stopping = office.Workers.StopAsync(default);
        gate.Release();
        await stopping;
        Assert.Equal(0, office.Queue.Counts().Messages);
        Assert.Single(peer.Mails);
    }
}
