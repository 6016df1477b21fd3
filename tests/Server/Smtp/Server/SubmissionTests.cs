using System.Text;
using CbaMail.Config;
using Xunit;

namespace CbaMail.Tests.Server.Smtp.Server;

/// <summary>RFC 6409 and RFC 4954 on port 587, in the evaluation profile over loopback, where clear text may sign in.</summary>
public sealed class SubmissionTests(PostOffice office) : IClassFixture<PostOffice>
{
    static readonly string Ivan = Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0ivan@example.test\0{PostOffice.Password}"));
    static readonly string Begin = $"S: 220 *\nC: HELO me\nS: 250 *\nC: AUTH PLAIN {Ivan}\nS: 235 2.7.0 *\n";

    static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    Task<List<Delivered>> Play(string script) => office.PlayAsync(Protocol.Submission, script);

    [Fact]
    public async Task Who_has_signed_in_may_send_anywhere()
    {
        var orders = await Play($"""
            {Begin}
            C: MAIL FROM:<ivan@example.test>
            S: 250 *
            C: RCPT TO:<far@elsewhere.test> NOTIFY=FAILURE ORCPT=rfc822;far@elsewhere.test
            S: 250 *
            C: RCPT TO:<anna@example.test>
            S: 250 *
            C: DATA
            S: 354 *
            C: From: Ivan <ivan+work@example.test>
            C: Date: Mon, 1 Jan 2024 00:00:00 +0000
            C: Message-ID: <x@y>
            C:
            C: text
            C: .
            S: 250 2.0.0 *
            """);
        var (order, text) = Assert.Single(orders);
        Assert.Equal("far@elsewhere.test", order.Recipients[0].Targets[0].Remote!.ToString());
        Assert.Equal(("FAILURE", "rfc822;far@elsewhere.test"), (order.Recipients[0].Notify, order.Recipients[0].OriginalRecipient));
        Assert.Contains(" with SMTP", text, StringComparison.Ordinal);
        Assert.EndsWith(" +0000\r\nFrom: Ivan <ivan+work@example.test>\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <x@y>\r\n\r\ntext\r\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_client_left_out_is_added()
    {
        var orders = await Play($"{Begin}C: MAIL FROM:<ivan@example.test>\nS: 250 *\nC: RCPT TO:<anna@example.test>\nS: 250 *\nC: DATA\nS: 354 *\nC: Subject: x\nC:\nC: .\nS: 250 *");
        var text = Assert.Single(orders).Text;
        Assert.Matches(@"\r\nDate: \w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000\r\nMessage-ID: <[0-9a-f]{32}@mail\.example\.test>\r\nFrom: ivan@example\.test\r\nSubject: x\r\n\r\n$", text);
    }

    [Fact]
    public async Task A_text_without_fields_stays_text()
    {
        var orders = await Play($"{Begin}C: MAIL FROM:<ivan@example.test>\nS: 250 *\nC: RCPT TO:<anna@example.test>\nS: 250 *\nC: DATA\nS: 354 *\nC: just text\nC: .\nS: 250 *");
        Assert.EndsWith("From: ivan@example.test\r\n\r\njust text\r\n", Assert.Single(orders).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("anna@example.test", "550 5.7.1 *")]
    [InlineData("ivan@elsewhere.test", "550 5.7.1 *")]
    [InlineData("team@example.test", "250 *")]
    [InlineData("ivan+x@example.test", "250 *")]
    [InlineData("", "250 *")]
    public Task The_sender_must_be_ones_own(string sender, string reply) => Play($"{Begin}C: MAIL FROM:<{sender}>\nS: {reply}");

    [Theory]
    [InlineData("From: anna@example.test", "550 5.7.1 *")]
    [InlineData("From: ivan@example.test, anna@example.test", "550 5.7.1 *")]
    [InlineData("From: ivan@example.test\nC: From: anna@example.test", "550 5.7.1 *")]
    [InlineData("From: \"ivan@example.test\" <anna@example.test>", "550 5.7.1 *")]
    [InlineData("From: nobody", "550 5.7.1 *")]
    [InlineData("From: team: ivan@example.test;", "250 *")]
    [InlineData("fROM: Ivan\nC:   <IVAN@Example.Test>", "250 *")]
    public Task So_must_From(string field, string reply) =>
        Play($"{Begin}C: MAIL FROM:<ivan@example.test>\nS: 250 *\nC: RCPT TO:<anna@example.test>\nS: 250 *\nC: DATA\nS: 354 *\nC: {field}\nC:\nC: .\nS: {reply}");

    [Fact]
    public Task Nobody_sends_before_signing_in() => Play("""
        S: 220 *
        C: HELO me
        S: 250 *
        C: MAIL FROM:<ivan@example.test>
        S: 530 5.7.0 *
        C: RCPT TO:<anna@example.test>
        S: 530 5.7.0 *
        """);

    [Fact]
    public Task AUTH_is_announced() => Play("S: 220 *\nC: EHLO me\nS: 250-*\n" + string.Concat(Enumerable.Repeat("S: 250-*\n", 13)) + "S: 250-STARTTLS\nS: 250 AUTH PLAIN LOGIN");

    [Fact]
    public async Task AUTH_is_neither_announced_nor_taken_in_clear_text_from_elsewhere() => await office.PlayAsync(
        Protocol.Submission, "S: 220 *\nC: EHLO me\nS: 250-*\n" + string.Concat(Enumerable.Repeat("S: 250-*\n", 13)) + $"S: 250 STARTTLS\nC: AUTH PLAIN {Ivan}\nS: 538 5.7.11 *\nC: MAIL FROM:<>\nS: 530 5.7.0 *", remote: "192.0.2.1");

    [Fact]
    public async Task Nor_outside_the_evaluation_profile() => await office.PlayAsync(
        Protocol.Submission, $"S: 220 *\nC: HELO me\nS: 250 *\nC: AUTH PLAIN {Ivan}\nS: 538 5.7.11 *", settings: office.Settings with { Evaluation = false });

    [Fact]
    public Task The_exchanges() => Play($"""
        S: 220 *
        C: AUTH PLAIN {Ivan}
        S: 503 5.5.1 *
        C: HELO me
        S: 250 *
        C: AUTH
        S: 501 5.5.4 *
        C: AUTH CRAM-MD5
        S: 504 5.5.4 *
        C: AUTH PLAIN
        S: 334 
        C: *
        S: 501 5.7.0 *
        C: AUTH PLAIN !!!
        S: 501 5.5.2 *
        C: AUTH PLAIN =
        S: 501 5.5.2 *
        C: AUTH PLAIN
        S: 334 
        C: {Base64("\0ivan@example.test\0wrong")}
        S: 535 5.7.8 *
        C: AUTH LOGIN
        S: 334 VXNlcm5hbWU6
        C: {Base64("ivan@example.test")}
        S: 334 UGFzc3dvcmQ6
        C: {Base64("wrong")}
        S: 535 5.7.8 *
        C: AUTH login {Base64("ivan@example.test")}
        S: 334 UGFzc3dvcmQ6
        C: {Base64(PostOffice.Password)}
        S: 235 2.7.0 *
        C: AUTH PLAIN {Ivan}
        S: 503 5.5.1 *
        """);

    [Fact]
    public Task A_response_is_bounded() => Play($"S: 220 *\nC: HELO me\nS: 250 *\nC: AUTH PLAIN\nS: 334 \nC: {new string('A', 13000)}\nS: 500 5.5.6 *\nC: NOOP\nS: 250 *");

    [Fact]
    public async Task Guessing_ends_the_session()
    {
        var settings = office.Settings with { Smtp = office.Settings.Smtp with { FailedSignIns = 2 } };
        var guess = $"C: AUTH PLAIN {Base64("\0ivan@example.test\0wrong")}\nS: 535 *\n";
        await office.PlayAsync(Protocol.Submission, $"S: 220 *\nC: HELO me\nS: 250 *\n{guess}{guess}S: 421 4.7.0 *\nS!", settings: settings);
    }

    [Fact]
    public async Task The_protocol_in_Received_says_how_it_came()
    {
        var orders = await Play($"S: 220 *\nC: EHLO me\n{string.Concat(Enumerable.Repeat("S: 250-*\n", 15))}S: 250 *\nC: AUTH PLAIN {Ivan}\nS: 235 *\n" +
            "C: MAIL FROM:<ivan@example.test> SMTPUTF8\nS: 250 *\nC: RCPT TO:<плюс@example.test>\nS: 250 *\nC: DATA\nS: 354 *\nC: .\nS: 250 *");
        Assert.Contains(" with UTF8SMTPA\r\n", Assert.Single(orders).Text, StringComparison.Ordinal);
    }
}
