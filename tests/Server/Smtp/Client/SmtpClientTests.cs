using System.Buffers;
using System.Net;
using System.Text;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Smtp.Client;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Smtp.Client;

public sealed class SmtpClientTests : IAsyncDisposable
{
    static readonly QueueSettings Quick = new() { GreetingTimeout = Wait.Patience, CommandTimeout = Wait.Patience, DataTimeout = Wait.Patience, FinalTimeout = Wait.Patience };
    readonly ScriptedPeer peer = new();

    static MailAddress Address(string text) => MailAddress.TryParse(text, out var address) ? address : throw new ArgumentException(text);

    static ClientMessage Message(params string[] to) => new(
        Address("anna@example.test"), [.. to.Select(text => new ClientRecipient(Address(text)))], 30, false, false, null, null,
        (output, cancel) =>
        {
            output.Write("Subject: hi\r\n\r\n.dot\r\nend\r\n"u8);
            return new ValueTask(output.FlushAsync(cancel).AsTask());
        });

    Task<(SmtpClient? Client, ClientReply? Failure)> ConnectAsync(ClientOptions? options = null) =>
        SmtpClient.ConnectAsync(new ClientTarget("peer.test", IPAddress.Loopback, peer.Port), options ?? new ClientOptions("us.test", Quick), TimeProvider.System, default);

    async Task<SmtpClient> OpenAsync(ClientOptions? options = null)
    {
        var (client, failure) = await ConnectAsync(options);
        Assert.Null(failure);
        return client!;
    }

    public ValueTask DisposeAsync() => peer.DisposeAsync();

    [Fact]
    public async Task The_envelope_goes_in_one_flight_and_the_content_arrives()
    {
        await using var client = await OpenAsync();
        var result = await client.SendAsync(Message("a@peer.test", "b@peer.test"), default);
        Assert.All(result.Replies, reply => Assert.Equal("250 2.0.0 taken", reply.ToString()));
        var mail = Assert.Single(peer.Mails);
        Assert.Equal("Subject: hi\n\n..dot\nend\n", mail.Data);
        Assert.Equal(["<a@peer.test>", "<b@peer.test>"], mail.To);
        Assert.Equal("<anna@example.test> SIZE=30", mail.From);
        Assert.Equal(4, peer.MostAtOnce); // MAIL, RCPT, RCPT, DATA
    }

    [Theory]
    [InlineData("552 too many recipients", "452 4.5.3 too many recipients")]
    [InlineData("552 5.5.3 enough", "452 4.5.3 enough")]
    [InlineData("552 5.2.2 mailbox full", "552 5.2.2 mailbox full")]
    public async Task An_old_word_for_too_many_recipients_is_no_failure(string said, string taken)
    {
        foreach (var extensions in (string[][])[["PIPELINING"], []])
        {
            peer.Extensions = extensions;
            peer.Script = line => line.StartsWith("RCPT TO:<b@", StringComparison.Ordinal) ? said : null;
            await using var client = await OpenAsync();
            var result = await client.SendAsync(Message("a@peer.test", "b@peer.test"), default);
            Assert.Equal(["250 2.0.0 taken", taken], result.Replies.Select(reply => reply.ToString()));
        }
    }

    [Theory]
    [InlineData("521 no mail here, ever", true)]
    [InlineData("554 no mail here today", false)]
    public async Task A_host_that_never_takes_mail_is_told_from_one_that_does_not_now(string greeting, bool permanent)
    {
        peer.Script = line => line == "connect" ? greeting : null;
        Assert.Equal(permanent, (await ConnectAsync()).Failure!.IsPermanent);
    }

