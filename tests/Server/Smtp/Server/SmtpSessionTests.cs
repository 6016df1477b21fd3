using CbaMail.Config;
using CbaMail.Envelope;
using Xunit;

namespace CbaMail.Tests.Server.Smtp.Server;

/// <summary>RFC 5321 as dialogues on port 25: the order of commands, their parameters, and what a wrong one gets.</summary>
public sealed class SmtpSessionTests(PostOffice office) : IClassFixture<PostOffice>
{
    const string Begin = "S: 220 mail.example.test ESMTP *\nC: HELO me\nS: 250 mail.example.test\n";

    Task<List<Delivered>> Play(string script) => office.PlayAsync(Protocol.Smtp, script);

    [Fact]
    public Task The_greeting_lists_what_is_offered() => Play("""
        S: 220 mail.example.test ESMTP *
        C: EHLO client.example
        S: 250-mail.example.test
        S: 250-PIPELINING
        S: 250-ENHANCEDSTATUSCODES
        S: 250-SIZE 100000
        S: 250-8BITMIME
        S: 250-SMTPUTF8
        S: 250-DSN
        S: 250-DELIVERBY
        S: 250-MT-PRIORITY MIXER
        S: 250-LIMITS RCPTMAX=5 MAILMAX=100000
        S: 250-CHUNKING
        S: 250-BINARYMIME
        S: 250-HELP
        S: 250 STARTTLS
        C: QUIT
        S: 221 2.0.0 mail.example.test *
        S!
        """);

