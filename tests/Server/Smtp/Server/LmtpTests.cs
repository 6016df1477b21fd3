using CbaMail.Config;
using CbaMail.Envelope;
using Xunit;

namespace CbaMail.Tests.Server.Smtp.Server;

/// <summary>RFC 2033: SMTP with LHLO and a reply for each recipient.</summary>
public sealed class LmtpTests(PostOffice office) : IClassFixture<PostOffice>
{
    const string Hello = "S: 220 mail.example.test LMTP *\nC: LHLO me\nS: 250-*\nS: 250-*\nS: 250-*\nS: 250-*\nS: 250-*\nS: 250-*\nS: 250-*\nS: 250-*\nS: 250-*\nS: 250-*\nS: 250 HELP\n";

    [Theory]
    [InlineData("HELO me")]
    [InlineData("EHLO me")]
    [InlineData("STARTTLS")]
    [InlineData("AUTH PLAIN x")]
    public Task Other_greetings_are_unknown(string command) => office.PlayAsync(Protocol.Lmtp, $"S: 220 *\nC: {command}\nS: 500 5.5.1 *");

    [Fact]
    public async Task Each_recipient_is_answered()
    {
        var orders = await office.PlayAsync(Protocol.Lmtp, $"""
            {Hello}
            C: MAIL FROM:<a@b.test>
            S: 250 *
            C: RCPT TO:<ivan@example.test>
            S: 250 *
            C: RCPT TO:<nobody@example.test>
            S: 550 *
            C: RCPT TO:<far@elsewhere.test>
            S: 550 5.7.1 *
            C: RCPT TO:<anna@example.test>
            S: 250 *
            C: DATA
            S: 354 *
            C: .
            S: 250 2.1.5 <ivan@example.test> *
            S: 552 5.2.2 *
            C: NOOP
            S: 250 2.0.0 Still here
            """, _ => [null, Refusal.OverQuota]);
        Assert.True(Assert.Single(orders).Order.Separate);
        Assert.Contains(" with LMTP\r\n", orders[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public Task So_it_is_after_the_last_chunk_alone() => office.PlayAsync(Protocol.Lmtp, $"""
        {Hello}
        C: MAIL FROM:<a@b.test>
        S: 250 *
        C: RCPT TO:<ivan@example.test>
        S: 250 *
        C: RCPT TO:<anna@example.test>
        S: 250 *
        C| BDAT 2\r\nA:
        S: 250 2.0.0 2 octets*
        C| BDAT 2 LAST\r\n\r\n
        S: 250 2.1.5 <ivan@example.test> *
        S: 250 2.1.5 <anna@example.test> *
        """);

    [Fact]
    public Task A_refused_text_is_refused_for_each() => office.PlayAsync(Protocol.Lmtp, $"""
        {Hello}
        C: MAIL FROM:<a@b.test>
        S: 250 *
        C: RCPT TO:<ivan@example.test>
        S: 250 *
        C: RCPT TO:<anna@example.test>
        S: 250 *
        C: DATA
        S: 354 *
        C| a\nb\r\n.\r\n
        S: 550 5.6.0 *
        S: 550 5.6.0 *
        C: NOOP
        S: 250 2.0.0 Still here
        """);

    [Fact]
    public Task Without_recipients_there_is_no_text() =>
        office.PlayAsync(Protocol.Lmtp, $"{Hello}C: MAIL FROM:<a@b.test>\nS: 250 *\nC: RCPT TO:<nobody@example.test>\nS: 550 *\nC: DATA\nS: 503 5.5.1 *");
}