    [Fact]
    public async Task Without_PIPELINING_each_command_waits()
    {
        peer.Extensions = [];
        await using var client = await OpenAsync();
        Assert.True((await client.SendAsync(Message("a@peer.test"), default)).Replies[0].IsPositive);
        Assert.Equal("<anna@example.test>", Assert.Single(peer.Mails).From);
        Assert.DoesNotContain(peer.Commands, command => command.Contains("SIZE"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_refused_recipient_keeps_none_of_the_others(bool pipelining)
    {
        if (!pipelining) peer.Extensions = [];
        peer.Script = line => line.StartsWith("RCPT TO:<b@", StringComparison.Ordinal) ? "550-5.1.1 no such\r\n550 5.1.1 person" : null;
        await using var client = await OpenAsync();
        var replies = (await client.SendAsync(Message("a@peer.test", "b@peer.test", "c@peer.test"), default)).Replies;
        Assert.Equal([250, 550, 250], replies.Select(reply => reply.Code));
        Assert.Equal(("5.1.1", "no such person"), (replies[1].Status, replies[1].Text));
        Assert.Equal(["<a@peer.test>", "<c@peer.test>"], Assert.Single(peer.Mails).To);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task When_all_are_refused_the_connection_serves_the_next_message(bool pipelining)
    {
        if (!pipelining) peer.Extensions = [];
        peer.Script = line => line.StartsWith("RCPT TO:<x@", StringComparison.Ordinal) ? "450 4.2.1 later" : null;
        await using var client = await OpenAsync();
        Assert.True((await client.SendAsync(Message("x@peer.test"), default)).Replies[0].IsTemporary);
        Assert.True(client.Usable);
        Assert.True((await client.SendAsync(Message("a@peer.test"), default)).Replies[0].IsPositive);
        Assert.Equal(["<a@peer.test>"], Assert.Single(peer.Mails).To);
        Assert.Equal(1, peer.Connections);
    }

    [Fact]
    public async Task A_peer_that_says_354_without_recipients_gets_nothing_of_the_message()
    {
        peer.Script = line => line.StartsWith("RCPT", StringComparison.Ordinal) ? "550 5.1.1 no" : line == "DATA" ? "354 well then" : line == "." ? "554 5.5.1 no recipients" : null;
        await using var client = await OpenAsync();
        var reply = Assert.Single((await client.SendAsync(Message("a@peer.test"), default)).Replies);
        Assert.Equal("550 5.1.1 no", reply.ToString());
        Assert.True(client.Usable);
        Assert.Empty(peer.Mails);
    }

    [Fact]
    public async Task A_refused_sender_is_the_answer_for_everybody()
    {
        peer.Script = line => line.StartsWith("MAIL", StringComparison.Ordinal) ? "451 4.7.1 not now" : line.StartsWith("RCPT", StringComparison.Ordinal) || line == "DATA" ? "503 5.5.1 MAIL first" : null;
        await using var client = await OpenAsync();
        Assert.All((await client.SendAsync(Message("a@peer.test", "b@peer.test"), default)).Replies, reply => Assert.Equal("451 4.7.1 not now", reply.ToString()));
    }

    [Fact]
    public async Task A_refusal_at_the_dot_is_the_answer_for_those_that_were_taken()
    {
        peer.Script = line => line == "." ? "554 5.7.1 spam" : line.StartsWith("RCPT TO:<b@", StringComparison.Ordinal) ? "450 4.2.0 busy" : null;
        await using var client = await OpenAsync();
        Assert.Equal([554, 450], (await client.SendAsync(Message("a@peer.test", "b@peer.test"), default)).Replies.Select(reply => reply.Code));
    }

    [Theory]
    [InlineData("RCPT", false)]
    [InlineData("DATA", false)]
    [InlineData(".", true)]
    public async Task A_lost_connection_is_temporary_and_says_whether_it_is_clear(string when, bool unclear)
    {
        peer.Script = line => line.StartsWith(when, StringComparison.Ordinal) ? ScriptedPeer.Drop : null;
        await using var client = await OpenAsync();
        var result = await client.SendAsync(Message("a@peer.test"), default);
        Assert.Equal("4.4.2", Assert.Single(result.Replies).Status);
        Assert.True(result.Replies[0].IsTemporary && result.Replies[0].IsLocal);
        Assert.Equal((unclear, !unclear), (result.Unclear, result.Broken));
        Assert.False(client.Usable);
    }

    [Fact]
    public async Task A_kept_connection_that_is_gone_is_no_attempt()
    {
        peer.Script = line => line.StartsWith("MAIL FROM:<anna", StringComparison.Ordinal) && peer.Mails.Count > 0 ? "421 4.4.2 idle too long" + ScriptedPeer.Drop : null;
        await using var client = await OpenAsync();
        Assert.True((await client.SendAsync(Message("a@peer.test"), default)).Replies[0].IsPositive);
        var result = await client.SendAsync(Message("b@peer.test"), default);
        Assert.False(result.Begun);
        Assert.False(client.Usable);
    }

    [Fact]
    public async Task STARTTLS_is_taken_where_offered_whatever_the_certificate()
    {
        peer.Extensions = [.. peer.Extensions, "STARTTLS"];
        await using var client = await OpenAsync();
        Assert.StartsWith("TLSv1.", client.Tls);
        Assert.True((await client.SendAsync(Message("a@peer.test"), default)).Replies[0].IsPositive);
        Assert.True(Assert.Single(peer.Mails).Secure);
        Assert.Equal(2, peer.Commands.Count(command => command.StartsWith("EHLO", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Opportunistic_TLS_that_fails_falls_back_on_a_new_connection()
    {
        peer.Extensions = [.. peer.Extensions, "STARTTLS"];
        peer.BrokenTls = true;
        await using var client = await OpenAsync();
        Assert.Null(client.Tls);
        Assert.True((await client.SendAsync(Message("a@peer.test"), default)).Replies[0].IsPositive);
        Assert.Equal(2, peer.Connections);
    }

    [Fact]
    public async Task A_route_with_a_password_waits_rather_than_fall_back_to_clear_text()
    {
        peer.Extensions = ["STARTTLS", "AUTH PLAIN"];
        peer.BrokenTls = true;
        var (client, failure) = await ConnectAsync(new ClientOptions("us.test", Quick, User: "u", Password: "p"));
        Assert.Null(client);
        Assert.Equal(("4.7.5", true), (failure!.Status, failure.IsTemporary));
        Assert.Equal(1, peer.Connections);
    }

    [Theory]
    [InlineData(false, "does not offer STARTTLS")]
    [InlineData(true, "TLS failed")]
    public async Task Required_TLS_is_required(bool offered, string reason)
    {
        if (offered) (peer.Extensions, peer.BrokenTls) = (["STARTTLS"], true);
        var (client, failure) = await ConnectAsync(new ClientOptions("us.test", Quick, RouteTls.Required));
        Assert.Null(client);
        Assert.Contains(reason, failure!.Text);
        Assert.True(failure.IsTemporary);
        Assert.Equal(1, peer.Connections);
    }

    [Fact]
    public async Task A_certificate_that_must_be_valid_is_checked()
    {
        peer.Extensions = ["STARTTLS"];
        var (client, failure) = await ConnectAsync(new ClientOptions("us.test", Quick, RouteTls.Required, new PkixProof(new Names("peer.test"))));
        Assert.Null(client);
        Assert.Contains("TLS failed", failure!.Text);
    }

    [Fact]
    public async Task Text_smuggled_behind_the_answer_to_STARTTLS_ends_the_connection()
    {
        peer.Extensions = ["STARTTLS"];
        peer.Script = line => line == "STARTTLS" ? "220 go\r\n250 AUTH PLAIN" : null;
        var (client, failure) = await ConnectAsync();
        Assert.Null(client);
        Assert.Equal("4.7.0", failure!.Status);
    }

    [Fact]
    public async Task TLS_from_the_first_byte_and_a_sign_in_by_PLAIN()
    {
        (peer.ImplicitTls, peer.Extensions) = (true, ["AUTH LOGIN PLAIN"]);
        await using var client = await OpenAsync(new ClientOptions("us.test", Quick, RouteTls.Implicit, User: "анна", Password: "пароль"));
        Assert.Contains("AUTH PLAIN " + Convert.ToBase64String("\0анна\0пароль"u8), peer.Commands);
    }

    [Fact]
    public async Task A_sign_in_by_LOGIN()
    {
        peer.Extensions = ["AUTH=LOGIN"];
        await using var client = await OpenAsync(new ClientOptions("us.test", Quick, RouteTls.None, User: "u", Password: "p"));
        Assert.Contains("LOGIN dQ== cA==", peer.Commands);
    }

    [Theory]
    [InlineData("AUTH PLAIN", "535 5.7.8 no", "refused the sign-in of the route: 535 5.7.8 no")]
    [InlineData("AUTH CRAM-MD5", null, "offers no sign-in")]
    public async Task A_sign_in_that_fails_keeps_the_mail(string offer, string? answer, string reason)
    {
        peer.Extensions = [offer];
        peer.Script = line => line.StartsWith("AUTH", StringComparison.Ordinal) ? answer : null;
        var (_, failure) = await ConnectAsync(new ClientOptions("us.test", Quick, RouteTls.None, User: "u", Password: "p"));
        Assert.True(failure!.IsTemporary);
        Assert.Contains(reason, failure.Text);
    }

    [Fact]
    public async Task An_old_server_is_greeted_by_HELO()
    {
        peer.Script = line => line.StartsWith("EHLO", StringComparison.Ordinal) ? "502 5.5.1 what?" : null;
        await using var client = await OpenAsync();
        Assert.False(client.Extensions.Pipelining);
        Assert.True((await client.SendAsync(Message("a@peer.test"), default)).Replies[0].IsPositive);
    }

    [Theory]
    [InlineData("554 5.3.2 go away")]
    [InlineData("421 4.3.2 busy")]
    [InlineData("HTTP/1.1 400 Bad Request")]
    [InlineData("220-x\r\n<drop>")]
    public async Task A_greeting_that_is_none_is_the_hosts_failure_and_temporary(string greeting)
    {
        peer.Script = line => line == "connect" ? greeting : null;
        var (client, failure) = await ConnectAsync();
        Assert.Null(client);
        Assert.True(failure!.IsTemporary);
    }

    [Fact]
    public async Task Replies_are_bounded_in_lines_and_length()
    {
        peer.Script = line => line == "connect" ? string.Concat(Enumerable.Repeat("220-more\r\n", 1000)) + "220 end" : null;
        Assert.NotNull((await ConnectAsync()).Failure);
        peer.Script = line => line == "connect" ? "220 " + new string('x', 100_000) : null;
        Assert.NotNull((await ConnectAsync()).Failure);
    }

    [Fact]
    public async Task Waits_end_by_the_clock()
    {
        var time = new ManualTime();
        peer.Script = line => line == "." ? ScriptedPeer.Hang : null;
        var (client, _) = await SmtpClient.ConnectAsync(new ClientTarget("peer.test", IPAddress.Loopback, peer.Port), new ClientOptions("us.test", new QueueSettings()), time, default);
        var sending = client!.SendAsync(Message("a@peer.test"), default);
        await Wait.UntilAsync(() => peer.Commands.Contains("DATA"), "the content was asked for");
        while (!sending.IsCompleted)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await Task.Yield();
        }
        Assert.Contains("no answer within", Assert.Single((await sending).Replies).Text);
        await client.DisposeAsync();
    }

    [Fact]
    public async Task What_the_extensions_forbid_is_not_begun()
    {
        peer.Extensions = ["SIZE 20"];
        await using var client = await OpenAsync(new ClientOptions("us.test", Quick with { ReturnEightBit = true }));
        Assert.Equal("5.3.4", (await client.SendAsync(Message("a@peer.test"), default)).Replies[0].Status);
        Assert.Equal("5.6.3", (await client.SendAsync(Message("a@peer.test") with { Size = 5, EightBit = true }, default)).Replies[0].Status);
        Assert.Equal("5.6.7", (await client.SendAsync(Message("a@peer.test") with { Size = 5, SmtpUtf8 = true }, default)).Replies[0].Status);
        Assert.Equal("5.6.7", (await client.SendAsync(Message("a@peer.test") with { Size = 5, ReversePath = Address("анна@example.test") }, default)).Replies[0].Status);
        var mixed = (await client.SendAsync(Message("иван@peer.test", "ivan@пример.рф") with { Size = 5 }, default)).Replies;
        Assert.Equal(("5.6.7", 250), (mixed[0].Status, mixed[1].Code));
        Assert.Equal(["<ivan@xn--e1afmkfd.xn--p1ai>"], Assert.Single(peer.Mails).To);
    }

    [Fact]
    public async Task International_addresses_go_with_SMTPUTF8()
    {
        peer.Extensions = ["SMTPUTF8", "8BITMIME", "PIPELINING"];
        await using var client = await OpenAsync();
        Assert.True((await client.SendAsync(Message("иван@пример.рф") with { EightBit = true }, default)).Replies[0].IsPositive);
        Assert.Equal("<anna@example.test> BODY=8BITMIME SMTPUTF8", peer.Mails[0].From);
        Assert.Equal(["<иван@пример.рф>"], peer.Mails[0].To);
    }

    [Fact]
    public async Task DSN_parameters_are_passed_on_and_cannot_smuggle_a_command()
    {
        await using var client = await OpenAsync();
        var message = Message("a@peer.test") with
        {
            Return = "HDRS",
            EnvelopeId = "x\r\nRSET",
            Recipients = [new ClientRecipient(Address("a@peer.test"), "SUCCESS,DELAY", "rfc822;a+2Bb@peer.test")],
        };
        Assert.True((await client.SendAsync(message, default)).Replies[0].IsPositive);
        Assert.Equal("<anna@example.test> SIZE=30 RET=HDRS", peer.Mails[0].From);
        Assert.Equal(["<a@peer.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@peer.test"], peer.Mails[0].To);
    }

    [Fact]
    public async Task The_announced_limit_of_recipients_is_kept()
    {
        peer.Extensions = ["PIPELINING", "LIMITS MAILMAX=10 RCPTMAX=2"];
        await using var client = await OpenAsync();
        Assert.Equal([250, 250, 452], (await client.SendAsync(Message("a@peer.test", "b@peer.test", "c@peer.test"), default)).Replies.Select(reply => reply.Code));
    }

    [Fact]
    public async Task What_must_be_durable_first_is_awaited_before_the_dot()
    {
        var durable = new TaskCompletionSource();
        await using var client = await OpenAsync();
        var sending = client.SendAsync(Message("a@peer.test") with { BeforeDot = () => durable.Task }, default);
        await Wait.UntilAsync(() => peer.Commands.Contains("DATA"), "the content was asked for");
        Assert.Empty(peer.Mails);
        durable.SetResult();
        Assert.True((await sending).Replies[0].IsPositive);
    }

    [Fact]
    public async Task A_content_that_breaks_off_is_never_ended_by_a_dot()
    {
        await using var client = await OpenAsync();
        var message = Message("a@peer.test") with { Write = (_, _) => throw new IOException("damaged") };
        await Assert.ThrowsAsync<IOException>(() => client.SendAsync(message, default));
        Assert.False(client.Usable);
        Assert.Empty(peer.Mails);
    }

    [Fact]
    public async Task Nobody_there_is_temporary()
    {
        await peer.DisposeAsync();
        var (client, failure) = await ConnectAsync();
        Assert.Null(client);
        Assert.Equal(("4.4.1", true), (failure!.Status, failure.IsTemporary));
        Assert.Contains("connection refused", failure.Text);
    }

    [Theory]
    [InlineData("250 2.1.5 ok", 250, "2.1.5", "ok")]
    [InlineData("250", 250, "2.0.0", "")]
    [InlineData("550 5.1 ok", 550, "5.1.1", "5.1 ok")]
    [InlineData("550 2.1.1 wrong class", 550, "5.1.1", "2.1.1 wrong class")]
    [InlineData("450 4.7.1 \u0007bell", 450, "4.7.1", " bell")]
    [InlineData("550 5.1.1 \u009b2J\u202eno", 550, "5.1.1", "2J no")] // commands to a terminal in one character
    public void Replies_are_read(string line, int code, string status, string text)
    {
        var reply = ClientReply.Parse([Encoding.UTF8.GetBytes(line)]);
        Assert.Equal((code, status, text.Trim()), (reply!.Code, reply.Status, reply.Text.Trim()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("25")]
    [InlineData("2x0 a")]
    [InlineData("150 a")]
    [InlineData("650 a")]
    [InlineData("250+a")]
    public void What_is_no_reply_is_none(string line) => Assert.Null(ClientReply.Parse([Encoding.UTF8.GetBytes(line)]));
}