    [Fact]
    public async Task A_message_passes()
    {
        var orders = await Play("""
            S: 220 *
            C: HELO client.example
            S: 250 mail.example.test
            C: MAIL FROM:<sender@elsewhere.test>
            S: 250 2.1.0 *
            C: RCPT TO:<ivan@example.test>
            S: 250 2.1.5 *
            C: DATA
            S: 354 *
            C: Subject: hello
            C:
            C: ..stuffed
            C: .x
            C: .
            S: 250 2.0.0 Accepted: *
            C: QUIT
            S: 221 2.0.0 *
            S!
            """);
        var (order, text) = Assert.Single(orders);
        Assert.Equal("sender@elsewhere.test", order.ReversePath!.ToString());
        Assert.Equal("ivan", Assert.Single(order.Recipients).Targets[0].Account!.Address.LocalPart);
        Assert.StartsWith("Received: from client.example ([127.0.0.1])\r\n\tby mail.example.test (CBA Mail) with SMTP\r\n\tid ", text, StringComparison.Ordinal);
        Assert.Contains("\tfor <ivan@example.test>;\r\n\t", text, StringComparison.Ordinal);
        Assert.EndsWith(" +0000\r\nSubject: hello\r\n\r\n.stuffed\r\nx\r\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pipelined_commands_are_answered_in_order()
    {
        var orders = await Play("""
            C: EHLO client
            C: MAIL FROM:<>
            C: RCPT TO:<nobody@example.test>
            C: RCPT TO:<ivan@example.test>
            C: DATA
            C: Subject: x
            C:
            C: .
            C: NOOP
            C: QUIT
            S: 220 *
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
            S: 250-*
            S: 250-*
            S: 250-*
            S: 250 *
            S: 250 2.1.0 *
            S: 550 5.1.1 *
            S: 250 2.1.5 *
            S: 354 *
            S: 250 2.0.0 *
            S: 250 2.0.0 *
            S: 221 *
            S!
            """);
        Assert.Null(Assert.Single(orders).Order.ReversePath);
    }

    [Theory]
    [InlineData("MAIL FROM:<a@b.test>", "503 5.5.1 *")]
    [InlineData("RCPT TO:<ivan@example.test>", "503 5.5.1 *")]
    [InlineData("DATA", "503 5.5.1 *")]
    [InlineData("STARTTLS", "503 5.5.1 *")]
    [InlineData("NOOP", "250 2.0.0 *")]
    [InlineData("RSET", "250 2.0.0 *")]
    [InlineData("VRFY ivan", "252 2.1.5 *")]
    [InlineData("HELP mail", "214 2.0.0 MAIL FROM:*")]
    [InlineData("EHLO", "501 5.5.4 *")]
    [InlineData("HELO", "501 5.5.4 *")]
    [InlineData("EHLO two words", "501 5.5.4 *")]
    public Task Before_the_greeting_only_some_is_possible(string command, string reply) => Play($"S: 220 *\nC: {command}\nS: {reply}");

    [Theory]
    [InlineData("WHAT", "500 5.5.1 *")]
    [InlineData("", "500 5.5.1 *")]
    [InlineData(" NOOP", "500 5.5.1 *")]
    [InlineData("noop", "250 2.0.0 *")]
    [InlineData("NOOP anything at all", "250 2.0.0 *")]
    [InlineData("NOOP   ", "250 2.0.0 *")]
    [InlineData("EXPN staff", "502 5.5.1 *")]
    [InlineData("TURN", "502 5.5.1 *")]
    [InlineData("ETRN x", "502 5.5.1 *")]
    [InlineData("AUTH PLAIN AGEAYg==", "502 5.5.1 *")]
    [InlineData("LHLO me", "502 5.5.1 *")]
    [InlineData("VRFY", "501 5.5.4 *")]
    [InlineData("RSET now", "501 5.5.4 *")]
    [InlineData("QUIT now", "501 5.5.4 *")]
    [InlineData("STARTTLS now", "501 5.5.4 *")]
    [InlineData("HELP NOTHING", "504 5.5.4 *")]
    [InlineData("NOOP \\0", "500 5.5.2 *")]
    [InlineData("NO\\x01OP", "500 5.5.2 *")]
    [InlineData("NOOP\\rMAIL FROM:<>", "500 5.5.2 *")]
    [InlineData("NOOP\\nMAIL FROM:<>", "500 5.5.2 *")]
    [InlineData("HELO приве\u0442", "500 5.5.2 *")]
    public Task A_command_that_is_not_right_is_told_so(string command, string reply) =>
        Play($"{Begin}C| {command}\\r\\n\nS: {reply}\nC: NOOP\nS: 250 2.0.0 *");

    [Theory]
    [InlineData("MAIL FROM:<a@b.test>", "250 2.1.0 *")]
    [InlineData("mail from:<a@b.test>", "250 2.1.0 *")]
    [InlineData("MAIL FROM: <a@b.test>", "250 2.1.0 *")]
    [InlineData("MAIL FROM:<>", "250 2.1.0 *")]
    [InlineData("MAIL FROM:<@x.test,@y.test:a@b.test>", "250 2.1.0 *")]
    [InlineData("MAIL FROM:<\"a > b\"@b.test>", "250 2.1.0 *")]
    [InlineData("MAIL FROM:<a@[192.0.2.1]>", "250 2.1.0 *")]
    [InlineData("MAIL FROM:<a@[IPv6:2001:db8::1]>", "250 2.1.0 *")]
    [InlineData("MAIL FROM:<a@[IPv6:nonsense]>", "553 5.1.7 *")]
    [InlineData("MAIL FROM:<a@[300.1.1.1]>", "553 5.1.7 *")]
    [InlineData("MAIL FROM:<postmaster>", "553 5.1.7 *")]
    [InlineData("MAIL FROM:<a b@b.test>", "553 5.1.7 *")]
    [InlineData("MAIL FROM:<a@b..test>", "553 5.1.7 *")]
    [InlineData("MAIL FROM:<a>", "553 5.1.7 *")]
    [InlineData("MAIL FROM:<@x.test:>", "553 5.1.7 *")]
    [InlineData("MAIL FROM:a@b.test", "501 5.5.4 *")]
    [InlineData("MAIL FROM:<a@b.test", "501 5.5.4 *")]
    [InlineData("MAIL FROM:<a@b.test>x", "501 5.5.4 *")]
    [InlineData("MAIL a@b.test", "501 5.5.4 *")]
    [InlineData("MAIL", "501 5.5.4 *")]
    [InlineData("MAIL TO:<a@b.test>", "501 5.5.4 *")]
    [InlineData("MAIL FROM:<> SIZE=100000", "250 2.1.0 *")]
    [InlineData("MAIL FROM:<> SIZE=100001", "552 5.3.4 *")]
    [InlineData("MAIL FROM:<> SIZE=18446744073709551615", "552 5.3.4 *")]
    [InlineData("MAIL FROM:<> SIZE=99999999999999999999", "501 5.5.4 *")]
    [InlineData("MAIL FROM:<> SIZE=-1", "501 5.5.4 *")]
    [InlineData("MAIL FROM:<> SIZE=", "501 5.5.4 *")]
    [InlineData("MAIL FROM:<> SIZE", "501 5.5.4 *")]
    [InlineData("MAIL FROM:<> size=10 body=8bitmime", "250 2.1.0 *")]
    [InlineData("MAIL FROM:<> SIZE=10 SIZE=10", "501 5.5.4 *")]
    [InlineData("MAIL FROM:<> BODY=7BIT", "250 2.1.0 *")]
    [InlineData("MAIL FROM:<> BODY=BINARYMIME", "250 2.1.0 *")]
    [InlineData("MAIL FROM:<> BODY=9BIT", "501 5.5.4 *")]
    [InlineData("MAIL FROM:<> RET=HDRS ENVID=QQ+2B314159", "250 2.1.0 *")]
    [InlineData("MAIL FROM:<> RET=SOME", "501 5.5.4 *")]
    [InlineData("MAIL FROM:<> ENVID=a+2", "501 5.5.4 *")]
    [InlineData("MAIL FROM:<> AUTH=<>", "250 2.1.0 *")]
    [InlineData("MAIL FROM:<> SMTPUTF8", "250 2.1.0 *")]
    [InlineData("MAIL FROM:<> SMTPUTF8=yes", "501 5.5.4 *")]
    [InlineData("MAIL FROM:<иван@пример.рф> SMTPUTF8", "250 2.1.0 *")]
    [InlineData("MAIL FROM:<иван@пример.рф>", "553 5.6.7 *")]
    [InlineData("MAIL FROM:<> REQUIRETLS", "555 5.5.4 *")]
    [InlineData("MAIL FROM:<> NOTIFY=NEVER", "555 5.5.4 *")]
    [InlineData("MAIL FROM:<> =x", "501 5.5.4 *")]
    public Task MAIL_takes_its_path_and_parameters(string command, string reply) => Play($"{Begin}C: {command}\nS: {reply}");

    [Theory]
    [InlineData("RCPT TO:<ivan@example.test>", "250 2.1.5 *")]
    [InlineData("RCPT TO:<IVAN@EXAMPLE.TEST>", "250 2.1.5 *")]
    [InlineData("RCPT TO:<ivan+shop@example.test>", "250 2.1.5 *")]
    [InlineData("RCPT TO:<\"ivan\"@example.test>", "250 2.1.5 *")]
    [InlineData("RCPT TO:<ivan@example.test.>", "250 2.1.5 *")]
    [InlineData("RCPT TO:<team@example.test>", "250 2.1.5 *")]
    [InlineData("RCPT TO:<away@example.test>", "250 2.1.5 *")]
    [InlineData("RCPT TO:<anything@catch.test>", "250 2.1.5 *")]
    [InlineData("RCPT TO:<nobody@example.test>", "550 5.1.1 *")]
    [InlineData("RCPT TO:<>", "553 5.1.3 *")]
    [InlineData("RCPT TO:ivan@example.test", "501 5.5.4 *")]
    [InlineData("RCPT TO:", "501 5.5.4 *")]
    [InlineData("RCPT ivan@example.test", "501 5.5.4 *")]
    [InlineData("RCPT FROM:<ivan@example.test>", "501 5.5.4 *")]
    [InlineData("RCPT TO:<ivan@example.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;ivan+2Bx@example.test", "250 2.1.5 *")]
    [InlineData("RCPT TO:<ivan@example.test> NOTIFY=NEVER,SUCCESS", "501 5.5.4 *")]
    [InlineData("RCPT TO:<ivan@example.test> NOTIFY=", "501 5.5.4 *")]
    [InlineData("RCPT TO:<ivan@example.test> NOTIFY=NEVER NOTIFY=NEVER", "501 5.5.4 *")]
    [InlineData("RCPT TO:<ivan@example.test> ORCPT=ivan", "501 5.5.4 *")]
    [InlineData("RCPT TO:<ivan@example.test> ORCPT=utf-8;\\x{438}van@x.test", "250 2.1.5 *")]
    [InlineData("RCPT TO:<ivan@example.test> SIZE=1", "555 5.5.4 *")]
    [InlineData("RCPT TO:<плюс@example.test>", "553 5.6.7 *")]
    [InlineData("RCPT TO:<postmaster>", "250 2.1.5 *")]
    [InlineData("RCPT TO:<Postmaster>", "250 2.1.5 *")]
    [InlineData("RCPT TO:<postmaster@example.test>", "250 2.1.5 *")]
    [InlineData("RCPT TO:<full@example.test>", "250 2.1.5 *")]
    public Task RCPT_takes_its_path_and_parameters(string command, string reply) =>
        Play($"{Begin}C: MAIL FROM:<a@b.test>\nS: 250 *\nC: {command}\nS: {reply}\nC: NOOP\nS: 250 *");

    [Theory]
    [InlineData("user@elsewhere.test")]
    [InlineData("@example.test:user@elsewhere.test")]
    [InlineData("@example.test,@elsewhere.test:user@elsewhere.test")]
    [InlineData("user%elsewhere.test@example.test")]
    [InlineData("user%elsewhere.test@catch.test")]
    [InlineData("elsewhere.test!user@example.test")]
    [InlineData("elsewhere.test!user@catch.test")]
    [InlineData("\"user@elsewhere.test\"@example.test")]
    [InlineData("\"user@elsewhere.test\"@catch.test")]
    [InlineData("\"user%elsewhere.test\"@catch.test")]
    [InlineData("user@elsewhere.test@example.test")]
    [InlineData("user@[127.0.0.1]")]
    [InlineData("user@[203.0.113.5]")]
    [InlineData("user%elsewhere.test@[127.0.0.1]")]
    [InlineData("user@")]
    [InlineData("@elsewhere.test")]
    [InlineData("user")]
    [InlineData("user%elsewhere.test")]
    [InlineData("elsewhere.test!user")]
    [InlineData("user@mail.example.test")]
    [InlineData("user@localhost")]
    [InlineData("user@example.test.elsewhere.test")]
    [InlineData("user@elsewhere.test\\0@example.test")]
    public Task Nothing_is_relayed_for_strangers(string recipient) =>
        Play($"{Begin}C: MAIL FROM:<ivan@example.test>\nS: 250 *\nC: RCPT TO:<{recipient}>\nS: 5*\nC: DATA\nS: 5*");

    [Fact]
    public Task A_source_route_to_us_is_read_and_forgotten() =>
        Play($"{Begin}C: MAIL FROM:<>\nS: 250 *\nC: RCPT TO:<@a.test,@b.test:ivan@example.test>\nS: 250 2.1.5 *");

    [Fact]
    public Task A_full_mailbox_is_told_at_RCPT() => Play($"""
        {Begin}
        C: MAIL FROM:<> SIZE=5000
        S: 250 *
        C: RCPT TO:<full@example.test>
        S: 552 5.2.2 *
        C: RCPT TO:<ivan@example.test>
        S: 250 *
        """);

    [Fact]
    public Task Recipients_are_limited() => Play($"""
        {Begin}
        C: MAIL FROM:<>
        S: 250 *
        C: RCPT TO:<ivan+1@example.test>
        C: RCPT TO:<ivan+2@example.test>
        C: RCPT TO:<ivan+3@example.test>
        C: RCPT TO:<ivan+4@example.test>
        C: RCPT TO:<ivan+5@example.test>
        C: RCPT TO:<ivan+6@example.test>
        S: 250 *
        S: 250 *
        S: 250 *
        S: 250 *
        S: 250 *
        S: 452 4.5.3 *
        """);

    [Fact]
    public Task The_order_of_commands_is_kept() => Play($"""
        {Begin}
        C: DATA
        S: 503 5.5.1 *
        C: MAIL FROM:<a@b.test>
        S: 250 *
        C: MAIL FROM:<a@b.test>
        S: 503 5.5.1 *
        C: DATA
        S: 503 5.5.1 *
        C: RCPT TO:<nobody@example.test>
        S: 550 *
        C: DATA
        S: 554 5.5.1 *
        C: RCPT TO:<ivan@example.test>
        S: 250 *
        C: DATA now
        S: 501 5.5.4 *
        C: RSET
        S: 250 *
        C: RCPT TO:<ivan@example.test>
        S: 503 5.5.1 *
        C: MAIL FROM:<a@b.test>
        S: 250 *
        C: HELO again
        S: 250 *
        C: RCPT TO:<ivan@example.test>
        S: 503 5.5.1 *
        """);

    [Fact]
    public Task An_overlong_line_is_refused_and_the_session_goes_on() =>
        Play($"{Begin}C: NOOP {new string('x', 2100)}\nS: 500 5.5.2 *\nC: NOOP {new string('x', 2000)}\nS: 250 *");

    [Theory]
    [InlineData("bare LF\\nhere\\r\\n.\\r\\n")]
    [InlineData("bare CR\\rhere\\r\\n.\\r\\n")]
    [InlineData("smuggled\\n.\\nMAIL FROM:<x@y.test>\\nRCPT TO:<ivan@example.test>\\nDATA\\nx\\r\\n.\\r\\n")]
    [InlineData("smuggled\\n.\\r\\nMAIL FROM:<x@y.test>\\r\\n.\\r\\n")]
    [InlineData("smuggled\\r\\n.\\nMAIL FROM:<x@y.test>\\r\\n.\\r\\n")]
    [InlineData("smuggled\\r\\n.\\rMAIL FROM:<x@y.test>\\r\\n.\\r\\n")]
    [InlineData("smuggled\\r.\\rMAIL FROM:<x@y.test>\\r\\n.\\r\\n")]
    [InlineData("smuggled\\r.\\r\\nMAIL FROM:<x@y.test>\\r\\n.\\r\\n")]
    [InlineData("smuggled\\r\\r\\n.\\r\\n")]
    public async Task Only_one_mark_ends_the_text(string text) => Assert.Empty(await Play($"""
        {Begin}
        C: MAIL FROM:<a@b.test>
        S: 250 *
        C: RCPT TO:<ivan@example.test>
        S: 250 *
        C: DATA
        S: 354 *
        C| {text}
        S: 550 5.6.0 *
        C: NOOP
        S: 250 2.0.0 Still here
        """));

    [Fact]
    public async Task A_message_that_is_too_large_is_read_and_refused()
    {
        var line = new string('x', 998);
        var text = string.Concat(Enumerable.Repeat($"C: {line}\n", 101));
        Assert.Empty(await Play($"{Begin}C: MAIL FROM:<>\nS: 250 *\nC: RCPT TO:<ivan@example.test>\nS: 250 *\nC: DATA\nS: 354 *\n{text}C: .\nS: 552 5.3.4 *\nC: NOOP\nS: 250 2.0.0 Still here"));
    }

    [Fact]
    public async Task A_message_in_circles_is_stopped()
    {
        var hops = string.Concat(Enumerable.Repeat("C: Received: by x\n", 11));
        Assert.Empty(await Play($"{Begin}C: MAIL FROM:<>\nS: 250 *\nC: RCPT TO:<ivan@example.test>\nS: 250 *\nC: DATA\nS: 354 *\n{hops}C: .\nS: 554 5.4.6 *"));
    }

    [Fact]
    public async Task An_empty_message_is_a_message()
    {
        var orders = await Play($"{Begin}C: MAIL FROM:<>\nS: 250 *\nC: RCPT TO:<ivan@example.test>\nS: 250 *\nC: DATA\nS: 354 *\nC: .\nS: 250 2.0.0 *");
        Assert.EndsWith("+0000\r\n", Assert.Single(orders).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_of_the_delivery_is_the_answer()
    {
        await office.PlayAsync(Protocol.Smtp, $"{Begin}C: MAIL FROM:<>\nS: 250 *\nC: RCPT TO:<ivan@example.test>\nS: 250 *\nC: DATA\nS: 354 *\nC: .\nS: 452 4.3.1 *", _ => [Refusal.DiskFull]);
        await office.PlayAsync(Protocol.Smtp, $"{Begin}C: MAIL FROM:<>\nS: 250 *\nC: RCPT TO:<ivan@example.test>\nS: 250 *\nC: DATA\nS: 354 *\nC: .\nS: 451 4.3.0 *\nC: NOOP\nS: 250 *", _ => throw new InvalidOperationException("a secret"));
    }

    [Fact]
    public async Task A_client_that_goes_away_in_the_text_has_sent_nothing() =>
        Assert.Empty(await Play($"{Begin}C: MAIL FROM:<>\nS: 250 *\nC: RCPT TO:<ivan@example.test>\nS: 250 *\nC: DATA\nS: 354 *\nC| Subject: x\\r\\n\\r\\nhalf"));

    [Fact]
    public async Task Too_many_errors_end_the_session()
    {
        var settings = office.Settings with { Smtp = office.Settings.Smtp with { Errors = 2 } };
        await office.PlayAsync(Protocol.Smtp, "S: 220 *\nC: A\nS: 500 *\nC: B\nS: 500 *\nC: C\nS: 500 *\nS: 421 4.7.0 *\nS!", settings: settings);
    }

    [Fact]
    public async Task Messages_on_a_connection_are_limited()
    {
        var settings = office.Settings with { Smtp = office.Settings.Smtp with { MessagesPerConnection = 1 } };
        await office.PlayAsync(Protocol.Smtp, $"{Begin}C: MAIL FROM:<>\nS: 250 *\nC: RSET\nS: 250 *\nC: MAIL FROM:<>\nS: 421 4.7.0 *\nS!", settings: settings);
    }

    [Fact]
    public Task A_browser_is_sent_away() => Play("S: 220 *\nC: POST / HTTP/1.1\nS: 421 4.7.0 *\nS!");

    [Fact]
    public Task Commands_behind_STARTTLS_end_the_session() => Play("""
        S: 220 *
        C: HELO me
        S: 250 *
        C| STARTTLS\r\nMAIL FROM:<a@b.test>\r\n
        S: 503 5.5.1 *
        S!
        """);

    [Fact]
    public async Task Help_comes_from_the_table() =>
        await Play("S: 220 *\nC: HELP\nS: 214-2.0.0 Commands:\nS: 214-2.0.0 EHLO HELO MAIL *\nS: 214 2.0.0 *STARTTLS");
}
