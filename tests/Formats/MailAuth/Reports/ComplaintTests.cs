using System.Net;
using System.Text;
using CbaMail.MailAuth.Reports;
using Xunit;

namespace CbaMail.Tests.Formats.MailAuth.Reports;

/// <summary>Complaints as providers send them (RFC 5965 B.2 and real ones).</summary>
public class ComplaintTests
{
    private static Complaint? Read(string message) => Complaint.Read(Encoding.UTF8.GetBytes(message.ReplaceLineEndings("\r\n")));

    private static string Arf(string fields, string original, string originalType = "message/rfc822") => $"""
        From: <abusedesk@example.com>
        Subject: FW: Earn money
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=feedback-report; boundary="b"

        --b
        Content-Type: text/plain; charset="US-ASCII"

        This is an email abuse report.

        --b
        Content-Type: message/feedback-report

        {fields}
        --b
        Content-Type: {originalType}
        Content-Disposition: inline

        {original}
        --b--

        """;

    private const string Original = """
        Return-Path: <b.12.abc@bounces.example.net>
        From: "News" <somespammer@Example.net>
        Received: from mailserver.example.net (mailserver.example.net [192.0.2.1]) by example.com; Thu, 08 Mar 2005 14:00:00 -0400
        To: <Undisclosed Recipients>
        Subject: Earn
         money
        Message-ID: <8787KJKJ3K4J3K4J3K4J3.mail@example.net>
        Feedback-ID: 17:course3:letters:cba
        List-Unsubscribe: <https://example.net/u/abc>,
         <mailto:u-abc@example.net>

        Spam Spam Spam
        """;

    [Fact]
    public void The_example_of_the_rfc_is_read_whole()
    {
        var complaint = Read(Arf("""
            Feedback-Type: abuse
            User-Agent: SomeGenerator/1.0
            Version: 1
            Original-Mail-From: <somespammer@example.net>
            Original-Rcpt-To: <user@example.com>
            Arrival-Date: Tue, 08 Mar 2005 18:00:00 +0000
            Reporting-MTA: dns; mail.example.com
            Source-IP: 192.0.2.1
            Authentication-Results: mail.example.com; spf=fail
            Reported-Domain: example.net
            Reported-Uri: http://example.net/earn_money.html
            Incidents: 3
            Removal-Recipient: user@example.com

            """, Original))!;
        Assert.Equal((ComplaintForm.Arf, "abuse", "SomeGenerator/1.0", "somespammer@example.net"), (complaint.Form, complaint.FeedbackType, complaint.UserAgent, complaint.OriginalMailFrom));
        Assert.Equal(["user@example.com"], complaint.OriginalRecipients);
        Assert.Equal((IPAddress.Parse("192.0.2.1"), "mail.example.com", 3), (complaint.SourceIp, complaint.ReportingMta, complaint.Incidents));
        Assert.Equal(new DateTimeOffset(2005, 3, 8, 18, 0, 0, TimeSpan.Zero), complaint.ArrivalDate);
        Assert.Equal(["example.net"], complaint.ReportedDomains);
        Assert.Equal(("8787KJKJ3K4J3K4J3K4J3.mail@example.net", "17:course3:letters:cba", "b.12.abc@bounces.example.net"), (complaint.MessageId, complaint.FeedbackId, complaint.ReturnPath));
        Assert.Equal(("<https://example.net/u/abc>, <mailto:u-abc@example.net>", "Earn money", "Example.net"), (complaint.ListUnsubscribe, complaint.Subject, complaint.FromDomain));
    }

    [Fact]
    public void The_header_alone_is_enough_and_fields_may_be_missing()
    {
        var complaint = Read(Arf("feedback-type: Not-Spam\nReceived-Date: Thu, 8 Mar 2005 14:00:00 EDT\nOriginal-Rcpt-To: rfc822; redacted\nOriginal-Rcpt-To: <a@x.org>\nSource-IP: [2001:db8::1]\nIncidents: many\n", Original, "text/rfc822-headers"))!;
        Assert.Equal(("not-spam", null, 1), (complaint.FeedbackType, complaint.OriginalMailFrom, complaint.Incidents));
        Assert.Equal(["redacted", "a@x.org"], complaint.OriginalRecipients);
        Assert.Equal(IPAddress.Parse("2001:db8::1"), complaint.SourceIp);
        Assert.NotNull(complaint.ArrivalDate);
        Assert.Equal("8787KJKJ3K4J3K4J3K4J3.mail@example.net", complaint.MessageId);
    }

    [Fact]
    public void A_failure_of_authentication_says_which() =>
        Assert.Equal(("auth-failure", "dmarc"), Read(Arf("Feedback-Type: auth-failure\nAuth-Failure: DMARC\n", Original)) is { } c ? (c.FeedbackType, c.AuthFailure) : default);

    [Fact]
    public void Outlook_forwards_the_message_attached()
    {
        var complaint = Read($"""
            From: staff@hotmail.com
            Subject: complaint about message from 192.0.2.1
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary="b"

            --b
            Content-Type: message/rfc822
            Content-Disposition: attachment

            X-HmXmrOriginalRecipient: user@outlook.com
            X-Sender-IP: 192.0.2.1
            {Original}
            --b--

            """)!;
        Assert.Equal((ComplaintForm.Forwarded, "abuse", "8787KJKJ3K4J3K4J3K4J3.mail@example.net"), (complaint.Form, complaint.FeedbackType, complaint.MessageId));
        Assert.Equal(["user@outlook.com"], complaint.OriginalRecipients);
        Assert.Equal(IPAddress.Parse("192.0.2.1"), complaint.SourceIp);
    }

    [Fact]
    public void Or_passes_it_on_whole() =>
        Assert.Equal("8787KJKJ3K4J3K4J3K4J3.mail@example.net", Read("X-HmXmrOriginalRecipient: <user@hotmail.com>\n" + Original)?.MessageId);

    [Theory]
    [InlineData("Subject: hello\n\ntext\n")]
    [InlineData("")]
    [InlineData("Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\ntext\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n--b--\n")]
    public void Other_mail_is_no_complaint(string message) => Assert.Null(Read(message));

    [Fact]
    public void No_bytes_make_it_throw()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var sample = Encoding.UTF8.GetBytes(Arf("Feedback-Type: abuse\nSource-IP: 1.2.3.4\nOriginal-Rcpt-To: <a@b.c>\n", Original).ReplaceLineEndings("\r\n"));
        for (var i = 0; i < 5000; i++)
        {
            var message = (byte[])sample.Clone();
            for (var n = random.Next(1, 20); n > 0; n--) message[random.Next(message.Length)] = (byte)random.Next(256);
            var exception = Record.Exception(() => Complaint.Read(message.AsSpan(0, random.Next(message.Length))));
            Assert.True(exception is null, $"seed {seed}: {exception}");
        }
    }
}
